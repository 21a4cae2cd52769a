//! Introspection (RFC 7662).

use super::assert_error;
use crate::support::device::Answer;
use crate::support::{API, CLI, EMAIL, OPERATOR, PASSWORD, TestApp};
use doorcode::app::client::Kind;
use doorcode::domain::role::Role;
use doorcode::domain::token;
use serde_json::{Value, json};

async fn introspect_with(test: &TestApp, fields: &[(&str, &str)]) -> Answer {
    let request = test
        .anon()
        .post(test.at("/auth/introspect"))
        .basic_auth(API, Some(&test.api_secret))
        .form(fields);
    Answer::of(request.send().await.unwrap()).await
}

/// INT-01.
#[actix_web::test]
async fn introspection_requires_a_post_with_a_token() {
    let test = TestApp::start().await;
    let path = format!("/auth/introspect?token={OPERATOR}");
    let get = test
        .anon()
        .get(test.at(&path))
        .basic_auth(API, Some(&test.api_secret))
        .send();
    let get = Answer::of(get.await.unwrap()).await;
    assert_error(&get, 405, "invalid_request", "GET");
    for fields in [&[][..], &[("token", "")], &[("tokens", "x")]] {
        let answer = introspect_with(&test, fields).await;
        assert_error(&answer, 400, "invalid_request", "no token");
    }
}

/// INT-02, INT-03.
#[actix_web::test]
async fn only_confidential_clients_and_the_operator_may_introspect() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let form = [("token", token.as_str())];
    let post = || test.anon().post(test.at("/auth/introspect"));

    let nobody = Answer::of(post().form(&form).send().await.unwrap()).await;
    assert_error(&nobody, 401, "invalid_client", "nobody");
    assert!(nobody.headers.contains_key("www-authenticate"));

    let public = [("token", token.as_str()), ("client_id", CLI)];
    let public = Answer::of(post().form(&public).send().await.unwrap()).await;
    assert_error(&public, 401, "invalid_client", "a public client");

    for bearer in [token.as_str(), "garbage", "dc_", &OPERATOR[..50]] {
        let request = post().bearer_auth(bearer).form(&form);
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, 401, "{bearer}: {answer:?}");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer "), "{challenge}");
        assert!(
            challenge.contains(r#"error="invalid_token""#),
            "{challenge}"
        );
    }
    let operator = post().bearer_auth(OPERATOR).form(&form);
    let operator = Answer::of(operator.send().await.unwrap()).await;
    assert_eq!(operator.body["active"], true, "{operator:?}");

    test.database.execute(&format!(
        "UPDATE client SET state = 'disabled' WHERE id = '{API}'"
    ));
    let off = introspect_with(&test, &form).await;
    assert_error(&off, 401, "invalid_client", "switched off");
}

/// INT-05, OAU-13.
#[actix_web::test]
async fn active_token_is_described_but_not_repeated() {
    let test = TestApp::start().await;
    let made_at = 1_795_348_800;
    let by_device = test.token(&["tokens:read", "orgs:read"]).await;
    let answer = introspect_with(&test, &[("token", &by_device)]).await;
    let body = answer.body.as_object().unwrap();
    let sub = test.database.text("SELECT id FROM users");
    let jti = test.database.text("SELECT id FROM token");
    assert_eq!(
        answer.body,
        json!({
            "active": true,
            "auth_time": made_at,
            "scope": "orgs:read tokens:read",
            "client_id": CLI,
            "username": EMAIL,
            "email_verified": true,
            "sub": sub,
            "token_type": "Bearer",
            "exp": made_at + 90 * 24 * 3600,
            "iat": made_at,
            "iss": test.url,
            "jti": jti,
            "kind": "personal",
        })
    );
    assert!(body.values().all(|value| !value.is_null()));
    assert!(!answer.body.to_string().contains(&by_device));
    assert_eq!(answer.headers["cache-control"], "no-store");

    let by_hand = test
        .user()
        .await
        .new_token("script", &["tokens:read"], "never")
        .await;
    let answer = introspect_with(&test, &[("token", &by_hand)]).await;
    assert_eq!(answer.body["active"], true);
    assert_eq!(answer.body["scope"], "tokens:read");
    for absent in ["exp", "client_id"] {
        assert!(answer.body.get(absent).is_none(), "{absent}");
    }
}

/// INT-04, T-20: every inactive token gives the same bytes.
#[actix_web::test]
async fn inactive_token_gets_no_further_members() {
    let test = TestApp::start().await;
    let mut user = test.user().await;
    let device = test.device("tokens:read").await;
    let expired = user.new_token("old", &["tokens:read"], "30d").await;
    let revoked = user.new_token("gone", &["tokens:read"], "never").await;
    let form = [("client_id", CLI), ("token", revoked.as_str())];
    assert_eq!(test.oauth("/auth/revoke", &form).await.status, 200);
    test.clock.advance(30 * 24 * 3600);
    let never_issued = token::write("dc", &[7; 20]);
    let mut damaged = expired.clone();
    damaged.replace_range(10..11, "x");
    let session = user.cookies.values().next().unwrap().clone();
    for inactive in [
        expired.as_str(),
        &revoked,
        &damaged,
        never_issued.expose(),
        "garbage",
        "é",
        &device.device_code,
        &device.user_code,
        &session,
        OPERATOR,
        PASSWORD,
        &test.api_secret,
        &"x".repeat(10_000),
    ] {
        let response = test
            .anon()
            .post(test.at("/auth/introspect"))
            .basic_auth(API, Some(&test.api_secret))
            .form(&[("token", inactive)])
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{inactive}");
        assert_eq!(response.headers()["content-type"], "application/json");
        let body = response.text().await.unwrap();
        assert_eq!(body, r#"{"active":false}"#, "{inactive}");
    }
}

/// INT-06, REV-02.
#[actix_web::test]
async fn hint_never_hides_a_token() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    for hint in ["access_token", "refresh_token", "pat", "", "é", "\" OR 1=1"] {
        let fields = [("token", token.as_str()), ("token_type_hint", hint)];
        let answer = introspect_with(&test, &fields).await;
        assert_eq!(answer.body["active"], true, "{hint}");
    }
}

