//! Leaving an organization, and what ends as a result.

use super::{Client, EVERYTHING, expect, refused};
use crate::support::TestApp;
use crate::support::tenant::{OPERATOR, input, text_of, user_of};
use doorcode::app::token::CreateToken;
use doorcode::domain::role::Role;

fn limited_to(slug: &str) -> CreateToken {
    CreateToken {
        organization: Some(slug.to_owned()),
        ..input(&EVERYTHING)
    }
}

#[actix_web::test]
async fn leaving_ends_the_tokens_that_are_limited_to_the_organization() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Left").await;
    test.organization(&bob, "Kept").await;
    test.add_member(&org, &bob, Role::Member).await;
    let project = test.project(&org, "red").await;
    test.add_to(&project, &bob).await;
    let limited = Client::with(&test, &bob, limited_to(&org.slug)).await;
    let free = Client::of(&test, &bob).await;
    let owner = Client::of(&test, &ada).await;
    let machine = test.organization_token(&org, input(&["orgs:read"])).await;
    let machine = Client::new(&test, text_of(&machine));

    let at = format!("/v1/orgs/{}", org.slug);
    expect(free.get(&at).await, 200);
    let member = format!("{at}/members/{}", user_of(&bob));
    expect(owner.delete(&member).await, 204);
    assert!(!limited.is_active().await);
    refused(free.get(&at).await, 403, "forbidden");
    let at_project = format!("/v1/projects/{}", project.id);
    refused(free.get(&at_project).await, 403, "forbidden");
    expect(machine.get(&at).await, 200);
    refused(owner.delete(&member).await, 404, "not_found");

    // Joining again restores neither the token nor the project.
    test.add_member(&org, &bob, Role::Member).await;
    assert!(!limited.is_active().await);
    refused(free.get(&at_project).await, 403, "forbidden");
    assert_eq!(test.events("member.removed"), 1);
}

#[actix_web::test]
async fn leaving_the_last_organization_ends_all_personal_tokens() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Last").await;
    test.add_member(&org, &bob, Role::Admin).await;
    let his = Client::of(&test, &bob).await;
    let made_by_him = test.organization_token(&org, input(&["orgs:read"])).await;
    let me = format!("/v1/orgs/{}/members/{}", org.slug, user_of(&bob));
    expect(his.delete(&me).await, 204);
    assert!(!his.is_active().await, "everybody can leave");
    assert!(Client::new(&test, text_of(&made_by_him)).is_active().await);
    let condition = "revoked_reason = 'left_organization'";
    assert_eq!(test.count("token", condition), 1);
}

#[actix_web::test]
async fn approved_code_gives_no_token_to_a_user_who_left_every_organization() {
    let test = TestApp::start().await;
    let bob = test.caller("bob@x.example").await;
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Gone").await;
    test.add_member(&org, &bob, Role::Member).await;
    let mut browser = test.browser();
    browser
        .sign_in("bob@x.example", crate::support::PASSWORD)
        .await;
    let device = test.device("tokens:read").await;
    browser.approve(&device.user_code, &["tokens:read"]).await;
    test.unseat(&org, &bob).await;
    let answer = test.poll(&device).await;
    assert_eq!(answer.error(), "access_denied", "{answer:?}");
}

#[actix_web::test]
async fn deleting_an_organization_ends_its_tokens() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Doomed").await;
    test.organization(&ada, "Other").await;
    test.add_member(&org, &bob, Role::Admin).await;
    test.project(&org, "red").await;
    let machine = test.organization_token(&org, input(&[])).await;
    let limited = Client::with(&test, &ada, limited_to(&org.slug)).await;
    let (owner, admin) = (Client::of(&test, &ada).await, Client::of(&test, &bob).await);
    let at = format!("/v1/orgs/{}", org.slug);
    refused(admin.delete(&at).await, 403, "forbidden");
    expect(owner.delete(&at).await, 204);
    assert!(!Client::new(&test, text_of(&machine)).is_active().await);
    assert!(!limited.is_active().await);
    assert!(!admin.is_active().await, "it was in no other organization");
    assert!(owner.is_active().await);
    refused(owner.get(&at).await, 403, "forbidden");
    refused(owner.delete(&at).await, 403, "forbidden");
    // An API may keep data by slug: another tenant must not get it.
    let again = doorcode::app::org::add(&test.req(&OPERATOR), "Doomed").await;
    assert!(
        matches!(again, Err(doorcode::app::Error::Invalid(_))),
        "{again:?}"
    );
}
