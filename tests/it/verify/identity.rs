//! Caller identity passed to the API, and the recorded use of the token.

use super::{Api, assert_yes, header};
use crate::support::OPERATOR;
use crate::support::device::Answer;
use crate::support::tenant::{input, text_of, user_of};
use doorcode::app::token::CreateToken;
use doorcode::domain::role::Role;

const NAMES: [&str; 5] = [
    "x-auth-user-id",
    "x-auth-token-id",
    "x-auth-token-kind",
    "x-auth-scopes",
    "x-auth-organization-id",
];

fn identity(answer: &Answer) -> [Option<&str>; 5] {
    assert_yes(answer, "identity");
    NAMES.map(|name| header(answer, name))
}

#[actix_web::test]
async fn api_gets_the_identity_of_the_caller() {
    let api = Api::with("[organizations]\nhome = \"acme\"\n").await;
    let scopes = ["app:deploy", "app:read"];
    let made = api.test.token_of(&api.ada, input(&scopes)).await;
    let (token, id, user) = (text_of(&made), made.token.id.as_str(), user_of(&api.ada));
    let known = |organization| {
        let [user, id] = [user.as_str(), id].map(Some);
        [
            user,
            id,
            Some("personal"),
            Some("app:deploy app:read"),
            organization,
        ]
    };
    let acme = api.acme.id.as_str();
    let anywhere = api.route(("GET", "/v1/apps"), token).await;
    assert_eq!(identity(&anywhere), known(Some(acme)));
    let usage = format!("/v1/organizations/{acme}/usage");
    let there = api.route(("GET", &usage), token).await;
    assert_eq!(identity(&there), known(Some(acme)));
    let project = format!("/v1/projects/{}", api.website.id);
    let there = api.route(("GET", &project), token).await;
    assert_eq!(identity(&there), known(Some(acme)));
    let there = api.query("organization=acme", token).await;
    assert_eq!(identity(&there), known(Some(acme)));

    let limited = CreateToken {
        organization: Some("acme".into()),
        ..input(&[])
    };
    let limited = api.test.token_of(&api.ada, limited).await;
    let regions = api.route(("GET", "/v1/regions"), text_of(&limited)).await;
    let expected = [
        user.as_str(),
        limited.token.id.as_str(),
        "personal",
        "",
        acme,
    ];
    assert_eq!(identity(&regions), expected.map(Some));

    let own = api
        .test
        .organization_token(&api.acme, input(&["app:read"]))
        .await;
    let answer = api.route(("GET", "/v1/apps"), text_of(&own)).await;
    let expected = [own.token.id.as_str(), "organization", "app:read", acme].map(Some);
    assert_eq!(identity(&answer)[0], None);
    assert_eq!(identity(&answer)[1..], expected);

    let answer = api.route(("GET", "/v1/status"), OPERATOR).await;
    let [user, id, kind, scopes, organization] = identity(&answer);
    assert_eq!(
        (user, id, kind, organization),
        (None, None, Some("operator"), None)
    );
    let all: Vec<_> = scopes.unwrap().split(' ').collect();
    assert!(
        all.contains(&"app:deploy") && all.contains(&"tokens:write"),
        "{all:?}"
    );
}

/// The scopes are those the token has now, not those granted at creation.
#[actix_web::test]
async fn scopes_follow_the_role() {
    let api = Api::with("[organizations]\nhome = \"acme\"\n").await;
    let bob = api.member("bob@example.com", Role::Admin).await;
    let token = api.token(&bob, &["app:read", "app:deploy"]).await;
    let scopes = async || {
        let answer = api.route(("GET", "/v1/apps"), &token).await;
        identity(&answer)[3].map(str::to_owned)
    };
    assert_eq!(scopes().await.as_deref(), Some("app:deploy app:read"));
    api.test.add_member(&api.acme, &bob, Role::Member).await;
    assert_eq!(scopes().await.as_deref(), Some("app:read"));
}

/// An owner of another organization gets only the scopes of a member here.
#[actix_web::test]
async fn scopes_are_those_in_the_resource() {
    let api = Api::start().await;
    api.test.add_member(&api.acme, &api.eve, Role::Member).await;
    api.test.add_to(&api.website, &api.eve).await;
    let token = api.token(&api.eve, &["app:read", "app:deploy"]).await;
    let project = |id: &dyn std::fmt::Display| format!("/v1/projects/{id}");
    let usage = |id: &dyn std::fmt::Display| format!("/v1/organizations/{id}/usage");
    for (path, expected) in [
        (usage(&api.acme.id), "app:read"),
        (project(&api.website.id), "app:read"),
        (usage(&api.elsewhere.id), "app:deploy app:read"),
        (project(&api.blog.id), "app:deploy app:read"),
        // Several organizations and no home: the role of none counts.
        ("/v1/apps".to_owned(), "app:read"),
    ] {
        let answer = api.route(("GET", &path), &token).await;
        assert_eq!(identity(&answer)[3], Some(expected), "{path}");
    }
    for (query, expected) in [
        ("organization=acme", "app:read"),
        ("organization=elsewhere", "app:deploy app:read"),
    ] {
        let answer = api.query(query, &token).await;
        assert_eq!(identity(&answer)[3], Some(expected), "{query}");
    }
    api.test.add_member(&api.acme, &api.eve, Role::Admin).await;
    let answer = api.route(("GET", &usage(&api.acme.id)), &token).await;
    assert_eq!(identity(&answer)[3], Some("app:deploy app:read"));
}

#[actix_web::test]
async fn verification_counts_as_a_use_from_the_clients_address() {
    let api = Api::with("[server]\ntrusted_proxies = [\"127.0.0.1\"]\n").await;
    let used = api.token(&api.ada, &[]).await;
    let headers = [
        ("x-original-method", "GET"),
        ("x-original-uri", "/v1/regions"),
        ("x-forwarded-for", "203.0.113.9"),
    ];
    assert_yes(
        &api.ask("/auth/verify", &headers, Some(&used)).await,
        "used",
    );
    api.test.app.stop().await;
    let noted = "last_used_at IS NOT NULL AND last_used_address = '203.0.113.9'";
    assert_eq!(api.test.count("token", noted), 1);
}
