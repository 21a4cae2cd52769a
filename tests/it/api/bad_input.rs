//! Invalid input for every route with a body or list parameters, derived from the API description
//! (API-04, API-07, API-08, AUZ-02): the response reports every error with its pointer, and
//! nothing changes.

use super::description::described;
use super::grounds::Grounds;
use super::matrix::{Entry, TABLE};
use super::world::{ACTOR, number};
use super::{call, send};
use crate::support::OPERATOR;
use crate::support::device::Answer;
use reqwest::Method;
use serde_json::{Map, Value, json};

struct Scene {
    grounds: Grounds,
    document: Value,
}

impl Scene {
    async fn new() -> Self {
        let grounds = Grounds::new().await;
        let test = &grounds.world.test;
        let document = described(test).await;
        Self { grounds, document }
    }

    fn operation(&self, entry: &Entry) -> &Value {
        let method = entry.method().as_str().to_lowercase();
        &self.document["paths"][entry.path()][method]
    }

    /// Resolves a schema reference.
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let reference = schema["$ref"].as_str();
        let reference = reference.or_else(|| {
            let parts = schema["oneOf"].as_array()?;
            parts.iter().find_map(|part| part["$ref"].as_str())
        });
        match reference {
            Some(reference) => self.document.pointer(&reference[1..]).unwrap(),
            None => schema,
        }
    }

    /// Properties of an operation's body, with their schemas.
    fn keys(&self, entry: &Entry) -> Map<String, Value> {
        let body = &self.operation(entry)["requestBody"]["content"]["application/json"]["schema"];
        let schema = self.resolved(body);
        schema["properties"]
            .as_object()
            .cloned()
            .unwrap_or_default()
    }

    /// Sends a body as the operator, who has every right.
    async fn send(&self, entry: &Entry, path: &str, media_type: &str, body: Vec<u8>) -> Answer {
        let request = call(&self.grounds.world.test, entry.method(), path, OPERATOR)
            .header(ACTOR, &self.grounds.world.member)
            .header("idempotency-key", format!("bad-{}", number()))
            .header("content-type", media_type)
            .body(body);
        send(request).await
    }

    /// Sends an invalid body and asserts errors at these pointers, among others.
    async fn refused(&self, entry: &Entry, path: &str, body: &str, expected: &[String]) {
        let answer = self
            .send(entry, path, "application/json", body.into())
            .await;
        let at = format!("{} {body}: {answer:?}", entry.route);
        assert_eq!(answer.status, 422, "{at}");
        assert_eq!(answer.body["code"], "invalid", "{at}");
        let found = super::pointers(&answer);
        for pointer in expected {
            assert!(found.contains(&pointer.as_str()), "{pointer} {at}");
        }
        let sent: Value = serde_json::from_str(body).unwrap();
        for pointer in found {
            let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
            let parent = parent.strip_prefix('#').unwrap_or_default();
            assert!(sent.pointer(parent).is_some(), "{pointer} {at}");
        }
    }
}

/// Whether a schema accepts values of this type.
fn fits(schema: &Value, name: &str) -> bool {
    let of = &schema["type"];
    let is_object = schema["oneOf"].is_array() || schema["$ref"].is_string();
    of == name
        || of
            .as_array()
            .is_some_and(|names| names.contains(&json!(name)))
        || (is_object && name == "object")
}

/// Values that a schema rejects.
fn misfits(schema: &Value) -> Vec<Value> {
    let mut misfits = Vec::new();
    for (name, value) in [
        ("string", json!("text")),
        ("boolean", json!(true)),
        ("array", json!([])),
        ("object", json!({})),
    ] {
        if !fits(schema, name) {
            misfits.push(value);
        }
    }
    match fits(schema, "integer") {
        true => misfits.extend([json!(1.5), json!(-1), json!(1e300), json!(u64::MAX)]),
        false => misfits.extend([json!(1), json!(-0.5)]),
    }
    if fits(schema, "array") {
        misfits.extend([json!([1]), json!([null]), json!([["a"]])]);
    }
    misfits
}

fn with(base: &Value, key: &str, value: &Value) -> Value {
    let mut body = base.clone();
    body[key] = value.clone();
    body
}

/// A valid body for the entry.
fn good(entry: &Entry) -> Value {
    serde_json::from_str(&entry.body.replace("{n}", &number().to_string())).unwrap()
}

fn takes_body(entry: &&Entry) -> bool {
    !entry.body.is_empty()
}

