//! The device authorization request.

use super::{ASK, POLL, assert_refused, send, send_form};
use crate::support::device::{Answer, Device, GRANT};
use crate::support::{CLI, TestApp};
use doorcode::app::client::{self, Kind};
use doorcode::config::Config;
use std::collections::HashSet;

/// DEV-01.
#[actix_web::test]
async fn both_endpoints_accept_a_form_or_json_by_post_only() {
    let test = TestApp::start().await;
    for path in [ASK, "/v1/auth/device"] {
        let form = send_form(&test, path, "client_id=cli").await;
        assert_eq!(form.status, 200, "{form:?}");
        let json = send(&test, path, "application/json", r#"{"client_id":"cli"}"#).await;
        assert_eq!(json.status, 200, "{json:?}");
        for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let request = test.anon().request(method.parse().unwrap(), test.at(path));
            let answer = Answer::of(request.send().await.unwrap()).await;
            assert_refused(&answer, 405, "invalid_request");
            assert_eq!(answer.headers["allow"], "POST");
        }
        for (media_type, body) in [
            ("text/plain", "client_id=cli"),
            ("multipart/form-data; boundary=x", "--x--"),
            ("application/json", r#"["cli"]"#),
            ("application/json", r#"{"client_id":1}"#),
            ("application/json", "client_id=cli"),
        ] {
            let answer = send(&test, path, media_type, body).await;
            assert_refused(&answer, 400, "invalid_request");
        }
    }
    assert_eq!(test.count("device_grant", "1 = 1"), 4);
}

/// DEV-13, DEV-14, DEV-15, DEV-16, DEV-18, DEV-19, DEV-23.
#[actix_web::test]
async fn response_has_codes_addresses_and_times_and_is_not_cached() {
    let test = TestApp::with("[device]\nlive_codes_per_source = 50").await;
    let mut seen = HashSet::new();
    for _ in 0..50 {
        let answer = test.oauth(ASK, &[("client_id", CLI)]).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["pragma"], "no-cache");
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.body["expires_in"], 600);
        assert_eq!(answer.body["interval"], 5);
        assert_eq!(answer.body.as_object().unwrap().len(), 6);
        let uri = answer.body["verification_uri"].as_str().unwrap();
        assert_eq!(uri, test.at("/device"));

        let device = Device::of(&answer);
        assert_eq!(device.link, format!("{uri}?user_code={}", device.user_code));
        let (left, right) = device.user_code.split_once('-').unwrap();
        for half in [left, right] {
            assert_eq!(half.len(), 4);
            assert!(half.chars().all(|c| "BCDFGHJKLMNPQRSTVWXZ".contains(c)));
        }
        assert_eq!(device.device_code.len(), 64);
        assert!(device.device_code.bytes().all(|b| b.is_ascii_hexdigit()));
        assert!(seen.insert(device.device_code));
        assert!(seen.insert(device.user_code));
    }
}