/// INT-07, INT-08, OAU-26: every dependency of a token is checked on each request.
#[actix_web::test]
async fn token_is_inactive_as_soon_as_a_dependency_is_gone() {
    let settings =
        "[[scopes]]\nname = \"app:deploy\"\ndescription = \"Deploy\"\nmin_role = \"admin\"\n";
    let test = TestApp::with(settings).await;
    let token = test.token(&["tokens:read", "app:deploy"]).await;
    let scope = async || test.introspect(&token).await["scope"].clone();
    let me = async || test.me(&token).await.json::<Value>().await.unwrap()["scopes"].clone();
    assert_eq!(scope().await, "app:deploy tokens:read");

    for (change, undo) in [
        ("role = 'member'", "role = 'owner'"),
        ("organization_id = organization_id", "role = 'admin'"),
    ] {
        test.database
            .execute(&format!("UPDATE membership SET {change}"));
        let expected = match change {
            "role = 'member'" => ("tokens:read", json!(["tokens:read"])),
            _ => (
                "app:deploy tokens:read",
                json!(["app:deploy", "tokens:read"]),
            ),
        };
        assert_eq!((scope().await, me().await), (expected.0.into(), expected.1));
        test.database
            .execute(&format!("UPDATE membership SET {undo}"));
    }
    let member = "(SELECT id FROM organization), (SELECT id FROM users)";
    test.database.execute("DELETE FROM membership");
    assert_eq!(test.introspect(&token).await, json!({"active": false}));
    assert_eq!(test.me(&token).await.status(), 403);
    test.database.execute(&format!(
        "INSERT INTO membership SELECT {member}, 'member', created_at, NULL FROM users"
    ));

    let alive = "revoked_at = NULL, revoked_by = NULL, revoked_reason = NULL";
    for (break_it, mend_it) in [
        (
            "UPDATE users SET state = 'deactivated'",
            "UPDATE users SET state = 'active'".to_owned(),
        ),
        (
            "UPDATE client SET state = 'disabled' WHERE id = 'cli'",
            "UPDATE client SET state = 'active'".to_owned(),
        ),
        (
            "UPDATE token SET expires_at = '2026-11-22 12:00:00'",
            "UPDATE token SET expires_at = NULL".to_owned(),
        ),
        (
            "UPDATE token SET revoked_at = '2026-11-22 12:00:00', revoked_by = 'x', revoked_reason = 'y'",
            format!("UPDATE token SET {alive}"),
        ),
    ] {
        test.database.execute(break_it);
        assert_eq!(
            test.introspect(&token).await,
            json!({"active": false}),
            "{break_it}"
        );
        assert_eq!(test.me(&token).await.status(), 401, "{break_it}");
        test.database.execute(&mend_it);
        assert_eq!(test.introspect(&token).await["active"], true, "{mend_it}");
        assert_eq!(test.me(&token).await.status(), 200, "{mend_it}");
    }
}

/// INT-09.
#[actix_web::test]
async fn guesses_at_tokens_are_throttled_for_each_caller() {
    let test = TestApp::start().await;
    let other = test.add_client("other", Kind::Confidential, &[]).await;
    let token = test.token(&["tokens:read"]).await;
    for i in 0..100u8 {
        let guess = token::write("dc", &[i; 20]);
        let answer = introspect_with(&test, &[("token", guess.expose())]).await;
        assert_eq!(answer.body, json!({"active": false}));
    }
    let guess = token::write("dc", &[200; 20]);
    let blocked = introspect_with(&test, &[("token", guess.expose())]).await;
    assert_error(&blocked, 429, "temporarily_unavailable", "too many guesses");
    assert_eq!(blocked.headers["retry-after"], "60");
    // Requests that are not guesses are still answered.
    assert_eq!(test.introspect(&token).await["active"], true);
    assert_eq!(test.introspect("garbage").await, json!({"active": false}));
    let request = test
        .anon()
        .post(test.at("/auth/introspect"))
        .basic_auth("other", Some(&other))
        .form(&[("token", guess.expose())]);
    assert_eq!(request.send().await.unwrap().status(), 200);
    test.clock.advance(60);
    let answer = introspect_with(&test, &[("token", guess.expose())]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// INT-05: the owner of this token, not the first user.
#[actix_web::test]
async fn each_token_names_its_own_owner() {
    let test = TestApp::start().await;
    test.add_user("eve@example.com", PASSWORD, Some(("Other", Role::Member)))
        .await;
    let mut eve = test.browser();
    eve.sign_in("eve@example.com", PASSWORD).await;
    let hers = eve.new_token("hers", &[], "90d").await;
    let answer = test.introspect(&hers).await;
    assert_eq!(answer["username"], "eve@example.com");
    assert_eq!(answer["scope"], "");
}
