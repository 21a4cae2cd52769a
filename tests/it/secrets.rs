//! Places where secrets must never appear, and secrets that are rejected.

use crate::support::canary::Canaries;
use crate::support::clock::SeededEntropy;
use crate::support::ground::Ground;
use crate::support::search::{Leak, search};
use crate::support::{API, CLI, EMAIL, OPERATOR, PASSWORD, TestApp, WEBHOOK, log};
use base64::Engine;
use doorcode::app::client::Kind;
use doorcode::app::deployment::{self, Secrets};
use doorcode::config::Config;
use doorcode::domain::Instant;
use doorcode::domain::secret::Secret;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::panic::AssertUnwindSafe;

/// T-23, AUD-03, PAT-05, PAT-21, DEV-20: a full scenario in which every secret is sent in every
/// wrong field. Its traces are searched, as after every test.
#[actix_web::test]
async fn no_secret_is_in_the_database_the_log_or_an_error_page() {
    const NEW_PASSWORD: &str = "canary amber lantern drifts";
    const WRONG_PASSWORD: &str = "canary mistyped once again";
    let test = TestApp::empty("").await;
    let link = doorcode::app::user::offer_setup(&test.app)
        .await
        .unwrap()
        .unwrap();
    let mut shown = String::new();

    let mut owner = test.browser();
    owner.get(&doorcode::web::setup_path(link.expose())).await;
    let user = [
        ("link", link.expose()),
        ("name", "Ada"),
        ("email", EMAIL),
        ("password", PASSWORD),
        ("organization", "Acme"),
    ];
    assert_eq!(owner.post("/setup", &user).await.status, 303);
    owner.get("/account").await;
    test.add_client(
        CLI,
        Kind::Public,
        &["tokens:read", "tokens:write", "orgs:read", "orgs:write"],
    )
    .await;
    let api_secret = test.add_client(API, Kind::Confidential, &[]).await;

    let mut user = test.browser();
    let refused = user.try_sign_in(EMAIL, WRONG_PASSWORD).await;
    assert!(refused.status >= 400, "{}", refused.status);
    shown.push_str(&refused.body);
    let unknown = user.try_sign_in(WRONG_PASSWORD, PASSWORD).await;
    shown.push_str(&unknown.body.replace(WRONG_PASSWORD, ""));
    user.sign_in(EMAIL, PASSWORD).await;
    user.get("/account").await;
    let change = [
        ("current_password", PASSWORD),
        ("new_password", NEW_PASSWORD),
    ];
    let changed = user.post("/account/password", &change).await;
    assert_eq!(changed.status, 303, "{}", changed.body);

    let device = test.device("tokens:read").await;
    let by_link = user
        .get(&format!("/device?user_code={}", device.user_code))
        .await;
    assert_eq!(by_link.status, 200);
    let consent = user.type_code(&device.user_code).await;
    shown.push_str(&consent.body.replace(&device.user_code, ""));
    user.decide(&consent, "approve", &["tokens:read"]).await;
    let by_device = test.poll(&device).await.token();
    assert_eq!(test.poll(&device).await.token(), by_device);
    let denied = test.device("tokens:read").await;
    let consent = user.type_code(&denied.user_code).await;
    user.decide(&consent, "deny", &[]).await;
    assert_eq!(test.poll(&denied).await.error(), "access_denied");

    let by_hand = user.new_token("script", &["tokens:read"], "90d").await;
    for token in [&by_device, &by_hand] {
        test.canaries.add(&token[3..]);
        assert_eq!(test.me(token).await.status(), 200);
        let request = test
            .anon()
            .post(test.at("/auth/introspect"))
            .basic_auth(API, Some(&api_secret))
            .form(&[("token", token)]);
        shown.push_str(&request.send().await.unwrap().text().await.unwrap());
        let operator = test
            .anon()
            .post(test.at("/auth/introspect"))
            .bearer_auth(OPERATOR)
            .form(&[("token", token)]);
        assert_eq!(operator.send().await.unwrap().status(), 200);
    }
    let form = [("client_id", CLI), ("token", by_device.as_str())];
    assert_eq!(test.oauth("/auth/revoke", &form).await.status, 200);
    shown.push_str(&user.get("/tokens").await.body);
    shown.push_str(&user.get("/account").await.body);

    // The known secrets, at least one of each kind.
    let secrets = test.canaries.secrets();
    for known in [
        [OPERATOR, WEBHOOK, link.expose(), &api_secret],
        [PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, &user.csrf],
        [&device.device_code, &device.user_code, &by_device, &by_hand],
        [
            &owner.cookies["doorcode_session"],
            &user.cookies["doorcode_session"],
            &denied.user_code.replace('-', ""),
            &consent.field("ticket").unwrap(),
        ],
    ]
    .concat()
    {
        assert!(secrets.iter().any(|secret| secret == known), "{known}");
    }

    // Then every error case, with the secrets in every field.
    for secret in &secrets {
        let mut requests = Vec::new();
        for path in ["/v1/me", "/auth/introspect", "/tokens", "/device", "/login"] {
            let url = format!(
                "{}?access_token={}",
                test.at(path),
                secret.replace(' ', "+")
            );
            requests.push(test.anon().get(url).bearer_auth(secret.replace(' ', "+")));
            let post = test.anon().post(test.at(path));
            requests.push(post.body(secret.clone()).header("cookie", "a"));
            let post = test.anon().post(test.at(path));
            let cookie = format!("doorcode_session={}", secret.replace(' ', "+"));
            requests.push(post.header("cookie", cookie).form(&[
                ("client_id", API),
                ("client_secret", secret),
                ("token", secret),
            ]));
        }
        for path in [
            "/v1/tokens",
            "/v1/clients",
            "/tokens",
            "/o",
            "/invitation",
            "",
        ] {
            let url = format!("{}/{secret}", test.at(path));
            requests.push(test.anon().get(&url).bearer_auth(OPERATOR));
            requests.push(test.anon().delete(&url).bearer_auth(OPERATOR));
        }
        let typed = secret.replace(' ', "+");
        for filter in ["actor", "action", "token"] {
            // These pages repeat the input.
            for page in ["/o/acme/audit", "/account/activity"] {
                user.get(&format!("{page}?{filter}={typed}")).await;
            }
            for path in ["/v1/audit", "/v1/audit/export", "/v1/audit/uses"] {
                let url = test.at(&format!("{path}?{filter}={typed}"));
                requests.push(test.anon().get(url).bearer_auth(OPERATOR));
            }
        }
        for request in requests {
            let answer = request.send().await.unwrap();
            assert!(answer.status().as_u16() < 500);
            shown.push_str(&format!("{:?}", answer.headers().get("www-authenticate")));
            shown.push_str(&answer.text().await.unwrap());
        }
    }
    assert!(test.database.dump().contains(EMAIL) && log::text().contains("/v1/tokens/{id}"));
    for Leak { secret, text, .. } in search(&secrets, &[("a page".into(), shown.clone().into())]) {
        // The code stays on the page where the user compares it, and a form has its CSRF token.
        let is_of_pages = shown.contains(&format!("value=\"{secret}\""));
        assert!(is_of_pages, "shown: {secret} in {text}");
    }
}

