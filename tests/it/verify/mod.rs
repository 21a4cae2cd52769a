//! `/auth/verify`: decisions for a proxy about the requests that it receives.

mod envoy;
mod identity;
mod outage;
mod place;
mod query;
mod stale;
mod table;
mod token;
mod writing;

use crate::support::TestApp;
use crate::support::device::Answer;
use crate::support::tenant::{input, text_of};
use doorcode::app::access::Caller;
use doorcode::domain::id::UserId;
use doorcode::domain::org::Organization;
use doorcode::domain::project::Project;
use doorcode::domain::role::Role;
use reqwest::Method;

/// The scopes and routes of an API.
pub const API: &str = r#"
[[scopes]]
name = "app:read"
description = "Look at apps"

[[scopes]]
name = "app:deploy"
description = "Deploy apps"
min_role = "admin"

[[routes]]
match = "GET /v1/health"
public = true

[[routes]]
match = "OPTIONS /v1/**"
public = true

[[routes]]
match = "* /v1/status"
operator = true

[[routes]]
match = "* /v1/databases/**"
operator = true

[[routes]]
match = "GET /v1/regions"
authenticated = true

[[routes]]
match = "PURGE /v1/cache"
authenticated = true

[[routes]]
match = "GET /v1/apps"
scope = "app:read"

[[routes]]
match = "GET /v1/projects/{project}"
scope = "app:read"

[[routes]]
match = "POST /v1/projects/{project}/deploys"
scope = "app:deploy"

[[routes]]
match = "GET /v1/organizations/{organization}/usage"
scope = "app:read"

[[routes]]
match = "POST /v1/organizations/{organization}/apps"
scope = "app:deploy"
"#;

/// The headers of nginx.
pub const ORIGINAL: [&str; 2] = ["x-original-method", "x-original-uri"];
/// The headers of Traefik and Caddy.
pub const FORWARDED: [&str; 2] = ["x-forwarded-method", "x-forwarded-uri"];

/// A request for a route: the method and the path.
pub type Asked<'a> = (&'a str, &'a str);

/// An API with the organizations of two owners.
pub struct Api {
    pub test: TestApp,
    /// Owner of Acme.
    pub ada: Caller,
    pub acme: Organization,
    pub website: Project,
    pub shop: Project,
    /// Owner of Elsewhere.
    pub eve: Caller,
    pub elsewhere: Organization,
    pub blog: Project,
}

impl Api {
    pub async fn start() -> Self {
        Self::with("").await
    }

    /// The same with additional settings.
    pub async fn with(settings: &str) -> Self {
        let test = TestApp::with(&format!("{settings}{API}")).await;
        let acme = test.database.text("SELECT id FROM users");
        let ada = test.signed_in(&UserId::parse(&acme).unwrap()).await;
        let acme = doorcode::app::org::find(&test.req(&ada), "acme").await;
        let acme = acme.unwrap().organization;
        let eve = test.caller("eve@example.org").await;
        let elsewhere = test.organization(&eve, "Elsewhere").await;
        Self {
            website: test.project(&acme, "Website").await,
            shop: test.project(&acme, "Shop").await,
            blog: test.project(&elsewhere, "Blog").await,
            ada,
            acme,
            eve,
            elsewhere,
            test,
        }
    }

    /// A new member of Acme.
    pub async fn member(&self, email: &str, role: Role) -> Caller {
        let caller = self.test.caller(email).await;
        self.test.add_member(&self.acme, &caller, role).await;
        caller
    }

    /// A token of a user, without limits.
    pub async fn token(&self, caller: &Caller, scopes: &[&str]) -> String {
        let token = self.test.token_of(caller, input(scopes)).await;
        text_of(&token).to_owned()
    }

    /// Verifies a request for a route with the headers of nginx.
    pub async fn route(&self, asked: Asked<'_>, token: &str) -> Answer {
        self.named(ORIGINAL, asked, Some(token)).await
    }

