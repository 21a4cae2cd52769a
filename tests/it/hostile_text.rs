//! Injection through names: on pages, in headers, in JSON, in the database.

use crate::support::browser::{Browser, Page};
use crate::support::device::Device;
use crate::support::{CLI, PASSWORD, TestApp};
use doorcode::app::client::{Kind, NewClient, ScopeChoice};
use doorcode::domain::role::Role;
use serde_json::Value;

/// Each has an effect if pasted unescaped into a page, a script, a URL, a header or a statement.
/// All are within the length limit of names.
const PAYLOADS: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' autofocus onfocus='alert(1)",
    "</title></textarea><svg/onload=alert(1)>",
    "javascript:alert(1)//",
    "{{7*7}}{% raw %}${7*7}#{7*7}",
    "'; DROP TABLE token; --",
    "' OR '1'='1",
    "\\'; SELECT pg_sleep(9) --",
    "%_%00%0d%0aSet-Cookie: a=b",
    "&lt;b&gt; &amp; &#39;",
    "=HYPERLINK(\"http://evil.example\") a",
];

/// The text that a browser shows: the page with its entities decoded.
fn shown(page: &Page) -> String {
    let mut text = page.body.clone();
    for (entity, c) in [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ] {
        text = text.replace(entity, c);
    }
    text
}

/// Asserts that the payload is on the page as text, and adds no markup.
fn assert_harmless(page: &Page, payload: &str, template: &Page) {
    assert_eq!(page.status, 200, "{payload}: {}", page.body);
    assert!(shown(page).contains(payload), "{payload}: {}", page.body);
    for c in ["<", ">", "\"", "'"] {
        assert_eq!(
            page.body.matches(c).count(),
            template.body.matches(c).count(),
            "{payload} changes the markup by {c}"
        );
    }
}

async fn token_named(browser: &mut Browser, name: &str) -> (Page, String) {
    browser.get("/tokens/new").await;
    let fields = [("name", name), ("scope", "orgs:read"), ("expires", "never")];
    let page = browser.post("/tokens/new", &fields).await;
    let token = page
        .attribute("data-token")
        .unwrap_or_else(|| panic!("{name}: {}", page.body));
    (page, token)
}

async fn json(response: reqwest::Response) -> Value {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    response.json().await.unwrap()
}

/// INJ-01: names of tokens.
#[actix_web::test]
async fn token_name_is_always_text() {
    for payload in PAYLOADS {
        let (plain, hostile) = (TestApp::start().await, TestApp::start().await);
        let (mut a, mut b) = (plain.user().await, hostile.user().await);
        let (template, _) = token_named(&mut a, "x").await;
        let (created, token) = token_named(&mut b, payload).await;
        assert_harmless(&created, payload, &template);
        let (template, list) = (a.get("/tokens").await, b.get("/tokens").await);
        assert_harmless(&list, payload, &template);
        let revoke = |page: &Page| {
            let (before, _) = page.body.split_once(r#"/revoke""#).unwrap();
            let (_, id) = before.rsplit_once('/').unwrap();
            format!("/tokens/{id}/revoke")
        };
        let (template_path, path) = (revoke(&template), revoke(&list));
        let template = a.get(&template_path).await;
        assert_harmless(&b.get(&path).await, payload, &template);
        assert_eq!(
            json(hostile.me(&token).await).await["token"]["name"],
            payload
        );

        let notice = b.post(&path, &[]).await;
        let template = a.post(&template_path, &[]).await;
        let template = a.get(template.location()).await;
        assert_harmless(&b.get(notice.location()).await, payload, &template);
        assert_eq!(hostile.count("token", "1 = 1"), 1, "{payload}");
    }
}

/// INJ-01: names of users and organizations.
#[actix_web::test]
async fn user_and_organization_names_are_always_text() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    browser.get("/account").await;
    for (i, payload) in PAYLOADS.into_iter().enumerate() {
        browser.post("/account/name", &[("name", "x")]).await;
        let template = browser.get("/account").await;
        assert_eq!(
            browser
                .post("/account/name", &[("name", payload)])
                .await
                .status,
            303
        );
        assert_harmless(&browser.get("/account").await, payload, &template);

        let email = format!("person{i}@example.com");
        let name = format!("{i} {payload}");
        test.add_user(&email, PASSWORD, Some((&name, Role::Member)))
            .await;
        let mut member = test.browser();
        member.sign_in(&email, PASSWORD).await;
        let (_, token) = token_named(&mut member, "x").await;
        let me = json(test.me(&token).await).await;
        assert_eq!(me["organizations"][0]["name"], name.as_str());
        let slug = me["organizations"][0]["slug"].as_str().unwrap();
        assert!(
            slug.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
            "{slug}"
        );
    }
    assert_eq!(test.count("users", "1 = 1"), 1 + PAYLOADS.len() as i64);
}

async fn device_of(test: &TestApp, client: &str, name: &str) -> Device {
    let form = [
        ("client_id", client),
        ("device_name", name),
        ("scope", "tokens:read"),
    ];
    let answer = test.oauth("/auth/device", &form).await;
    assert_eq!(answer.status, 200, "{name}: {:?}", answer.body);
    let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
    Device {
        device_code: text("device_code"),
        user_code: text("user_code"),
        link: text("verification_uri_complete"),
    }
}

