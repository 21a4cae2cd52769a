//! Permissions end with their source: what a user created never exceeds what the user may do now.

use super::{Client, EVERYTHING, expect, refused};
use crate::support::tenant::{input, text_of, user_of};
use crate::support::{OPERATOR, PASSWORD, TestApp};
use doorcode::app::access::Caller;
use doorcode::app::org::CreateInvitation;
use doorcode::app::token::{self, CreateToken, OwnerRef};
use doorcode::app::user::CreateUser;
use doorcode::app::{self, org};
use doorcode::domain::role::Role;
use doorcode::domain::secret::Secret;
use serde_json::{Value, json};

fn link_of(invitation: &Value) -> Secret {
    let url = invitation["url"].as_str().unwrap();
    Secret::new(url.split_once("/invite?link=").unwrap().1)
}

async fn join(test: &TestApp, link: &Secret, email: &str) -> bool {
    let new = CreateUser {
        name: "Eve".into(),
        email: email.into(),
        password: Secret::new(PASSWORD),
        organization: None,
    };
    let joined = org::enter(&test.req(&Caller::Anonymous), link, new).await;
    assert!(
        matches!(joined, Ok(_) | Err(app::Error::NotFound)),
        "accepted, or a link that does not work"
    );
    joined.is_ok()
}

#[actix_web::test]
async fn invitation_is_valid_while_its_creator_may_create_it() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let bob = test.caller("bob@x.example").await;
    let org = test.organization(&ada, "Backed").await;
    test.add_member(&org, &bob, Role::Owner).await;
    let his = Client::of(&test, &bob).await;
    let path = format!("/v1/orgs/{}/invitations", org.slug);
    let mut links = Vec::new();
    // An owner is invited in the console.
    let owner = json!({"role": "owner"});
    refused(his.post(&path, owner).await, 403, "forbidden");
    let of_owner = CreateInvitation {
        email: None,
        role: Role::Owner,
        form_nonce: None,
    };
    let made = org::invite(&test.req(&bob), &org.slug, of_owner)
        .await
        .unwrap();
    links.push(made.link);
    for role in ["admin", "admin"] {
        let made = expect(his.post(&path, json!({"role": role})).await, 201);
        links.push(link_of(&made));
    }
    let machine = test.organization_token(&org, input(&["orgs:write"])).await;
    let by_machine = Client::new(&test, text_of(&machine));
    let made = expect(by_machine.post(&path, json!({"role": "admin"})).await, 201);
    let by_machine = link_of(&made);

    test.add_member(&org, &bob, Role::Admin).await;
    assert!(
        !join(&test, &links[0], "one@x.example").await,
        "no owner any more"
    );
    assert!(join(&test, &links[1], "two@x.example").await);
    test.add_member(&org, &bob, Role::Member).await;
    assert!(!join(&test, &links[2], "three@x.example").await);
    test.add_member(&org, &bob, Role::Admin).await;
    test.deactivate("bob@x.example").await;
    assert!(!join(&test, &links[2], "three@x.example").await);

    let owner = Client::of(&test, &ada).await;
    let token = format!("/v1/orgs/{}/tokens/{}", org.slug, machine.token.id);
    let ended = expect(owner.delete(&token).await, 200);
    assert_eq!(ended, json!({"revoked": 1, "withdrawn_invitations": 1}));
    assert!(!join(&test, &by_machine, "four@x.example").await);
}

#[actix_web::test]
async fn deactivated_owner_does_not_count_and_can_be_removed() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Shared").await;
    test.add_member(&org, &bob, Role::Owner).await;
    test.deactivate("bob@x.example").await;
    let owner = Client::of(&test, &ada).await;
    let of = |caller| format!("/v1/orgs/{}/members/{}", org.slug, user_of(caller));
    refused(owner.delete(&of(&ada)).await, 409, "conflict");
    expect(owner.delete(&of(&bob)).await, 204);
}

/// A token that an organization rejects cannot create one that it allows.
#[actix_web::test]
async fn token_gains_no_organization_by_creating_another() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let strict = test.organization(&ada, "Strict").await;
    test.organization(&bob, "Lax").await;
    test.add_member(&strict, &bob, Role::Admin).await;
    let forever = CreateToken {
        expires: Some("never".into()),
        ..input(&EVERYTHING)
    };
    let token = Client::with(&test, &bob, forever).await;
    let owner = Client::of(&test, &ada).await;
    let at = format!("/v1/orgs/{}", strict.slug);
    let change = json!({"policy": {"max_lifetime_days": 30}, "grace_seconds": 0});
    expect(owner.patch(&at, change).await, 200);
    refused(token.get(&at).await, 403, "policy");
    let body = json!({"name": "n", "scopes": ["orgs:read"], "expires": "30d"});
    refused(
        token.post("/v1/tokens", body.clone()).await,
        403,
        "forbidden",
    );
    let mut elsewhere = body;
    elsewhere["organization"] = "lax".into();
    expect(token.post("/v1/tokens", elsewhere).await, 201);
}

/// Two owners change different rules at the same moment: both changes apply.
#[actix_web::test]
async fn concurrent_policy_changes_do_not_undo_each_other() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let owner = Client::of(&test, &ada).await;
    for round in 0..10 {
        let org = test.organization(&ada, &format!("Both {round}")).await;
        let at = format!("/v1/orgs/{}", org.slug);
        let change = |policy: Value| json!({"policy": policy});
        let (one, two) = tokio::join!(
            owner.patch(&at, change(json!({"personal_tokens": "admins"}))),
            owner.patch(&at, change(json!({"max_lifetime_days": 90})))
        );
        assert_eq!((one.status, two.status), (200, 200), "{one:?} {two:?}");
        let found = expect(owner.get(&at).await, 200);
        assert_eq!(found["policy"]["personal_tokens"], "admins");
        assert_eq!(found["policy"]["max_lifetime_days"], 90);
    }
}

/// A year of five digits would break the sort order, so no token lives that long.
#[actix_web::test]
async fn successor_expires_at_the_latest_in_the_year_9999() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let owner = Client::of(&test, &ada).await;
    let forever = CreateToken {
        expires: Some("9999-12-30".to_owned()),
        ..input(&[])
    };
    let old = test.token_of(&ada, forever).await.token.id;
    test.clock.advance(3 * 86_400);
    let none = chrono::Duration::zero();
    let new = token::rotate(&test.req(&ada), &OwnerRef::Own, old.as_str(), none).await;
    let new = new.unwrap();
    let end = new.token.expires_at.unwrap().to_rfc3339();
    assert!(end.starts_with("9999-12-31"), "{end}");
    expect(owner.post("/v1/tokens/revoke-all", json!({})).await, 200);
    let new = Client::new(&test, text_of(&new));
    assert!(!new.is_active().await);
    let operator = Client::new(&test, OPERATOR);
    let body = json!({"issued_before": "9999-12-31T23:59:59-01:00"});
    let answer = expect(operator.post("/v1/tokens/revoke-all", body).await, 200);
    assert_eq!(answer["revoked"], 0, "all have ended: {answer}");
}
