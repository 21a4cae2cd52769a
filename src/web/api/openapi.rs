//! OpenAPI 3.1 description of the management API, generated from the code.
//!
//! The table of routes has the description of each route. This module adds the parts that all
//! routes share: problems, headers of requests and responses, and the token with its scopes.

use super::{DESCRIPTIONS, TABLE, problem};
use crate::web::problem_kind::Kind;
use crate::web::{headers, probe};
use actix_web::{HttpResponse, web};
use app::App;
use config::Config;
use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::OpenApi;
use wire::api::Problem;

/// An Idempotency-Key: bare, or in quotes (RFC 9651 section 3.3.3).
const KEY: &str = r#"^([!#-~]([ -~]{0,253}[!-~])?|"([ !#-\[\]-~]|\\["\\]){1,255}")$"#;

/// The result of [`describe`], compressed. The code that makes it is many times as large.
const DOCUMENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz"));

/// Parts that belong to no resource.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Doorcode",
        description = "Device login, personal access tokens and authorization. The OAuth \
                       endpoints below `/auth` are those of RFC 8628, RFC 7662 and RFC 7009, \
                       and are described by `/.well-known/oauth-authorization-server`."
    ),
    paths(show_document),
    components(schemas(Problem))
)]
struct Description;

/// Returns the OpenAPI description of the server.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "deployment",
    responses((status = 200, description = "The OpenAPI description.", body = Object))
)]
pub async fn show_document(app: web::Data<App>) -> HttpResponse {
    let mut response = HttpResponse::Ok().json(document(app.config()));
    headers::no_store(response.headers_mut());
    response
}

/// OpenAPI description of the server with these settings.
pub fn document(config: &Config) -> Value {
    let catalogue = &config.scopes;
    #[expect(clippy::unwrap_used, reason = "a test compares it with the code")]
    let mut document: Value = serde_json::from_reader(GzDecoder::new(DOCUMENT)).unwrap();
    document["info"]["title"] = config.branding.name.as_str().into();
    document["servers"] = json!([{"url": config.server.public_url.as_str()}]);
    for (path, route) in TABLE.iter() {
        let Some(plain) = route.scope else { continue };
        let Some(scope) = catalogue.built_in(plain) else {
            continue;
        };
        let operation = &mut document["paths"][path][route.method.as_str().to_lowercase()];
        operation["security"] = json!([{"bearer": [scope.name.as_str()]}]);
        let said = operation["description"].as_str().unwrap_or_default();
        operation["description"] = said
            .replace(&needs(plain), &needs(scope.name.as_str()))
            .into();
    }
    document
}

/// OpenAPI description from the code, with the plain names of the built-in scopes and without the
/// URL of a server. It is the content of `docs/reference/openapi.json`, from which servers answer.
pub fn describe() -> Value {
    let mut described = Description::openapi();
    described.merge(probe::Description::openapi());
    for describe in DESCRIPTIONS {
        described.merge(describe());
    }
    #[expect(
        clippy::unwrap_used,
        reason = "all keys of the description are strings"
    )]
    let mut document = serde_json::to_value(described).unwrap();
    for (path, route) in TABLE.iter() {
        let method = route.method.as_str().to_lowercase();
        let scopes: Vec<_> = route.scope.into_iter().collect();
        document["paths"][path][method]["security"] = json!([{"bearer": scopes}]);
    }
    let components = &mut document["components"];
    components["securitySchemes"] = json!({"bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "Token of this server, with the scope that the operation requires.",
    }});
    components["headers"] = answer_headers();
    components["parameters"] = json!({"IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": true,
        "description": "New random value for each request; the same value to repeat a request. A repetition within 24 hours gets the first response. Quotes around the value are optional.",
        "schema": {"type": "string", "pattern": KEY},
    }});
    let schemas = components["schemas"].clone();
    if let Some(paths) = document["paths"].as_object_mut() {
        for (path, methods) in paths {
            for (method, operation) in methods.as_object_mut().into_iter().flatten() {
                complete(path, method, operation);
                if is_body_optional(operation, &schemas) {
                    operation["requestBody"]["required"] = false.into();
                }
            }
        }
    }
    document
}

fn answer_headers() -> Value {
    let text = |description| json!({"description": description, "schema": {"type": "string"}});
    json!({
        "X-Request-Id": text("ID of the request in the log. A trusted proxy can set its own."),
        "Link": text("Link to the next page, with `rel=\"next\"` (RFC 8288)."),
        "WWW-Authenticate": text("Error of the token (RFC 6750)."),
        "Idempotency-Replayed": text("`true` if the response is a replay of an earlier one."),
        "Retry-After": {
            "description": "Seconds to wait before a retry.",
            "schema": {"type": "integer"},
        },
    })
}

