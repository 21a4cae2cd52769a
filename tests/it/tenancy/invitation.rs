//! Invitations by a one-time link.

use super::{Client, expect, refused};
use crate::support::database::AUDIT;
use crate::support::tenant::user_of;
use crate::support::{OPERATOR, TestApp};
use doorcode::app::access::Caller;
use doorcode::app::{self, org};
use doorcode::domain::org::Organization;
use doorcode::domain::role::Role;
use doorcode::domain::secret::Secret;
use serde_json::{Value, json};

/// The secret in an invitation's link.
fn link_of(invitation: &Value) -> Secret {
    let url = invitation["url"].as_str().unwrap();
    let (_, link) = url.split_once("/invite?link=").unwrap();
    Secret::new(link)
}

async fn accept(
    test: &TestApp,
    caller: &Caller,
    link: &Secret,
) -> Result<Organization, app::Error> {
    org::accept(&test.req(caller), link).await
}

#[actix_web::test]
async fn link_is_valid_for_one_user_once() {
    let test = TestApp::start().await;
    let (ada, bob, eve) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
        test.caller("eve@x.example").await,
    );
    let org = test.organization(&ada, "Open").await;
    let owner = Client::of(&test, &ada).await;
    let path = format!("/v1/orgs/{}/invitations", org.slug);
    let made = expect(owner.post(&path, json!({"role": "admin"})).await, 201);
    let link = link_of(&made);
    let dump = test.database.dump();
    assert!(!dump.contains(link.expose()), "only the digest is kept");
    let listed = expect(owner.get(&path).await, 200);
    assert_eq!(listed["items"][0]["id"], made["id"]);
    assert!(listed["items"][0].get("url").is_none(), "it is shown once");

    let (first, second) = tokio::join!(accept(&test, &bob, &link), accept(&test, &eve, &link));
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let condition = format!("organization_id = '{}' AND role = 'admin'", org.id);
    assert_eq!(test.count("membership", &condition), 1);
    let repeated = accept(&test, &eve, &link).await;
    assert!(
        matches!(repeated, Err(app::Error::NotFound)),
        "{repeated:?}"
    );
    assert_eq!(test.events("invitation.accepted"), 1);
}

#[actix_web::test]
async fn link_ends_by_expiry_withdrawal_and_deletion_of_the_organization() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Closing").await;
    let owner = Client::of(&test, &ada).await;
    let path = format!("/v1/orgs/{}/invitations", org.slug);
    let invite = || owner.post(&path, json!({"role": "member"}));
    let made = expect(invite().await, 201);
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    expect(owner.delete(&one).await, 204);
    refused(owner.delete(&one).await, 404, "not_found");
    let withdrawn = accept(&test, &bob, &link_of(&made)).await;
    assert!(matches!(withdrawn, Err(app::Error::NotFound)));

    let made = expect(invite().await, 201);
    let last = expect(invite().await, 201);
    test.clock.advance(7 * 86_400);
    let late = accept(&test, &bob, &link_of(&made)).await;
    assert!(matches!(late, Err(app::Error::NotFound)));
    app::sweep::purge(&test.app).await.unwrap();
    assert_eq!(test.count("invitation", "1 = 1"), 0);

    let made = expect(invite().await, 201);
    expect(owner.delete(&format!("/v1/orgs/{}", org.slug)).await, 204);
    for made in [made, last] {
        let gone = accept(&test, &bob, &link_of(&made)).await;
        assert!(matches!(gone, Err(app::Error::NotFound)));
    }
}

#[actix_web::test]
async fn invitation_for_an_address_is_only_for_that_user() {
    let test = TestApp::start().await;
    let (ada, bob, eve) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
        test.caller("eve@x.example").await,
    );
    let org = test.organization(&ada, "Addressed").await;
    let owner = Client::of(&test, &ada).await;
    let path = format!("/v1/orgs/{}/invitations", org.slug);
    let body = json!({"role": "member", "email": "Bob@X.example"});
    let made = expect(owner.post(&path, body).await, 201);
    let link = link_of(&made);
    let wrong = accept(&test, &eve, &link).await;
    assert!(matches!(wrong, Err(app::Error::Invalid(_))), "{wrong:?}");
    accept(&test, &bob, &link).await.unwrap();

    let second = expect(owner.post(&path, json!({"role": "member"})).await, 201);
    let member = accept(&test, &bob, &link_of(&second)).await;
    assert!(matches!(member, Err(app::Error::Conflict(_))), "{member:?}");
    // A rejected attempt does not use up the invitation.
    accept(&test, &eve, &link_of(&second)).await.unwrap();
    for bad in [
        json!({"role": "member", "email": "x"}),
        json!({"role": "boss"}),
        json!({}),
    ] {
        refused(owner.post(&path, bad).await, 422, "invalid");
    }
}

