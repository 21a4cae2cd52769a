//! Verification of the log by the server (AUD-09).

use super::assert_problem;
use super::audit::{audit, items};
use super::world::{SCOPES, World};
use crate::support::OPERATOR;
use futures_util::future::join_all;
use serde_json::{Value, json};

/// Changes a sealed record in the database.
fn alter(world: &World, change: &str) {
    world.test.database.disarm();
    world.test.database.execute(change);
}

#[actix_web::test]
async fn log_is_verified_for_operators_and_admins() {
    let world = World::new().await;
    world.home().await;
    let admin = world.personal(&world.admin, &SCOPES).await;
    let member = world.personal(&world.member, &SCOPES).await;
    world.used(&member).await;
    let refused = audit(&world, &member, "/verify").await;
    assert_problem(&refused, 403, "forbidden");
    let first = audit(&world, &admin, "/verify").await.body;
    assert_eq!(first["valid"], true, "{first}");
    assert_eq!(first["first_discrepancy"], Value::Null);
    assert_eq!(first["head"]["sequence"], first["records"]);
    assert_eq!(first["head"]["hash"].as_str().unwrap().len(), 64);
    assert_eq!(first["checked_at"], "2026-11-22T12:00:00.000Z");
    assert!(first["uses"].as_u64().unwrap() > 0, "{first}");
    assert!(first["checkpoints"].is_u64(), "{first}");
    assert_eq!(world.test.events("audit.verified"), 1);
    let records = audit(&world, OPERATOR, "?action=audit.verified").await;
    let told = &items(&records)[0]["detail"];
    assert_eq!(told["discrepancy"], Value::Null);
    assert_eq!(told["records"], first["records"]);
    assert_eq!(told["head"], first["head"]["sequence"]);

    // Soon afterwards the same result is returned, and each request is recorded.
    world.test.clock.advance(10);
    for repeated in join_all((0..5).map(|_| audit(&world, OPERATOR, "/verify"))).await {
        assert_eq!(repeated.body, first);
    }
    assert_eq!(world.test.events("audit.verified"), 6);
    alter(
        &world,
        "UPDATE audit_record SET action = 'token.revoked' WHERE sequence = 3",
    );
    world.test.clock.advance(1);
    // Concurrent requests share one verification.
    let answers = join_all((0..5).map(|_| audit(&world, OPERATOR, "/verify"))).await;
    for found in &answers {
        assert_eq!(found.body, answers[0].body);
        let discrepancy = &found.body["first_discrepancy"];
        assert_eq!(found.body["valid"], false, "{discrepancy}");
        assert_eq!(discrepancy["sequence"], 3, "{discrepancy}");
        assert_eq!(discrepancy["kind"], "edited", "{discrepancy}");
        assert_ne!(discrepancy["says"].as_str().unwrap(), "");
        assert_eq!(found.body["head"]["sequence"], 2);
    }
    let records = audit(&world, OPERATOR, "?action=audit.verified&limit=5").await;
    for record in items(&records) {
        let told = &record["detail"];
        assert_eq!(
            told["discrepancy"],
            json!({"sequence": 3, "kind": "edited"})
        );
        assert_eq!(told["head"], 2);
    }
}

/// A verification reads the whole log, so that each owner of tokens may request few.
#[actix_web::test]
async fn owners_may_verify_a_few_times_an_hour() {
    let world = World::new().await;
    let home = world.home().await;
    let first = world.personal(&world.admin, &SCOPES).await;
    let second = world.personal(&world.admin, &SCOPES).await;
    for token in [&first, &second, &first, &second, &first, &first] {
        assert_eq!(audit(&world, token, "/verify").await.status, 200);
    }
    world.test.settle().await;
    let verified = world.test.events("audit.verified");
    assert_eq!(verified, 6);
    for token in [&first, &second] {
        for answer in join_all((0..25).map(|_| audit(&world, token, "/verify"))).await {
            assert_problem(&answer, 429, "too_many_requests");
            let wait: u64 = answer.headers["retry-after"]
                .to_str()
                .unwrap()
                .parse()
                .unwrap();
            assert!((1..=3_600).contains(&wait), "{wait}");
        }
    }
    world.test.settle().await;
    assert_eq!(world.test.events("audit.verified"), verified);
    // Equal refusals share a record.
    let refused = world.test.events("request.limited");
    assert!((1..=2).contains(&refused), "{refused}");

    let others = [
        world.personal(&world.owner, &SCOPES).await,
        world.organizational(&home.org).await,
        OPERATOR.to_owned(),
    ];
    for token in &others {
        assert_eq!(audit(&world, token, "/verify").await.status, 200);
    }
    for _ in 0..10 {
        assert_eq!(audit(&world, OPERATOR, "/verify").await.status, 200);
    }
    world.test.clock.advance(3_600);
    assert_eq!(audit(&world, &first, "/verify").await.status, 200);
}
