//! Two unrelated organizations with their members, projects, tokens and invitations, created by
//! the operator through the API.

use super::{call, send};
use crate::support::device::Answer;
use crate::support::smtp::Sink;
use crate::support::{OPERATOR, PASSWORD, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// Every scope that the routes below `/v1` require.
pub const SCOPES: [&str; 7] = [
    "audit:read",
    "orgs:read",
    "orgs:write",
    "projects:read",
    "projects:write",
    "tokens:read",
    "tokens:write",
];

/// The header in which the operator names the actor.
pub const ACTOR: &str = "x-actor-user-id";

/// User ids: three of the home organization, the owner of the other one, and two members who send
/// no requests.
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
    /// Receives the mail of the server.
    _mail: Sink,
}

/// An organization with one object of each kind.
#[derive(Debug, Clone)]
pub struct Place {
    pub org: String,
    pub project: String,
    pub token: String,
    pub invitation: String,
    /// A member of the organization and of the project.
    pub user: String,
}

/// A new number, for unique names.
pub fn number() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

impl World {
    pub async fn new() -> Self {
        let mail = Sink::start(&[]);
        let settings = format!(
            "[organizations]\nmade_by = \"users\"\n[mail]\nfrom = \"login@example.com\"\nsmtp_url = \"smtp://{}\"",
            mail.address
        );
        let mut world = Self {
            test: TestApp::with(&settings).await,
            _mail: mail,
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

    /// Creates a user in no organization. Returns the id.
    pub async fn user(&self, name: &str) -> String {
        let email = format!("{name}{}@example.com", number());
        let input = json!({"name": name, "email": email, "password": PASSWORD});
        self.made("/v1/users", None, &input).await
    }

    /// Registers a client. Returns its id.
    pub async fn client(&self) -> String {
        let input = json!({"id": format!("client-{}", number()), "name": "Spent"});
        self.made("/v1/clients", None, &input).await
    }

    /// Creates an organization of the home owner, with its admin and its members.
    pub async fn home(&self) -> Place {
        let others = [(&self.admin, "admin"), (&self.member, "member")];
        self.place(&self.owner, &others, &self.target).await
    }

    /// Creates an organization of the other owner.
    pub async fn away(&self) -> Place {
        self.place(&self.stranger, &[], &self.outsider).await
    }

    async fn place(&self, owner: &str, others: &[(&String, &str)], user: &str) -> Place {
        let input = json!({"name": format!("Place {}", number())});
        let org = self.made("/v1/orgs", Some(owner), &input).await;
        let at = |rest: &str| format!("/v1/orgs/{org}/{rest}");
        for (user, role) in others {
            self.add_member(&org, user, role).await;
        }
        self.add_member(&org, user, "member").await;
        let project = self
            .made(&at("projects"), None, &json!({"name": "Project"}))
            .await;
        for user in others.iter().map(|(user, _)| user.as_str()).chain([user]) {
            let path = format!("/v1/projects/{project}/members/{user}");
            let answer = self.operator(Method::PUT, &path, None, &json!({})).await;
            assert_eq!(answer.status, 204, "{answer:?}");
        }
        let token = self.made(&at("tokens"), None, &json!({"name": "a"})).await;
        let email = format!("guest{}@example.com", number());
        let input = json!({"role": "member", "email": email});
        let invitation = self.made(&at("invitations"), None, &input).await;
        Place {
            org,
            project,
            token,
            invitation,
            user: user.to_owned(),
        }
    }

    /// Gives a user a role in an organization.
    pub async fn add_member(&self, org: &str, user: &str, role: &str) {
        let path = format!("/v1/orgs/{org}/members/{user}");
        let input = json!({"role": role});
        let answer = self.operator(Method::PUT, &path, None, &input).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Sends a request as the operator, for an actor if one is given.
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

    /// Creates an object as the operator. Returns its id.
    pub async fn made(&self, path: &str, actor: Option<&str>, input: &Value) -> String {
        let answer = self.operator(Method::POST, path, actor, input).await;
        assert_eq!(answer.status, 201, "{path}: {answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Creates a token at this path. Returns its text.
    pub async fn token(&self, path: &str, actor: Option<&str>, input: &Value) -> String {
        let answer = self.operator(Method::POST, path, actor, input).await;
        assert_eq!(answer.status, 201, "{path}: {answer:?}");
        answer.body["token"].as_str().unwrap().to_owned()
    }

    /// Uses a token. Returns the id of that use in the log.
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

    /// Creates a personal token with these scopes.
    pub async fn personal(&self, user: &str, scopes: &[&str]) -> String {
        let input = json!({"name": "of a test", "scopes": scopes});
        self.token("/v1/tokens", Some(user), &input).await
    }

    /// Creates a token of an organization with every scope.
    pub async fn organizational(&self, org: &str) -> String {
        let input = json!({"name": "of a test", "scopes": SCOPES});
        self.token(&format!("/v1/orgs/{org}/tokens"), None, &input)
            .await
    }
}
