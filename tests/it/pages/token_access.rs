//! `/o/{org}/tokens`: the tokens with access to an organization; the block of one, and the request
//! to rotate one.

use super::{Company, after, assert_no_access, assert_role};
use crate::email::with_mail;
use crate::support::browser::Browser;
use crate::support::database::Database;
use crate::support::smtp::Sink;
use crate::support::{API, PASSWORD, TestApp, http};
use doorcode::domain::role::Role;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

pub const TOKENS: &str = "/o/acme/tokens";

/// The id of the only token with this name.
pub fn id_of(test: &TestApp, name: &str) -> String {
    test.database
        .text(&format!("SELECT id FROM token WHERE name = '{name}'"))
}

/// Whether a token is allowed for an organization: by the verify endpoint, by introspection and by
/// the API, which must agree.
pub async fn is_allowed(test: &TestApp, token: &str, organization: &str) -> bool {
    let path = format!("/auth/verify?scope=orgs:read&organization={organization}");
    let verified = http().get(test.at(&path)).bearer_auth(token).send().await;
    let verified = verified.unwrap().status() == 204;
    let form = [("token", token), ("organization", organization)];
    let introspected = http()
        .post(test.at("/auth/introspect"))
        .basic_auth(API, Some(&test.api_secret))
        .form(&form);
    let answer: Value = introspected.send().await.unwrap().json().await.unwrap();
    let scopes = answer["scope"].as_str().unwrap_or_default();
    let path = format!("/v1/orgs/{organization}");
    let called = http().get(test.at(&path)).bearer_auth(token).send().await;
    let called = called.unwrap().status() == 200;
    assert_eq!(scopes.contains("orgs:read"), verified, "{answer}");
    assert_eq!(called, verified);
    verified
}

pub async fn create_with(test: &TestApp, token: &str, key: &str) -> reqwest::Response {
    let body = json!({"name": key, "scopes": ["orgs:read", "tokens:write"]});
    let request = http()
        .post(test.at("/v1/tokens"))
        .bearer_auth(token)
        .header("idempotency-key", key)
        .json(&body);
    request.send().await.unwrap()
}

/// Bob's token leaks. An admin blocks it for Acme: the next request there is denied on each server,
/// and Bob goes on with it in his own organization. Then the admin lifts the block.
#[actix_web::test]
async fn blocked_token_is_denied_in_this_organization_alone() {
    let Company {
        test,
        mut admin,
        mut member,
        ..
    } = Company::new().await;
    let second = test.second_server("").await;
    member.post("/o/new", &[("name", "Bobs")]).await;
    let token = member.new_token("laptop", &["orgs:read"], "never").await;
    let id = id_of(&test, "laptop");
    for server in [&test, &second] {
        assert!(is_allowed(server, &token, "acme").await);
        assert!(is_allowed(server, &token, "bobs").await);
    }
    let list = admin.get(TOKENS).await;
    assert!(
        list.contains("laptop") && list.contains("bob@example.com"),
        "{}",
        list.body
    );
    let block = format!("{TOKENS}/{id}/block");
    assert!(admin.get(&block).await.contains("Block “laptop” for Acme?"));
    let done = admin.post(&block, &[]).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let list = admin.get(done.location()).await;
    assert!(
        list.contains("is blocked. Its next request to Acme is denied."),
        "{}",
        list.body
    );
    assert!(list.contains("Blocked by an admin"));
    for server in [&test, &second] {
        assert!(!is_allowed(server, &token, "acme").await);
        assert!(is_allowed(server, &token, "bobs").await);
    }
    let page = member.get(&format!("/tokens/{id}")).await;
    assert!(page.contains("Blocked for Acme."), "{}", page.body);
    // Once more changes nothing.
    assert_eq!(admin.post(&block, &[]).await.status, 303);
    let done = admin.post(&format!("{TOKENS}/{id}/unblock"), &[]).await;
    assert!(
        admin
            .get(done.location())
            .await
            .contains("reaches Acme again.")
    );
    for server in [&test, &second] {
        assert!(is_allowed(server, &token, "acme").await);
    }
    test.clock.advance(180);
    test.settle().await;
    assert_eq!(
        (test.events("token.blocked"), test.events("token.unblocked")),
        (1, 1)
    );
}

