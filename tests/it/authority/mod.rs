//! An organization that a user created has no effect outside itself (security finding 1).

mod home;
mod invitation;
mod leaving;
mod limit;
mod named;
mod outsider;
mod pilot;
mod policy;
mod scopes;
mod slug;
mod table;

use crate::support::browser::Browser;
use crate::support::device::Answer;
use crate::support::tenant::{OPERATOR, input, text_of};
use crate::support::{API as CLIENT, PASSWORD, TestApp};
use doorcode::app::access::Caller;
use doorcode::app::org::{self, UpdateOrganization, UpdatePolicy};
use doorcode::app::token::CreateToken;
use doorcode::domain::org::Organization;
use doorcode::domain::policy::{Longest, Policy};
use doorcode::domain::role::Role;
use serde_json::{Value, json};

/// A scope without a least role.
const DEPLOY: &str = "app:deploy";
/// A scope for admins.
const PURCHASE: &str = "domain:purchase";
/// A scope for owners.
const CLOSE: &str = "billing:close";
/// All of them.
const SCOPES: [&str; 3] = [DEPLOY, PURCHASE, CLOSE];

/// The scopes and routes of an API.
const API: &str = r#"
[[scopes]]
name = "app:deploy"
description = "Deploy apps"

[[scopes]]
name = "domain:purchase"
description = "Purchase domains"
min_role = "admin"

[[scopes]]
name = "billing:close"
description = "Close the billing account"
min_role = "owner"

[[routes]]
match = "GET /v1/regions"
authenticated = true

[[routes]]
match = "POST /v1/deploys"
scope = "app:deploy"

[[routes]]
match = "POST /v1/domains"
scope = "domain:purchase"

[[routes]]
match = "DELETE /v1/billing"
scope = "billing:close"

[[routes]]
match = "GET /v1/acme/regions"
authenticated = true
organization = "acme"

[[routes]]
match = "POST /v1/acme/domains"
scope = "domain:purchase"
organization = "acme"

[[routes]]
match = "POST /v1/lost/domains"
scope = "domain:purchase"
organization = "lost"

[[routes]]
match = "GET /v1/organizations/{organization}/regions"
authenticated = true

[[routes]]
match = "POST /v1/organizations/{organization}/domains"
scope = "domain:purchase"
"#;

/// The routes that name no organization, with their scopes.
const UNNAMED: [(&str, Option<&str>); 4] = [
    ("GET /v1/regions", None),
    ("POST /v1/deploys", Some(DEPLOY)),
    ("POST /v1/domains", Some(PURCHASE)),
    ("DELETE /v1/billing", Some(CLOSE)),
];

/// The settings with this home organization; empty for none.
fn settings(home: &str) -> String {
    format!("[organizations]\nmade_by = \"users\"\nhome = \"{home}\"\n{API}")
}

/// Acme, which the operator created, and one of its members.
struct World {
    test: TestApp,
    acme: Organization,
    /// A member of Acme.
    bob: Caller,
}

impl World {
    async fn start() -> Self {
        Self::with_home("").await
    }

    async fn with_home(home: &str) -> Self {
        let test = TestApp::with(&settings(home)).await;
        let acme = org::find(&test.req(&OPERATOR), "acme").await;
        let acme = acme.unwrap().organization;
        let bob = user(&test, "bob@example.com", Some("Acme")).await;
        Self { test, acme, bob }
    }

    /// A browser in which Bob is signed in.
    async fn browser(&self) -> Browser {
        browser(&self.test, "bob@example.com").await
    }

    /// Limits the lifetime of tokens in Acme to 7 days, without a grace period.
    async fn limit_lifetime(&self) {
        let policy = Policy {
            longest: Longest::Days(7),
            ..Policy::default()
        };
        let change = UpdateOrganization {
            policy: Some(UpdatePolicy::to(policy)),
            ..UpdateOrganization::default()
        };
        let (req, grace) = (self.test.req(&OPERATOR), chrono::Duration::zero());
        org::update(&req, "acme", change, grace).await.unwrap();
    }

