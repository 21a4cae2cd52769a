//! The API description (OAS-01): exactly the registered routes.

use super::{SCOPES, call, create, send};
use crate::support::TestApp;
use crate::support::deployment::Deployment;
use crate::support::device::Answer;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Registers no path but that of the description: it takes all others from the table of routes.
const API: &str = include_str!("../../../src/web/api/mod.rs");

/// The description, as every client gets it.
pub async fn described(test: &TestApp) -> Value {
    let answer = send(test.anon().get(test.at("/openapi.json"))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    answer.body
}

/// An unsupported method fails with the methods that are registered: those of the description.
#[actix_web::test]
async fn exactly_the_registered_routes_are_described() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let document = described(&test).await;
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 30, "{}", paths.len());
    for (path, methods) in paths {
        let methods = methods.as_object().unwrap().keys();
        let mut methods: BTreeSet<_> = methods.map(|method| method.to_uppercase()).collect();
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        let answer = send(call(&test, Method::OPTIONS, path, &token)).await;
        assert_eq!(answer.status, 405, "{path}");
        let allowed = answer.headers["allow"].to_str().unwrap().split(", ");
        let allowed: BTreeSet<_> = allowed.map(str::to_owned).collect();
        assert_eq!(allowed, methods, "{path}");
    }
    let others = paths.keys().filter(|path| !path.starts_with("/v1/"));
    let others: Vec<_> = others.map(String::as_str).collect();
    assert_eq!(others, ["/healthz", "/openapi.json", "/readyz"]);
    assert_eq!(API.matches("resource(").count(), 1);
}

/// Each operation has the common fields, and each reference resolves.
#[actix_web::test]
async fn every_operation_is_described_completely() {
    let test = TestApp::start().await;
    let document = described(&test).await;
    let (mut operations, mut names) = (0, BTreeSet::new());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations += 1;
            let at = format!("{method} {path}");
            assert_ne!(operation["summary"].as_str().unwrap(), "", "{at}");
            assert!(operation["tags"][0].is_string(), "{at}");
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{at}: {name}");
            let answers = operation["responses"].as_object().unwrap();
            for (status, answer) in answers {
                assert_ne!(answer["description"].as_str().unwrap(), "", "{at} {status}");
                assert!(
                    answer["headers"]["X-Request-Id"].is_object(),
                    "{at} {status}"
                );
            }
            if !path.starts_with("/v1/") {
                continue;
            }
            assert!(operation["security"][0]["bearer"].is_array(), "{at}");
            for status in ["400", "401", "500", "503"] {
                assert!(answers.contains_key(status), "{at} {status}");
            }
            if method == "post" {
                for status in ["408", "409", "413", "415", "422"] {
                    assert!(answers.contains_key(status), "{at} {status}");
                }
                let parameters = operation["parameters"].to_string();
                assert!(parameters.contains("IdempotencyKey"), "{at}");
            }
        }
    }
    assert!(operations > 5);
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let (pointer, _) = reference.split_once('"').unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

/// Asserts that the schema has all keys of the object.
#[track_caller]
fn assert_fits(document: &Value, name: &str, answer: &Answer) {
    let mut known = Vec::new();
    let schema = &document["components"]["schemas"][name];
    let mut parts = vec![schema];
    parts.extend(schema["allOf"].as_array().into_iter().flatten());
    for part in parts {
        let part = match part["$ref"].as_str() {
            Some(reference) => document.pointer(&reference[1..]).unwrap(),
            None => part,
        };
        known.extend(part["properties"].as_object().into_iter().flatten());
    }
    for key in answer.body.as_object().unwrap().keys() {
        assert!(known.iter().any(|(name, _)| *name == key), "{name}: {key}");
    }
}

#[actix_web::test]
async fn responses_match_their_schemas() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let document = described(&test).await;
    let get = |path: &'static str| send(call(&test, Method::GET, path, &token));
    assert_fits(&document, "Me", &get("/v1/me").await);
    assert_fits(&document, "Scopes", &get("/v1/scopes").await);
    assert_fits(&document, "List_Token", &get("/v1/tokens").await);
    assert_fits(&document, "Problem", &get("/v1/nothing").await);
    let input = json!({"name": "a", "expires": "30d"});
    let new = create(&test, &token, "a", &input).await;
    assert_fits(&document, "NewToken", &new);
}

/// `doorcode openapi` prints the document that the server serves.
#[actix_web::test]
async fn program_prints_the_same_description() {
    let deployment = Deployment::new();
    let printed = deployment.command(&["openapi"]).run();
    let printed: Value = serde_json::from_str(&printed.exited(0).stdout).unwrap();
    assert_eq!(printed["servers"][0]["url"], deployment.url);
    assert!(!deployment.path("data").exists());
    let mut served = described(&TestApp::start().await).await;
    served["servers"] = printed["servers"].clone();
    assert_eq!(served, printed);
}

/// Paths of null values that are not array items.
fn nulls(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, field)| match field {
                Value::Null => vec![format!("{at}/{name}")],
                field => nulls(field, &format!("{at}/{name}")),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(|item| nulls(item, at)).collect(),
        _ => Vec::new(),
    }
}

/// A keyword of a schema is never null (JSON Schema 2020-12); some tools fail on it.
#[actix_web::test]
async fn no_keyword_is_null() {
    let test = TestApp::start().await;
    assert_eq!(nulls(&described(&test).await, ""), Vec::<String>::new());
}

#[actix_web::test]
async fn enumerations_list_their_values() {
    let test = TestApp::start().await;
    let document = described(&test).await;
    let schemas = &document["components"]["schemas"];
    let values_of = |property: &Value| {
        let alternatives = property["oneOf"].as_array().into_iter().flatten();
        let mut all = std::iter::once(property).chain(alternatives);
        let reference = all.find_map(|one| one["$ref"].as_str());
        let name = reference.and_then(|reference| reference.rsplit('/').next());
        name.map_or(Value::Null, |name| schemas[name]["enum"].clone())
    };
    for (schema, property, values) in [
        ("Member", "role", json!(["member", "admin", "owner"])),
        ("PutMemberBody", "role", json!(["member", "admin", "owner"])),
        ("OrganizationDetail", "plan", json!(["free", "team"])),
        ("UpdateOrganizationBody", "plan", json!(["free", "team"])),
        ("Policy", "personal_tokens", json!(["members", "admins"])),
        ("Token", "state", json!(["live", "expired", "revoked"])),
        ("Client", "kind", json!(["public", "confidential"])),
        ("UpdateClientBody", "state", json!(["active", "disabled"])),
        ("User", "state", json!(["active", "deactivated"])),
    ] {
        let found = values_of(&schemas[schema]["properties"][property]);
        assert_eq!(found, values, "{schema} {property}");
    }
    let mut few = 0;
    for (name, schema) in schemas.as_object().unwrap() {
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (property, described) in properties {
            let words = [
                "role",
                "min_role",
                "plan",
                "kind",
                "state",
                "personal_tokens",
            ];
            if words.contains(&property.as_str()) {
                assert!(values_of(described).is_array(), "{name} {property}");
                few += 1;
            }
        }
    }
    assert!(few > 12, "{few}");
    let effects = &document["paths"]["/v1/orgs/{org}/policy/effects"]["get"]["parameters"];
    let plan = effects
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "plan");
    assert!(plan.unwrap()["schema"]["enum"].is_array(), "{effects}");
}
