//! A command that uses the token of the user.

use std::time::Duration;

use chrono::TimeDelta;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Context;
use crate::api::identity::Identity;
use crate::api::{Client, Creation};
use crate::error::Error;
use crate::login::persist;
use crate::output::moment;
use crate::settings::{Settings, Token};
use domain::secret::Secret;

/// How long before its end a token is worth a reminder.
const REMINDER: TimeDelta = TimeDelta::days(14);

/// How long the server may be unavailable before a request that creates fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A command that uses the token of the user.
pub struct Session<'a> {
    /// What every command uses.
    pub context: &'a Context<'a>,
    /// The settings of the command.
    pub settings: Settings,
    /// A client of the server.
    pub client: Client,
    /// The token.
    pub token: Secret,
}

impl<'a> Session<'a> {
    /// Fails if the user is not signed in.
    pub fn open(context: &'a Context<'a>) -> Result<Self, Error> {
        let settings = context.settings()?;
        let (client, token) = (settings.client()?, settings.token()?.clone());
        Ok(Self {
            context,
            settings,
            client,
            token,
        })
    }

    /// Gets the owner and permissions of the token. Reminds the user of its end.
    pub async fn identity(&self) -> Result<Identity, Error> {
        let identity = self.client.me(&self.token).await?;
        self.remind(&identity);
        Ok(identity)
    }

    /// Sends a GET request.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.client.ask(&self.token, path, &[]).await
    }

    /// Sends a request that creates, again if the server does not respond. `list` is the command
    /// that shows whether it succeeded after all.
    pub async fn create<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        list: &str,
    ) -> Result<T, Error> {
        let creation = Creation::new(path, body)?;
        let send = async || self.client.create(&self.token, &creation).await;
        let created = persist(PATIENCE, &self.context.out, send).await;
        if let Err(Error::Unreachable { .. }) = &created {
            self.context.out.note(format_args!(
                "The server may have received the request. `{}` shows its result.",
                self.context.command(list)
            ));
        }
        created
    }

    /// Whether the credentials file has the token.
    pub fn is_stored(&self) -> bool {
        matches!(self.settings.token, Token::Stored(..))
    }

    /// Where the stored token is, for the user.
    pub fn whereabouts(&self) -> Result<String, Error> {
        match &self.settings.token {
            Token::Stored(_, origin, place) => self.settings.whereabouts(*origin, *place),
            _ => Ok(self.settings.file()?.display().to_string()),
        }
    }

    /// Where the token comes from, as documents name it.
    pub fn token_source(&self) -> &'static str {
        match &self.settings.token {
            Token::Stored(_, _, place) => place.name(),
            _ => "environment",
        }
    }

    fn remind(&self, identity: &Identity) {
        let Some(left) = identity
            .me
            .token
            .end()
            .and_then(|end| moment::until(end, moment::current_time()))
        else {
            return;
        };
        if left >= REMINDER {
            return;
        }
        let advice = if self.is_stored() {
            format!(
                "Run `{}` to renew it.",
                self.context.command("login --renew")
            )
        } else {
            let variable = self.context.branding.variable("TOKEN");
            format!("Set another one in {variable} before.")
        };
        let ends = moment::left(left);
        self.context.out.note(format_args!(
            "The token of this command expires {ends}. {advice}"
        ));
    }
}