/// DEV-04, DEV-05, DEV-06, DEV-07, DEV-08, OAU-07, on both endpoints.
#[actix_web::test]
async fn parameters_follow_the_common_rules() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    let good = format!(
        "client_id=cli&grant_type={GRANT}&device_code={}",
        device.device_code
    );
    let grants = test.count("device_grant", "1 = 1");
    for twice in [
        "client_id=cli",
        "client_id=other",
        "client%5Fid=cli",
        "scope=tokens:read&scope=tokens:read",
        "scope=&scope=tokens:read",
        "device_name=a&device_name=b",
    ] {
        let answer = send_form(&test, ASK, &format!("client_id=cli&{twice}")).await;
        assert_refused(&answer, 400, "invalid_request");
    }
    for twice in [
        "client_id=cli",
        "grant_type=x",
        "device_code=x",
        "device%5Fcode=",
    ] {
        let answer = send_form(&test, POLL, &format!("{good}&{twice}")).await;
        assert_refused(&answer, 400, "invalid_request");
    }
    for path in [ASK, POLL] {
        let json = r#"{"client_id":"cli","client_id":"cli"}"#;
        let answer = send(&test, path, "application/json", json).await;
        assert_refused(&answer, 400, "invalid_request");
        for query in [
            "client_id=cli",
            "scope=tokens:read",
            "device_code=x",
            "client%5Fid=cli",
        ] {
            let answer = send_form(&test, &format!("{path}?{query}"), &good).await;
            assert_refused(&answer, 400, "invalid_request");
        }
        for body in [
            "scope=%FF",
            "scope=%zz",
            "scope=%4",
            "scope=%00",
            "scope=%C0%AF",
            "foo=%ED%A0%80",
            "%FF=x",
        ] {
            let answer = send_form(&test, path, &format!("client_id=cli&{body}")).await;
            assert_refused(&answer, 400, "invalid_request");
        }
    }
    for absent in ["", "client_id=&scope=tokens:read"] {
        assert_refused(&send_form(&test, ASK, absent).await, 400, "invalid_request");
    }
    for absent in [
        format!("client_id=cli&grant_type={GRANT}&device_code="),
        format!("client_id=cli&grant_type={GRANT}"),
        format!("client_id=&grant_type={GRANT}&device_code=x"),
        "client_id=cli&device_code=x".to_owned(),
        "client_id=cli&grant_type=&device_code=x".to_owned(),
    ] {
        assert_refused(
            &send_form(&test, POLL, &absent).await,
            400,
            "invalid_request",
        );
    }
    assert_eq!(test.count("device_grant", "1 = 1"), grants);

    let ignored = "foo=bar&audience=x&audience=&resource=https://a.test&resource=https://b.test";
    let answer = send_form(&test, ASK, &format!("client_id=cli&scope=&{ignored}")).await;
    // Unknown parameters must not repeat either; only `resource` may.
    assert_refused(&answer, 400, "invalid_request");
    let ignored = "foo=bar&audience=x&resource=https://a.test&resource=https://b.test";
    let answer = send_form(&test, ASK, &format!("client_id=cli&scope=&{ignored}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = send_form(&test, POLL, &format!("{good}&{ignored}")).await;
    assert_refused(&answer, 400, "authorization_pending");
}

/// DEV-10, DEV-11.
#[actix_web::test]
async fn scopes_are_limited_to_the_catalogue_and_the_client() {
    let test = TestApp::start().await;
    test.add_client("narrow", Kind::Public, &["tokens:read", "orgs:read"])
        .await;
    for scope in [
        "nothing:here",
        "Tokens:read",
        "\"tokens:read\"",
        "tokens:read\torgs:read",
        "tokens:réad",
        "tokens:*",
        "*",
        "tokens:read,orgs:read",
        "tokens\\read",
        "tokens:write",
        "tokens:read tokens:write",
    ] {
        let form = [("client_id", "narrow"), ("scope", scope)];
        assert_refused(&test.oauth(ASK, &form).await, 400, "invalid_scope");
    }
    assert_eq!(test.count("device_grant", "1 = 1"), 0);
    for scope in ["orgs:read tokens:read", "tokens:read orgs:read", ""] {
        let form = [("client_id", "narrow"), ("scope", scope)];
        Device::of(&test.oauth(ASK, &form).await);
    }
    assert_eq!(
        test.count("device_grant", "scopes = 'orgs:read tokens:read'"),
        3
    );

    Device::of(&test.oauth(ASK, &[("client_id", "doorcode-cli")]).await);
    let defaults = "scopes = 'orgs:read projects:read tokens:read'";
    assert_eq!(test.count("device_grant", defaults), 1);
}

/// XD-11: the built-in client gets what creates tokens only if it requests it, and what invites users
/// only if the operator lists it.
#[actix_web::test]
async fn lasting_scopes_reach_a_client_only_if_listed() {
    let test = TestApp::start().await;
    let ask = async |client: &str, scope: &str| {
        let form = [("client_id", client), ("scope", scope)];
        test.oauth(ASK, &form).await
    };
    Device::of(&ask("doorcode-cli", "tokens:write").await);
    assert_refused(
        &ask("doorcode-cli", "orgs:write").await,
        400,
        "invalid_scope",
    );
    let all = client::NewClient {
        id: "all".to_owned(),
        name: "All".to_owned(),
        scopes: client::ScopeChoice::All,
        default_scopes: Vec::new(),
        kind: Kind::Public,
    };
    let req = test.req(&crate::support::tenant::OPERATOR);
    client::register(&req, all).await.unwrap();
    for scope in client::LASTING {
        assert_refused(&ask("all", scope).await, 400, "invalid_scope");
        test.add_client("listed", Kind::Public, &[scope, "orgs:read"])
            .await;
        let device = Device::of(&ask("listed", scope).await);
        let mut browser = test.user().await;
        browser.approve(&device.user_code, &[scope]).await;
        let form = device.poll_form("listed");
        assert_eq!(test.oauth(POLL, &form).await.body["scope"], scope);
        // It is never a default.
        Device::of(&ask("listed", "").await);
        assert_eq!(test.count("device_grant", "scopes = 'orgs:read'"), 1);
        client::remove(&req, "listed").await.unwrap();
        test.database.execute("DELETE FROM device_grant");
    }
}

/// DEV-09, DEV-17. Responses name only the public address.
#[actix_web::test]
async fn addresses_come_from_the_configuration() {
    let test = TestApp::with("[server]\npublic_url = \"https://login.example.com\"\n").await;
    for (name, value) in [
        ("host", "evil.test"),
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "host=evil.test;proto=http"),
        ("x-original-url", "https://evil.test/auth/device"),
    ] {
        let request = test.anon().post(test.at(ASK)).header(name, value);
        let answer = Answer::of(request.form(&[("client_id", CLI)]).send().await.unwrap()).await;
        // No redirect: it would train clients to send in the clear.
        let device = Device::of(&answer);
        assert_eq!(
            answer.body["verification_uri"],
            "https://login.example.com/device"
        );
        assert!(device.link.starts_with("https://login.example.com/device?"));
    }

    let url = |url: &str| [("DOORCODE__SERVER__PUBLIC_URL".to_owned(), url.to_owned())];
    assert!(Config::load(None, url("http://login.example.com")).is_err());
    assert!(Config::load(None, url("https://login.example.com")).is_ok());
}

/// DEV-58.
#[actix_web::test]
async fn metadata_leads_to_the_device_grant() {
    let test = TestApp::start().await;
    let url = test.at("/.well-known/oauth-authorization-server");
    let answer = Answer::of(test.anon().get(url).send().await.unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["device_authorization_endpoint"], test.at(ASK));
    assert_eq!(answer.body["token_endpoint"], test.at(POLL));
    assert_eq!(
        answer.body["grant_types_supported"],
        serde_json::json!([GRANT])
    );
}
