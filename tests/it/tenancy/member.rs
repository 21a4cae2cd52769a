//! Members and their roles.

use super::{Client, expect, refused};
use crate::support::tenant::user_of;
use crate::support::{OPERATOR, PASSWORD, TestApp};
use doorcode::app::org;
use doorcode::domain::role::Role;
use serde_json::json;

#[actix_web::test]
async fn admins_change_members_and_owners_change_owners() {
    let test = TestApp::start().await;
    let (ada, bob, eve) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
        test.caller("eve@x.example").await,
    );
    let org = test.organization(&ada, "Ranks").await;
    test.add_member(&org, &bob, Role::Admin).await;
    test.add_member(&org, &eve, Role::Member).await;
    let (owner, admin, member) = (
        Client::of(&test, &ada).await,
        Client::of(&test, &bob).await,
        Client::of(&test, &eve).await,
    );
    let of = |caller| format!("/v1/orgs/{}/members/{}", org.slug, user_of(caller));
    let role = |role: &str| json!({"role": role});

    refused(member.put(&of(&eve), role("admin")).await, 403, "forbidden");
    refused(member.delete(&of(&bob)).await, 403, "forbidden");
    let changed = expect(admin.put(&of(&eve), role("admin")).await, 200);
    assert_eq!(changed["role"], "admin");
    expect(admin.put(&of(&eve), role("member")).await, 200);
    refused(admin.put(&of(&eve), role("owner")).await, 403, "forbidden");
    refused(admin.put(&of(&ada), role("member")).await, 403, "forbidden");
    refused(admin.delete(&of(&ada)).await, 403, "forbidden");
    // A leaked token must not make lasting owners.
    refused(owner.put(&of(&bob), role("owner")).await, 403, "forbidden");
    let id = user_of(&bob);
    let made = org::put_member(&test.req(&ada), &org.slug, &id, Role::Owner).await;
    assert_eq!(made.unwrap().role, Role::Owner);
    expect(admin.put(&of(&ada), role("member")).await, 200);
    let listed = expect(
        member.get(&format!("/v1/orgs/{}/members", org.slug)).await,
        200,
    );
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
    refused(owner.put(&of(&bob), role("king")).await, 422, "invalid");
    refused(owner.put(&of(&bob), json!({})).await, 422, "invalid");
}

#[actix_web::test]
async fn last_owner_cannot_be_removed_or_demoted() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Owned").await;
    test.add_member(&org, &bob, Role::Admin).await;
    let owner = Client::of(&test, &ada).await;
    let operator = Client::new(&test, OPERATOR);
    let of = format!("/v1/orgs/{}/members/{}", org.slug, user_of(&ada));
    for client in [&owner, &operator] {
        let demotion = client.put(&of, json!({"role": "admin"})).await;
        refused(demotion, 409, "conflict");
        refused(client.delete(&of).await, 409, "conflict");
    }
    assert!(owner.is_active().await);
    test.add_member(&org, &bob, Role::Owner).await;
    expect(owner.delete(&of).await, 204);
}

/// Two owners demote each other at the same moment: one owner remains.
#[actix_web::test]
async fn two_owners_cannot_demote_each_other() {
    let test = TestApp::start().await;
    for round in 0..20 {
        let ada = test.caller(&format!("ada{round}@x.example")).await;
        let bob = test.caller(&format!("bob{round}@x.example")).await;
        let org = test.organization(&ada, &format!("Duel {round}")).await;
        test.add_member(&org, &bob, Role::Owner).await;
        let (hers, his) = (Client::of(&test, &ada).await, Client::of(&test, &bob).await);
        let of = |caller| format!("/v1/orgs/{}/members/{}", org.slug, user_of(caller));
        let (at_bob, at_ada) = (of(&bob), of(&ada));
        let member = || json!({"role": "member"});
        let (a, b) = tokio::join!(hers.put(&at_bob, member()), his.put(&at_ada, member()));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses[0], 200, "{a:?} {b:?}");
        assert!([403, 409].contains(&statuses[1]), "{a:?} {b:?}");
        let condition = format!("organization_id = '{}' AND role = 'owner'", org.id);
        assert_eq!(test.count("membership", &condition), 1);
    }
}

/// A caller who guesses an id does not learn whether that user exists.
#[actix_web::test]
async fn only_the_operator_adds_members_without_an_invitation() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Closed").await;
    let owner = Client::of(&test, &ada).await;
    let of = |id: &str| format!("/v1/orgs/{}/members/{id}", org.slug);
    let role = json!({"role": "member"});
    let there = owner.put(&of(user_of(&bob).as_str()), role.clone()).await;
    let nobody = owner
        .put(&of("usr_00000000000000000000000000000000"), role.clone())
        .await;
    let (there, nobody) = (
        refused(there, 404, "not_found"),
        refused(nobody, 404, "not_found"),
    );
    assert_eq!(there["detail"], nobody["detail"]);
    let operator = Client::new(&test, OPERATOR);
    let added = operator
        .put(&of(user_of(&bob).as_str()), role.clone())
        .await;
    expect(added, 200);
    let absent = operator
        .put(&of("usr_00000000000000000000000000000000"), role)
        .await;
    refused(absent, 404, "not_found");
}

/// A scope that requires a role but names no resource accepts an owner of any organization; so
/// the operator can prevent users from creating organizations.
#[actix_web::test]
async fn organization_creation_can_be_limited_to_the_operator() {
    let test = TestApp::with("[organizations]\nmade_by = \"operator\"").await;
    let ada = test.caller("ada@x.example").await;
    let body = json!({"name": "Mine"});
    let client = Client::of(&test, &ada).await;
    let answer = client.post("/v1/orgs", body.clone()).await;
    refused(answer, 403, "operator_required");
    let acting = test
        .anon()
        .post(test.at("/v1/orgs"))
        .bearer_auth(OPERATOR)
        .header("x-actor-user-id", user_of(&ada).as_str())
        .header("idempotency-key", "k")
        .json(&body);
    assert_eq!(acting.send().await.unwrap().status(), 201);
    let mine = expect(client.get("/v1/orgs").await, 200);
    assert_eq!(mine["items"][0]["role"], "owner", "{mine}");
}

/// Joining by the organization's name joins an existing one or creates it.
#[actix_web::test]
async fn user_cannot_join_an_organization_that_is_being_deleted() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let owner = Client::new(&test, OPERATOR);
    for round in 0..10 {
        let name = format!("Fleeting {round}");
        let org = test.organization(&ada, &name).await;
        let (path, email) = (
            format!("/v1/orgs/{}", org.id),
            format!("new{round}@x.example"),
        );
        let joining = test.try_add_user(&email, PASSWORD, Some((&name, Role::Member)));
        let (deleted, joined) = tokio::join!(owner.delete(&path), joining);
        expect(deleted, 204);
        let is_right = matches!(joined, Ok(_) | Err(doorcode::app::Error::Conflict(_)));
        assert!(is_right, "{joined:?}");
        let of_deleted = "organization_id IN \
                          (SELECT id FROM organization WHERE deleted_at IS NOT NULL)";
        assert_eq!(test.count("membership", of_deleted), 0, "{round}");
    }
}
