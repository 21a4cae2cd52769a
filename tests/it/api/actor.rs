//! For whom the operator acts, and who cannot say so (OPR-01, T-20).

use super::world::{ACTOR, SCOPES, World};
use super::{assert_problem, call, send};
use crate::support::database::AUDIT;
use crate::support::device::Answer;
use crate::support::{OPERATOR, TestApp};
use reqwest::Method;
use serde_json::json;

/// Makes a token with these headers for actors.
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

/// OPR-01: the log shows the person, through the operator.
#[actix_web::test]
async fn the_operator_acts_for_a_person() {
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

/// OPR-01: whoever is not there, or not any more, is nobody to act for.
#[actix_web::test]
async fn nobody_acts_for_who_is_not_there() {
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

/// OPR-01, T-20: from any other token the header is ignored, and the log tells of it.
#[actix_web::test]
async fn the_claim_of_another_token_is_noted() {
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

/// CONTRACT 5: the header's name is configurable; the usual one then means nothing.
#[actix_web::test]
async fn the_header_has_the_name_that_is_configured() {
    let test = TestApp::with("[operator]\nactor_header = \"X-On-Behalf-Of\"").await;
    let ada = test.database.text("SELECT id FROM users");
    let answer = create(&test, OPERATOR, ACTOR, &[&ada], "a").await;
    assert_problem(&answer, 400, "invalid_request");
    let answer = create(&test, OPERATOR, "x-on-behalf-of", &[&ada], "a").await;
    assert_eq!(answer.status, 201, "{answer:?}");
}
