//! Secrets of one kind used as another.

use super::assert_error;
use crate::support::device::{Answer, GRANT};
use crate::support::{API, CLI, OPERATOR, PASSWORD, TestApp};

/// T-20, PAT-22, OAU-27, OPR-01, OPR-02: each secret is accepted only for its own purpose.
#[actix_web::test]
async fn secret_of_one_kind_is_rejected_as_another() {
    let test = TestApp::start().await;
    let mut user = test.user().await;
    let token = user.new_token("script", &["tokens:read"], "90d").await;
    let device = test.device("tokens:read").await;
    let session = user.cookies["doorcode_session"].clone();
    let visitor = user.cookies["doorcode_visitor"].clone();
    let secrets = [
        ("token", token.as_str()),
        ("device code", &device.device_code),
        ("user code", &device.user_code),
        ("session", &session),
        ("visitor", &visitor),
        ("csrf", &user.csrf),
        ("client secret", &test.api_secret),
        ("operator", OPERATOR),
    ];
    for (kind, secret) in secrets {
        let me = test.me(secret).await.status();
        let is_bearer = ["token", "operator"].contains(&kind);
        assert_eq!(me, if is_bearer { 200 } else { 401 }, "{kind}");

        let form = [
            ("grant_type", GRANT),
            ("client_id", CLI),
            ("device_code", secret),
        ];
        let expected = match kind {
            "device code" => "authorization_pending",
            _ => "invalid_grant",
        };
        let answer = test.oauth("/auth/device/token", &form).await;
        assert_error(&answer, 400, expected, kind);

        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", CLI),
            ("refresh_token", secret),
        ];
        let answer = test.oauth("/auth/device/token", &form).await;
        assert_error(&answer, 400, "unsupported_grant_type", kind);

        let as_operator = test
            .anon()
            .post(test.at("/auth/introspect"))
            .bearer_auth(secret)
            .form(&[("token", "x")]);
        let status = as_operator.send().await.unwrap().status();
        assert_eq!(status, if kind == "operator" { 200 } else { 401 }, "{kind}");

        let as_secret = [
            ("client_id", API),
            ("client_secret", secret),
            ("token", "x"),
        ];
        let status = test.oauth("/auth/introspect", &as_secret).await.status;
        let expected = if kind == "client secret" { 200 } else { 401 };
        assert_eq!(status, expected, "{kind}");

        let active = test.introspect(secret).await["active"].clone();
        assert_eq!(active, kind == "token", "{kind}");

        let mut browser = test.browser();
        browser
            .cookies
            .insert("doorcode_session".into(), secret.to_owned());
        let status = browser.get("/tokens").await.status;
        assert_eq!(status, if kind == "session" { 200 } else { 303 }, "{kind}");

        // A bearer token never gives access to a page.
        let page = test.anon().get(test.at("/tokens")).bearer_auth(secret);
        assert_eq!(page.send().await.unwrap().status(), 303, "{kind}");
        // A session cookie never gives access to the API.
        let me = test
            .anon()
            .get(test.at("/v1/me"))
            .header("cookie", format!("doorcode_session={secret}"));
        assert_eq!(me.send().await.unwrap().status(), 401, "{kind}");

        let mut browser = test.browser();
        let setup = browser.get(&doorcode::web::setup_path(secret)).await;
        assert_eq!(setup.status, 404, "{kind}");
    }
    let password = test.me(PASSWORD.split(' ').next().unwrap()).await;
    assert_eq!(password.status(), 401);
}

/// T-20, OPR-01: the header does not let a token act for another user.
#[actix_web::test]
async fn actor_header_of_a_personal_token_is_ignored() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    test.add_user("eve@example.com", PASSWORD, None).await;
    let eve = test
        .database
        .text("SELECT id FROM users WHERE email = 'eve@example.com'");
    let request = test
        .anon()
        .get(test.at("/v1/me"))
        .bearer_auth(&token)
        .header("x-actor-user-id", eve);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["user"]["email"], crate::support::EMAIL);
}
