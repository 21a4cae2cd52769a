//! Idempotency records: leases after a crash, failures that are not stored, and secrets (IDM-04,
//! IDM-08, IDM-09, IDM-10, T-21).

use super::{SCOPES, assert_problem, call, create, send};
use crate::support::TestApp;
use crate::support::database::Database;
use doorcode::app::access::Caller;
use doorcode::app::idempotency::{self, IdempotencyStart, IdempotentCall};
use doorcode::app::token;
use doorcode::domain::secret::Secret;
use reqwest::Method;
use serde_json::{Value, json};

fn input(name: &str) -> Value {
    json!({"name": name, "scopes": ["tokens:read"], "expires": "30d"})
}

/// Begins the request that [`create`] sends, like a server that crashes afterwards.
async fn begin(test: &TestApp, token: &str, key: &str, body: &str) -> IdempotencyStart {
    let active = token::authenticate(&test.req(&Caller::Anonymous), &Secret::new(token)).await;
    let asked = IdempotentCall {
        caller: &Caller::Token(Box::new(active.unwrap().unwrap())),
        bearer: &Secret::new(token),
        key: &Secret::new(key),
        payload: ["POST", "/v1/tokens", body],
    };
    idempotency::begin(&test.app, asked).await.unwrap()
}

/// IDM-04, IDM-08: other requests wait for the first one, on any server; its lease ends the wait.
#[actix_web::test]
async fn expired_lease_is_taken_over() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let body = r#"{"expires":"30d","name":"one","scopes":["tokens:read"]}"#;
    let IdempotencyStart::First(slow) = begin(&test, &token, "a", body).await else {
        panic!("nobody made the call before");
    };
    let second = test.second_server("").await;
    for server in [&test, &second] {
        let answer = create(server, &token, "a", &input("one")).await;
        assert_problem(&answer, 409, "idempotency_in_progress");
        assert!(answer.headers.contains_key("retry-after"));
    }
    test.clock.advance(29);
    let early = create(&test, &token, "a", &input("one")).await;
    assert_problem(&early, 409, "idempotency_in_progress");
    test.clock.advance(1);
    let done = create(&second, &token, "a", &input("one")).await;
    assert_eq!(done.status, 201, "{done:?}");
    // The first request was only slow: it can no longer take effect.
    let answer = idempotency::Answer::json(201, &"too late");
    let late = idempotency::settle(&test.app, &slow, answer).await;
    assert!(matches!(late, Err(doorcode::app::Error::InProgress)));
    idempotency::release(&test.app, &slow).await.unwrap();
    let replayed = create(&test, &token, "a", &input("one")).await;
    assert_eq!(replayed.body, done.body);
    assert_eq!(test.count("token", "name = 'one'"), 1);
}

/// IDM-08: an effect whose response cannot be stored is rolled back.
#[actix_web::test]
async fn effect_and_response_commit_together() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let before = test.events("token.created");
    let rule = match Database::is_postgres() {
        true => {
            "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN RAISE check_violation USING MESSAGE = ''stopped''; END'; \
             CREATE TRIGGER stop BEFORE UPDATE ON idempotency_record \
             FOR EACH ROW EXECUTE FUNCTION stop()"
        }
        false => {
            "CREATE TRIGGER stop BEFORE UPDATE ON idempotency_record \
             BEGIN SELECT RAISE(ABORT, 'stopped'); END"
        }
    };
    test.database.execute(rule);
    let answer = create(&test, &token, "a", &input("one")).await;
    assert_problem(&answer, 500, "internal");
    assert!(!answer.body.to_string().contains("stopped"));
    assert_eq!(test.count("token", "name = 'one'"), 0);
    assert_eq!(test.events("token.created"), before);
    test.database.execute(match Database::is_postgres() {
        true => "DROP TRIGGER stop ON idempotency_record",
        false => "DROP TRIGGER stop",
    });
    // IDM-10: the failure is not stored.
    assert_eq!(create(&test, &token, "a", &input("one")).await.status, 201);
    assert_eq!(test.count("token", "name = 'one'"), 1);
}

