//! Effects of changed rights, and the reach of tokens (AUZ-02, PAT-07 to PAT-13).

use super::world::{SCOPES, World, number};
use super::{assert_problem, call, send};
use crate::support::OPERATOR;
use crate::support::device::Answer;
use serde_json::{Value, json};

async fn answer(world: &World, token: &str, route: &str, body: &Value) -> Answer {
    let (method, path) = route.split_once(' ').unwrap();
    let request = call(&world.test, method.parse().unwrap(), path, token)
        .header("idempotency-key", format!("rights-{}", number()));
    match method {
        "GET" | "DELETE" => send(request).await,
        _ => send(request.json(body)).await,
    }
}

async fn get(world: &World, token: &str, path: &str) -> Answer {
    answer(world, token, &format!("GET {path}"), &Value::Null).await
}

/// AUZ-02: an organization always keeps an owner.
#[actix_web::test]
async fn last_owner_cannot_leave() {
    let world = World::new().await;
    let home = world.home().await;
    let owner = world.personal(&world.owner, &SCOPES).await;
    let member = format!("/v1/orgs/{}/members/{}", home.org, world.owner);
    let before = world.test.database.content();
    for token in [owner.as_str(), OPERATOR] {
        for role in ["admin", "member"] {
            let input = json!({"role": role});
            let demoted = answer(&world, token, &format!("PUT {member}"), &input).await;
            assert_problem(&demoted, 409, "conflict");
        }
        let left = answer(&world, token, &format!("DELETE {member}"), &Value::Null).await;
        assert_problem(&left, 409, "conflict");
    }
    assert!(before == world.test.database.content());
    world.add_member(&home.org, &world.admin, "owner").await;
    let left = answer(&world, &owner, &format!("DELETE {member}"), &Value::Null).await;
    assert_eq!(left.status, 204, "{left:?}");
}

/// AUZ-02: an admin can neither grant a role above their own nor change an owner.
#[actix_web::test]
async fn admin_cannot_change_owners() {
    let world = World::new().await;
    let home = world.home().await;
    world.add_member(&home.org, &world.stranger, "owner").await;
    let admin = world.personal(&world.admin, &SCOPES).await;
    let token = world.organizational(&home.org).await;
    let member = |user: &str| format!("/v1/orgs/{}/members/{user}", home.org);
    let (owner, own) = (json!({"role": "owner"}), member(&world.admin));
    let before = world.test.database.content();
    for bearer in [&admin, &token] {
        for (route, body) in [
            (format!("PUT {own}"), &owner),
            (format!("PUT {}", member(&home.user)), &owner),
            (
                format!("PUT {}", member(&world.owner)),
                &json!({"role": "member"}),
            ),
            (format!("DELETE {}", member(&world.owner)), &Value::Null),
            (format!("POST /v1/orgs/{}/invitations", home.org), &owner),
            (
                format!("PATCH /v1/orgs/{}", home.org),
                &json!({"policy": {"never_expires": false}}),
            ),
            (
                format!("PATCH /v1/orgs/{}", home.org),
                &json!({"plan": "free"}),
            ),
        ] {
            let refused = answer(&world, bearer, &route, body).await;
            assert_eq!(refused.status, 403, "{route}: {refused:?}");
        }
    }
    assert!(before == world.test.database.content());
}

