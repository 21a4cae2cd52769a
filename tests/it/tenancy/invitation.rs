//! Invitations by a one-time link.

use super::{Client, expect, refused};
use crate::support::tenant::account_of;
use crate::support::{OPERATOR, TestApp};
use doorcode::app::caller::Caller;
use doorcode::app::{self, Context, org};
use doorcode::domain::org::{Organization, Role};
use doorcode::domain::secret::Secret;
use serde_json::{Value, json};

/// The secret of an invitation's link.
fn link_of(invitation: &Value) -> Secret {
    let url = invitation["url"].as_str().unwrap();
    let (_, link) = url.split_once("/invite?link=").unwrap();
    Secret::new(link)
}

async fn accept(
    test: &TestApp,
    person: &Caller,
    link: &Secret,
) -> Result<Organization, app::Error> {
    let Caller::Person(person) = person else {
        panic!("only people accept");
    };
    org::accept(&test.app, &Context::local(), person, link).await
}

#[actix_web::test]
async fn a_link_lets_one_person_in_once() {
    let test = TestApp::start().await;
    let (ada, bob, eve) = (
        test.person("ada@x.example").await,
        test.person("bob@x.example").await,
        test.person("eve@x.example").await,
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
    let again = accept(&test, &eve, &link).await;
    assert!(matches!(again, Err(app::Error::NotFound)), "{again:?}");
    assert_eq!(test.events("invitation.accepted"), 1);
}

#[actix_web::test]
async fn a_link_ends_by_time_by_withdrawal_and_with_the_organization() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.person("ada@x.example").await,
        test.person("bob@x.example").await,
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
async fn an_invitation_for_an_address_is_for_that_account() {
    let test = TestApp::start().await;
    let (ada, bob, eve) = (
        test.person("ada@x.example").await,
        test.person("bob@x.example").await,
        test.person("eve@x.example").await,
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

    let again = expect(owner.post(&path, json!({"role": "member"})).await, 201);
    let member = accept(&test, &bob, &link_of(&again)).await;
    assert!(matches!(member, Err(app::Error::Conflict(_))), "{member:?}");
    // What was refused used nothing up.
    accept(&test, &eve, &link_of(&again)).await.unwrap();
    for bad in [
        json!({"role": "member", "email": "x"}),
        json!({"role": "boss"}),
        json!({}),
    ] {
        refused(owner.post(&path, bad).await, 422, "invalid");
    }
}

#[actix_web::test]
async fn members_invite_nobody_and_admins_no_owners() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.person("ada@x.example").await,
        test.person("bob@x.example").await,
    );
    let org = test.organization(&ada, "Guarded").await;
    test.seat(&org, &bob, Role::Member).await;
    let client = Client::of(&test, &bob).await;
    let path = format!("/v1/orgs/{}/invitations", org.slug);
    let invite = |role: &str| json!({"role": role});
    refused(client.post(&path, invite("member")).await, 403, "forbidden");
    refused(client.get(&path).await, 403, "forbidden");
    test.seat(&org, &bob, Role::Admin).await;
    expect(client.post(&path, invite("admin")).await, 201);
    refused(client.post(&path, invite("owner")).await, 403, "forbidden");
    let operator = Client::new(&test, OPERATOR);
    expect(operator.post(&path, invite("owner")).await, 201);
    // Whoever leaves takes the open invitations along.
    let open = |count| assert_eq!(test.count("invitation", "1 = 1"), count);
    open(2);
    let path = format!("/v1/orgs/{}/members/{}", org.slug, account_of(&bob));
    expect(operator.delete(&path).await, 204);
    open(1);
}