/// INJ-01, DEV-35: names of devices and clients, up to the token that they get.
#[actix_web::test]
async fn device_and_client_names_are_always_text() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let plain = device_of(&test, CLI, "x").await;
    let template = browser.type_code(&plain.user_code).await;
    for (i, payload) in PAYLOADS.into_iter().enumerate() {
        let device = device_of(&test, CLI, payload).await;
        let consent = browser.type_code(&device.user_code).await;
        assert_harmless(&consent, payload, &template);

        let id = format!("client{i}");
        let new = NewClient {
            id: id.clone(),
            name: payload.into(),
            scopes: ScopeChoice::All,
            default_scopes: Vec::new(),
            kind: Kind::Public,
        };
        test.register(new).await.unwrap();
        let device = device_of(&test, &id, "x").await;
        let consent = browser.type_code(&device.user_code).await;
        assert!(shown(&consent).contains(&format!("<h1>Approve access for {payload}?")));
        assert!(!consent.contains(payload) || !payload.contains(['<', '"', '\'', '&']));
        let result = browser.decide(&consent, "approve", &["tokens:read"]).await;
        assert_eq!(result.status, 200);
        assert!(!result.contains(payload) || !payload.contains(['<', '"', '\'', '&']));
        let token = test.poll_as(&id, &device).await.token();
        assert_eq!(
            json(test.me(&token).await).await["scopes"][0],
            "tokens:read"
        );
    }
    assert_eq!(browser.get("/tokens").await.status, 200);
}

/// INJ-01: form input is returned only in its own field.
#[actix_web::test]
async fn repeated_form_input_stays_in_its_field() {
    let test = TestApp::start().await;
    for payload in PAYLOADS {
        let mut browser = test.browser();
        let login = browser.try_sign_in(payload, payload).await;
        assert_eq!(login.status, 401);
        assert_eq!(
            login.body.matches("&#").count() > 0,
            payload.contains(['<', '"', '\'', '&'])
        );
        assert!(
            !login.contains("<script>")
                && !login.contains("<img src=x")
                && !login.contains("<svg/")
        );
        assert!(
            shown(&login).contains(&format!("value=\"{payload}\"")),
            "{payload}"
        );

        let mut browser = test.user().await;
        let code = browser
            .get(&format!("/device?user_code={}", encoded(payload)))
            .await;
        assert_eq!(code.status, if payload.contains('\0') { 400 } else { 200 });
        assert!(
            !code.contains("<script>") && !code.contains("<img src=x") && !code.contains("<svg/")
        );
        let wrong = browser.type_code(payload).await;
        assert!(matches!(wrong.status, 400 | 422), "{payload}");
        assert!(
            !wrong.contains("<script>")
                && !wrong.contains("<img src=x")
                && !wrong.contains("<svg/")
        );
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

/// INJ-01, API-09: request headers appear in no response header, and on no page as markup.
#[actix_web::test]
async fn request_headers_are_shown_as_text() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    browser.set_header("user-agent", "<script>alert(1)</script>");
    browser.set_header("x-request-id", "<script>1</script>");
    browser.sign_in(crate::support::EMAIL, PASSWORD).await;
    let user = browser.get("/account/security").await;
    assert!(shown(&user).contains("<script>alert(1)</script>"));
    assert!(!user.contains("<script>alert"));
    let missing = browser.get("/%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert_eq!(missing.status, 404);
    assert!(!missing.contains("<script>alert"));
    assert_eq!(missing.headers["x-request-id"].len(), 32);
}

/// Creates audit records with user-chosen text in every possible field; returns the pages that
/// show them.
async fn traces(name: &str) -> Vec<Page> {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    browser.set_header("user-agent", name);
    browser.sign_in(crate::support::EMAIL, PASSWORD).await;
    browser.get("/account").await;
    for path in ["/account/name", "/o/acme/name", "/o/acme/projects/new"] {
        let answer = browser.post(path, &[("name", name)]).await;
        assert_eq!(answer.status, 303, "{path}: {name}");
    }
    let fields = [("name", name), ("expires", "never")];
    let tokens_page = "/o/acme/settings/api-tokens";
    browser.post(&format!("{tokens_page}/new"), &fields).await;
    let id = test.database.text("SELECT id FROM token");
    let asked = format!("actor={0}&action={0}&token={0}", encoded(name));
    let mut pages = Vec::new();
    for path in [
        "/o/acme/audit".to_owned(),
        "/account/activity".to_owned(),
        format!("{tokens_page}/{id}"),
        format!("/o/acme/audit?{asked}"),
    ] {
        pages.push(browser.get(&path).await);
    }
    pages
}

/// INJ-01, AUD-04: the audit log shows names of users, projects, tokens and browsers, and its own
/// filter.
#[actix_web::test]
async fn text_in_the_audit_log_is_escaped() {
    let templates = traces("x").await;
    for payload in PAYLOADS {
        for (page, template) in traces(payload).await.iter().zip(&templates) {
            assert_harmless(page, payload, template);
        }
    }
}
