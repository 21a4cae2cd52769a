//! Scope that a route of the management API requires, read from its OpenAPI description.

use super::openapi;
use app::App;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Scope that a route such as `GET /v1/audit` requires; `None` if it requires none.
pub fn scope_of(app: &App, route: &str) -> Option<&'static str> {
    static SCOPES: OnceLock<HashMap<String, String>> = OnceLock::new();
    let scopes = SCOPES.get_or_init(|| read(&openapi::document(&app.config().server.public_url)));
    // HEAD requires the same scope as GET.
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
