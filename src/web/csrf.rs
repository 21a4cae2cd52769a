//! Protection of forms against cross-site request forgery.

use super::failure::Failure;
use actix_web::HttpRequest;
use app::App;

/// Rejects cross-site requests. Browsers send `Sec-Fetch-Site`; older ones send `Origin`.
pub fn check_site(app: &App, request: &HttpRequest) -> Result<(), Failure> {
    let public_url = &app.config().server.public_url;
    let text = |name| {
        let value = request.headers().get(name);
        value.map(|value| value.to_str().unwrap_or("unreadable"))
    };
    let is_ours = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        // Under `Referrer-Policy: no-referrer`, browsers without `Sec-Fetch-Site` send `null`. In
        // a secure context (https or loopback), browsers send `Sec-Fetch-Site`.
        (None, Some("null")) => !public_url.is_https() && !public_url.is_loopback(),
        (None, Some(origin)) => origin == public_url.origin(),
        (None, None) => true,
    };
    if is_ours {
        Ok(())
    } else {
        Err(Failure::CrossSite)
    }
}

/// Rejects a form whose CSRF token is not that of the session.
pub fn check_token(given: &str, expected: &str) -> Result<(), Failure> {
    match subtle::ConstantTimeEq::ct_eq(given.as_bytes(), expected.as_bytes()).into() {
        true => Ok(()),
        false => Err(Failure::StaleForm),
    }
}
