//! Reading the audit log (AUD-15): visibility, filters, pages, and the record of each read.

use super::world::{Place, SCOPES, World};
use super::{assert_problem, call, send};
use crate::support::OPERATOR;
use crate::support::device::Answer;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Response for a bearer token at a route below `/v1/audit`.
pub async fn audit(world: &World, bearer: &str, rest: &str) -> Answer {
    let path = format!("/v1/audit{rest}");
    send(call(&world.test, Method::GET, &path, bearer)).await
}

/// The items of a list.
#[track_caller]
pub fn items(answer: &Answer) -> &Vec<Value> {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"].as_array().unwrap()
}

/// The distinct values of a key in the items.
fn values<'a>(answer: &'a Answer, key: &str) -> BTreeSet<&'a str> {
    let values = items(answer).iter();
    values
        .map(|item| item[key].as_str().unwrap_or("-"))
        .collect()
}

/// A token of the owner with a limit.
async fn limited(world: &World, limit: &str, to: Value) -> String {
    let mut input = json!({"name": "limited", "scopes": SCOPES});
    input[limit] = to;
    world.token("/v1/tokens", Some(&world.owner), &input).await
}

struct Two {
    world: World,
    home: Place,
    away: Place,
}

impl Two {
    async fn new() -> Self {
        let world = World::new().await;
        let (home, away) = (world.home().await, world.away().await);
        Self { world, home, away }
    }
}

/// AUD-15: an organization's admins and tokens see its log, and only its own records.
#[actix_web::test]
async fn organization_sees_only_its_own_records() {
    let Two { world, home, away } = Two::new().await;
    let owner = world.personal(&world.owner, &SCOPES).await;
    let admin = world.personal(&world.admin, &SCOPES).await;
    let machine = world.organizational(&home.org).await;
    let limited_to_org = limited(&world, "organization", json!(home.org)).await;
    let org = send(call(
        &world.test,
        Method::GET,
        &format!("/v1/orgs/{}", home.org),
        &owner,
    ));
    let slug = org.await.body["slug"].as_str().unwrap().to_owned();
    let named = [
        format!("?limit=100&organization={}", home.org),
        format!("?limit=100&organization={slug}"),
    ];
    for (bearer, query) in [
        (&owner, &named[0]),
        (&owner, &named[1]),
        (&admin, &named[0]),
        (&limited_to_org, &named[0]),
        (&machine, &named[0]),
        (&machine, &"?limit=100".to_owned()),
        (&OPERATOR.to_owned(), &named[0]),
    ] {
        let seen = audit(&world, bearer, query).await;
        assert_eq!(values(&seen, "organization_id"), [&*home.org].into());
        let actions = values(&seen, "action");
        for action in ["organization.created", "member.added", "token.created"] {
            assert!(actions.contains(action), "{actions:?}");
        }
    }
    let member = world.personal(&world.member, &SCOPES).await;
    let stranger = world.personal(&world.stranger, &SCOPES).await;
    let foreign = world.organizational(&away.org).await;
    let second = world.home().await;
    let elsewhere = limited(&world, "organization", json!(second.org)).await;
    let narrow = limited(&world, "projects", json!([home.project])).await;
    for bearer in [&member, &stranger, &foreign, &elsewhere, &narrow] {
        for rest in ["", "/export", "/uses"] {
            let refused = audit(&world, bearer, &format!("{rest}{}", &named[0])).await;
            let refused = match rest {
                "/export" => {
                    let query = format!("/export?organization={}", home.org);
                    audit(&world, bearer, &query).await
                }
                _ => refused,
            };
            assert_problem(&refused, 403, "forbidden");
        }
    }
    for (bearer, status, code) in [
        (owner.as_str(), 403, "forbidden"),
        (OPERATOR, 404, "not_found"),
    ] {
        let unknown = audit(&world, bearer, "?organization=no-such").await;
        assert_problem(&unknown, status, code);
    }
    let scopeless = world.personal(&world.owner, &["orgs:read"]).await;
    for rest in ["", "/export", "/verify", "/uses"] {
        let refused = audit(&world, &scopeless, rest).await;
        assert_problem(&refused, 403, "insufficient_scope");
    }
}