    /// A token of Bob with every scope. He is the owner of Acme only while it is created.
    async fn wide_token(&self) -> String {
        let Self { test, acme, bob } = self;
        test.add_member(acme, bob, Role::Owner).await;
        let token = token(test, bob, input(&SCOPES)).await;
        test.add_member(acme, bob, Role::Member).await;
        token
    }
}

/// Creates a user, in an organization as a member or in none.
async fn user(test: &TestApp, email: &str, organization: Option<&str>) -> Caller {
    let organization = organization.map(|name| (name, Role::Member));
    let id = test.add_user(email, PASSWORD, organization).await;
    test.signed_in(&id).await
}

/// A browser in which a user is signed in.
async fn browser(test: &TestApp, email: &str) -> Browser {
    let mut browser = test.browser();
    browser.sign_in(email, PASSWORD).await;
    browser.get("/account").await;
    browser
}

/// The text of a new token.
async fn token(test: &TestApp, caller: &Caller, input: CreateToken) -> String {
    text_of(&test.token_of(caller, input).await).to_owned()
}

/// Input for a token with every scope that is limited to an organization.
fn limited_to(organization: &str) -> CreateToken {
    CreateToken {
        organization: Some(organization.to_owned()),
        ..input(&SCOPES)
    }
}

/// Introspects a token with these parameters.
async fn introspect(test: &TestApp, token: &str, named: &[(&str, &str)]) -> Answer {
    let mut form = vec![("token", token)];
    form.extend_from_slice(named);
    let request = test
        .anon()
        .post(test.at("/auth/introspect"))
        .basic_auth(CLIENT, Some(&test.api_secret))
        .form(&form);
    Answer::of(request.send().await.unwrap()).await
}

/// The scopes of a token according to its introspection, for an organization or for none; `None`
/// if it is inactive.
async fn scopes_at(test: &TestApp, token: &str, organization: Option<&str>) -> Option<String> {
    let named = organization.map(|named| ("organization", named));
    let answer = introspect(test, token, named.as_slice()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let scope = answer.body["scope"].as_str();
    if scope.is_none() {
        assert_eq!(answer.body, json!({"active": false}));
    }
    scope.map(str::to_owned)
}

/// Status of `/auth/verify` for a token at a route, written as `GET /path`.
async fn route(test: &TestApp, route: &str, token: &str) -> u16 {
    let (method, path) = route.split_once(' ').unwrap();
    let request = test
        .anon()
        .get(test.at("/auth/verify"))
        .header("x-original-method", method)
        .header("x-original-uri", path)
        .bearer_auth(token);
    request.send().await.unwrap().status().as_u16()
}

/// Status of `/auth/verify` for a token and a query.
async fn verify(test: &TestApp, query: &str, token: &str) -> u16 {
    let request = test.anon().get(test.at(&format!("/auth/verify?{query}")));
    let response = request.bearer_auth(token).send().await;
    response.unwrap().status().as_u16()
}

/// Asserts that a token has exactly these scopes where no organization is named, according to
/// introspection and the routes. A token without access gets this status.
async fn assert_unnamed(test: &TestApp, token: &str, scopes: Result<&[&str], u16>) {
    let expected = scopes.ok().map(|scopes| {
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable();
        scopes.join(" ")
    });
    assert_eq!(scopes_at(test, token, None).await, expected);
    for (at, scope) in UNNAMED {
        let status = match scopes {
            Err(status) => status,
            Ok(scopes) if scope.is_none_or(|scope| scopes.contains(&scope)) => 204,
            Ok(_) => 403,
        };
        assert_eq!(route(test, at, token).await, status, "{at}");
    }
}

/// Calls the management API.
async fn post(test: &TestApp, path: &str, token: &str, body: Value) -> Answer {
    let request = test
        .anon()
        .post(test.at(path))
        .bearer_auth(token)
        .header("idempotency-key", test.app.draw_request_id().as_ref())
        .json(&body);
    Answer::of(request.send().await.unwrap()).await
}

/// Reads from the management API.
async fn get(test: &TestApp, path: &str, token: &str) -> Answer {
    let request = test.anon().get(test.at(path)).bearer_auth(token);
    Answer::of(request.send().await.unwrap()).await
}
