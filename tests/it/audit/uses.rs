//! Token uses, in batches whose Merkle roots are in the log.

use super::{sound, verify};
use crate::support::database::Database;
use crate::support::deployment::Deployment;
use crate::support::{OPERATOR, TestApp, http};
use doorcode::app::audit::uses::Purpose;
use doorcode::app::{Clock, Context, audit, sweep, token};
use doorcode::domain::audit::discrepancy::Kind;
use doorcode::domain::audit::origin::Origin;
use doorcode::domain::audit::token_use;
use doorcode::domain::secret::Secret;
use ring::signature::Ed25519KeyPair;

/// The uses that meet a condition, the earliest first.
fn uses(test: &TestApp, condition: &str) -> Vec<serde_json::Value> {
    let usage_batches = test.database.text(&format!(
        "SELECT COALESCE({}, '') FROM (SELECT uses FROM token_use WHERE {condition}
         ORDER BY first_at) AS sheaves",
        match Database::is_postgres() {
            true => "string_agg(uses, E'\\n')",
            false => "group_concat(uses, char(10))",
        }
    ));
    usage_batches
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Each use has its route, decision and scope, also for a revoked token.
#[actix_web::test]
async fn each_use_is_recorded_with_its_decision() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    assert_eq!(test.me(&token).await.status(), 200);
    assert_eq!(test.introspect(&token).await["active"], true);
    let ask = |path: &str| http().get(test.at(path)).bearer_auth(&token).send();
    assert_eq!(ask("/v1/projects").await.unwrap().status(), 403);
    assert_eq!(
        ask("/auth/verify?scope=tokens:read")
            .await
            .unwrap()
            .status(),
        204
    );
    assert_eq!(
        ask("/auth/verify?scope=orgs:write").await.unwrap().status(),
        403
    );
    test.database.execute(
        "UPDATE token SET revoked_at = created_at, revoked_by = 'x', revoked_reason = 'owner'",
    );
    assert_eq!(test.me(&token).await.status(), 401);
    assert_eq!(test.introspect(&token).await["active"], false);
    // This token was never issued, so it has no uses.
    assert_eq!(test.me(&token.replace("dc_", "dcx_")).await.status(), 401);
    test.settle().await;

    let mut seen: Vec<_> = uses(&test, "1 = 1")
        .iter()
        .map(|one| {
            assert_eq!(one["address"], "127.0.0.1");
            assert!(one["request_id"].as_str().unwrap().len() >= 8);
            let text = |key: &str| one[key].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", text("route"), text("decision"), text("scope"))
        })
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            "/auth/verify allowed tokens:read",
            "/auth/verify insufficient_scope orgs:write",
            "GET /v1/me allowed -",
            "GET /v1/me revoked -",
            "GET /v1/projects insufficient_scope projects:read",
            "POST /auth/introspect allowed -",
            "POST /auth/introspect revoked -",
        ]
    );
    let verified = verify(&test).await;
    sound(&verified);
    assert_eq!(verified.uses, 7);
}

/// AUD-02, OPR-03: every use of the operator token is recorded as well.
#[actix_web::test]
async fn uses_of_the_operator_token_are_recorded() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    test.settle().await;
    let before = uses(&test, "token_id = 'operator'").len();
    let get = |path: &str| http().get(test.at(path)).bearer_auth(OPERATOR);
    let acting = get("/v1/me").header("X-Actor-User-Id", "usr_nobody");
    for (request, status) in [
        (get("/v1/users"), 200),
        (get("/v1/users/usr_nobody"), 404),
        (acting, 400),
        (get("/auth/verify?scope=tokens:read"), 204),
        (get("/auth/verify?scope=no-such"), 204),
        (
            http()
                .post(test.at("/auth/introspect"))
                .bearer_auth(OPERATOR)
                .form(&[("token", &token)]),
            200,
        ),
    ] {
        assert_eq!(request.send().await.unwrap().status(), status);
    }
    test.settle().await;
    let mut seen: Vec<_> = uses(&test, "token_id = 'operator'")[before..]
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap_or("-").to_owned();
            assert_eq!(one["address"], "127.0.0.1");
            format!("{} {} {}", text("route"), text("decision"), text("scope"))
        })
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            "/auth/verify allowed -",
            "/auth/verify allowed tokens:read",
            "GET /v1/me allowed -",
            "GET /v1/users allowed -",
            "GET /v1/users/{user} allowed -",
            "POST /auth/introspect allowed -",
        ]
    );
    sound(&verify(&test).await);
}