/// API-04, API-07, AUZ-02.
#[actix_web::test]
async fn every_error_in_a_body_is_reported() {
    let scene = Scene::new().await;
    let mut bodies = 0;
    for entry in TABLE.iter().filter(takes_body) {
        let path = scene.grounds.address(entry).await;
        let (keys, base) = (scene.keys(entry), good(entry));
        let before = scene.grounds.world.test.database.content();
        let mut sent: Vec<(String, Vec<String>)> = Vec::new();
        let mut all_wrong = json!({"no such key": 1});
        let mut all_places = vec!["#/no%20such%20key".to_owned()];
        for unknown in ["org_id", "created_by", "role", "id", "Name", ""] {
            if !keys.contains_key(unknown) {
                let body = with(&base, unknown, &json!("owner"));
                sent.push((body.to_string(), vec![format!("#/{unknown}")]));
            }
        }
        for (key, schema) in &keys {
            let place = format!("#/{key}");
            for misfit in misfits(schema) {
                let is_item = misfit.as_array().is_some_and(|items| !items.is_empty());
                let place = if is_item {
                    format!("{place}/0")
                } else {
                    place.clone()
                };
                sent.push((with(&base, key, &misfit).to_string(), vec![place]));
            }
            all_wrong[key] = match fits(schema, "boolean") {
                true => json!(1),
                false => json!(true),
            };
            all_places.push(place.clone());
            let twice = format!(r#"{{"{key}": "a", "{key}": "a"}}"#);
            sent.push((twice, vec![place.clone()]));
            if fits(schema, "string") {
                sent.push((
                    with(&base, key, &json!("a\0b")).to_string(),
                    vec![place.clone()],
                ));
            }
            let inner = scene.resolved(schema)["properties"].as_object();
            for (name, schema) in inner.into_iter().flatten() {
                for misfit in misfits(schema) {
                    let body = with(&base, key, &json!({name: misfit}));
                    sent.push((body.to_string(), vec![format!("{place}/{name}")]));
                }
            }
        }
        sent.push((all_wrong.to_string(), all_places));
        if keys.contains_key("name") {
            for name in [
                "",
                " ",
                &"x".repeat(101),
                "a\u{7}b",
                "a\nb",
                "\u{202e}a",
                "a\u{7f}",
            ] {
                let body = with(&base, "name", &json!(name));
                sent.push((body.to_string(), vec!["#/name".to_owned()]));
            }
        }
        bodies += sent.len();
        for (body, expected) in &sent {
            scene.refused(entry, &path, body, expected).await;
        }
        let after = scene.grounds.world.test.database.content();
        assert!(before == after, "{} wrote", entry.route);
    }
    println!("bad bodies: {bodies}");
    assert!(bodies > 250, "{bodies}");
}

/// API-07, API-08.
#[actix_web::test]
async fn body_that_is_not_a_json_object_is_rejected_everywhere() {
    let scene = Scene::new().await;
    for entry in TABLE.iter().filter(takes_body) {
        let path = scene.grounds.address(entry).await;
        let before = scene.grounds.world.test.database.content();
        let base = good(entry).to_string();
        let deep = format!(r#"{{"name":{}1{}}}"#, "[".repeat(7_000), "]".repeat(7_000));
        let large = format!("{base}{}", " ".repeat(16 * 1024));
        for (media_type, body, status) in [
            ("application/json", "{", 400),
            ("application/json", "nothing", 400),
            ("application/json", "{} {}", 400),
            ("application/json", r#"{"name":"\ud800"}"#, 400),
            ("application/json", "{\"name\":\"a\u{1}\"}", 400),
            ("application/json", "{'name':1}", 400),
            ("application/json", &deep, 400),
            ("application/json", &large, 413),
            ("application/json", "[]", 422),
            ("application/json", "null", 422),
            ("application/json", "\"name\"", 422),
            ("text/plain", &base, 415),
            ("application/x-www-form-urlencoded", "name=a", 415),
            ("application/json-seq", &base, 415),
        ] {
            let answer = scene.send(entry, &path, media_type, body.into()).await;
            let shown = &body[..body.len().min(40)];
            let at = format!("{} {media_type} {shown}: {answer:?}", entry.route);
            assert_eq!(answer.status, status, "{at}");
            assert_eq!(
                answer.headers["content-type"], "application/problem+json",
                "{at}"
            );
            assert_eq!(answer.body["status"], status, "{at}");
        }
        let bytes = b"{\"name\":\"\xff\"}".to_vec();
        let answer = scene.send(entry, &path, "application/json", bytes).await;
        assert_eq!(answer.status, 400, "{} {answer:?}", entry.route);
        let after = scene.grounds.world.test.database.content();
        assert!(before == after, "{} wrote", entry.route);
    }
}

/// Values of the right type that name an unknown or forbidden object.
#[actix_web::test]
async fn unknown_and_forbidden_values_are_rejected() {
    let scene = Scene::new().await;
    let (home, away) = (&scene.grounds.home, &scene.grounds.away);
    let org_tokens = format!("POST /v1/orgs/{}/tokens", home.org);
    let members = format!("PUT /v1/orgs/{}/members/{}", home.org, home.user);
    let invitations = format!("POST /v1/orgs/{}/invitations", home.org);
    let org = format!("PATCH /v1/orgs/{}", home.org);
    let input = |key: &str, value: Value| with(&json!({"name": "a"}), key, &value);
    let mut cases = Vec::new();
    for tokens in ["POST /v1/tokens", &org_tokens] {
        for expires in [
            "2020-01-01",
            "yesterday",
            "",
            "2026-02-30",
            "9999-12-31T00:00:00Z",
            "1d",
        ] {
            cases.push((tokens, input("expires", json!(expires)), "#/expires"));
        }
        for scope in ["no:such", "", "tokens:read tokens:write", "*", "tokens:*"] {
            cases.push((tokens, input("scopes", json!([scope])), "#/scopes"));
        }
        for project in [&away.project, "prj_0", "", &home.org] {
            cases.push((tokens, input("projects", json!([project])), "#/projects"));
        }
        for org in [&away.org, "no-such", ""] {
            cases.push((tokens, input("organization", json!(org)), "#/organization"));
        }
    }
    for role in ["", "Owner", "root", "member "] {
        cases.push((&members, json!({"role": role}), "#/role"));
        cases.push((&invitations, json!({"role": role}), "#/role"));
    }
    for email in [
        "",
        "a",
        "a@",
        "@b",
        "a b@c.example",
        "a@b.example\nBcc: c@d.example",
    ] {
        let invitation = json!({"role": "member", "email": email});
        cases.push((&invitations, invitation, "#/email"));
    }
    for days in [0, 36_501] {
        let policy = json!({"policy": {"max_lifetime_days": days}});
        cases.push((&org, policy, "#/policy/max_lifetime_days"));
    }
    cases.push((
        &org,
        json!({"policy": {"personal_tokens": "all"}}),
        "#/policy/personal_tokens",
    ));
    cases.push((&org, json!({"plan": "gold"}), "#/plan"));
    cases.push((&org, json!({"grace_seconds": 2_592_001}), "#/grace_seconds"));
    let user = json!({"name": "A", "email": "x", "password": "short", "role": "king"});
    cases.push(("POST /v1/users", user.clone(), "#/role"));
    let user = with(&user, "role", &json!("owner"));
    cases.push(("POST /v1/users", user.clone(), "#/email"));
    cases.push(("POST /v1/users", user, "#/password"));
    let client = json!({"id": "a b", "name": "A", "scopes": ["no:such"]});
    cases.push(("POST /v1/clients", client.clone(), "#/id"));
    cases.push(("POST /v1/clients", client, "#/scopes"));
    for kind in ["", "secret"] {
        let client = json!({"id": "ab", "name": "A", "kind": kind});
        cases.push(("POST /v1/clients", client, "#/kind"));
    }
    let before = scene.grounds.world.test.database.content();
    for (route, body, pointer) in cases {
        let (method, path) = route.split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let request = call(&scene.grounds.world.test, method, path, OPERATOR)
            .header(ACTOR, &scene.grounds.world.member)
            .header("idempotency-key", format!("bad-{}", number()))
            .json(&body);
        let answer = send(request).await;
        assert_eq!(answer.status, 422, "{route} {body}: {answer:?}");
        let found = super::pointers(&answer);
        assert!(found.contains(&pointer), "{route} {body}: {answer:?}");
    }
    assert!(before == scene.grounds.world.test.database.content());
}

/// PAG-01: every list parses its parameters strictly.
#[actix_web::test]
async fn every_list_rejects_unknown_parameters() {
    let scene = Scene::new().await;
    let test = &scene.grounds.world.test;
    let mut lists = 0;
    for entry in &TABLE {
        let parameters = scene.operation(entry)["parameters"].to_string();
        if !parameters.contains("\"cursor\"") {
            continue;
        }
        lists += 1;
        let path = scene.grounds.address(entry).await;
        let get = |query: &str| {
            let request = call(test, Method::GET, &format!("{path}?{query}"), OPERATOR);
            send(request.header(ACTOR, &scene.grounds.world.member))
        };
        for query in [
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=ten",
            "limit=1.0",
            "limit=1&limit=1",
            "cursor=x",
            "cursor=%00",
            "cursor=%FF",
            "cursor=AAAA.BBBB",
            "offset=1",
            "limt=1",
        ] {
            let answer = get(query).await;
            assert_eq!(answer.status, 400, "{path} {query}: {answer:?}");
        }
        assert_eq!(get("limit=100").await.status, 200, "{path}");
    }
    assert!(lists > 7, "{lists}");
    let effects = format!("/v1/orgs/{}/policy/effects", scene.grounds.home.org);
    for query in [
        "plan=gold",
        "never_expires=yes",
        "max_lifetime_days=-1",
        "personal_tokens=",
        "x=1",
    ] {
        let request = call(test, Method::GET, &format!("{effects}?{query}"), OPERATOR);
        let answer = send(request).await;
        let is_refused = [400, 422].contains(&answer.status);
        assert!(
            is_refused || query == "personal_tokens=",
            "{query}: {answer:?}"
        );
    }
}