#[actix_web::test]
async fn members_cannot_invite_and_admins_cannot_invite_owners() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Guarded").await;
    test.add_member(&org, &bob, Role::Member).await;
    let client = Client::of(&test, &bob).await;
    let path = format!("/v1/orgs/{}/invitations", org.slug);
    let invite = |role: &str| json!({"role": role});
    refused(client.post(&path, invite("member")).await, 403, "forbidden");
    refused(client.get(&path).await, 403, "forbidden");
    test.add_member(&org, &bob, Role::Admin).await;
    expect(client.post(&path, invite("admin")).await, 201);
    refused(client.post(&path, invite("owner")).await, 403, "forbidden");
    let operator = Client::new(&test, OPERATOR);
    expect(operator.post(&path, invite("owner")).await, 201);
    // A user's open invitations end when the user leaves.
    assert_eq!(open(&operator, &path).await, 2);
    let of_bob = format!("/v1/orgs/{}/members/{}", org.slug, user_of(&bob));
    expect(operator.delete(&of_bob).await, 204);
    assert_eq!(open(&operator, &path).await, 1);
    assert_eq!(test.events("invitation.withdrawn"), 1);
}

/// Number of invitations that are still valid.
async fn open(client: &Client<'_>, path: &str) -> usize {
    let listed = expect(client.get(path).await, 200);
    listed["items"].as_array().unwrap().len()
}

/// The audit log records invitations that end with their creator or their organization.
#[actix_web::test]
async fn end_of_invitations_is_recorded() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let operator = Client::new(&test, OPERATOR);
    let (one, two) = (
        test.organization(&ada, "One").await,
        test.organization(&ada, "Two").await,
    );
    let owner = Client::of(&test, &ada).await;
    for org in [&one, &two] {
        test.add_member(org, &bob, Role::Admin).await;
    }
    let admin = Client::of(&test, &bob).await;
    for (client, org) in [
        (&admin, &one),
        (&admin, &two),
        (&owner, &one),
        (&owner, &one),
    ] {
        let path = format!("/v1/orgs/{}/invitations", org.slug);
        expect(client.post(&path, json!({"role": "member"})).await, 201);
    }
    test.deactivate("bob@x.example").await;
    assert_eq!(test.events("invitation.withdrawn"), 2);
    let at = |org: &Organization| format!("/v1/orgs/{}/invitations", org.slug);
    assert_eq!(open(&operator, &at(&one)).await, 2);
    assert_eq!(open(&operator, &at(&two)).await, 0);
    for org in [&one, &two] {
        expect(owner.delete(&format!("/v1/orgs/{}", org.slug)).await, 204);
    }
    // One record covers both open invitations; the other organization had none.
    assert_eq!(test.events("invitation.withdrawn"), 3);
    let record = format!(
        "SELECT detail FROM {AUDIT} WHERE action = 'invitation.withdrawn' AND target = '{}'",
        one.id
    );
    let detail: Value = serde_json::from_str(&test.database.text(&record)).unwrap();
    assert_eq!(detail["count"], 2);
    assert_eq!(detail["invitations"].as_array().unwrap().len(), 2);
}

/// PAG-01.
#[actix_web::test]
async fn invitations_are_listed_in_pages_newest_first() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Paged").await;
    let owner = Client::of(&test, &ada).await;
    let path = format!("/v1/orgs/{}/invitations", org.slug);
    let mut made = Vec::new();
    for _ in 0..5 {
        let new = expect(owner.post(&path, json!({"role": "member"})).await, 201);
        made.insert(0, new["id"].clone());
        test.clock.advance(1);
    }
    assert_eq!(owner.all(&format!("{path}?limit=2")).await, made);
    refused(
        owner.get(&format!("{path}?limit=0")).await,
        400,
        "invalid_request",
    );
    refused(
        owner.get(&format!("{path}?page=2")).await,
        400,
        "invalid_request",
    );
    let foreign = owner.get(&format!("{path}?cursor=x")).await;
    refused(foreign, 400, "invalid_cursor");
}