/// A scope outside the catalogue is arbitrary input and is not stored.
#[actix_web::test]
async fn unknown_scope_is_not_stored() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let long = format!("a{}", "b".repeat(60_000));
    for scope in [&*long, "no-such", &token] {
        let url = test.at(&format!("/auth/verify?scope={scope}"));
        let refused = http().get(url).bearer_auth(&token).send().await.unwrap();
        assert_eq!(refused.status(), 403);
    }
    test.settle().await;
    let seen = uses(&test, "1 = 1");
    assert_eq!(seen.len(), 3);
    for one in seen {
        assert_eq!(one["decision"], "insufficient_scope");
        assert_eq!(one["scope"], serde_json::Value::Null);
    }
}

#[actix_web::test]
async fn changed_and_deleted_uses_are_found() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let other = test.token(&["tokens:read"]).await;
    for one in [&token, &token, &other] {
        assert_eq!(test.me(one).await.status(), 200);
    }
    test.settle().await;
    assert_eq!(verify(&test).await.uses, 3);
    test.database
        .execute("CREATE TABLE kept AS SELECT * FROM token_use");
    let place: u64 = test
        .database
        .text("SELECT sequence FROM audit_record WHERE action = 'token.uses_recorded'")
        .parse()
        .unwrap();
    for (sql, kind) in [
        (
            "UPDATE token_use SET uses = replace(uses, '/v1/me', '/v1/you')",
            Kind::Edited,
        ),
        (
            "UPDATE token_use SET token_id = 'tok_other' WHERE position = 0",
            Kind::Edited,
        ),
        (
            "UPDATE token_use SET count = 7 WHERE position = 0",
            Kind::Edited,
        ),
        ("DELETE FROM token_use WHERE position = 0", Kind::Edited),
        ("DELETE FROM token_use", Kind::Missing),
    ] {
        test.database.execute(sql);
        let discrepancy = verify(&test).await.report.first_discrepancy.unwrap();
        assert_eq!(
            (discrepancy.sequence, discrepancy.kind),
            (place, kind),
            "{sql}"
        );
        test.database
            .execute("DELETE FROM token_use; INSERT INTO token_use SELECT * FROM kept");
    }
    sound(&verify(&test).await);
}

#[actix_web::test]
async fn old_uses_are_deleted_and_their_roots_remain() {
    let test = TestApp::with("[audit]\nkeep_uses = \"30d\"").await;
    let token = test.token(&["tokens:read"]).await;
    assert_eq!(test.me(&token).await.status(), 200);
    test.settle().await;
    test.clock.advance(29 * 86_400);
    assert_eq!(test.me(&token).await.status(), 200);
    test.settle().await;
    test.clock.advance(2 * 86_400);
    doorcode::app::sweep::forget_old(&test.app).await.unwrap();
    test.settle().await;
    assert_eq!(test.count("token_use", "1 = 1"), 1);
    assert_eq!(test.events("token.uses_recorded"), 2);
    let verified = verify(&test).await;
    sound(&verified);
    assert_eq!(verified.uses, 1);
}

/// Inserts an unsealed record which states that uses were forgotten.
fn plant_forgetting(test: &TestApp, id: &str, detail: &serde_json::Value) {
    test.database.execute(&format!(
        "INSERT INTO audit_event (id, at, action, outcome, method, actor_kind, request_id, detail)
         SELECT '{id}', at, 'token.uses_forgotten', 'done', 'none', 'system', '-', '{detail}'
         FROM audit_record WHERE sequence = 1"
    ));
}

/// An attacker with database access alone cannot delete uses as expired.
#[actix_web::test]
async fn deletion_of_uses_signed_by_an_attacker_is_found() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    assert_eq!(test.me(&token).await.status(), 200);
    test.settle().await;
    let origin = Origin::parse(&test.database.text("SELECT origin FROM audit_head")).unwrap();
    let later = test.clock.now() + chrono::Duration::days(1);
    let stranger = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let signed = token_use::forgotten(&origin, later, &stranger);
    let unsigned = serde_json::json!({"before": signed["before"]});
    test.database.execute("DELETE FROM token_use");
    for (id, detail) in [("evt_one", unsigned), ("evt_two", signed)] {
        plant_forgetting(&test, id, &detail);
        let discrepancy = verify(&test).await.report.first_discrepancy.unwrap();
        assert_eq!(discrepancy.kind, Kind::Missing, "{id}");
    }
    assert_eq!(test.events("token.uses_forgotten"), 2);
}

