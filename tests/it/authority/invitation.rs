//! Invitations to organizations: only those with an address, or to an organization of the
//! operator, create users.

use super::{World, browser};
use crate::email::{link_of, try_join};
use crate::support::browser::Browser;
use crate::support::{EMAIL, PASSWORD};

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
