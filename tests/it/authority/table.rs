//! Every class of decisions: which scopes a token has, by the home organization, its limit or
//! owner, and the organization that the request names.

use super::{
    CLOSE, DEPLOY, PURCHASE, SCOPES, World, limited_to, route, scopes_at, settings, token, user,
    verify,
};
use crate::support::TestApp;
use crate::support::tenant::{input, text_of};
use doorcode::domain::role::Role;

/// Inactive, or without access.
const NO: Option<&str> = None;
/// Active, without a role.
const NONE: Option<&str> = Some("app:deploy");
/// With the role of an admin.
const ADMIN: Option<&str> = Some("app:deploy domain:purchase");
/// With the role of an owner.
const OWNER: Option<&str> = Some("app:deploy billing:close domain:purchase");

/// The number of tokens.
const TOKENS: usize = 8;

/// The tokens by the names of their classes.
type Tokens = [(&'static str, String); TOKENS];

/// Tokens with every scope that their owners may have: Bob is an admin of Acme, an owner of
/// Second, if it exists, and of Mine, which he created.
async fn tokens(world: &World, has_second: bool) -> Tokens {
    let World { test, acme, bob } = world;
    let mine = test.organization_by(bob, "Mine").await;
    test.add_member(acme, bob, Role::Owner).await;
    let free = token(test, bob, input(&SCOPES)).await;
    let in_acme = token(test, bob, limited_to("acme")).await;
    let in_second = match has_second {
        true => {
            test.organization(bob, "Second").await;
            token(test, bob, limited_to("second")).await
        }
        false => in_acme.clone(),
    };
    let in_mine = token(test, bob, limited_to("mine")).await;
    let of_organization = [DEPLOY, PURCHASE];
    let of_acme = test.organization_token(acme, input(&of_organization)).await;
    let of_mine = test
        .organization_token(&mine, input(&of_organization))
        .await;
    test.add_member(acme, bob, Role::Admin).await;

    // The token of an outsider that has outlived the membership.
    let eve = user(test, "eve@example.com", Some("Acme")).await;
    test.add_member(acme, &eve, Role::Owner).await;
    let outside = token(test, &eve, input(&SCOPES)).await;
    test.add_member(&mine, &eve, Role::Owner).await;
    let id = eve.user_id().unwrap();
    test.database.execute(&format!(
        "DELETE FROM membership WHERE organization_id = '{}' AND user_id = '{id}'",
        acme.id
    ));
    let dan = user(test, "dan@example.com", None).await;
    let without = token(test, &dan, input(&[DEPLOY])).await;
    [
        ("without limits", free),
        ("limited to Acme", in_acme),
        ("limited to Second", in_second),
        ("limited to Mine", in_mine),
        ("of Acme", text_of(&of_acme).to_owned()),
        ("of Mine", text_of(&of_mine).to_owned()),
        ("of a user of Mine alone", outside),
        ("of a user without organization", without),
    ]
}

/// Asserts the scopes of each token for an organization or for none, by introspection and by the
/// verify endpoint.
async fn assert_row(
    server: &TestApp,
    tokens: &Tokens,
    organization: Option<&str>,
    row: [Option<&str>; TOKENS],
) {
    for ((class, token), expected) in tokens.iter().zip(row) {
        let about = format!(
            "{class}, home {:?}, named {organization:?}",
            server.app.config().organizations.home
        );
        let scopes = scopes_at(server, token, organization).await;
        assert_eq!(scopes.as_deref(), expected, "{about}");
        for scope in [None, Some(DEPLOY), Some(PURCHASE), Some(CLOSE)] {
            let is_allowed = expected.is_some_and(|expected| {
                scope.is_none_or(|scope| expected.split(' ').any(|one| one == scope))
            });
            let status = if is_allowed { 204 } else { 403 };
            let decided = match (scope, organization) {
                // A query is never empty.
                (None, None) => route(server, "GET /v1/regions", token).await,
                (scope, organization) => {
                    let scope = scope.map(|scope| format!("scope={scope}"));
                    let named = organization.map(|named| format!("organization={named}"));
                    let query: Vec<_> = scope.into_iter().chain(named).collect();
                    verify(server, &query.join("&"), token).await
                }
            };
            assert_eq!(decided, status, "{about}, scope {scope:?}");
        }
    }
}

const ONLY_ACME: [Option<&str>; TOKENS] = [ADMIN, ADMIN, ADMIN, NO, ADMIN, NO, NO, NONE];

#[actix_web::test]
async fn only_organization_of_the_operator_counts() {
    let world = World::start().await;
    let tokens = tokens(&world, false).await;
    assert_row(&world.test, &tokens, None, ONLY_ACME).await;
}

#[actix_web::test]
async fn decisions_follow_home_limit_and_name() {
    let world = World::start().await;
    let tokens = tokens(&world, true).await;
    let mine = world
        .test
        .database
        .text("SELECT id FROM organization WHERE slug = 'mine'");
    // Without limits; limited to Acme, Second, Mine; of Acme, of Mine; outside; without.
    let in_acme = [ADMIN, ADMIN, NO, NO, ADMIN, NO, NO, NO];
    let in_second = [OWNER, NO, OWNER, NO, NO, NO, NO, NO];
    let in_mine = [OWNER, NO, NO, OWNER, NO, ADMIN, OWNER, NO];
    let unnamed = [
        ("", [NONE, ADMIN, OWNER, NO, ADMIN, NO, NO, NONE]),
        // The home answers as if the request named it.
        ("acme", in_acme),
        ("second", in_second),
        ("nowhere", [NO; TOKENS]),
        // A user chose the slug, so only the id means it.
        ("mine", [NO; TOKENS]),
        (mine.as_str(), in_mine),
    ];
    let named = [
        ("acme", in_acme),
        ("second", in_second),
        ("mine", in_mine),
        ("nowhere", [NO; TOKENS]),
    ];
    for (home, row) in unnamed {
        let server = world.test.second_server(&settings(home)).await;
        assert_row(&server, &tokens, None, row).await;
        for (organization, row) in named {
            assert_row(&server, &tokens, Some(organization), row).await;
        }
    }
}
