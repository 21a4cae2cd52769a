//! Discovery documents for clients (RFC 8414, RFC 9728), and where a password is changed.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use app::App;
use wire::oauth::{DEVICE_CODE_GRANT, ResourceMetadata, ServerMetadata};

fn scopes(app: &App) -> Vec<String> {
    let catalogue = &app.config().scopes;
    catalogue
        .iter()
        .map(|scope| scope.name.to_string())
        .collect()
}

fn strings<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).into()
}

/// `GET /.well-known/oauth-authorization-server` (RFC 8414).
pub async fn server(app: web::Data<App>) -> HttpResponse {
    let url = &app.config().server.public_url;
    HttpResponse::Ok().json(ServerMetadata {
        issuer: url.as_str().to_owned(),
        device_authorization_endpoint: url.join("/auth/device"),
        token_endpoint: url.join("/auth/device/token"),
        introspection_endpoint: url.join("/auth/introspect"),
        revocation_endpoint: url.join("/auth/revoke"),
        scopes_supported: scopes(&app),
        // RFC 8414 requires the member although there is no authorization endpoint.
        response_types_supported: Vec::new(),
        grant_types_supported: strings([DEVICE_CODE_GRANT]),
        token_endpoint_auth_methods_supported: strings([
            "none",
            "client_secret_basic",
            "client_secret_post",
        ]),
        introspection_endpoint_auth_methods_supported: strings([
            "client_secret_basic",
            "client_secret_post",
        ]),
        revocation_endpoint_auth_methods_supported: strings([
            "none",
            "client_secret_basic",
            "client_secret_post",
        ]),
    })
}

/// `GET /.well-known/oauth-protected-resource` (RFC 9728).
pub async fn protected_resource(app: web::Data<App>) -> HttpResponse {
    let url = &app.config().server.public_url;
    HttpResponse::Ok().json(ResourceMetadata {
        resource: url.as_str().to_owned(),
        authorization_servers: strings([url.as_str()]),
        scopes_supported: scopes(&app),
        bearer_methods_supported: strings(["header"]),
        resource_name: app.config().branding.name.clone(),
    })
}

/// `GET /.well-known/change-password`: where password managers find the form.
pub async fn change_password() -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, "/account/security"))
        .finish()
}