/// IDM-03, IDM-10: a permanent rejection is stored; 401 and 403 are not.
#[actix_web::test]
async fn only_a_permanent_rejection_is_stored() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let bad = json!({"name": "", "expires": "2d"});
    let first = create(&test, &token, "bad", &bad).await;
    assert_problem(&first, 422, "invalid");
    let replayed = create(&test, &token, "bad", &bad).await;
    assert_problem(&replayed, 422, "invalid");
    assert_eq!(replayed.body, first.body);
    assert_eq!(replayed.headers["idempotency-replayed"], "true");

    test.database
        .execute("UPDATE token SET scopes = 'tokens:read'");
    let refused = create(&test, &token, "a", &input("one")).await;
    assert_problem(&refused, 403, "insufficient_scope");
    test.database
        .execute("UPDATE token SET scopes = 'tokens:read tokens:write'");
    test.database
        .execute("UPDATE users SET state = 'deactivated'");
    let refused = create(&test, &token, "a", &input("one")).await;
    assert_problem(&refused, 401, "invalid_token");
    test.database.execute("UPDATE users SET state = 'active'");
    assert_eq!(create(&test, &token, "a", &input("one")).await.status, 201);
}

/// IDM-10: an outage is not stored as a response.
#[actix_web::test]
async fn request_can_be_retried_after_an_outage() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let outage = test.database.outage();
    let node = test.node(outage.url());
    let post = || {
        let request = test.anon().post(node.at("/v1/tokens")).bearer_auth(&token);
        request.header("idempotency-key", "a").json(&input("one"))
    };
    let away = send(post()).await;
    assert_problem(&away, 503, "unavailable");
    assert!(away.headers.contains_key("retry-after"));
    outage.end();
    let back = send(post()).await;
    assert_eq!(back.status, 201, "{back:?}");
    assert_eq!(send(post()).await.body, back.body);
    assert_eq!(test.count("token", "name = 'one'"), 1);
}

/// IDM-09: the database contains neither the new token nor the caller's token nor the key.
#[actix_web::test]
async fn idempotency_record_contains_no_readable_secret() {
    let test = TestApp::start().await;
    let token = test.token(&SCOPES).await;
    let key = "a-key-that-is-easy-to-find";
    let made = create(&test, &token, key, &input("canary-name")).await;
    let secret = made.body["token"].as_str().unwrap();
    let dump = test.database.dump();
    for secret in [secret, &secret[3..43], &token, &token[3..43], key] {
        for spelling in [secret.to_owned(), hex::encode(secret)] {
            assert!(!dump.contains(&spelling), "{spelling}");
        }
    }
    let answer = test.database.text("SELECT answer FROM idempotency_record");
    assert!(!answer.contains(&hex::encode("canary")));
    assert!(!crate::support::log::text().contains(key));

    // An attacker cannot decrypt the response by copying it to another request.
    let other = call(&test, Method::POST, "/v1/tokens", &token)
        .header("idempotency-key", "another")
        .json(&input("other"));
    assert_eq!(send(other).await.status, 201);
    test.database.execute(&format!(
        "UPDATE idempotency_record SET answer = '{answer}'"
    ));
    let opened = create(&test, &token, "another", &input("other")).await;
    assert_problem(&opened, 500, "internal");
    assert!(!opened.body.to_string().contains(secret));
}

/// IDM-10: the OAuth endpoints ignore the header.
#[actix_web::test]
async fn oauth_endpoints_ignore_the_idempotency_key() {
    let test = TestApp::start().await;
    for _ in 0..2 {
        let request = test
            .anon()
            .post(test.at("/v1/auth/device"))
            .header("idempotency-key", "a")
            .form(&[("client_id", crate::support::CLI)]);
        assert_eq!(send(request).await.status, 200);
    }
    assert_eq!(test.count("idempotency_record", "1 = 1"), 0);
    assert_eq!(test.count("device_grant", "1 = 1"), 2);
}