/// Without an organization filter the operator sees all records, and a user their own.
#[actix_web::test]
async fn user_sees_own_records() {
    let Two { world, home, away } = Two::new().await;
    let input = json!({"name": "a"});
    let spare = world.made("/v1/tokens", Some(&world.member), &input).await;
    world.test.clock.advance(10);
    let before = json!({"issued_before": world.test.app.now().to_rfc3339()});
    let member = world.personal(&world.member, &SCOPES).await;
    let me = send(call(&world.test, Method::GET, "/v1/me", &member))
        .await
        .body;
    let own = me["token"]["id"].as_str().unwrap();
    let all = audit(&world, OPERATOR, "?limit=100").await;
    let everybodys = values(&all, "organization_id");
    assert!(everybodys.contains(&*home.org) && everybodys.contains(&*away.org));

    // Operator actions on the user's tokens are visible too.
    let off = format!("/v1/users/{}/revoke-all", world.member);
    let revoked = world.operator(Method::POST, &off, None, &before).await;
    assert_eq!(revoked.body, json!({"revoked": 1}));
    let seen = audit(&world, &member, "?limit=100").await;
    assert!(values(&seen, "action").contains("token.revoked"));
    for item in items(&seen) {
        let is_actor = item["user_id"] == *world.member;
        let is_target = [&*world.member, own, &spare].contains(&item["target"].as_str().unwrap());
        assert!(is_actor || is_target, "{item}");
    }
    let targets = values(&seen, "target");
    assert!(targets.contains(&*world.member) && targets.contains(own));

    // A limited token sees only its organization.
    let second = world.home().await;
    let elsewhere = limited(&world, "organization", json!(second.org)).await;
    let seen = audit(&world, &elsewhere, "?limit=100").await;
    assert_eq!(values(&seen, "organization_id"), [&*second.org].into());
    let narrow = limited(&world, "projects", json!([home.project])).await;
    for rest in ["", "/export", "/uses"] {
        let refused = audit(&world, &narrow, rest).await;
        assert_problem(&refused, 403, "forbidden");
    }
    // The operator acting for a user sees the records of that user.
    let request = call(&world.test, Method::GET, "/v1/audit?limit=100", OPERATOR);
    let seen = send(request.header(super::world::ACTOR, &world.stranger)).await;
    let organizations = values(&seen, "organization_id");
    assert!(!organizations.contains(&*home.org), "{organizations:?}");
}

/// Each filter returns exactly the matching records.
#[actix_web::test]
async fn filters_return_exactly_the_matching_records() {
    let Two { world, home, .. } = Two::new().await;
    let token = world.personal(&world.owner, &SCOPES).await;
    let me = send(call(&world.test, Method::GET, "/v1/me", &token))
        .await
        .body;
    let token_id = me["token"]["id"].as_str().unwrap();
    world.test.clock.advance(60);
    let since = world
        .test
        .app
        .now()
        .to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let rename = call(
        &world.test,
        Method::PATCH,
        &format!("/v1/orgs/{}", home.org),
        &token,
    );
    let renamed = send(rename.json(&json!({"name": "Other"}))).await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    world.test.clock.advance(60);
    let get = |query: String| {
        let world = &world;
        async move { audit(world, OPERATOR, &format!("?limit=100&{query}")).await }
    };
    for (action, found) in [
        ("organization.renamed", vec!["organization.renamed"]),
        (
            "organization",
            vec!["organization.created", "organization.renamed"],
        ),
        ("organization.", vec![]),
        ("organizatio", vec![]),
        ("Organization", vec![]),
        ("%25", vec![]),
        ("no.such", vec![]),
    ] {
        let seen = get(format!("action={action}")).await;
        assert_eq!(
            values(&seen, "action"),
            found.into_iter().collect(),
            "{action}"
        );
    }
    let seen = get(format!("actor={}", world.owner)).await;
    assert_eq!(values(&seen, "user_id"), [&*world.owner].into());
    let seen = get(format!("actor={token_id}")).await;
    assert_eq!(values(&seen, "action"), ["organization.renamed"].into());
    let seen = get("actor=operator".to_owned()).await;
    assert_eq!(values(&seen, "actor_kind"), ["operator"].into());
    let seen = get(format!("token={token_id}")).await;
    assert_eq!(
        values(&seen, "action"),
        ["organization.renamed", "token.created"].into()
    );
    let seen = get(format!("action=organization&since={since}")).await;
    assert_eq!(values(&seen, "action"), ["organization.renamed"].into());
    let seen = get(format!("action=organization&until={since}")).await;
    assert_eq!(values(&seen, "action"), ["organization.created"].into());
    let renamed = get("action=organization.renamed".to_owned()).await;
    let record = &items(&renamed)[0];
    for (key, value) in [
        ("at", json!(since)),
        ("actor_kind", json!("token")),
        ("actor_id", json!(token_id)),
        ("method", json!("token")),
        ("outcome", json!("done")),
        ("address", json!("127.0.0.1")),
        ("client_id", Value::Null),
    ] {
        assert_eq!(record[key], value, "{key}");
    }
    assert!(record["sequence"].is_u64() && record["detail"].is_object());
    assert_eq!(record["hash"].as_str().unwrap().len(), 64);
}

