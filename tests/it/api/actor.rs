//! The actor header: accepted from the operator, ignored from other tokens (OPR-01, T-20).

use super::world::{ACTOR, SCOPES, World};
use super::{assert_problem, call, send};
use crate::support::database::AUDIT;
use crate::support::device::Answer;
use crate::support::{OPERATOR, TestApp};
use reqwest::Method;
use serde_json::json;

/// Creates a token with these actor headers.
async fn create(test: &TestApp, bearer: &str, header: &str, actors: &[&str], key: &str) -> Answer {
    let mut request = call(test, Method::POST, "/v1/tokens", bearer)
        .header("idempotency-key", key)
        .json(&json!({"name": "made"}));
    for actor in actors {
        request = request.header(header, *actor);
    }
    send(request).await
}

/// A column of the audit record of the token `made`.
fn record(test: &TestApp, column: &str) -> String {
    test.database.text(&format!(
        "SELECT {column} FROM {AUDIT} WHERE action = 'token.created' \
         AND target = (SELECT id FROM token WHERE name = 'made')"
    ))
}

/// OPR-01: the log names the user as the actor and the operator as the actor kind.
#[actix_web::test]
async fn operator_acts_for_a_user() {
    let world = World::new().await;
    let answer = create(&world.test, OPERATOR, ACTOR, &[&world.member], "a").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let owner = "SELECT user_id FROM token WHERE name = 'made'";
    assert_eq!(world.test.database.text(owner), world.member);
    assert_eq!(record(&world.test, "actor_kind"), "operator");
    assert_eq!(record(&world.test, "actor_id"), world.member);
    assert!(!record(&world.test, "detail").contains("ignored"));
    let me = call(&world.test, Method::GET, "/v1/me", OPERATOR).header(ACTOR, &world.member);
    let me = send(me).await;
    assert_eq!(me.body["user"]["id"], world.member.as_str());
    assert_eq!(me.body["token"]["kind"], "operator");
}

/// OPR-01: an unknown or deactivated user cannot be an actor.
#[actix_web::test]
async fn unknown_or_inactive_actor_is_rejected() {
    let world = World::new().await;
    let path = format!("/v1/users/{}/deactivate", world.target);
    let nothing = json!({});
    let off = world.operator(Method::POST, &path, None, &nothing).await;
    assert_eq!(off.status, 200, "{off:?}");
    let absent = format!("usr_{}", "0".repeat(32));
    let upper = world.member.to_uppercase();
    let both = [world.member.as_str(), world.admin.as_str()];
    let before = world.test.database.content();
    for actors in [
        &[world.target.as_str()] as &[&str],
        &[&absent],
        &[&upper],
        &[""],
        &["member@example.com"],
        &both,
    ] {
        let answer = create(&world.test, OPERATOR, ACTOR, actors, "a").await;
        assert_problem(&answer, 400, "invalid_request");
        let mut status = call(&world.test, Method::GET, "/v1/status", OPERATOR);
        for actor in actors {
            status = status.header(ACTOR, *actor);
        }
        assert_problem(&send(status).await, 400, "invalid_request");
    }
    let nobody = create(&world.test, OPERATOR, ACTOR, &[], "a").await;
    assert_problem(&nobody, 400, "invalid_request");
    assert!(before == world.test.database.content());
}

/// OPR-01, T-20: the header of any other token is ignored and recorded in the log.
#[actix_web::test]
async fn actor_header_of_another_token_is_ignored_and_recorded() {
    let world = World::new().await;
    let home = world.home().await;
    let personal = world.personal(&world.member, &SCOPES).await;
    let answer = create(&world.test, &personal, ACTOR, &[&world.owner], "a").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let owner = "SELECT user_id FROM token WHERE name = 'made'";
    assert_eq!(world.test.database.text(owner), world.member);
    assert_eq!(record(&world.test, "actor_kind"), "token");
    assert!(record(&world.test, "detail").contains(r#""ignored_actor_header":true"#));

    world
        .test
        .database
        .execute("UPDATE token SET name = 'old' WHERE name = 'made'");
    let organizational = world.organizational(&home.org).await;
    let answer = create(&world.test, &organizational, ACTOR, &["nonsense"], "a").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(record(&world.test, "detail").contains(r#""ignored_actor_header":true"#));
    let status =
        call(&world.test, Method::GET, "/v1/status", &personal).header(ACTOR, &world.owner);
    assert_problem(&send(status).await, 403, "operator_required");
}

/// CONTRACT 5: the header name is configurable; the default name then has no effect.
#[actix_web::test]
async fn actor_header_has_the_configured_name() {
    let test = TestApp::with("[operator]\nactor_header = \"X-On-Behalf-Of\"").await;
    let ada = test.database.text("SELECT id FROM users");
    let answer = create(&test, OPERATOR, ACTOR, &[&ada], "a").await;
    assert_problem(&answer, 400, "invalid_request");
    let answer = create(&test, OPERATOR, "x-on-behalf-of", &[&ada], "a").await;
    assert_eq!(answer.status, 201, "{answer:?}");
}
