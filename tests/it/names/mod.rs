//! Names of users, organizations, projects, tokens, clients and devices, on every surface that
//! takes them: shown as they were typed, or refused in the form of the surface.

mod refused;

use crate::support::browser::{Browser, Page};
use crate::support::device::{Answer, Device};
use crate::support::{CLI, EMAIL, OPERATOR, PASSWORD, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// Persian with U+200C, an emoji with U+200D, and marks.
const KEPT: [&str; 5] = [
    "علی\u{200c}رضا",
    "build 👩\u{200d}💻",
    "❤\u{fe0f} क्\u{200d}ष",
    "Nguye\u{302}\u{303}n",
    "日本",
];

/// A server on which users create organizations.
async fn start() -> TestApp {
    TestApp::with("[organizations]\nmade_by = \"users\"").await
}

/// The forms that take a name, with the field that holds it.
const FORMS: [(&str, &str); 6] = [
    ("/account/name", "name"),
    ("/tokens/new", "name"),
    ("/o/acme/settings/api-tokens/new", "name"),
    ("/o/new", "name"),
    ("/o/acme/name", "name"),
    ("/o/acme/projects/new", "name"),
];

async fn submit(browser: &mut Browser, path: &str, name: &str) -> Page {
    browser.get("/account").await;
    let fields = [("name", name), ("expires", "never")];
    browser.post(path, &fields).await
}

async fn api(test: &TestApp, method: Method, path: &str, token: &str, body: &Value) -> Answer {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut request = test
        .anon()
        .request(method.clone(), test.at(path))
        .bearer_auth(token)
        .header("idempotency-key", format!("names-{number}"));
    if method != Method::GET {
        request = request.json(body);
    }
    Answer::of(request.send().await.unwrap()).await
}

/// Requests of the API that take a name, each with its token, and the pointer of the name. `{n}`
/// makes an id or an address unique.
fn calls(owner: &str) -> [(Method, &'static str, String, Value, &'static str); 11] {
    let (owner, operator) = (owner.to_owned(), OPERATOR.to_owned());
    let user = json!({"name": "Bob", "email": "bob{n}@example.com", "password": PASSWORD});
    let joining = json!({"name": "Bob", "email": "eve{n}@example.com", "password": PASSWORD, "organization": "x"});
    let client = json!({"id": "client{n}", "name": "x"});
    [
        (
            Method::POST,
            "/v1/tokens",
            owner.clone(),
            json!({"name": "x", "scopes": []}),
            "/name",
        ),
        (
            Method::POST,
            "/v1/orgs",
            owner.clone(),
            json!({"name": "x"}),
            "/name",
        ),
        (
            Method::PATCH,
            "/v1/orgs/acme",
            owner.clone(),
            json!({"name": "x"}),
            "/name",
        ),
        (
            Method::POST,
            "/v1/orgs/acme/tokens",
            owner.clone(),
            json!({"name": "x", "scopes": []}),
            "/name",
        ),
        (
            Method::POST,
            "/v1/orgs/acme/projects",
            owner.clone(),
            json!({"name": "x"}),
            "/name",
        ),
        (
            Method::PATCH,
            "/v1/projects/{project}",
            owner,
            json!({"name": "x"}),
            "/name",
        ),
        (Method::POST, "/v1/users", operator.clone(), user, "/name"),
        (
            Method::POST,
            "/v1/users",
            operator.clone(),
            joining,
            "/organization",
        ),
        (
            Method::POST,
            "/v1/clients",
            operator.clone(),
            client,
            "/name",
        ),
        (
            Method::PATCH,
            "/v1/clients/cli",
            operator.clone(),
            json!({"name": "x"}),
            "/name",
        ),
        (
            Method::PATCH,
            "/v1/users/{user}",
            operator,
            json!({"name": "x"}),
            "/name",
        ),
    ]
}

/// Sends each of [`calls`] with this name.
async fn call_all(test: &TestApp, owner: &str, project: &str, name: &str) -> Vec<(String, Answer)> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mut answers = Vec::new();
    let user = format!("SELECT id FROM users WHERE email = '{EMAIL}'");
    let user = test.database.text(&user);
    for (method, path, token, mut body, pointer) in calls(owner) {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
        for text in body.as_object_mut().unwrap().values_mut() {
            if let Some(pattern) = text.as_str() {
                *text = pattern.replace("{n}", &number).into();
            }
        }
        *body.pointer_mut(pointer).unwrap() = name.into();
        let path = path.replace("{project}", project).replace("{user}", &user);
        let answer = api(test, method.clone(), &path, &token, &body).await;
        answers.push((format!("{method} {path} {pointer}"), answer));
    }
    answers
}

async fn ask(test: &TestApp, name: &str) -> Answer {
    let form = [
        ("client_id", CLI),
        ("scope", "tokens:read"),
        ("device_name", name),
    ];
    test.oauth("/auth/device", &form).await
}