/// The search at the end of every test finds a secret in any place and encoding.
#[actix_web::test]
async fn secret_is_found_in_any_place_and_encoding() {
    const SECRET: &str = "canary plum/orchard \"wakes\"";
    let test = TestApp::start().await;
    test.canaries.add(SECRET);
    assert_eq!(test.leaks(), []);

    let base64 = base64::engine::general_purpose::STANDARD;
    for spelled in [
        SECRET,
        "canary+plum%2Forchard+%22wakes%22",
        "canary%20plum%2Forchard%20%22wakes%22",
        r#"canary plum/orchard \"wakes\""#,
        &base64.encode(SECRET),
        &base64.encode(format!("{API}:{SECRET}")),
        &base64.encode(format!("a:{SECRET}:b")),
        &base64.encode(format!("ab:{SECRET}")),
    ] {
        let ground = Ground::new(None);
        ground.canaries.add(SECRET);
        assert_eq!(ground.search().leaks, []);
        std::fs::write(ground.path("shipped"), format!("<{spelled}>")).unwrap();
        let leaks = ground.search().leaks;
        assert_eq!(leaks.len(), 1, "{spelled}");
        assert_eq!((&*leaks[0].secret, &*leaks[0].place), (SECRET, "shipped"));
        // A test that ends in this state fails.
        let over = std::panic::catch_unwind(AssertUnwindSafe(|| drop(ground)));
        let said = *over.unwrap_err().downcast::<String>().unwrap();
        assert!(said.contains("plum"), "{said}");
    }

    let spelled = base64.encode(SECRET);
    let place = |leaks: Vec<Leak>| {
        let places = leaks.into_iter().map(|leak| leak.place);
        places.collect::<BTreeSet<_>>()
    };
    tracing::info!(spelled, "a test of the search has planted this");
    assert_eq!(place(test.leaks()), BTreeSet::from(["the log".into()]));
    test.database
        .execute(&format!("UPDATE organization SET name = '{spelled}'"));
    assert!(place(test.leaks()).contains("the database"));
    let told = Canaries::of(&test.url);
    told.keep_log(&spelled);
    assert!(place(test.leaks()).contains("what programs logged"));
    test.canaries.spare(SECRET, "this test has planted it");
    assert_eq!(test.leaks(), []);
}

