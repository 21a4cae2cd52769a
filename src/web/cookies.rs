//! Names and attributes of cookies, and reading them.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use app::App;

/// A cookie for all paths of this host, out of reach of scripts and of cross-site requests.
pub fn build(app: &App, name: &str, value: &str) -> Cookie<'static> {
    Cookie::build(cookie_name(app, name), value.to_owned())
        .path("/")
        .secure(app.config().server.public_url.is_https())
        .http_only(true)
        .same_site(SameSite::Lax)
        .finish()
}

/// A cookie for one path of this host, out of reach of scripts and of cross-site requests.
pub fn build_for_path(app: &App, name: &str, value: &str, path: &str) -> Cookie<'static> {
    Cookie::build(path_cookie_name(app, name), value.to_owned())
        .path(path.to_owned())
        .secure(app.config().server.public_url.is_https())
        .http_only(true)
        .same_site(SameSite::Strict)
        .finish()
}

/// Over https, the `__Secure-` prefix makes browsers require a secure cookie. `__Host-` allows no
/// other path than `/`.
pub fn path_cookie_name(app: &App, name: &str) -> String {
    match app.config().server.public_url.is_https() {
        true => format!("__Secure-{name}"),
        false => name.to_owned(),
    }
}

/// Over https, the `__Host-` prefix makes browsers require a secure, host-only cookie.
pub fn cookie_name(app: &App, name: &str) -> String {
    match app.config().server.public_url.is_https() {
        true => format!("__Host-{name}"),
        false => name.to_owned(),
    }
}

/// Whether a cookie's value has our format: 64 hexadecimal digits.
pub fn is_cookie_secret(value: &str) -> bool {
    value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Value of a cookie. Names are compared byte by byte: decoding escapes or trimming Unicode spaces
/// would let a sibling domain, which cannot set a cookie that begins with `__Host-`, set one that
/// passes for it. Malformed cookies are ignored.
pub fn cookie<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request
        .headers()
        .get_all(header::COOKIE)
        .flat_map(|value| value.as_bytes().split(|b| *b == b';'))
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
        .find_map(|(given, value)| (given == name).then_some(value))
}