/// A record signed with a clock that was ahead does not cover uses deleted later.
#[actix_web::test]
async fn forgetting_covers_only_earlier_uses() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    test.settle().await;
    let origin = Origin::parse(&test.database.text("SELECT origin FROM audit_head")).unwrap();
    let key = std::fs::read_to_string(test.path("audit_key")).unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(&hex::decode(key.trim()).unwrap()).unwrap();
    let later = test.clock.now() + chrono::Duration::days(365);
    let signed = token_use::forgotten(&origin, later, &pair);
    plant_forgetting(&test, "evt_one", &signed);
    sound(&verify(&test).await);
    assert_eq!(test.me(&token).await.status(), 200);
    test.settle().await;
    test.database.execute("DELETE FROM token_use");
    let discrepancy = verify(&test).await.report.first_discrepancy.unwrap();
    assert_eq!(discrepancy.kind, Kind::Missing);
    plant_forgetting(&test, "evt_two", &signed);
    sound(&verify(&test).await);
}

#[actix_web::test]
async fn recording_of_uses_can_be_disabled() {
    let test = TestApp::with("[audit]\ntoken_use = \"off\"").await;
    let token = test.token(&["tokens:read"]).await;
    assert_eq!(test.me(&token).await.status(), 200);
    test.settle().await;
    assert_eq!(test.count("token_use", "1 = 1"), 0);
    assert_eq!(test.count("token", "last_used_at IS NOT NULL"), 1);
}

/// A server that receives SIGTERM writes the uses in memory.
#[actix_web::test]
async fn last_uses_before_a_stop_are_recorded() {
    let deployment = Deployment::with_user();
    let server = deployment.start();
    let token = deployment.path("data/operator_token");
    let operator = std::fs::read_to_string(token).unwrap();
    let body = serde_json::json!({"name": "n", "scopes": [], "expires": "30d"});
    let user = deployment.database.text("SELECT id FROM users");
    let made: serde_json::Value = http()
        .post(deployment.at("/v1/tokens"))
        .bearer_auth(operator.trim())
        .header("X-Actor-User-Id", user)
        .header("Idempotency-Key", "one")
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let token = made["token"].as_str().unwrap();
    let me = http().get(deployment.at("/v1/me"));
    assert_eq!(me.bearer_auth(token).send().await.unwrap().status(), 200);
    server.signal("TERM");
    server.finish().exited(0);
    let is_its = "count = 1 AND token_id <> 'operator'";
    assert_eq!(deployment.database.count("token_use", is_its), 1);
    assert_eq!(deployment.database.count("audit_event", "1 = 1"), 0);
}

/// Uses that an attacker inserts into the database.
#[actix_web::test]
async fn uses_without_a_record_are_found() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    assert_eq!(test.me(&token).await.status(), 200);
    test.settle().await;
    sound(&verify(&test).await);
    test.database.execute(
        "INSERT INTO token_use
             (event_id, position, token_id, organization_id, day, first_at, last_at, leaves,
              count, uses)
         SELECT 'evt_planted', position, token_id, organization_id, day, first_at, last_at, leaves,
             count, uses
         FROM token_use",
    );
    let discrepancy = verify(&test).await.report.first_discrepancy.unwrap();
    assert_eq!(discrepancy.kind, Kind::Inserted, "{discrepancy:?}");
    assert!(discrepancy.says.contains("evt_planted"), "{discrepancy:?}");
}

/// More uses than one batch holds, during a database outage and at the stop of the server.
#[actix_web::test]
async fn backlog_is_written_once_and_completely() {
    const COUNT: usize = 4_500;
    let test = TestApp::start().await;
    let text = test.token(&["tokens:read"]).await;
    let active = token::authenticate(
        &test.req(&doorcode::app::access::Caller::Anonymous),
        &Secret::new(&text),
    )
    .await;
    let token = active.unwrap().unwrap().token;
    let note = || {
        for _ in 0..COUNT {
            audit::uses::note(
                &test.app,
                &Context::local(),
                &token,
                audit::uses::UseDecision::Allowed,
                Purpose::default(),
            );
        }
    };
    note();
    test.database
        .execute("ALTER TABLE audit_event RENAME TO audit_event_away");
    for _ in 0..2 {
        assert!(!sweep::settle(&test.app).await.is_empty());
    }
    test.database
        .execute("ALTER TABLE audit_event_away RENAME TO audit_event");
    test.settle().await;
    assert_eq!(verify(&test).await.uses, COUNT as u64);

    note();
    let sweeper = actix_web::rt::spawn(sweep::run(test.app.clone()));
    test.app.end_waiting();
    sweeper.await.unwrap();
    sweep::end(&test.app).await;
    let verified = verify(&test).await;
    sound(&verified);
    assert_eq!(verified.uses, 2 * COUNT as u64);
}
