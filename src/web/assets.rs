//! Styles, scripts and images, embedded in the program. Their URLs contain a hash of the content,
//! so browsers can cache them forever and never use an outdated one.

use super::headers;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::secret::Secret;
use std::sync::OnceLock;

struct Asset {
    name: &'static str,
    extension: &'static str,
    content_type: &'static str,
    content: &'static str,
}

const ASSETS: [Asset; 3] = [
    Asset {
        name: "app",
        extension: "css",
        content_type: "text/css; charset=utf-8",
        content: include_str!("../../static/app.css"),
    },
    Asset {
        name: "app",
        extension: "js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("../../static/app.js"),
    },
    Asset {
        name: "icon",
        extension: "svg",
        content_type: "image/svg+xml; charset=utf-8",
        content: include_str!("../../static/icon.svg"),
    },
];

/// URLs of the style sheet, the script and the icon.
pub fn urls() -> &'static [String; 3] {
    static URLS: OnceLock<[String; 3]> = OnceLock::new();
    URLS.get_or_init(|| {
        ASSETS.each_ref().map(|asset| {
            let digest = Secret::new(asset.content).digest();
            let hash = &digest.as_str()[..12];
            format!("/assets/{}.{hash}.{}", asset.name, asset.extension)
        })
    })
}

pub fn routes(config: &mut web::ServiceConfig) {
    config.default_service(web::to(serve));
}

async fn serve(request: HttpRequest) -> HttpResponse {
    let found = urls()
        .iter()
        .zip(&ASSETS)
        .find(|(url, _)| *url == request.path());
    let Some((_, asset)) = found else {
        let mut response = HttpResponse::NotFound().finish();
        headers::no_store(response.headers_mut());
        return response;
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return HttpResponse::MethodNotAllowed()
            .insert_header((header::ALLOW, "GET, HEAD"))
            .finish();
    }
    HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(asset.content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_stays_small() {
        let css = ASSETS[0].content;
        assert!(css.len() <= 36_000, "{} bytes", css.len());
    }
}
