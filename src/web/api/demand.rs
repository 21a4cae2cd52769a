//! Which scope an address of the management API needs, as its description says.

use super::openapi;
use app::App;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::OnceLock;

/// The scope that a route needs, such as `GET /v1/audit`; `None` if any token will do, or none.
pub fn scope_of(app: &App, route: &str) -> Option<&'static str> {
    static SCOPES: OnceLock<HashMap<String, String>> = OnceLock::new();
    let scopes = SCOPES.get_or_init(|| read(&openapi::document(&app.config().server.public_url)));
    // HEAD is answered as GET is.
    let route = match route.strip_prefix("HEAD ") {
        Some(path) => &format!("GET {path}"),
        None => route,
    };
    scopes.get(route).map(String::as_str)
}

fn read(document: &Value) -> HashMap<String, String> {
    let mut scopes = HashMap::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            if let Some(scope) = operation["security"][0]["bearer"][0].as_str() {
                scopes.insert(
                    format!("{} {path}", method.to_uppercase()),
                    scope.to_owned(),
                );
            }
        }
    }
    scopes
}