    /// Verifies a request for a route with these headers.
    pub async fn named(
        &self,
        [method, target]: [&str; 2],
        asked: Asked<'_>,
        token: Option<&str>,
    ) -> Answer {
        let headers = [(method, asked.0), (target, asked.1)];
        self.ask("/auth/verify", &headers, token).await
    }

    /// Verifies by the query.
    pub async fn query(&self, query: &str, token: &str) -> Answer {
        let path = format!("/auth/verify?{query}");
        self.ask(&path, &[], Some(token)).await
    }

    /// Sends a GET request.
    pub async fn ask(&self, path: &str, headers: &[(&str, &str)], token: Option<&str>) -> Answer {
        self.send(Method::GET, path, headers, token).await
    }

    /// Sends a request with any method.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        token: Option<&str>,
    ) -> Answer {
        let mut request = self.test.anon().request(method, self.test.at(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Answer::of(request.send().await.unwrap()).await
    }
}

/// Asserts that a response has no header but those of a decision: proxies hand a refusal to the
/// callers of the API, to whom the policies of this server do not apply.
#[track_caller]
fn assert_bare(answer: &Answer, about: &str) {
    for name in answer.headers.keys().map(|name| name.as_str()) {
        let is_known = name.starts_with("x-auth-")
            || [
                "www-authenticate",
                "content-type",
                "content-length",
                "cache-control",
                "x-request-id",
                "x-error-code",
                "x-error-description",
                "connection",
                "date",
            ]
            .contains(&name);
        assert!(is_known, "{about}: {name}");
    }
    assert!(answer.headers.contains_key("x-request-id"), "{about}");
}

/// A header that a response has at most once.
#[track_caller]
pub fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut values = answer.headers.get_all(name).iter();
    let value = values.next();
    assert!(values.next().is_none(), "{name}: {answer:?}");
    value.map(|value| value.to_str().unwrap())
}

/// Asserts that a response allows the request.
#[track_caller]
pub fn assert_yes(answer: &Answer, about: &str) {
    assert_eq!(answer.status, 204, "{about}: {answer:?}");
    assert_eq!(header(answer, "cache-control"), Some("no-store"), "{about}");
    assert_eq!(header(answer, "www-authenticate"), None, "{about}");
    assert_bare(answer, about);
}

/// Asserts a denial: this status, one challenge with `wrong` between the realm and the metadata,
/// and no identity headers.
#[track_caller]
pub fn assert_no(answer: &Answer, status: u16, wrong: &str, about: &str) {
    assert_eq!(answer.status, status, "{about}: {answer:?}");
    assert_eq!(header(answer, "cache-control"), Some("no-store"), "{about}");
    let challenge = header(answer, "www-authenticate").unwrap_or_default();
    let (said, metadata) = challenge.split_once(", resource_metadata=").unwrap();
    assert_eq!(
        said,
        format!(r#"Bearer realm="Doorcode"{wrong}"#),
        "{about}"
    );
    assert!(metadata.ends_with("/.well-known/oauth-protected-resource\""));
    for name in answer.headers.keys() {
        assert!(!name.as_str().starts_with("x-auth-"), "{about}: {answer:?}");
    }
    assert_bare(answer, about);
    let error = answer.body["error_description"].as_str();
    assert!(error.is_some_and(|text| !text.is_empty()), "{answer:?}");
}

/// Asserts a 401 for a token that cannot be used.
#[track_caller]
pub fn assert_dead(answer: &Answer, about: &str) {
    assert_no(answer, 401, r#", error="invalid_token""#, about);
}

/// Asserts a 403 that no other scope would change.
#[track_caller]
pub fn assert_forbidden(answer: &Answer, about: &str) {
    assert_no(answer, 403, r#", error="insufficient_scope""#, about);
}

/// Asserts a 403 for a missing scope.
#[track_caller]
pub fn assert_lacks(answer: &Answer, scope: &str, about: &str) {
    let wrong = format!(r#", error="insufficient_scope", scope="{scope}""#);
    assert_no(answer, 403, &wrong, about);
}
