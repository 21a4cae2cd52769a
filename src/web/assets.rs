//! Styles, scripts and images: our own, embedded in the program, and those of the brand. Their URLs
//! contain a hash of the content, so browsers can cache them forever and never use an outdated one.

use super::headers;
use super::pages::view::Assets;
use actix_web::http::header::{AcceptEncoding, ContentEncoding, Encoding, Header};
use actix_web::http::{Method, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use app::App;
use config::{Branding, StaticFile};
use flate2::Compression;
use flate2::read::GzEncoder;
use std::io::Read;
use std::sync::OnceLock;

const CSS: &[u8] = include_bytes!("../../static/app.css");
/// Browsers ask for it at its fixed path.
const FAVICON: &[u8] = include_bytes!("../../static/favicon.ico");
const TOUCH_ICON: &[u8] = include_bytes!("../../static/touch-icon.png");
/// How long browsers keep the icons at fixed paths: a day.
const ICON_LIFETIME: &str = "public, max-age=86400";

/// The embedded files: style sheet, script, icon, and icon of start screens.
fn embedded() -> &'static [(&'static str, StaticFile); 4] {
    static FILES: OnceLock<[(&str, StaticFile); 4]> = OnceLock::new();
    FILES.get_or_init(|| {
        [
            ("app", "css", "text/css; charset=utf-8", CSS),
            (
                "app",
                "js",
                "text/javascript; charset=utf-8",
                include_bytes!("../../static/app.js"),
            ),
            (
                "icon",
                "svg",
                "image/svg+xml; charset=utf-8",
                include_bytes!("../../static/icon.svg"),
            ),
            ("touch-icon", "png", "image/png", TOUCH_ICON),
        ]
        .map(|(name, extension, media_type, content)| {
            (
                name,
                StaticFile::new(media_type, extension, content.to_vec()),
            )
        })
    })
}

/// The embedded files in gzip (RFC 1952), in the same order.
fn compressed() -> &'static [Bytes; 4] {
    static COMPRESSED: OnceLock<[Bytes; 4]> = OnceLock::new();
    COMPRESSED.get_or_init(|| {
        embedded().each_ref().map(|(_, file)| {
            let mut gzip = GzEncoder::new(&file.content[..], Compression::best());
            let mut bytes = Vec::new();
            // Reading from memory does not fail.
            match gzip.read_to_end(&mut bytes) {
                Ok(_) => Bytes::from(bytes),
                Err(_) => Bytes::new(),
            }
        })
    })
}

/// The files of the brand.
fn branded(branding: &Branding) -> impl Iterator<Item = (&'static str, &StaticFile)> {
    let accent = branding
        .accent
        .iter()
        .map(|accent| ("brand", &accent.style));
    let logo = branding.logo.iter().map(|logo| ("logo", &logo.file));
    let dark = branding
        .logo_dark
        .iter()
        .map(|logo| ("logo-dark", &logo.file));
    accent.chain(logo).chain(dark)
}

/// URL path of a file.
fn path((name, file): (&str, &StaticFile)) -> String {
    format!("/assets/{name}.{}.{}", file.hash, file.extension)
}

/// URL paths of the files that the pages of a brand need.
pub fn urls(branding: &Branding) -> Assets {
    let [css, js, icon, touch_icon] = embedded().each_ref().map(|(name, file)| path((name, file)));
    let logo = branding.logo.as_ref().map(|logo| &logo.file);
    let logo_url = logo.map(|file| path(("logo", file)));
    let dark = branding.logo_dark.as_ref().map(|logo| &logo.file);
    let accent = branding.accent.as_ref().map(|accent| &accent.style);
    Assets {
        css,
        js,
        icon: logo_url.clone().unwrap_or(icon),
        touch_icon: match logo {
            None => Some(touch_icon),
            // Systems that put pages on a start screen read no SVG.
            Some(file) if file.extension == "svg" => None,
            Some(_) => logo_url.clone(),
        },
        brand_css: accent.map(|file| path(("brand", file))),
        logo: logo_url,
        logo_dark: dark.map(|file| path(("logo-dark", file))),
    }
}

pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::scope("/assets").default_service(web::to(serve)))
        .route("/favicon.ico", web::get().to(favicon))
        .route("/apple-touch-icon.png", web::get().to(touch_icon));
}

async fn serve(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let own = embedded().iter().zip(compressed());
    let own = own.map(|((name, file), compressed)| ((*name, file), Some(compressed)));
    let branded = branded(&app.config().branding).map(|file| (file, None));
    let found = own
        .chain(branded)
        .find(|(file, _)| path(*file) == request.path());
    let Some(((_, file), compressed)) = found else {
        let mut response = HttpResponse::NotFound().finish();
        headers::no_store(response.headers_mut());
        return response;
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return HttpResponse::MethodNotAllowed()
            .insert_header((header::ALLOW, "GET, HEAD"))
            .finish();
    }
    let mut response = HttpResponse::Ok();
    response
        .content_type(file.media_type)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::VARY, "Accept-Encoding"));
    match compressed.filter(|_| accepts_gzip(&request)) {
        Some(compressed) => response
            .insert_header(ContentEncoding::Gzip)
            .body(compressed.clone()),
        None => response.body(file.content.to_vec()),
    }
}

/// Whether the client decodes gzip. The files hold no secret, so their length reveals nothing.
fn accepts_gzip(request: &HttpRequest) -> bool {
    let supported = [Encoding::identity(), Encoding::gzip()];
    let accepted = AcceptEncoding::parse(request).ok();
    let chosen = accepted.and_then(|accepted| accepted.negotiate(supported.iter()));
    chosen == Some(Encoding::gzip())
}

/// The icon that browsers ask for where a page names none, such as a JSON answer.
async fn favicon(app: web::Data<App>) -> HttpResponse {
    fixed_icon(urls(&app.config().branding).logo, ("image/x-icon", FAVICON))
}

/// The icon of a start screen, where systems look for it.
async fn touch_icon(app: web::Data<App>) -> HttpResponse {
    let logo = urls(&app.config().branding).logo;
    fixed_icon(logo, ("image/png", TOUCH_ICON))
}

/// The logo of the brand, or our own icon.
fn fixed_icon(logo: Option<String>, (media_type, content): (&str, &'static [u8])) -> HttpResponse {
    match logo {
        Some(url) => HttpResponse::Found()
            .insert_header((header::LOCATION, url))
            .insert_header((header::CACHE_CONTROL, ICON_LIFETIME))
            .finish(),
        None => HttpResponse::Ok()
            .content_type(media_type)
            .insert_header((header::CACHE_CONTROL, ICON_LIFETIME))
            .body(content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_stays_small() {
        assert!(CSS.len() <= 36_000, "{} bytes", CSS.len());
        let sent = compressed()[0].len();
        assert!((1..=10_000).contains(&sent), "{sent} bytes");
    }
}