/// A block includes what the token created and creates, and its successor.
#[actix_web::test]
async fn block_cannot_be_evaded_with_the_token() {
    let Company {
        test,
        mut admin,
        mut member,
        ..
    } = Company::new().await;
    member.post("/o/new", &[("name", "Bobs")]).await;
    let scopes = ["orgs:read", "tokens:write"];
    let token = member.new_token("leaked", &scopes, "never").await;
    let id = id_of(&test, "leaked");
    let text = |answer: Value| answer["token"].as_str().unwrap().to_owned();
    let child = create_with(&test, &token, "child").await;
    let child = text(child.json().await.unwrap());
    assert!(is_allowed(&test, &child, "acme").await);
    let block = format!("{TOKENS}/{id}/block");
    let question = admin.get(&block).await;
    assert!(
        question.contains("1 active token</b> that belong to it by rotation"),
        "{}",
        question.body
    );
    let done = admin.post(&block, &[]).await;
    assert!(
        done.location().ends_with("further=1"),
        "{}",
        done.location()
    );
    assert!(!is_allowed(&test, &child, "acme").await);
    let late = text(
        create_with(&test, &token, "late")
            .await
            .json()
            .await
            .unwrap(),
    );
    let rotated = http()
        .post(test.at(&format!("/v1/tokens/{id}/rotate")))
        .bearer_auth(&token)
        .header("idempotency-key", "rotate")
        .json(&json!({}));
    let rotated = rotated.send().await.unwrap();
    assert_eq!(rotated.status(), 201);
    let rotated = text(rotated.json().await.unwrap());
    for token in [&late, &rotated] {
        assert!(!is_allowed(&test, token, "acme").await);
        assert!(is_allowed(&test, token, "bobs").await);
    }
}

/// Tokens that are created while their creator is blocked are blocked too, on two servers.
#[actix_web::test]
async fn no_token_escapes_a_block_by_a_race() {
    let Company {
        test,
        mut admin,
        mut member,
        ..
    } = Company::new().await;
    let second = test.second_server("").await;
    member.post("/o/new", &[("name", "Bobs")]).await;
    for round in 0..4 {
        let name = format!("maker {round}");
        let scopes = ["orgs:read", "tokens:write"];
        let maker = member.new_token(&name, &scopes, "never").await;
        let block = format!("{TOKENS}/{}/block", id_of(&test, &name));
        admin.get(TOKENS).await;
        let keys: Vec<_> = (0..8).map(|call| format!("{round}-{call}")).collect();
        let calls = keys.iter().enumerate().map(|(call, key)| {
            let server = if call % 2 == 0 { &test } else { &second };
            create_with(server, &maker, key)
        });
        let (blocked, answers) = join(admin.post(&block, &[]), join_all(calls)).await;
        assert_eq!(blocked.status, 303, "{}", blocked.body);
        let mut created = 0;
        for answer in answers {
            if answer.status() == 201 {
                let answer: Value = answer.json().await.unwrap();
                let token = answer["token"].as_str().unwrap();
                assert!(!is_allowed(&second, token, "acme").await, "{answer}");
                created += 1;
            }
        }
        assert!(created > 0, "some were created");
    }
}

/// Admins act on the tokens of members and admins, only owners on those of owners.
#[actix_web::test]
async fn only_permitted_users_see_and_block_tokens() {
    let Company {
        test,
        mut owner,
        mut admin,
        mut member,
        mut stranger,
        ..
    } = Company::new().await;
    owner.new_token("of the owner", &[], "never").await;
    stranger.new_token("of a stranger", &[], "never").await;
    let (own, other) = (id_of(&test, "of the owner"), id_of(&test, "of a stranger"));
    for action in ["block", "unblock", "ask-to-rotate"] {
        let path = format!("{TOKENS}/{own}/{action}");
        assert_role(&member.post(&path, &[]).await, "admin");
        assert_eq!(stranger.post(&path, &[]).await.status, 403);
        assert_role(&admin.post(&path, &[]).await, "owner");
        let path = format!("{TOKENS}/{other}/{action}");
        assert_eq!(owner.post(&path, &[]).await.status, 404, "{action}");
    }
    assert_role(&member.get(TOKENS).await, "admin");
    assert_no_access(&mut stranger, TOKENS, "/o/absent/tokens").await;
    let list = admin.get(TOKENS).await;
    assert!(list.contains("of the owner") && !list.contains("of a stranger"));
    assert!(
        !list.contains(&format!("{own}/block")),
        "no control that would be denied"
    );
    assert_eq!(test.count("token", "blocked_in IS NOT NULL"), 0);
    let block = format!("{TOKENS}/{own}/block");
    assert_eq!(owner.post(&block, &[]).await.status, 303);
    assert_eq!(test.count("token", "blocked_in IS NOT NULL"), 1);
}

