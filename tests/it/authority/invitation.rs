//! Invitations to organizations: only those with an address, or to an organization of the
//! operator, create users.

use super::{World, browser, post, settings, token};
use crate::email::{link_of, try_join};
use crate::support::browser::Browser;
use crate::support::tenant::input;
use crate::support::{EMAIL, PASSWORD};
use doorcode::app::org;
use doorcode::app::token::CreateToken;
use doorcode::domain::id::UserId;
use doorcode::domain::role::Role;
use serde_json::json;

/// Invites by the page; returns the path of the link and the page.
async fn invite(owner: &mut Browser, slug: &str, email: &str) -> (String, String) {
    owner.get(&format!("/o/{slug}/members")).await;
    let fields = [("role", "member"), ("email", email)];
    let page = owner.post(&format!("/o/{slug}/invitations"), &fields).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let (_, rest) = page.body.split_once("/invite?link=").unwrap();
    (format!("/invite?link={}", &rest[..64]), page.body)
}

#[actix_web::test]
async fn invitation_without_address_to_an_own_organization_creates_no_user() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    let eve = "eve@example.com";
    test.add_user(eve, PASSWORD, None).await;
    test.organization_by(bob, "Mine").await;
    let mut owner = world.browser().await;
    let (invitation, page) = invite(&mut owner, "mine", "").await;
    assert!(page.contains("Only people who have an account can use it."));
    assert!(page.contains("create an invitation with their email"));

    let shown = test.browser().get(&invitation).await;
    assert_eq!(shown.status, 200);
    assert!(shown.contains("If you have none, ask for an invitation with your email address."));
    assert!(!shown.contains("/invite/account"));
    let (_, refused) = try_join(test, &invitation, "charles@example.com").await;
    assert_eq!(refused.status, 422);
    assert!(refused.contains("This invitation is for existing users."));
    assert_eq!(test.count("users", "email = 'charles@example.com'"), 0);
    assert_eq!(test.events("invitation.accepted"), 0);

    // A user that exists can use it.
    let mut guest = browser(test, eve).await;
    assert!(
        guest
            .get(&invitation)
            .await
            .contains(">Accept invitation</button>")
    );
    let joined = guest
        .post("/invite", &[("link", link_of(&invitation))])
        .await;
    assert_eq!(joined.location(), "/o/mine?done=joined");
}

#[actix_web::test]
async fn invitation_with_address_creates_the_user_of_that_address() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    test.organization_by(bob, "Mine").await;
    let mut owner = world.browser().await;
    let (invitation, page) = invite(&mut owner, "mine", "charles@example.com").await;
    assert!(page.contains("Only an account with this email can use it."));
    let (_, refused) = try_join(test, &invitation, "mallory@example.com").await;
    assert_eq!(refused.status, 422);
    let (_, joined) = try_join(test, &invitation, "charles@example.com").await;
    assert_eq!(joined.location(), "/o/mine?done=joined");
    assert_eq!(test.count("users", "email = 'mallory@example.com'"), 0);
    let unproven = "email = 'charles@example.com' AND email_verified_at IS NULL";
    assert_eq!(test.count("users", unproven), 1);
}

#[actix_web::test]
async fn invitation_to_an_organization_of_the_operator_creates_a_user() {
    let world = World::start().await;
    let test = &world.test;
    let mut owner = browser(test, EMAIL).await;
    let (invitation, page) = invite(&mut owner, "acme", "").await;
    assert!(page.contains("Anyone with the link can join, with their account or a new one."));
    let (_, joined) = try_join(test, &invitation, "charles@example.com").await;
    assert_eq!(joined.location(), "/o/acme?done=joined");
    assert_eq!(test.count("users", "email = 'charles@example.com'"), 1);
}