/// AUZ-02, PAT-11: a demotion, a removal or a deactivation applies to the next request.
#[actix_web::test]
async fn change_of_rights_applies_immediately() {
    let world = World::new().await;
    let (home, second) = (world.home().await, world.home().await);
    let admin = world.personal(&world.admin, &SCOPES).await;
    let input = json!({"name": "limited", "scopes": SCOPES, "organization": home.org});
    let limited = world.token("/v1/tokens", Some(&world.admin), &input).await;
    let made = answer(
        &world,
        &admin,
        &format!("POST /v1/orgs/{}/tokens", home.org),
        &input,
    )
    .await;
    let organizational = made.body["token"].as_str().unwrap();
    let rename = format!("PATCH /v1/orgs/{}", home.org);
    let name = json!({"name": "Other"});
    assert_eq!(answer(&world, &admin, &rename, &name).await.status, 200);
    world.add_member(&home.org, &world.admin, "member").await;
    let refused = answer(&world, &admin, &rename, &name).await;
    assert_problem(&refused, 403, "forbidden");
    let org = format!("/v1/orgs/{}", home.org);
    assert_eq!(get(&world, &admin, &org).await.status, 200);

    let member = format!("DELETE {org}/members/{}", world.admin);
    assert_eq!(
        answer(&world, OPERATOR, &member, &Value::Null).await.status,
        204
    );
    assert_problem(&get(&world, &admin, &org).await, 403, "forbidden");
    assert_problem(&get(&world, &limited, "/v1/me").await, 401, "invalid_token");
    let reached = format!("/v1/orgs/{}", second.org);
    assert_eq!(get(&world, &admin, &reached).await.status, 200);
    // A token of the organization survives the removal of its creator.
    assert_eq!(get(&world, organizational, &org).await.status, 200);

    let member = format!("DELETE {reached}/members/{}", world.admin);
    assert_eq!(
        answer(&world, OPERATOR, &member, &Value::Null).await.status,
        204
    );
    assert_problem(&get(&world, &admin, "/v1/me").await, 401, "invalid_token");

    let member = world.personal(&world.member, &[]).await;
    let off = format!("POST /v1/users/{}/deactivate", world.member);
    assert_eq!(answer(&world, OPERATOR, &off, &json!({})).await.status, 200);
    assert_problem(&get(&world, &member, "/v1/me").await, 401, "invalid_token");
}

/// PAT-09, PAT-10: a token needs a scope to create tokens, and cannot exceed its own rights.
#[actix_web::test]
async fn token_cannot_create_a_wider_token() {
    let world = World::new().await;
    let (home, second) = (world.home().await, world.home().await);
    let scopes = ["tokens:read", "tokens:write"];
    let input = json!({"name": "a", "scopes": scopes, "projects": [home.project]});
    let narrow = world.token("/v1/tokens", Some(&world.owner), &input).await;
    let reader = world
        .personal(&world.owner, &["tokens:read", "orgs:write"])
        .await;
    let before = world.test.database.content();
    for input in [
        json!({"name": "a", "scopes": ["orgs:read"]}),
        json!({"name": "a", "scopes": ["tokens:read", "projects:read"]}),
        json!({"name": "a", "projects": [second.project], "organization": second.org}),
        json!({"name": "a", "organization": second.org}),
    ] {
        let refused = answer(&world, &narrow, "POST /v1/tokens", &input).await;
        assert!([403, 422].contains(&refused.status), "{input}: {refused:?}");
    }
    let refused = answer(&world, &reader, "POST /v1/tokens", &json!({"name": "a"})).await;
    assert_problem(&refused, 403, "insufficient_scope");
    assert!(before == world.test.database.content());

    let wide = world.personal(&world.owner, &SCOPES).await;
    let wide = get(&world, &wide, "/v1/me").await.body["token"]["id"].clone();
    let rotate = format!("POST /v1/tokens/{}/rotate", wide.as_str().unwrap());
    let refused = answer(&world, &narrow, &rotate, &json!({})).await;
    assert_problem(&refused, 404, "not_found");
    let lesser = world.personal(&world.owner, &scopes).await;
    let refused = answer(&world, &lesser, &rotate, &json!({})).await;
    assert_problem(&refused, 403, "forbidden");
    let made = answer(&world, &narrow, "POST /v1/tokens", &json!({"name": "b"})).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.body["projects"], json!([home.project]));
    assert_eq!(made.body["scopes"], json!([]));
}