/// The list is searched and filtered, and what a token does elsewhere stays unknown.
#[actix_web::test]
async fn list_is_filtered_by_state_words_and_member() {
    let Company {
        test,
        mut owner,
        mut member,
        member_id,
        ..
    } = Company::new().await;
    owner.new_token("forever", &["orgs:read"], "never").await;
    member.new_token("monthly", &["orgs:read"], "30d").await;
    let shows = async |owner: &mut Browser, query: &str| {
        let page = owner.get(&format!("{TOKENS}?{query}")).await;
        assert_eq!(page.status, 200);
        [page.contains(">forever<"), page.contains(">monthly<")]
    };
    for (query, expected) in [
        ("", [true, true]),
        ("show=never", [true, false]),
        ("show=expiring", [false, false]),
        ("show=unused", [false, false]),
        ("q=bob@example", [false, true]),
        ("q=FOREVER+orgs", [true, false]),
        ("show=boss&page=7", [true, true]),
    ] {
        assert_eq!(shows(&mut owner, query).await, expected, "{query}");
    }
    assert_eq!(
        shows(&mut owner, &format!("member={member_id}")).await,
        [false, true]
    );
    test.clock.advance(24 * 86_400);
    owner.sign_in(crate::support::EMAIL, PASSWORD).await;
    assert_eq!(shows(&mut owner, "show=expiring").await, [false, true]);
    test.clock.advance(6 * 86_400 + 1);
    owner.sign_in(crate::support::EMAIL, PASSWORD).await;
    assert_eq!(
        shows(&mut owner, "show=unused").await,
        [true, false],
        "the other has expired"
    );
    let stranger = "usr_00000000000000000000000000000000";
    let page = owner.get(&format!("{TOKENS}?member={stranger}")).await;
    assert_eq!(page.status, 404);
}

/// The owner of a token gets a letter, and a note on the page of the token until it is rotated. A
/// second request on the same day sends no letter.
#[actix_web::test]
async fn owner_of_a_token_is_asked_to_rotate_it() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    test.add_user("bob@example.com", PASSWORD, Some(("Acme", Role::Member)))
        .await;
    test.database
        .execute("UPDATE users SET email_verified_at = created_at");
    let (mut owner, mut bob) = (test.user().await, test.browser());
    bob.sign_in("bob@example.com", PASSWORD).await;
    bob.new_token("laptop", &["orgs:read"], "never").await;
    let id = id_of(&test, "laptop");
    let path = format!("{TOKENS}/{id}/ask-to-rotate");
    owner.get(TOKENS).await;
    let done = owner.post(&path, &[]).await;
    let list = owner.get(done.location()).await;
    assert!(list.contains("A message is on its way."), "{}", list.body);
    let letter = sink.next();
    assert_eq!(
        letter.header("Subject"),
        "Rotate a token that has access to Acme"
    );
    assert!(letter.body().contains("asks you to rotate your token"));
    let done = owner.post(&path, &[]).await;
    let list = owner.get(done.location()).await;
    assert!(list.contains("No message was sent"), "{}", list.body);
    assert!(sink.is_empty());
    let note = "asks you to rotate this token";
    let page = bob.get(&format!("/tokens/{id}")).await;
    assert_eq!(page.body.matches(note).count(), 1, "{}", page.body);
    bob.get(&format!("/tokens/{id}/rotate")).await;
    let rotated = bob
        .post(&format!("/tokens/{id}/rotate"), &[("overlap", "24h")])
        .await;
    assert!(
        rotated.attribute("data-token").is_some(),
        "{}",
        rotated.body
    );
    assert!(!bob.get(&format!("/tokens/{id}")).await.contains(note));
    assert_eq!(test.events("token.rotation_requested"), 2);
    assert!(after(&owner.get(TOKENS).await.body, "bob@", '<').contains("example.com"));
}

/// Neither ended tokens nor other organizations make the overview and the list slower.
#[actix_web::test]
async fn reads_go_by_the_indexes_of_active_tokens() {
    let test = TestApp::start().await;
    // PostgreSQL chooses among the indexes by the rows, of which there are none here.
    let names = |plan: &str, index: &str| match Database::is_postgres() {
        true => plan.contains("Index") && !plan.contains("Seq Scan"),
        false => plan.contains(index),
    };
    let active = "SELECT id FROM token WHERE revoked_at IS NULL AND";
    for (query, index) in [
        (
            "user_id IN ('a', 'b') AND expires_at IS NULL",
            "token_user_active",
        ),
        (
            "user_id IN ('a', 'b') AND expires_at > '2026-11-22 12:00:00'",
            "token_user_active",
        ),
        (
            "organization_id = 'a' AND expires_at IS NULL",
            "token_organization_active",
        ),
        (
            "organization_id = 'a' AND expires_at > '2026-11-22 12:00:00'",
            "token_organization_active",
        ),
    ] {
        let plan = test.database.plan(&format!("{active} {query} LIMIT 1000"));
        assert!(names(&plan, index), "{query}: {plan}");
    }
    let last_use = "SELECT last_at FROM token_use WHERE token_id = 'a' AND organization_id = 'b' \
                    ORDER BY event_id DESC LIMIT 1";
    let plan = test.database.plan(last_use);
    assert!(names(&plan, "token_use_last"), "{plan}");
}