/// A token of the owner for the API, and a project.
async fn prepare(test: &TestApp) -> (String, String) {
    let scopes = [
        "tokens:read",
        "tokens:write",
        "orgs:read",
        "orgs:write",
        "projects:read",
        "projects:write",
    ];
    let token = test.user().await.new_token("api", &scopes, "never").await;
    let input = json!({"name": "first"});
    let made = api(test, Method::POST, "/v1/orgs/acme/projects", &token, &input).await;
    (token, made.body["id"].as_str().unwrap().to_owned())
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

/// Field report 10: names with joiners are accepted, and shown unchanged in pages and in JSON.
#[actix_web::test]
async fn names_of_all_scripts_are_shown_as_typed() {
    for name in KEPT {
        let test = start().await;
        let mut browser = test.user().await;
        for (path, _) in FORMS {
            let answer = submit(&mut browser, path, &format!("  {name}\t")).await;
            match path.contains("tokens") {
                true => assert_eq!(answer.status, 200, "{path} {name:?}: {}", answer.body),
                false => assert_eq!(answer.status, 303, "{path} {name:?}: {}", answer.body),
            }
        }
        for page in [
            "/account",
            "/tokens",
            "/o",
            "/o/acme",
            "/o/acme/projects",
            "/o/acme/members",
        ] {
            let page = browser.get(page).await;
            assert!(
                page.status == 200 && page.contains(name),
                "{name:?}: {}",
                page.body
            );
        }

        let (token, project) = prepare(&test).await;
        for (call, answer) in call_all(&test, &token, &project, &format!(" {name} ")).await {
            // These names are in use.
            let is_taken = ["POST /v1/orgs /name", "POST /v1/orgs/acme/projects /name"];
            if is_taken.contains(&call.as_str()) {
                assert_eq!(answer.status, 422, "{call}: {answer:?}");
                assert!(!answer.body.to_string().contains("Leave out"), "{answer:?}");
                continue;
            }
            if call.starts_with("PATCH /v1/projects") {
                assert_eq!(answer.status, 422, "{call}: {answer:?}");
                continue;
            }
            // The organization with this name is that of a user.
            if call.ends_with("/organization") {
                assert_eq!(answer.status, 409, "{call}: {answer:?}");
                continue;
            }
            assert!(answer.status < 300, "{call} {name:?}: {answer:?}");
            let mut found = Vec::new();
            texts(&answer.body, &mut found);
            assert!(found.iter().any(|text| text == name), "{call}: {answer:?}");
        }
        for path in [
            "/v1/me",
            "/v1/tokens",
            "/v1/orgs",
            "/v1/projects",
            "/v1/orgs/acme/tokens",
        ] {
            let answer = api(&test, Method::GET, path, &token, &Value::Null).await;
            let mut found = Vec::new();
            texts(&answer.body, &mut found);
            assert!(
                found.iter().any(|text| text == name),
                "{path} {name:?}: {answer:?}"
            );
        }

        let device = Device::of(&ask(&test, &format!(" {name}\n")).await);
        let consent = browser.type_code(&device.user_code).await;
        assert!(
            consent.contains(&format!(r#"<dd><span class="name">{name}</span> <span"#)),
            "{}",
            consent.body
        );
        browser.decide(&consent, "approve", &["tokens:read"]).await;
        let token = test.poll(&device).await.token();
        let me: Value = test.me(&token).await.json().await.unwrap();
        assert_eq!(me["token"]["name"], format!("{name} on {name}"));
        let list = api(&test, Method::GET, "/v1/tokens", &token, &Value::Null).await;
        let mut items = list.body["items"].as_array().unwrap().iter();
        assert!(items.any(|token| token["device_name"] == name), "{list:?}");
    }
}

/// An organization whose name has no letter from a to z gets an address too. The operator adds
/// users to it by its id, because a user chose the name.
#[actix_web::test]
async fn organization_of_any_script_has_an_address() {
    let test = start().await;
    let mut browser = test.user().await;
    let made = submit(&mut browser, "/o/new", KEPT[0]).await;
    let address = made.location().split('?').next().unwrap().to_owned();
    assert!(address.starts_with("/o/org-"), "{address}");
    let page = browser.get(&address).await;
    assert!(page.contains(KEPT[0]), "{}", page.body);
    let again = submit(&mut browser, "/o/new", KEPT[0]).await;
    assert_eq!(again.status, 422);

    let condition = format!("name = '{}'", KEPT[0]);
    let id = format!("SELECT id FROM organization WHERE {condition}");
    let id = test.database.text(&id);
    let nothing = "org_00000000000000000000000000000000";
    for (organization, status) in [
        (KEPT[0], 409),
        (address.strip_prefix("/o/").unwrap(), 409),
        (nothing, 422),
        (&id, 201),
    ] {
        let input = json!({"name": "Bob", "email": "bob@example.com", "password": PASSWORD, "organization": organization});
        let joined = api(&test, Method::POST, "/v1/users", OPERATOR, &input).await;
        assert_eq!(joined.status, status, "{joined:?}");
        if status == 409 {
            let detail = joined.body["detail"].as_str().unwrap();
            assert!(detail.contains("enter its ID"), "{detail}");
        }
    }
    assert_eq!(test.count("organization", &condition), 1);
    assert!(
        browser
            .get(&format!("{address}/members"))
            .await
            .contains("bob@example.com")
    );
}