/// PAT-07, PAT-12: revoked tokens are listed without the secret; revocation is idempotent.
#[actix_web::test]
async fn revoked_token_is_listed() {
    let world = World::new().await;
    let token = world.personal(&world.member, &SCOPES).await;
    let input = json!({"name": "short", "scopes": ["orgs:read"], "expires": "30d"});
    let made = answer(&world, &token, "POST /v1/tokens", &input).await;
    let (text, id) = (
        made.body["token"].as_str().unwrap(),
        made.body["id"].clone(),
    );
    let route = format!("DELETE /v1/tokens/{}", id.as_str().unwrap());
    for _ in 0..2 {
        let revoked = answer(&world, &token, &route, &Value::Null).await;
        assert_eq!(revoked.status, 204, "{revoked:?}");
        assert_problem(&get(&world, text, "/v1/me").await, 401, "invalid_token");
    }
    assert_eq!(world.test.events("token.revoked"), 1);
    let list = get(&world, &token, "/v1/tokens").await.body;
    let row = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["id"] == id)
        .unwrap();
    assert_eq!(row["state"], "revoked");
    assert_eq!(row["name"], "short");
    assert_eq!(row["scopes"], json!(["orgs:read"]));
    assert!(
        row["hint"]
            .as_str()
            .unwrap()
            .ends_with(&text[text.len() - 4..])
    );
    for key in [
        "created_at",
        "created_by",
        "expires_at",
        "revoked_at",
        "revoked_by",
    ] {
        assert!(row[key].is_string(), "{key}: {row}");
    }
    let list = list.to_string();
    let digest = world
        .test
        .database
        .text("SELECT token_digest FROM token WHERE name = 'short'");
    assert!(
        !list.contains(&text[3..43]) && !list.contains(&digest),
        "{list}"
    );
}

/// PAT-08: the policy limits new tokens, and denies older ones after the grace period.
#[actix_web::test]
async fn policy_limits_lifetimes() {
    let world = World::new().await;
    let home = world.home().await;
    let owner = world.personal(&world.owner, &SCOPES).await;
    let input = json!({"name": "long", "expires": "1y"});
    let long = world
        .token(&format!("/v1/orgs/{}/tokens", home.org), None, &input)
        .await;
    let effects = format!("/v1/orgs/{}/policy/effects?max_lifetime_days=100", home.org);
    let shown = get(&world, &owner, &effects).await.body;
    let names: Vec<_> = shown["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["name"])
        .collect();
    assert_eq!(names, [&json!("long")]);
    let policy = json!({"policy": {"max_lifetime_days": 100}, "grace_seconds": 60});
    let route = format!("PATCH /v1/orgs/{}", home.org);
    let changed = answer(&world, &owner, &route, &policy).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    for expires in ["1y", "never"] {
        let input = json!({"name": "a", "expires": expires});
        let route = format!("POST /v1/orgs/{}/tokens", home.org);
        let refused = answer(&world, OPERATOR, &route, &input).await;
        assert_problem(&refused, 422, "invalid");
        assert_eq!(super::pointers(&refused), ["#/expires"]);
    }
    world.test.clock.advance(59);
    assert_eq!(get(&world, &long, "/v1/me").await.status, 200);
    world.test.clock.advance(2);
    assert_problem(&get(&world, &long, "/v1/me").await, 403, "policy");
}

/// PAT-13: by user, organization, client, and time of issue.
#[actix_web::test]
async fn many_tokens_are_revoked_by_one_request() {
    let world = World::new().await;
    let home = world.home().await;
    let others = world.personal(&world.owner, &SCOPES).await;
    let tokens = format!("/v1/orgs/{}/tokens", home.org);
    for (route, count) in [
        (format!("POST /v1/users/{}/revoke-all", world.member), 2),
        (format!("POST {tokens}/revoke-all"), 3),
    ] {
        let mut ended = Vec::new();
        for _ in 0..2 {
            ended.push(match route.contains("users") {
                true => world.personal(&world.member, &[]).await,
                false => world.organizational(&home.org).await,
            });
        }
        let done = answer(&world, OPERATOR, &route, &json!({})).await;
        assert_eq!(done.body, json!({"revoked": count}), "{route}");
        for token in ended {
            assert_problem(&get(&world, &token, "/v1/me").await, 401, "invalid_token");
        }
    }
    let device = world.test.token(&["tokens:read"]).await;
    let route = "POST /v1/clients/cli/revoke-all";
    let done = answer(&world, OPERATOR, route, &json!({})).await;
    assert_eq!(done.body, json!({"revoked": 1}));
    assert_problem(&get(&world, &device, "/v1/me").await, 401, "invalid_token");
    assert_eq!(get(&world, &others, "/v1/me").await.status, 200);

    world.test.clock.advance(10);
    let moment = world.test.app.now().to_rfc3339();
    let late = world.personal(&world.owner, &[]).await;
    let all = json!({"issued_before": moment});
    let done = answer(&world, OPERATOR, "POST /v1/tokens/revoke-all", &all).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_problem(&get(&world, &others, "/v1/me").await, 401, "invalid_token");
    assert_eq!(get(&world, &late, "/v1/me").await.status, 200);
}