/// PAG-01: pages return each record once, the latest first, while reads add to the log.
#[actix_web::test]
async fn pages_return_each_record_once() {
    let Two { world, home, .. } = Two::new().await;
    let admin = world.personal(&world.admin, &SCOPES).await;
    let of = format!("organization={}&action=member", home.org);
    let sequences = |answer: &Answer| -> Vec<u64> {
        let found = items(answer).iter();
        found
            .map(|item| item["sequence"].as_u64().unwrap())
            .collect()
    };
    let whole = sequences(&audit(&world, &admin, &format!("?limit=100&{of}")).await);
    assert!(
        whole.len() > 2 && whole.is_sorted_by(|a, b| a > b),
        "{whole:?}"
    );
    let (mut seen, mut query) = (Vec::new(), format!("?limit=1&{of}"));
    let mut cursor = String::new();
    loop {
        let page = audit(&world, &admin, &query).await;
        assert_eq!(items(&page).len(), 1);
        seen.extend(sequences(&page));
        let Some(next) = page.body["next_cursor"].as_str() else {
            break;
        };
        next.clone_into(&mut cursor);
        query = format!("?limit=1&{of}&cursor={cursor}");
    }
    assert_eq!(seen, whole);
    // A cursor is bound to the token, the list and the filters.
    let owner = world.personal(&world.owner, &SCOPES).await;
    for (bearer, query) in [
        (&owner, format!("?{of}&cursor={cursor}")),
        (
            &admin,
            format!("?organization={}&cursor={cursor}", home.org),
        ),
        (
            &admin,
            format!("?{of}&cursor={}A", &cursor[..cursor.len() - 1]),
        ),
        (
            &admin,
            format!("/uses?organization={}&cursor={cursor}", home.org),
        ),
    ] {
        let refused = audit(&world, bearer, &query).await;
        assert_problem(&refused, 400, "invalid_cursor");
    }
}

#[actix_web::test]
async fn invalid_query_is_rejected() {
    let Two { world, .. } = Two::new().await;
    let before = world.test.database.content();
    for rest in ["", "/export", "/uses"] {
        for query in [
            "since=yesterday",
            "since=2026-11-22",
            "until=2026-13-01T00:00:00Z",
            "until=2026-11-22T12:00:00+01:00",
            "token=a&token=b",
            "organisation=a",
            "actor=%00",
        ] {
            let refused = audit(&world, OPERATOR, &format!("{rest}?{query}")).await;
            assert_problem(&refused, 400, "invalid_request");
        }
    }
    for query in ["?format=xml", "?limit=1", "?cursor=a"] {
        let refused = audit(&world, OPERATOR, &format!("/export{query}")).await;
        assert_problem(&refused, 400, "invalid_request");
    }
    assert!(before == world.test.database.content());
}

/// AUD-02: reads of the log are recorded with user and filters; a rejected read leaves only the
/// record of the token use.
#[actix_web::test]
async fn reads_are_recorded() {
    let Two { world, home, .. } = Two::new().await;
    let admin = world.personal(&world.admin, &SCOPES).await;
    let id = world.used(&admin).await;
    let before = world.test.events("audit.read");
    let of = format!("organization={}", home.org);
    let since = "2026-11-22T00:00:00Z";
    let token = world.test.database.text("SELECT MIN(id) FROM token");
    for rest in [
        format!("?{of}&action=token&actor={}", world.member),
        format!("/uses?{of}&token={token}&since={since}"),
        format!("/uses/{id}"),
    ] {
        assert_eq!(audit(&world, &admin, &rest).await.status, 200, "{rest}");
        world.test.clock.advance_ms(1);
    }
    audit(&world, &admin, "/export?action=member").await;
    world.test.clock.advance_ms(1);
    audit(&world, &admin, "/verify").await;
    assert_eq!(world.test.events("audit.read"), before + 3);
    let seen = audit(&world, OPERATOR, "?action=audit&limit=5").await;
    let found: Vec<_> = items(&seen).iter().rev().collect();
    let expected = [
        ("audit.read", "records", "action", "token", true),
        ("audit.read", "uses", "token", &*token, true),
        ("audit.read", "use", "use", &id, false),
        ("audit.exported", "records", "action", "member", false),
    ];
    for (record, (action, of, key, value, is_inside)) in found.iter().zip(expected) {
        assert_eq!(record["action"], action, "{record}");
        assert_eq!(record["detail"]["of"], of, "{record}");
        assert_eq!(record["detail"][key], value, "{record}");
        assert_eq!(record["user_id"], *world.admin, "{record}");
        let organization = is_inside.then_some(home.org.clone());
        assert_eq!(record["organization_id"], json!(organization), "{record}");
    }
    assert_eq!(found[0]["detail"]["actor"], *world.member);
    assert_eq!(found[1]["detail"]["since"], "2026-11-22T00:00:00.000Z");
    assert_eq!(found[4]["action"], "audit.verified");
}

/// AUD-03: an unknown filter value may be a secret in the wrong field, or very long; the record
/// contains only a placeholder.
#[actix_web::test]
async fn unknown_filter_values_are_not_stored() {
    let Two { world, .. } = Two::new().await;
    let typed = "x".repeat(4_000);
    for (rest, keys) in [
        ("", &["actor", "action", "token"][..]),
        ("/export", &["actor", "action", "token"]),
        ("/uses", &["token"]),
    ] {
        for key in keys {
            let seen = audit(&world, OPERATOR, &format!("{rest}?{key}={typed}")).await;
            assert_eq!(seen.status, 200, "{seen:?}");
            world.test.clock.advance_ms(1);
            let seen = audit(&world, OPERATOR, "?action=audit&limit=1").await;
            assert_eq!(items(&seen)[0]["detail"][key], "other", "{rest} {key}");
            world.test.clock.advance_ms(1);
        }
    }
    assert!(!world.test.database.dump().contains(&typed));
}
