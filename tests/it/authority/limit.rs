//! Tokens that are limited to an organization, and tokens of organizations.

use super::{
    CLOSE, DEPLOY, PURCHASE, SCOPES, World, assert_unnamed, limited_to, scopes_at, settings, token,
    verify,
};
use crate::support::tenant::{input, text_of};
use doorcode::domain::role::Role;

/// What a token that is limited to Acme, or owned by it, may do where none is named, by the home
/// organization.
fn with_homes() -> [(&'static str, Result<&'static [&'static str], u16>); 4] {
    const ADMIN: &[&str] = &[DEPLOY, PURCHASE];
    [
        ("", Ok(ADMIN)),
        ("acme", Ok(ADMIN)),
        ("second", Err(403)),
        ("nowhere", Err(403)),
    ]
}

/// A limited token acts in its organization where none is named, if the operator created it.
#[actix_web::test]
async fn limited_token_acts_in_its_organization() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    let mine = test.organization_by(bob, "Mine").await;
    test.add_member(acme, bob, Role::Owner).await;
    let in_acme = token(test, bob, limited_to("acme")).await;
    let in_mine = token(test, bob, limited_to(mine.id.as_str())).await;
    test.add_member(acme, bob, Role::Admin).await;

    assert_unnamed(test, &in_acme, Ok(&[DEPLOY, PURCHASE])).await;
    assert_unnamed(test, &in_mine, Err(403)).await;
    // Also beside others of the operator. With a home, it acts only there.
    test.organization(bob, "Second").await;
    for (home, scopes) in with_homes() {
        let server = test.second_server(&settings(home)).await;
        assert_unnamed(&server, &in_acme, scopes).await;
        assert_unnamed(&server, &in_mine, Err(403)).await;
    }
    assert_eq!(scopes_at(test, &in_acme, Some("mine")).await, None);
    assert_eq!(scopes_at(test, &in_mine, Some("acme")).await, None);
    let scopes = scopes_at(test, &in_mine, Some("mine")).await;
    assert_eq!(
        scopes.as_deref(),
        Some("app:deploy billing:close domain:purchase")
    );
}

/// It acts in the organization of its projects, and names none as a whole.
#[actix_web::test]
async fn token_limited_to_projects_acts_in_their_organization() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    let mine = test.organization_by(bob, "Mine").await;
    test.add_member(acme, bob, Role::Owner).await;
    for (organization, scopes) in [(acme, Ok(&SCOPES[..])), (&mine, Err(403))] {
        let project = test.project(organization, "Red").await;
        let mut limits = input(&SCOPES);
        limits.projects = vec![project.id.to_string()];
        let limited = token(test, bob, limits).await;
        assert_unnamed(test, &limited, scopes).await;
        let query = format!("project={}&scope={CLOSE}", project.id);
        assert_eq!(verify(test, &query, &limited).await, 204);
        for slug in ["acme", "mine"] {
            assert_eq!(scopes_at(test, &limited, Some(slug)).await, None);
        }
    }
}

/// An organization's own token acts as its admin.
#[actix_web::test]
async fn organization_token_acts_in_its_organization() {
    let world = World::start().await;
    let World { test, acme, bob } = &world;
    let mine = test.organization_by(bob, "Mine").await;
    let scopes = [DEPLOY, PURCHASE];
    let of_acme = test.organization_token(acme, input(&scopes)).await;
    let of_mine = test.organization_token(&mine, input(&scopes)).await;
    let (of_acme, of_mine) = (text_of(&of_acme), text_of(&of_mine));
    test.organization(bob, "Second").await;
    for (home, scopes) in with_homes() {
        let server = test.second_server(&settings(home)).await;
        assert_unnamed(&server, of_acme, scopes).await;
        assert_unnamed(&server, of_mine, Err(403)).await;
    }
    for (token, own, other) in [(of_acme, "acme", "mine"), (of_mine, "mine", "acme")] {
        let scopes = scopes_at(test, token, Some(own)).await;
        assert_eq!(scopes.as_deref(), Some("app:deploy domain:purchase"));
        assert_eq!(scopes_at(test, token, Some(other)).await, None);
    }
}
