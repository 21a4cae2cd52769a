//! The resources that a token reaches: its owner's current access to the project or organization.

use super::{Api, assert_dead, assert_forbidden, assert_lacks, assert_yes};
use crate::support::tenant::{OPERATOR, input, text_of};
use doorcode::app::org::{self, UpdateOrganization, UpdatePolicy};
use doorcode::app::token::CreateToken;
use doorcode::domain::policy::{Longest, PersonalTokens, Plan, Policy};
use doorcode::domain::role::Role;

const NOBODYS_PROJECT: &str = "prj_0198e4a0c0de7f00a1b2c3d4e5f60718";
const NOBODYS_ORGANIZATION: &str = "org_0198e4a0c0de7f00a1b2c3d4e5f60718";

fn project(id: &impl ToString) -> String {
    format!("/v1/projects/{}", id.to_string())
}

fn usage(id: &impl ToString) -> String {
    format!("/v1/organizations/{}/usage", id.to_string())
}

/// AUZ-01: a resource of others gets the same response as one that does not exist.
#[actix_web::test]
async fn foreign_resource_looks_like_one_that_does_not_exist() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read"]).await;
    let bare = api.token(&api.ada, &[]).await;
    let mut bodies = Vec::new();
    for path in [
        project(&api.blog.id),
        project(&NOBODYS_PROJECT),
        project(&"prj_1"),
        project(&api.acme.id),
        project(&"x%20y"),
        usage(&api.elsewhere.id),
        usage(&"elsewhere"),
        usage(&NOBODYS_ORGANIZATION),
        usage(&api.website.id),
    ] {
        let answer = api.route(("GET", &path), &token).await;
        assert_forbidden(&answer, &path);
        bodies.push(answer.body);
        assert_lacks(&api.route(("GET", &path), &bare).await, "app:read", &path);
        assert_yes(
            &api.route(("GET", &path), crate::support::OPERATOR).await,
            &path,
        );
    }
    for (name, place) in [
        ("project", api.blog.id.as_str()),
        ("project", NOBODYS_PROJECT),
        ("organization", api.elsewhere.id.as_str()),
        ("organization", "elsewhere"),
        ("organization", NOBODYS_ORGANIZATION),
        ("organization", "nobody"),
    ] {
        let answer = api
            .query(&format!("scope=app:read&{name}={place}"), &token)
            .await;
        assert_forbidden(&answer, place);
        bodies.push(answer.body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    for path in [
        project(&api.website.id),
        usage(&api.acme.id),
        usage(&"acme"),
    ] {
        assert_yes(&api.route(("GET", &path), &token).await, &path);
    }
}

#[actix_web::test]
async fn member_reaches_only_the_projects_they_were_added_to() {
    let api = Api::start().await;
    let bob = api.member("bob@example.com", Role::Member).await;
    let carol = api.member("carol@example.com", Role::Admin).await;
    api.test.add_to(&api.website, &bob).await;
    let of_bob = api.token(&bob, &["app:read"]).await;
    let of_carol = api.token(&carol, &["app:read"]).await;
    let (website, shop) = (project(&api.website.id), project(&api.shop.id));
    assert_yes(&api.route(("GET", &website), &of_bob).await, "added");
    assert_forbidden(&api.route(("GET", &shop), &of_bob).await, "not added");
    assert_yes(
        &api.route(("GET", &usage(&api.acme.id)), &of_bob).await,
        "member",
    );
    for path in [&website, &shop] {
        assert_yes(&api.route(("GET", path), &of_carol).await, "admin");
    }

    api.test.add_member(&api.acme, &carol, Role::Member).await;
    assert_forbidden(&api.route(("GET", &shop), &of_carol).await, "demoted");
    // A user without any organization has no active token either.
    api.test.unseat(&api.acme, &bob).await;
    assert_dead(&api.route(("GET", &website), &of_bob).await, "gone");
}

#[actix_web::test]
async fn leaving_one_organization_keeps_the_token_for_the_others() {
    let api = Api::start().await;
    let bob = api.member("bob@example.com", Role::Member).await;
    api.test
        .add_member(&api.elsewhere, &bob, Role::Member)
        .await;
    let token = api.token(&bob, &["app:read"]).await;
    let (acme, elsewhere) = (usage(&api.acme.id), usage(&api.elsewhere.id));
    for path in [&acme, &elsewhere] {
        assert_yes(&api.route(("GET", path), &token).await, path);
    }
    api.test.unseat(&api.acme, &bob).await;
    assert_forbidden(&api.route(("GET", &acme), &token).await, "left");
    assert_yes(&api.route(("GET", &elsewhere), &token).await, "stayed");
}

/// A scope with `min_role` needs the role in the very organization in which it is used.
#[actix_web::test]
async fn owner_of_another_organization_is_a_member_here() {
    let api = Api::start().await;
    api.test.add_member(&api.acme, &api.eve, Role::Member).await;
    api.test.add_to(&api.website, &api.eve).await;
    let token = api.token(&api.eve, &["app:read", "app:deploy"]).await;
    let deploys = |id: &dyn std::fmt::Display| format!("/v1/projects/{id}/deploys");
    let apps = |id: &dyn std::fmt::Display| format!("/v1/organizations/{id}/apps");
    for (path, is_allowed) in [
        (deploys(&api.blog.id), true),
        (apps(&api.elsewhere.id), true),
        (deploys(&api.website.id), false),
        (apps(&api.acme.id), false),
    ] {
        let answer = api.route(("POST", &path), &token).await;
        match is_allowed {
            true => assert_yes(&answer, &path),
            false => assert_forbidden(&answer, &path),
        }
    }
    let website = project(&api.website.id);
    assert_yes(&api.route(("GET", &website), &token).await, "no least role");
    api.test.add_member(&api.acme, &api.eve, Role::Admin).await;
    let path = deploys(&api.website.id);
    assert_yes(&api.route(("POST", &path), &token).await, "promoted");
}

#[actix_web::test]
async fn limited_token_reaches_nothing_else() {
    let api = Api::start().await;
    api.test
        .add_member(&api.elsewhere, &api.ada, Role::Owner)
        .await;
    let limited = async |organization: Option<&str>, projects: &[&str]| {
        let input = CreateToken {
            organization: organization.map(str::to_owned),
            projects: projects.iter().map(ToString::to_string).collect(),
            ..input(&["app:read"])
        };
        text_of(&api.test.token_of(&api.ada, input).await).to_owned()
    };
    let places = [
        project(&api.website.id),
        project(&api.shop.id),
        usage(&api.acme.id),
        project(&api.blog.id),
        usage(&api.elsewhere.id),
    ];
    for (token, reached) in [
        (limited(None, &[]).await, [true, true, true, true, true]),
        (
            limited(Some("acme"), &[]).await,
            [true, true, true, false, false],
        ),
        (
            limited(None, &[api.website.id.as_str()]).await,
            [true, false, false, false, false],
        ),
        (
            limited(
                Some("acme"),
                &[api.website.id.as_str(), api.shop.id.as_str()],
            )
            .await,
            [true, true, false, false, false],
        ),
    ] {
        for (path, is_reached) in places.iter().zip(reached) {
            let answer = api.route(("GET", path), &token).await;
            match is_reached {
                true => assert_yes(&answer, path),
                false => assert_forbidden(&answer, path),
            }
        }
    }
}

#[actix_web::test]
async fn organization_token_reaches_its_organization_as_an_admin() {
    let api = Api::start().await;
    let scopes = ["app:read", "app:deploy"];
    let token = api.test.organization_token(&api.acme, input(&scopes)).await;
    let token = text_of(&token);
    for id in [&api.website.id, &api.shop.id] {
        assert_yes(&api.route(("GET", &project(id)), token).await, "own");
        let deploys = format!("{}/deploys", project(id));
        assert_yes(&api.route(("POST", &deploys), token).await, "own");
    }
    assert_yes(
        &api.route(("GET", &usage(&api.acme.id)), token).await,
        "own",
    );
    for path in [project(&api.blog.id), usage(&api.elsewhere.id)] {
        assert_forbidden(&api.route(("GET", &path), token).await, &path);
    }
}

#[actix_web::test]
async fn policy_rejects_tokens_created_before_it() {
    let api = Api::start().await;
    let bob = api.member("bob@example.com", Role::Member).await;
    api.test
        .add_member(&api.elsewhere, &bob, Role::Member)
        .await;
    let token = api.token(&bob, &["app:read"]).await;
    let change = async |plan, policy| {
        let change = UpdateOrganization {
            plan,
            policy,
            ..UpdateOrganization::default()
        };
        let (req, grace) = (api.test.req(&OPERATOR), chrono::Duration::zero());
        org::update(&req, "acme", change, grace).await.unwrap();
    };
    let (acme, elsewhere) = (usage(&api.acme.id), usage(&api.elsewhere.id));
    let usual = Policy::default();
    assert_yes(&api.route(("GET", &acme), &token).await, "before");
    for policy in [
        Policy {
            personal_tokens: PersonalTokens::Admins,
            ..usual
        },
        Policy {
            longest: Longest::Days(7),
            ..usual
        },
    ] {
        change(None, Some(UpdatePolicy::to(policy))).await;
        assert_forbidden(&api.route(("GET", &acme), &token).await, "kept out");
        assert_yes(&api.route(("GET", &elsewhere), &token).await, "elsewhere");
        change(None, Some(UpdatePolicy::to(usual))).await;
        assert_yes(&api.route(("GET", &acme), &token).await, "let in again");
    }
    // An organization token reaches nothing else but stays active: the plan may be restored.
    let own = input(&["app:read"]);
    let own = api.test.organization_token(&api.acme, own).await;
    let own = text_of(&own);
    assert_yes(&api.route(("GET", &acme), own).await, "team");
    change(Some(Plan::Free), None).await;
    for path in [&acme, "/v1/apps"] {
        assert_forbidden(&api.route(("GET", path), own).await, "free");
    }
    change(Some(Plan::Team), None).await;
    assert_yes(&api.route(("GET", &acme), own).await, "team again");
}
