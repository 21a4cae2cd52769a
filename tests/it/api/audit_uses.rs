//! Individual token uses and their proofs.

use super::audit::{audit, items};
use super::audit_export::{export, verify};
use super::world::{SCOPES, World};
use super::{assert_problem, call, send};
use crate::support::OPERATOR;
use crate::support::device::Answer;
use doorcode::domain::audit::hash::Hash;
use doorcode::domain::audit::merkle::Proof;
use doorcode::domain::audit::token_use::Use;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A use as recorded, without its id.
fn use_of(item: &Value) -> Use {
    let mut used = item.clone();
    used.as_object_mut().unwrap().remove("id").unwrap();
    serde_json::from_value(used).unwrap()
}

async fn me(world: &World, token: &str) -> Answer {
    send(call(&world.test, Method::GET, "/v1/me", token)).await
}

async fn id_of(world: &World, token: &str) -> String {
    let me = me(world, token).await.body;
    me["token"]["id"].as_str().unwrap().to_owned()
}

fn ids(answer: &Answer) -> Vec<String> {
    let ids = items(answer).iter();
    ids.map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Each use is listed once, in pages of the requested size, and is proven by the Merkle root in
/// the log.
#[actix_web::test]
async fn every_use_is_listed_and_proven() {
    let world = World::new().await;
    let token = world.personal(&world.member, &SCOPES).await;
    let other = world.personal(&world.owner, &SCOPES).await;
    let id = id_of(&world, &token).await;
    for batch in 0..3 {
        for _ in 0..=batch {
            me(&world, &token).await;
            me(&world, &other).await;
            world.test.clock.advance(1);
        }
        world.test.settle().await;
    }
    let whole = audit(&world, OPERATOR, &format!("/uses?token={id}")).await;
    let whole = items(&whole).clone();
    assert_eq!(whole.len(), 7);
    let times: Vec<_> = whole
        .iter()
        .map(|item| item["at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    for item in &whole {
        for (key, value) in [
            ("token_id", json!(id)),
            ("decision", json!("allowed")),
            ("route", json!("GET /v1/me")),
            ("address", json!("127.0.0.1")),
            ("scope", Value::Null),
        ] {
            assert_eq!(item[key], value, "{key}");
        }
    }
    for limit in [1, 2, 3, 6, 7] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let query = format!("/uses?token={id}&limit={limit}{cursor}");
            let page = audit(&world, OPERATOR, &query).await;
            seen.extend(items(&page).clone());
            let Some(next) = page.body["next_cursor"].as_str() else {
                break;
            };
            assert_eq!(items(&page).len(), limit);
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, whole, "{limit}");
    }
    // `since` is inclusive and `until` is exclusive.
    let (since, until) = (times[3], times[1]);
    let query = format!("/uses?token={id}&since={since}&until={until}");
    let between = audit(&world, OPERATOR, &query).await;
    assert_eq!(*items(&between), whole[2..4]);

    let own = audit(&world, &token, "/uses").await;
    assert_eq!(
        ids(&own)[..7],
        ids(&Answer {
            body: json!({"items": whole}),
            ..own
        })[..]
    );
    for item in &whole {
        let name = item["id"].as_str().unwrap();
        let proven = audit(&world, &token, &format!("/uses/{name}")).await;
        assert_eq!(proven.status, 200, "{proven:?}");
        assert_eq!(proven.body["use"], *item);
        let proof: Proof = serde_json::from_value(proven.body["proof"].clone()).unwrap();
        let root = Hash::parse(proven.body["root"].as_str().unwrap()).unwrap();
        let used = use_of(item);
        assert!(proof.holds(&used.leaf(), &root));
        let another = Use {
            decision: "forbidden".to_owned(),
            ..used
        };
        assert!(!proof.holds(&another.leaf(), &root));
        // The record at that sequence number contains the root.
        let records = audit(&world, OPERATOR, "?action=token.uses_recorded&limit=100").await;
        let mut records = items(&records).iter();
        let record = records.find(|record| record["sequence"] == proven.body["sequence"]);
        assert_eq!(record.unwrap()["detail"]["root"], proven.body["root"]);
    }
}

