//! Two organizations that know nothing of each other, with their people, projects, tokens and
//! invitations, made through the API by the operator.

use super::{call, send};
use crate::support::device::Answer;
use crate::support::{OPERATOR, PASSWORD, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// Every scope that the addresses below `/v1` ask for.
pub const SCOPES: [&str; 7] = [
    "audit:read",
    "orgs:read",
    "orgs:write",
    "projects:read",
    "projects:write",
    "tokens:read",
    "tokens:write",
];

/// The header in which the operator names whom it acts for.
pub const ACTOR: &str = "x-actor-user-id";

/// The people: three of the home organization, the owner of the other one, and two members who
/// call nothing.
pub struct World {
    pub test: TestApp,
    pub member: String,
    pub admin: String,
    pub owner: String,
    pub stranger: String,
    /// A member of the home organization.
    pub target: String,
    /// A member of the other organization.
    pub outsider: String,
}

/// An organization with one of each of what can be in it.
#[derive(Debug, Clone)]
pub struct Place {
    pub org: String,
    pub project: String,
    pub token: String,
    pub invitation: String,
    /// A member, also of the project.
    pub user: String,
}

/// A number that was not given before, for names that must be unique.
pub fn number() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

impl World {
    pub async fn new() -> Self {
        let mut world = Self {
            test: TestApp::start().await,
            member: String::new(),
            admin: String::new(),
            owner: String::new(),
            stranger: String::new(),
            target: String::new(),
            outsider: String::new(),
        };
        world.member = world.user("member").await;
        world.admin = world.user("admin").await;
        world.owner = world.user("owner").await;
        world.stranger = world.user("stranger").await;
        world.target = world.user("target").await;
        world.outsider = world.user("outsider").await;
        world
    }

    /// A new person, in no organization.
    pub async fn user(&self, name: &str) -> String {
        let email = format!("{name}{}@example.com", number());
        let input = json!({"name": name, "email": email, "password": PASSWORD});
        self.made("/v1/users", None, &input).await
    }

    /// A new organization of the home owner, with its admin and its members.
    pub async fn home(&self) -> Place {
        let others = [(&self.admin, "admin"), (&self.member, "member")];
        self.place(&self.owner, &others, &self.target).await
    }

    /// A new organization of the stranger.
    pub async fn away(&self) -> Place {
        self.place(&self.stranger, &[], &self.outsider).await
    }

    async fn place(&self, owner: &str, others: &[(&String, &str)], user: &str) -> Place {
        let input = json!({"name": format!("Place {}", number())});
        let org = self.made("/v1/orgs", Some(owner), &input).await;
        let at = |rest: &str| format!("/v1/orgs/{org}/{rest}");
        for (user, role) in others {
            self.org_access(&org, user, role).await;
        }
        self.org_access(&org, user, "member").await;
        let project = self
            .made(&at("projects"), None, &json!({"name": "Project"}))
            .await;
        for user in others.iter().map(|(user, _)| user.as_str()).chain([user]) {
            let path = format!("/v1/projects/{project}/members/{user}");
            let answer = self.operator(Method::PUT, &path, None, &json!({})).await;
            assert_eq!(answer.status, 204, "{answer:?}");
        }
        let token = self.made(&at("tokens"), None, &json!({"name": "a"})).await;
        let role = json!({"role": "member"});
        let invitation = self.made(&at("invitations"), None, &role).await;
        Place {
            org,
            project,
            token,
            invitation,
            user: user.to_owned(),
        }
    }

    /// Gives a person a role in an organization.
    pub async fn org_access(&self, org: &str, user: &str, role: &str) {
        let path = format!("/v1/orgs/{org}/members/{user}");
        let input = json!({"role": role});
        let answer = self.operator(Method::PUT, &path, None, &input).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// A call of the operator, for a person if one is named.
    pub async fn operator(
        &self,
        method: Method,
        path: &str,
        actor: Option<&str>,
        body: &Value,
    ) -> Answer {
        let mut request = call(&self.test, method, path, OPERATOR)
            .header("idempotency-key", format!("operator-{}", number()))
            .json(body);
        if let Some(actor) = actor {
            request = request.header(ACTOR, actor);
        }
        send(request).await
    }

    /// Makes something as the operator; its id.
    pub async fn made(&self, path: &str, actor: Option<&str>, input: &Value) -> String {
        let answer = self.operator(Method::POST, path, actor, input).await;
        assert_eq!(answer.status, 201, "{path}: {answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// A new token at this address; its text.
    pub async fn token(&self, path: &str, actor: Option<&str>, input: &Value) -> String {
        let answer = self.operator(Method::POST, path, actor, input).await;
        assert_eq!(answer.status, 201, "{path}: {answer:?}");
        answer.body["token"].as_str().unwrap().to_owned()
    }

    /// A use of a token, by the name that the log has for it.
    pub async fn used(&self, token: &str) -> String {
        let me = send(call(&self.test, Method::GET, "/v1/me", token))
            .await
            .body;
        self.test.settle().await;
        let id = me["token"]["id"].as_str().unwrap();
        let path = format!("/v1/audit/uses?token={id}&limit=1");
        let uses = self.operator(Method::GET, &path, None, &Value::Null).await;
        uses.body["items"][0]["id"].as_str().unwrap().to_owned()
    }

    /// A personal token with these scopes.
    pub async fn personal(&self, user: &str, scopes: &[&str]) -> String {
        let input = json!({"name": "of a test", "scopes": scopes});
        self.token("/v1/tokens", Some(user), &input).await
    }

    /// A token of an organization with every scope.
    pub async fn organizational(&self, org: &str) -> String {
        let input = json!({"name": "of a test", "scopes": SCOPES});
        self.token(&format!("/v1/orgs/{org}/tokens"), None, &input)
            .await
    }
}
