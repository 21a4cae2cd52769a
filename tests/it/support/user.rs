//! Users and clients, created without a browser.

use super::TestApp;
use super::tenant::OPERATOR;
use doorcode::app;
use doorcode::app::client::{self, Kind, NewClient, Registered, ScopeChoice};
use doorcode::app::user::{self, CreateUser, Named, UpdateUser};
use doorcode::domain::id::UserId;
use doorcode::domain::role::Role;
use doorcode::domain::secret::Secret;

impl TestApp {
    /// Creates a user, optionally a member of an organization. Returns its id.
    pub async fn add_user(&self, email: &str, password: &str, org: Option<(&str, Role)>) -> UserId {
        self.try_add_user(email, password, org).await.unwrap()
    }

    /// Like `add_user`, if it is possible.
    pub async fn try_add_user(
        &self,
        email: &str,
        password: &str,
        org: Option<(&str, Role)>,
    ) -> Result<UserId, app::Error> {
        self.canaries.add(password);
        if let Some((name, Role::Member | Role::Admin)) = org {
            // An organization of this name may exist already.
            let _ = doorcode::app::org::add(&self.req(&OPERATOR), name).await;
        }
        let new = CreateUser {
            name: "Ada".into(),
            email: email.into(),
            password: Secret::new(password),
            organization: org.map(|(name, role)| (name.to_owned(), Some(role))),
        };
        let made = user::make(&self.req(&OPERATOR), new).await?;
        Ok(made.user.id)
    }

    /// Deactivates a user.
    pub async fn deactivate(&self, email: &str) {
        let named = Named::Email(email.to_owned());
        user::deactivate(&self.req(&OPERATOR), named).await.unwrap();
    }

    /// Marks a user as an operator, whose sessions end, or removes the mark.
    pub async fn mark_operator(&self, email: &str, is_operator: bool) {
        let input = UpdateUser {
            is_operator: Some(is_operator),
            ..UpdateUser::default()
        };
        let named = Named::Email(email.to_owned());
        let marked = user::update(&self.req(&OPERATOR), named, input).await;
        assert_eq!(marked.unwrap().is_operator, is_operator);
    }

    /// Registers a client. Returns its secret, which is empty for a public client.
    pub async fn add_client(&self, id: &str, kind: Kind, scopes: &[&str]) -> String {
        let new = NewClient {
            id: id.into(),
            name: format!("The {id}"),
            scopes: match (scopes, kind) {
                ([], Kind::Public) => ScopeChoice::All,
                _ => ScopeChoice::These(scopes.iter().map(ToString::to_string).collect()),
            },
            default_scopes: Vec::new(),
            kind,
        };
        let secret = self.register(new).await.unwrap().secret;
        secret.map_or_else(String::new, |secret| secret.expose().to_owned())
    }

    /// Registers a client as the operator.
    pub async fn register(&self, new: NewClient) -> Result<Registered, app::Error> {
        let made = client::register(&self.req(&OPERATOR), new).await;
        if let Ok(Registered {
            secret: Some(secret),
            ..
        }) = &made
        {
            self.canaries.add(secret.expose());
        }
        made
    }
}