/// A use with its proof and an export of the log can be verified without the server; an altered
/// use is rejected.
#[actix_web::test]
async fn a_use_is_proven_and_disproven_without_the_server() {
    let world = World::new().await;
    let token = world.personal(&world.member, &SCOPES).await;
    let id = id_of(&world, &token).await;
    for count in [1, 2, 5] {
        for _ in 0..count {
            me(&world, &token).await;
        }
        world.test.settle().await;
    }
    let uses = audit(&world, OPERATOR, &format!("/uses?token={id}")).await;
    let (_, _, copy) = export(&world, OPERATOR, "").await;
    let (_, _, chosen) = export(&world, OPERATOR, "?action=token.uses_recorded").await;
    let mut all_proven = Vec::new();
    for name in ids(&uses) {
        all_proven.push(audit(&world, OPERATOR, &format!("/uses/{name}")).await.body);
    }
    // The programs block this thread, which then misses the end of idle connections: the server is
    // not asked any more.
    for proven in all_proven {
        let among = format!("the use is among those of record {}\n", proven["sequence"]);
        for copy in [&copy, &chosen] {
            let (fits, says) = verify(copy, Some(&proven));
            assert!(fits && says.ends_with(&among), "{says}");
        }
        let altered = |pointer: &str, value: Value| {
            let mut altered = proven.clone();
            *altered.pointer_mut(pointer).unwrap() = value;
            altered
        };
        let sequence = proven["sequence"].as_u64().unwrap();
        let index = proven["proof"]["index"].as_u64().unwrap();
        let size = proven["proof"]["size"].as_u64().unwrap();
        for altered in [
            altered("/use/decision", json!("revoked")),
            altered("/use/address", Value::Null),
            altered("/sequence", json!(sequence - 1)),
            altered("/sequence", json!(1_000_000)),
            altered("/proof/index", json!(size)),
            altered("/proof/index", json!(index + 1)),
            altered("/proof/size", json!(size + 8)),
            altered("/proof/path", json!(vec!["0".repeat(64); 9])),
        ] {
            let (fits, says) = verify(&copy, Some(&altered));
            assert!(
                !fits && says.starts_with("does not fit: "),
                "{altered} {says}"
            );
        }
    }
}

/// PAT-12: shows whether the old token is still used after the rollout.
#[actix_web::test]
async fn rejected_request_is_a_use() {
    let world = World::new().await;
    let reader = world.personal(&world.member, &SCOPES).await;
    let token = world.personal(&world.member, &["orgs:read"]).await;
    let id = id_of(&world, &token).await;
    let refused = send(call(&world.test, Method::GET, "/v1/projects", &token)).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    world.test.clock.advance(1);
    let allowed = send(call(&world.test, Method::GET, "/v1/orgs", &token)).await;
    assert_eq!(allowed.status, 200, "{allowed:?}");
    let path = format!("/v1/tokens/{id}");
    let revoked = send(call(&world.test, Method::DELETE, &path, &reader)).await;
    assert_eq!(revoked.status, 204, "{revoked:?}");
    world.test.clock.advance(1);
    assert_problem(&me(&world, &token).await, 401, "invalid_token");
    world.test.settle().await;
    let seen = audit(&world, &reader, &format!("/uses?token={id}")).await;
    let decisions: Vec<_> = items(&seen).iter().map(|item| &item["decision"]).collect();
    assert_eq!(
        decisions,
        ["revoked", "allowed", "insufficient_scope", "allowed"],
        "{seen:?}"
    );
    assert_eq!(items(&seen)[1]["scope"], "orgs:read");
    assert_eq!(items(&seen)[2]["scope"], "projects:read");
}

