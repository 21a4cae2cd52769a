//! Database outages.

use crate::support::database::Database;
use crate::support::device::{Answer, GRANT};
use crate::support::node::Node;
use crate::support::{API, CLI, OPERATOR, TestApp};
use doorcode::domain::token;

/// An unreachable database.
fn nowhere() -> &'static str {
    match Database::is_postgres() {
        true => "postgres://nobody@127.0.0.1:1/nothing",
        false => "sqlite:/nowhere/at/all/doorcode.db",
    }
}

async fn post(test: &TestApp, node: &Node, path: &str, form: &[(&str, &str)]) -> Answer {
    let request = test.anon().post(node.at(path)).form(form);
    Answer::of(request.send().await.unwrap()).await
}

/// REV-05, T-19: without the database, nothing is reported as done, active or unknown.
#[actix_web::test]
async fn without_its_database_every_endpoint_reports_the_outage() {
    let test = TestApp::start().await;
    let node = test.node(nowhere());
    let token = token::write("dc", &[7; 20]);
    let token = token.expose();
    let forms: [(&str, &[(&str, &str)]); 4] = [
        ("/auth/device", &[("client_id", CLI)]),
        (
            "/auth/device/token",
            &[
                ("client_id", CLI),
                ("grant_type", GRANT),
                ("device_code", "x"),
            ],
        ),
        (
            "/auth/introspect",
            &[
                ("client_id", API),
                ("client_secret", &test.api_secret),
                ("token", token),
            ],
        ),
        ("/auth/revoke", &[("client_id", CLI), ("token", token)]),
    ];
    let answers = forms.map(|(path, form)| post(&test, &node, path, form));
    for answer in futures_util::future::join_all(answers).await {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.error(), "temporarily_unavailable");
        assert!(answer.headers.contains_key("retry-after"));
        assert_eq!(answer.headers["content-type"], "application/json");
        assert!(!answer.body.to_string().contains("nowhere"));
    }
    let get = |path: &str| test.anon().get(node.at(path)).send();
    let me = test.anon().get(node.at("/v1/me")).bearer_auth(token).send();
    let operator = test
        .anon()
        .post(node.at("/auth/introspect"))
        .bearer_auth(OPERATOR)
        .form(&[("token", token)])
        .send();
    let mut browser = test.browser();
    browser
        .cookies
        .insert("doorcode_session".into(), "a".repeat(64));
    let cookie = browser.cookies["doorcode_session"].clone();
    let page = test
        .anon()
        .get(node.at("/tokens"))
        .header("cookie", format!("doorcode_session={cookie}"))
        .send();
    let (me, operator, page, ready, alive) =
        tokio::join!(me, operator, page, get("/readyz"), get("/healthz"));
    let me = me.unwrap();
    assert_eq!(me.status(), 503);
    assert_eq!(me.headers()["content-type"], "application/problem+json");
    assert!(me.headers().contains_key("retry-after"));
    assert_eq!(operator.unwrap().status(), 503);
    let page = page.unwrap();
    assert_eq!(page.status(), 503);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(ready.unwrap().status(), 503);
    assert_eq!(alive.unwrap().status(), 200);
}

/// REV-05, T-19: a revocation that could not be stored has no effect and can be repeated once the
/// database is back, without a restart.
#[actix_web::test]
async fn token_survives_an_outage_and_can_be_revoked_afterwards() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let outage = test.database.outage();
    let node = test.node(outage.url());
    let form = [("client_id", CLI), ("token", token.as_str())];
    let answer = post(&test, &node, "/auth/revoke", &form).await;
    assert_eq!(
        (answer.status, answer.error()),
        (503, "temporarily_unavailable")
    );

    outage.end();
    let me = test.anon().get(node.at("/v1/me")).bearer_auth(&token);
    assert_eq!(me.send().await.unwrap().status(), 200);
    assert_eq!(post(&test, &node, "/auth/revoke", &form).await.status, 200);
    let me = test.anon().get(node.at("/v1/me")).bearer_auth(&token);
    assert_eq!(me.send().await.unwrap().status(), 401);
}

/// T-19: closed connections are replaced without a failed request.
#[actix_web::test]
async fn closed_connections_are_replaced() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    for _ in 0..3 {
        let reads = (0..16).map(|_| test.me(&token));
        futures_util::future::join_all(reads).await;
        assert!(test.database.cut_connections() > 1);
        for _ in 0..16 {
            assert_eq!(test.me(&token).await.status(), 200);
        }
        assert_eq!(test.introspect(&token).await["active"], true);
        test.device("tokens:read").await;
    }
    assert!(test.database.cut_connections() > 1);
    let form = [("client_id", CLI), ("token", token.as_str())];
    let answer = test.oauth("/auth/revoke", &form).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(test.me(&token).await.status(), 401);
}
