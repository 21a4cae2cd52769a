//! The description of the management API (OpenAPI 3.1), made from the code.
//!
//! Each module of a resource describes its own addresses. What is true of every address is
//! added here, so that no handler has to repeat it: the problems it may answer, the headers of
//! requests and answers, and the token with its scopes.

use super::problem::{self, Kind};
use super::{audit, choices, client, me, member, org, project, scope, token, user};
use crate::web::{headers, probe};
use actix_web::{HttpResponse, web};
use app::App;
use config::PublicUrl;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::OpenApi;
use wire::api::Problem;

/// An Idempotency-Key: bare, or in quotes (RFC 9651 section 3.3.3).
const KEY: &str = r#"^([!#-~]([ -~]{0,253}[!-~])?|"([ !#-\[\]-~]|\\["\\]){1,255}")$"#;

/// What belongs to no resource.
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

/// Show this description.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "deployment",
    responses((status = 200, description = "This document.", body = Object))
)]
pub async fn show_document(app: web::Data<App>) -> HttpResponse {
    let mut response = HttpResponse::Ok().json(document(&app.config().server.public_url));
    headers::no_store(response.headers_mut());
    response
}

/// The description of a deployment.
pub fn document(public_url: &PublicUrl) -> Value {
    let mut described = Description::openapi();
    for part in [
        me::Description::openapi(),
        scope::Description::openapi(),
        token::Description::openapi(),
        org::Description::openapi(),
        member::Description::openapi(),
        project::Description::openapi(),
        user::Description::openapi(),
        client::Description::openapi(),
        audit::Description::openapi(),
        probe::Description::openapi(),
    ] {
        described.merge(part);
    }
    #[expect(clippy::unwrap_used, reason = "the description has text for keys")]
    let mut document = serde_json::to_value(described).unwrap();
    document["servers"] = json!([{"url": public_url.as_str()}]);
    let components = &mut document["components"];
    components["securitySchemes"] = json!({"bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of this deployment. What stands beside it is the scope that the token needs.",
    }});
    components["headers"] = answer_headers();
    components["parameters"] = json!({"IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": true,
        "description": "A new value for each call, and the same one to repeat it. Quotes around it make no difference. The first answer comes again for 24 hours.",
        "schema": {"type": "string", "pattern": KEY},
    }});
    choices::describe(&mut components["schemas"]);
    let schemas = components["schemas"].clone();
    if let Some(paths) = document["paths"].as_object_mut() {
        for (path, methods) in paths {
            for (method, operation) in methods.as_object_mut().into_iter().flatten() {
                complete(path, method, operation);
                choices::describe_parameters(operation);
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
        "X-Request-Id": text("Names the request in the log. A request may bring its own."),
        "Link": text("Leads to the next page, with `rel=\"next\"` (RFC 8288)."),
        "WWW-Authenticate": text("What is wrong with the token (RFC 6750)."),
        "Idempotency-Replayed": text("`true` if this is the answer of an earlier call."),
        "Retry-After": {
            "description": "Seconds until it makes sense to try again.",
            "schema": {"type": "integer"},
        },
    })
}

/// Whether a body may be left out: an empty one is an object without keys.
fn is_body_optional(operation: &Value, schemas: &Value) -> bool {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let name = schema["$ref"]
        .as_str()
        .and_then(|reference| reference.rsplit('/').next());
    name.is_some_and(|name| schemas[name]["required"].is_null())
}

/// Whether an operation takes the operator token alone.
fn is_for_operator(operation: &Value) -> bool {
    operation["tags"][0] == "operator"
}

/// Adds to an operation what the handlers need not say.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let is_list = operation["parameters"]
        .as_array()
        .is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "cursor"));
    let is_managed = path.starts_with("/v1/");
    if is_managed {
        if operation["security"].is_null() {
            operation["security"] = json!([{"bearer": []}]);
        }
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

/// Names the scope in words too, for whoever reads.
fn describe_scope(operation: &mut Value) {
    let scopes: Vec<_> = operation["security"][0]["bearer"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|scope| format!("`{scope}`"))
        .collect();
    let needed = match scopes.as_slice() {
        [] if is_for_operator(operation) => "Needs the operator token.".to_owned(),
        [] => "Any token may do this.".to_owned(),
        scopes => format!("Needs a token with the scope {}.", scopes.join(", ")),
    };
    let said = operation["description"].as_str().unwrap_or_default();
    operation["description"] = format!("{said}\n\n{needed}").trim().into();
}

/// What an operation may refuse for reasons that it shares with others, by status.
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
        Kind::IdempotencyKeyRequired
        | Kind::IdempotencyKeyInvalid
        | Kind::IdempotencyInProgress
        | Kind::IdempotencyKeyReused => method == "post",
        Kind::InvalidCursor => operation["parameters"].to_string().contains("\"cursor\""),
        Kind::NotFound => path.contains('{') || names_organization(operation),
        // No organization may admit the token at all.
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

/// Whether an organization is named in the query.
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