/// AUD-15: a user sees the uses of their tokens, an organization those of its tokens and of
/// tokens limited to it.
#[actix_web::test]
async fn uses_are_visible_to_their_owners() {
    let world = World::new().await;
    let (home, away) = (world.home().await, world.away().await);
    let member = world.personal(&world.member, &SCOPES).await;
    let owner = world.personal(&world.owner, &SCOPES).await;
    let admin = world.personal(&world.admin, &SCOPES).await;
    let stranger = world.personal(&world.stranger, &SCOPES).await;
    let machine = world.organizational(&home.org).await;
    let foreign = world.organizational(&away.org).await;
    let input = json!({"name": "inside", "scopes": SCOPES, "organization": home.org});
    let limited = world.token("/v1/tokens", Some(&world.member), &input).await;
    let [of_member, of_machine, of_foreign, of_limited] = [
        world.used(&member).await,
        world.used(&machine).await,
        world.used(&foreign).await,
        world.used(&limited).await,
    ];
    let every = [&of_member, &of_machine, &of_foreign, &of_limited];
    let of_home = format!("?limit=100&organization={}", home.org);
    let (own, home_query) = ("?limit=100", of_home.as_str());
    for (bearer, query, expected) in [
        (
            OPERATOR,
            own,
            vec![&of_member, &of_machine, &of_foreign, &of_limited],
        ),
        (&member, own, vec![&of_member, &of_limited]),
        (&limited, own, vec![&of_limited]),
        (&admin, own, vec![]),
        (&stranger, own, vec![]),
        (&machine, own, vec![&of_machine, &of_limited]),
        (&foreign, own, vec![&of_foreign]),
        (&owner, home_query, vec![&of_machine, &of_limited]),
        (&admin, home_query, vec![&of_machine, &of_limited]),
        (OPERATOR, home_query, vec![&of_machine, &of_limited]),
    ] {
        let seen = ids(&audit(&world, bearer, &format!("/uses{query}")).await);
        let seen: BTreeSet<_> = every.iter().filter(|id| seen.contains(id)).collect();
        assert_eq!(seen, expected.iter().collect(), "{bearer} {query}");
    }
    for (bearer, visible) in [
        (
            OPERATOR,
            vec![&of_member, &of_machine, &of_foreign, &of_limited],
        ),
        (&member, vec![&of_member, &of_limited]),
        (&limited, vec![&of_limited]),
        (&admin, vec![&of_machine, &of_limited]),
        (&owner, vec![&of_machine, &of_limited]),
        (&machine, vec![&of_machine, &of_limited]),
        (&stranger, vec![&of_foreign]),
        (&foreign, vec![&of_foreign]),
    ] {
        for id in every {
            let answer = audit(&world, bearer, &format!("/uses/{id}")).await;
            match visible.contains(&id) {
                true => assert_eq!(answer.status, 200, "{bearer} {id}"),
                false => assert_problem(&answer, 404, "not_found"),
            }
        }
    }
    // The organization sees the reads that organization access alone allowed.
    let looked = format!("?action=audit.read&limit=100&organization={}", home.org);
    let looked = audit(&world, OPERATOR, &looked).await;
    let one = items(&looked)
        .iter()
        .filter(|item| item["detail"]["of"] == "use");
    let mut looked: Vec<_> = one.map(|item| &item["detail"]["use"]).collect();
    looked.sort_unstable_by_key(|id| id.to_string());
    let mut expected = vec![json!(of_machine); 3];
    expected.extend(vec![json!(of_limited); 3]);
    expected.sort_unstable_by_key(ToString::to_string);
    assert_eq!(looked, expected.iter().collect::<Vec<_>>());
    // Filtering by a token of another owner returns an empty list.
    let named = id_of(&world, &member).await;
    for bearer in [&owner, &stranger, &foreign] {
        let seen = audit(&world, bearer, &format!("/uses?token={named}")).await;
        assert_eq!(items(&seen).len(), 0);
    }
}
