//! One effect for each Idempotency-Key, on every POST route (IDM-03, IDM-08, T-21).

use super::grounds::Grounds;
use super::matrix::TABLE;
use super::world::{ACTOR, SCOPES, World, number};
use super::{assert_problem, call, send};
use crate::support::OPERATOR;
use crate::support::device::Answer;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// A retry gets the first response and has no second effect.
#[actix_web::test]
async fn every_post_takes_effect_once() {
    let grounds = Grounds::new().await;
    let test = &grounds.world.test;
    let mut posts = 0;
    for entry in TABLE.iter().filter(|entry| entry.method() == Method::POST) {
        posts += 1;
        let path = grounds.address(entry).await;
        let body = entry.body.replace("{n}", &number().to_string());
        let key = format!("once-{}", number());
        let post = |body: &str| {
            let request = call(test, Method::POST, &path, OPERATOR)
                .header(ACTOR, &grounds.world.member)
                .header("idempotency-key", &key)
                .header("content-type", "application/json");
            send(request.body(body.to_owned()))
        };
        let first = post(&body).await;
        assert!(first.status < 300, "{path}: {first:?}");
        assert!(!first.headers.contains_key("idempotency-replayed"));
        let before = test.database.content();
        for _ in 0..2 {
            let replayed = post(&body).await;
            assert_eq!(
                (replayed.status, &replayed.body),
                (first.status, &first.body)
            );
            assert_eq!(replayed.headers["idempotency-replayed"], "true", "{path}");
        }
        assert!(
            before == test.database.content(),
            "{path} had another effect"
        );
        let keyless = call(test, Method::POST, &path, OPERATOR).body(body);
        assert_problem(&send(keyless).await, 400, "idempotency_key_required");
    }
    assert!(posts > 12, "{posts}");
}

async fn rotate(world: &World, token: &str, id: &str, key: &str) -> Answer {
    let path = format!("/v1/tokens/{id}/rotate");
    let request = call(&world.test, Method::POST, &path, token)
        .header("idempotency-key", key)
        .json(&json!({}));
    send(request).await
}

async fn id_of(world: &World, token: &str) -> String {
    let me: Value = world.test.me(token).await.json().await.unwrap();
    me["token"]["id"].as_str().unwrap().to_owned()
}

/// T-21: one of fifty concurrent retries rotates, and all successful responses are equal.
#[actix_web::test]
async fn many_rotations_with_one_key_create_one_successor() {
    let world = World::new().await;
    let token = world.personal(&world.member, &SCOPES).await;
    let id = id_of(&world, &token).await;
    let calls = (0..50).map(|_| rotate(&world, &token, &id, "the same"));
    let answers = join_all(calls).await;
    let (done, waiting): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert!(!done.is_empty());
    assert!(done.iter().all(|answer| answer.body == done[0].body));
    for answer in waiting {
        assert_problem(answer, 409, "idempotency_in_progress");
    }
    assert_eq!(world.test.count("token", &format!("replaces = '{id}'")), 1);
    assert_eq!(world.test.events("token.rotated"), 1);
    let replayed = rotate(&world, &token, &id, "the same").await;
    assert_eq!((replayed.status, &replayed.body), (201, &done[0].body));
}

/// A token has one successor, also with different keys.
#[actix_web::test]
async fn many_rotations_with_different_keys_create_one_successor() {
    let world = World::new().await;
    let token = world.personal(&world.member, &SCOPES).await;
    let id = id_of(&world, &token).await;
    let keys: Vec<_> = (0..50).map(|i| format!("key {i}")).collect();
    let answers = join_all(keys.iter().map(|key| rotate(&world, &token, &id, key))).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(done.len(), 1);
    for answer in refused {
        assert_problem(answer, 409, "conflict");
    }
    assert_eq!(world.test.count("token", &format!("replaces = '{id}'")), 1);
    assert_eq!(world.test.events("token.rotated"), 1);
}