/// Whether the body is optional. An empty body is an empty object.
fn is_body_optional(operation: &Value, schemas: &Value) -> bool {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let name = schema["$ref"]
        .as_str()
        .and_then(|reference| reference.rsplit('/').next());
    name.is_some_and(|name| schemas[name]["required"].is_null())
}

/// Whether an operation accepts only the operator token.
fn is_for_operator(operation: &Value) -> bool {
    operation["tags"][0] == "operator"
}

/// Adds the shared parts to an operation.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let is_list = operation["parameters"]
        .as_array()
        .is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "cursor"));
    let is_managed = path.starts_with("/v1/");
    if is_managed {
        describe_scope(operation);
        if method == "post" {
            let key = json!({"$ref": "#/components/parameters/IdempotencyKey"});
            match operation["parameters"].as_array_mut() {
                Some(parameters) => parameters.push(key),
                None => operation["parameters"] = json!([key]),
            }
        }
    }
    let problems = match is_managed {
        true => problems(path, method, operation),
        false => BTreeMap::new(),
    };
    let Some(answers) = operation["responses"].as_object_mut() else {
        return;
    };
    for (status, kinds) in problems {
        answers
            .entry(status.to_string())
            .or_insert_with(|| answer_of(&kinds));
    }
    for (status, answer) in answers {
        let mut names = vec!["X-Request-Id"];
        match status.as_str() {
            "401" | "403" => names.push("WWW-Authenticate"),
            "429" | "503" => names.push("Retry-After"),
            "409" if method == "post" => names.push("Retry-After"),
            "200" if is_list => names.push("Link"),
            _ => {}
        }
        if is_managed && method == "post" && !status.starts_with('5') {
            names.push("Idempotency-Replayed");
        }
        for name in names {
            let header = json!({"$ref": format!("#/components/headers/{name}")});
            answer["headers"][name] = header;
        }
    }
}

/// Sentence about the scope that an operation requires.
fn needs(scope: &str) -> String {
    format!("Requires a token with the scope `{scope}`.")
}

/// Adds the required scope to the description.
fn describe_scope(operation: &mut Value) {
    let needed = match operation["security"][0]["bearer"][0].as_str() {
        Some(scope) => needs(scope),
        None if is_for_operator(operation) => "Requires the operator token.".to_owned(),
        None => "Accepts any token.".to_owned(),
    };
    let said = operation["description"].as_str().unwrap_or_default();
    operation["description"] = format!("{said}\n\n{needed}").trim().into();
}

/// Shared problems of an operation, by status.
fn problems(path: &str, method: &str, operation: &Value) -> BTreeMap<u16, Vec<Kind>> {
    let takes_body = ["post", "put", "patch"].contains(&method);
    let is_allowed = |kind: &Kind| match kind {
        Kind::MethodNotAllowed => false,
        Kind::InvalidJson
        | Kind::RequestTimeout
        | Kind::PayloadTooLarge
        | Kind::UnsupportedMediaType
        | Kind::Invalid => takes_body,
        Kind::Conflict => method != "get",
        Kind::ConfigurationInvalid => path == "/v1/config/reload",
        Kind::IdempotencyKeyRequired
        | Kind::IdempotencyKeyInvalid
        | Kind::IdempotencyInProgress
        | Kind::IdempotencyKeyReused => method == "post",
        Kind::InvalidCursor => operation["parameters"].to_string().contains("\"cursor\""),
        Kind::NotFound => path.contains('{') || names_organization(operation),
        // The policies of all organizations can deny a token.
        Kind::Policy | Kind::PlanRequired => operation["security"][0]["bearer"].is_array(),
        kind if kind.status() == 403 => {
            operation["security"][0]["bearer"] != json!([])
                || path.contains('{')
                || is_for_operator(operation)
        }
        _ => true,
    };
    let mut problems = BTreeMap::<u16, Vec<Kind>>::new();
    for kind in Kind::ALL.iter().copied().filter(is_allowed) {
        problems
            .entry(kind.status().as_u16())
            .or_default()
            .push(kind);
    }
    problems
}

/// Whether the query has an organization parameter.
fn names_organization(operation: &Value) -> bool {
    let mut parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.any(|one| one["in"] == "query" && one["name"] == "organization")
}

fn answer_of(kinds: &[Kind]) -> Value {
    let lines: Vec<_> = kinds
        .iter()
        .map(|kind| format!("`{}`: {}", kind.code(), kind.meaning()))
        .collect();
    let mut content = Map::new();
    content.insert(
        problem::MEDIA_TYPE.to_owned(),
        json!({"schema": {"$ref": "#/components/schemas/Problem"}}),
    );
    json!({"description": lines.join("\n\n"), "content": content})
}
