//! Organizations with their members, projects and tokens, created without a browser.

use super::{PASSWORD, TestApp};
use doorcode::app::access::Caller;
use doorcode::app::session::SignedIn;
use doorcode::app::token::{self, CreateToken, NewToken, OwnerRef};
use doorcode::app::{Context, Request, org, project};
use doorcode::domain::id::{SessionId, UserId};
use doorcode::domain::org::Organization;
use doorcode::domain::project::Project;
use doorcode::domain::role::Role;
use doorcode::domain::user::Session;
use std::net::Ipv4Addr;

/// The operator, without an actor.
pub const OPERATOR: Caller = Caller::Operator(None);

/// The user of a caller.
pub fn user_of(caller: &Caller) -> UserId {
    caller.user_id().unwrap().clone()
}

/// Input for a token with these scopes.
pub fn input(scopes: &[&str]) -> CreateToken {
    CreateToken {
        name: "of a test".into(),
        scopes: scopes.iter().map(ToString::to_string).collect(),
        ..CreateToken::default()
    }
}

/// The text of a token.
pub fn text_of(token: &NewToken) -> &str {
    token.secret.expose()
}

impl TestApp {
    /// Creates a user with this email address, in no organization. The password is [`PASSWORD`].
    pub async fn caller(&self, email: &str) -> Caller {
        let id = self.add_user(email, PASSWORD, None).await;
        self.signed_in(&id).await
    }

    /// A user, signed in with a browser.
    pub async fn signed_in(&self, id: &UserId) -> Caller {
        let named = doorcode::app::user::Named::Id(id.clone());
        let operator = self.req(&OPERATOR);
        let user = doorcode::app::user::find(&operator, named);
        let now = self.app.now();
        Caller::User(Box::new(SignedIn {
            user: user.await.unwrap(),
            session: Session {
                id: SessionId::new(now, [7; 10]),
                user_id: id.clone(),
                created_at: now,
                last_seen_at: now,
                address: Ipv4Addr::LOCALHOST.into(),
                user_agent: String::new(),
                identity: None,
            },
        }))
    }

    /// A request of this caller; a user has just signed in.
    pub fn req(&self, caller: &Caller) -> Request {
        let mut caller = caller.clone();
        if let Caller::User(signed_in) = &mut caller {
            signed_in.session.created_at = self.app.now();
        }
        Request::new(&self.app, Context::local(), caller)
    }

    /// Creates an organization owned by a user, as the operator.
    pub async fn organization(&self, owner: &Caller, name: &str) -> Organization {
        let operator = Caller::Operator(Some(user_of(owner)));
        org::create(&self.req(&operator), name).await.unwrap()
    }

    /// Creates an organization as a user, if the configuration allows it.
    pub async fn organization_by(&self, user: &Caller, name: &str) -> Organization {
        org::create(&self.req(user), name).await.unwrap()
    }

    /// Gives a user a role in an organization.
    pub async fn add_member(&self, organization: &Organization, caller: &Caller, role: Role) {
        let (req, named) = (self.req(&OPERATOR), organization.id.as_str());
        org::put_member(&req, named, &user_of(caller), role)
            .await
            .unwrap();
    }

    /// Removes a user from an organization.
    pub async fn unseat(&self, organization: &Organization, caller: &Caller) {
        let (req, named) = (self.req(&OPERATOR), organization.id.as_str());
        org::remove_member(&req, named, &user_of(caller))
            .await
            .unwrap();
    }

    /// Creates a project of an organization, without members.
    pub async fn project(&self, organization: &Organization, name: &str) -> Project {
        let (req, named) = (self.req(&OPERATOR), organization.id.as_str());
        project::create(&req, named, name).await.unwrap()
    }

    /// Adds a user to a project.
    pub async fn add_to(&self, project: &Project, caller: &Caller) {
        let (req, named) = (self.req(&OPERATOR), project.id.as_str());
        project::add_member(&req, named, &user_of(caller))
            .await
            .unwrap();
    }

    /// Creates a personal token of the caller.
    pub async fn token_of(&self, caller: &Caller, input: CreateToken) -> NewToken {
        self.new_token(caller, &OwnerRef::Own, input).await
    }

    /// Creates a token of an organization, as the operator.
    pub async fn organization_token(
        &self,
        organization: &Organization,
        input: CreateToken,
    ) -> NewToken {
        let owner_ref = OwnerRef::Organization(organization.id.to_string());
        self.new_token(&OPERATOR, &owner_ref, input).await
    }

    async fn new_token(
        &self,
        caller: &Caller,
        owner_ref: &OwnerRef,
        input: CreateToken,
    ) -> NewToken {
        let made = token::create(&self.req(caller), owner_ref, input).await;
        let made = made.unwrap();
        self.canaries.add(text_of(&made));
        made
    }

    /// Revokes a personal token of the caller.
    pub async fn revoke(&self, caller: &Caller, token: &NewToken) {
        let (req, id) = (self.req(caller), token.token.id.as_str());
        token::revoke(&req, &OwnerRef::Own, id).await.unwrap();
    }
}
