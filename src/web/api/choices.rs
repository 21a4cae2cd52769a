//! Adds the permitted values of strings to the OpenAPI description, from the lists of the domain
//! where it has one.

use domain::audit::record::{Method, Outcome};
use domain::audit::{Actor, discrepancy};
use domain::policy::{PersonalTokens, Plan};
use domain::role::Role;
use serde_json::Value;

/// Permitted values of a schema property, or of a query parameter (`schema` is `None`). `None` if
/// any string is permitted.
fn values(schema: Option<&str>, name: &str) -> Option<Vec<&'static str>> {
    Some(match (schema, name) {
        (_, "role" | "min_role") => Role::ALL.map(Role::as_str).to_vec(),
        (_, "plan") => Plan::ALL.map(Plan::as_str).to_vec(),
        (_, "personal_tokens") => PersonalTokens::ALL.map(PersonalTokens::as_str).to_vec(),
        (Some("AuditRecord"), "outcome") => words(Outcome::ALL, Outcome::as_str),
        (Some("AuditRecord"), "method") => words(Method::ALL, Method::as_str),
        (Some("AuditRecord"), "actor_kind") => Actor::KINDS.to_vec(),
        (Some("Discrepancy"), "kind") => words(discrepancy::Kind::ALL, discrepancy::Kind::as_str),
        (None, "format") => vec!["ndjson", "csv"],
        (Some("Token"), "kind") => vec!["personal", "organization", "operator"],
        (Some("Token"), "state") => vec!["live", "expired", "revoked"],
        (Some("Client" | "CreateClientBody"), "kind") => vec!["public", "confidential"],
        (Some("Client" | "UpdateClientBody"), "state") => vec!["active", "disabled"],
        (Some("User"), "state") => vec!["active", "deactivated"],
        _ => return None,
    })
}

fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|one| word(*one)).collect()
}

/// Adds the permitted values to all schemas.
pub fn describe(schemas: &mut Value) {
    for (schema, described) in schemas.as_object_mut().into_iter().flatten() {
        // `allOf` separates flattened schemas from the schema's own properties.
        let own = match described.get_mut("allOf") {
            Some(Value::Array(parts)) => parts.iter_mut().collect(),
            _ => vec![described],
        };
        for part in own {
            let properties = part.get_mut("properties").and_then(Value::as_object_mut);
            for (name, property) in properties.into_iter().flatten() {
                if let Some(values) = values(Some(schema), name) {
                    limit(property, &values);
                }
            }
        }
    }
}

/// Adds the permitted values to the query parameters of an operation.
pub fn describe_parameters(operation: &mut Value) {
    let parameters = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        let is_query = parameter["in"] == "query";
        let values = parameter["name"]
            .as_str()
            .filter(|_| is_query)
            .and_then(|name| values(None, name));
        if let Some(values) = values {
            limit(&mut parameter["schema"], &values);
        }
    }
}

fn limit(property: &mut Value, values: &[&str]) {
    let types = property["type"].as_array();
    let is_nullable = types.is_some_and(|types| types.iter().any(|one| one == "null"));
    let mut all: Vec<Value> = values.iter().map(|value| (*value).into()).collect();
    if is_nullable {
        all.push(Value::Null);
    }
    property["enum"] = all.into();
}