/// Otherwise one member could create users without limit: each of them with an organization, whose
/// invitations have a limit of their own.
#[actix_web::test]
async fn user_of_own_organizations_alone_creates_no_users() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    test.organization_by(bob, "Mine").await;
    let mut owner = world.browser().await;
    let (invitation, _) = invite(&mut owner, "mine", "charles@example.com").await;
    let (mut charles, joined) = try_join(test, &invitation, "charles@example.com").await;
    assert_eq!(joined.location(), "/o/mine?done=joined");
    charles.get("/account").await;
    let made = charles.post("/o/new", &[("name", "Next")]).await;
    assert_eq!(made.location(), "/o/next?done=created");
    let user = test
        .database
        .text("SELECT id FROM users WHERE email = 'charles@example.com'");
    let user = UserId::parse(&user).unwrap();
    let caller = test.signed_in(&user).await;
    let next = org::find(&test.req(&caller), "next").await.unwrap();
    let own = CreateToken {
        organization: Some("next".to_owned()),
        ..input(&["orgs:write", "tokens:write"])
    };
    let own = token(test, &caller, own).await;
    let machine = json!({"name": "CI", "scopes": ["orgs:write"]});
    let machine = post(test, "/v1/orgs/next/tokens", &own, machine).await;
    let machine = machine.body["token"].as_str().unwrap();

    let (link, page) = invite(&mut charles, "next", "dan@example.com").await;
    assert!(page.contains("Only an existing account with this email can use it."));
    let (_, refused) = try_join(test, &link, "dan@example.com").await;
    assert_eq!(refused.status, 422);
    assert!(refused.contains("This invitation is for existing users."));
    for token in [own.as_str(), machine] {
        let body = json!({"role": "member", "email": "dan@example.com"});
        let made = post(test, "/v1/orgs/next/invitations", token, body).await;
        assert_eq!(
            (made.status, &made.body["may_create_user"]),
            (201, &json!(false))
        );
    }
    assert_eq!(test.count("users", "email = 'dan@example.com'"), 0);

    // Whom an organization of the operator lets in may invite to the own one.
    let eve = "eve@example.com";
    test.add_user(eve, PASSWORD, None).await;
    let mut eve = browser(test, eve).await;
    eve.get(&link).await;
    let joined = eve.post("/invite", &[("link", link_of(&link))]).await;
    assert_eq!(joined.status, 422, "it is for another address");
    test.add_member(&world.acme, &caller, Role::Member).await;
    let (_, joined) = try_join(test, &link, "dan@example.com").await;
    assert_eq!(joined.location(), "/o/next?done=joined");
    assert_eq!(next.role, Some(Role::Owner));
}

/// The tokens of all organizations of a user count together, and with the user.
#[actix_web::test]
async fn own_organizations_do_not_multiply_the_limit() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    let few = settings("").replace("[organizations]", "[organizations]\nnew_users_per_day = 1");
    let server = test.second_server(&few).await;
    let own = token(test, bob, input(&["orgs:write", "tokens:write"])).await;
    let mut joined = Vec::new();
    for (number, name) in ["One", "Two", "Three"].into_iter().enumerate() {
        let slug = test.organization_by(bob, name).await.slug;
        let machine = json!({"name": "CI", "scopes": ["orgs:write"]});
        let machine = post(test, &format!("/v1/orgs/{slug}/tokens"), &own, machine).await;
        let by = match number {
            2 => own.as_str(),
            _ => machine.body["token"].as_str().unwrap(),
        };
        let email = format!("user{number}@example.com");
        let body = json!({"role": "member", "email": email});
        let made = post(test, &format!("/v1/orgs/{slug}/invitations"), by, body).await;
        let (_, link) = made.body["url"]
            .as_str()
            .unwrap()
            .split_once("/invite")
            .unwrap();
        let (_, page) = try_join(&server, &format!("/invite{link}"), &email).await;
        joined.push(page.status);
    }
    assert_eq!(joined, [303, 422, 422]);
    assert_eq!(test.count("users", "email LIKE 'user%@example.com'"), 1);
}