/// A secret unknown to the helpers is found too, if its digest is stored.
#[actix_web::test]
async fn unknown_secret_is_found_by_its_digest() {
    let test = TestApp::start().await;
    let caller = test.token(&["tokens:write"]).await;
    let made = test
        .anon()
        .post(test.at("/v1/tokens"))
        .bearer_auth(caller)
        .header("idempotency-key", "one")
        .json(&serde_json::json!({"name": "n", "scopes": []}));
    let made: serde_json::Value = made.send().await.unwrap().json().await.unwrap();
    let token = made["token"].as_str().unwrap();
    assert!(!test.canaries.secrets().contains(&token.to_owned()));
    assert_eq!(test.leaks(), []);
    test.database
        .execute(&format!("UPDATE organization SET name = 'token={token}'"));
    let leaks = test.leaks();
    assert_eq!((leaks.len(), leaks[0].secret.as_str()), (1, token));
    test.canaries.spare(token, "this test has planted it");
}

fn load(settings: &str, operator: &str) -> Result<Secrets, deployment::Error> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), settings).unwrap();
    let config = Config::load(Some(file.path()), []).unwrap();
    Secrets::load(&config, &SeededEntropy::default(), |name| match name {
        "DOORCODE_OPERATOR_TOKEN" => Some(operator.to_owned()),
        deployment::SECRET_KEY => Some("5e".repeat(32)),
        deployment::AUDIT_KEY => Some("ed".repeat(32)),
        _ => None,
    })
}

/// PAT-23: the server does not start with a weak operator token, and does not repeat it.
#[test]
fn weak_operator_tokens_are_rejected() {
    for weak in [
        "short",
        "0123456789abcdef0123456789abcde",
        &"a".repeat(64),
        &"ab".repeat(32),
        "changeme-changeme-changeme-changeme-1234",
        "this-is-the-Operator-token-of-acme-4711",
        "my super token with spaces 0123456789",
        "mÿ-süper-tökèn-wïth-äccents-0123456789",
    ] {
        let error = load("", weak).err().expect(weak).to_string();
        assert!(error.starts_with("DOORCODE_OPERATOR_TOKEN: "), "{error}");
        assert!(!error.contains(weak), "{error}");
    }
    let strong = load("", "Vb3-9xQe.7Lm_2Tz~5Kp+8Rw/1Yd=4Hs6Nc").unwrap();
    assert!(strong.files.made.is_empty());
    let token = Secret::new("Vb3-9xQe.7Lm_2Tz~5Kp+8Rw/1Yd=4Hs6Nc");
    assert!(strong.operator.recognises(&token, Instant::UNIX_EPOCH));
}

/// PAT-23: the first start generates a strong token, whatever the token prefix.
#[test]
fn first_start_generates_an_operator_token_that_every_start_accepts() {
    for prefix in ["dc", "secretly", "example", "operator", "xxxx"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data/operator_token");
        let settings = format!(
            "[tokens]\nprefix = \"{prefix}\"\n[operator]\ntoken_file = {:?}\n",
            path.display().to_string()
        );
        let made = load(&settings, "").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(made.files.made, std::slice::from_ref(&path));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = load(&settings, "").unwrap_or_else(|error| panic!("{error}"));
        assert!(second.files.made.is_empty());
        let token = Secret::new(std::fs::read_to_string(&path).unwrap().trim());
        for secrets in [&made, &second] {
            assert!(secrets.operator.recognises(&token, Instant::UNIX_EPOCH));
        }

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let exposed = load(&settings, "").err().unwrap().to_string();
        assert!(exposed.contains("chmod 600"), "{exposed}");
    }
}
