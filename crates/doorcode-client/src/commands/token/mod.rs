//! `doorcode token`.

mod check;
mod confirm;
mod create;
mod list;
mod print;
mod revoke;
mod revoke_all;
mod rotate;

use wire::api::{List, Token};

use super::session::Session;
use super::{ClientOptions, Context, reference};
use crate::api::Listing;
use crate::branding::Branding;
use crate::error::Error;
use crate::output::{moment, plain};
use domain::id::TokenId;

/// The commands about tokens.
#[derive(Debug, clap::Subcommand)]
pub enum TokenCommand {
    /// List tokens, newest first
    List(list::ListOptions),
    /// Create a token and print its secret, which is shown only this once
    Create(create::CreateOptions),
    /// Replace a token by a new one with the same attributes, and print the new secret
    Rotate(rotate::RotateOptions),
    /// Revoke a token, and what was created with it
    Revoke(revoke::RevokeOptions),
    /// Revoke all of your tokens, including the one of this sign-in
    RevokeAll(revoke_all::RevokeAllOptions),
    /// Check the form of a token, and whether the server accepts it: exit code 0 if it does, 1 if
    /// the text is not a token, 3 if the server refuses it
    Check(check::CheckOptions),
    /// Sign in again for the token of this command, for requests that need a recent sign-in
    Confirm(confirm::ConfirmOptions),
    /// Print the token that commands send, for scripts
    Print(print::PrintOptions),
}

/// The token that a command changes.
#[derive(Debug, clap::Args)]
pub struct TokenOptions {
    #[command(flatten)]
    client: ClientOptions,
    #[command(flatten)]
    owner: OwnerOptions,
    /// The token, by its ID or name
    #[arg(value_name = "TOKEN")]
    token: String,
}

impl TokenOptions {
    /// The token, and whether it is that of this command. Refuses the stored token of the sign-in and
    /// names the command for it, and its purpose.
    async fn find(
        &self,
        session: &Session<'_>,
        context: &Context<'_>,
        (command, purpose): (&str, &str),
    ) -> Result<(Token, bool), Error> {
        let token = self.owner.find(&self.token, session).await?;
        let is_own = token.id == session.identity().await?.me.token.id;
        if is_own && session.is_stored() {
            return Err(Error::Failed(format!(
                "{} is the token of your sign-in. Run `{}` {purpose}.",
                named(&token),
                context.command(command)
            )));
        }
        Ok((token, is_own))
    }

    /// The path of the token.
    fn path(&self, token: &Token) -> String {
        format!("{}/{}", self.owner.path(), token.id)
    }
}

/// Whose tokens a command is about.
#[derive(Debug, clap::Args)]
pub struct OwnerOptions {
    /// The tokens of this organization, by its slug or ID [default: your own tokens]
    #[arg(long, value_name = "ORG", value_parser = reference)]
    org: Option<String>,
}

impl OwnerOptions {
    /// The path of the tokens.
    fn path(&self) -> String {
        match &self.org {
            Some(org) => format!("/v1/orgs/{org}/tokens"),
            None => "/v1/tokens".to_owned(),
        }
    }

    /// The command that lists the tokens.
    fn list_command(&self, branding: &Branding) -> String {
        match &self.org {
            Some(org) => format!("token list --{} {org}", branding.words.name("org")),
            None => "token list".to_owned(),
        }
    }

    /// All tokens, inactive ones included.
    async fn list(&self, session: &Session<'_>) -> Result<List<serde_json::Value>, Error> {
        let path = self.path();
        let (client, token) = (&session.client, &session.token);
        client.list(token, &Listing::all(&path)).await
    }

    /// The token with this ID, or the active one with this name.
    async fn find(&self, named: &str, session: &Session<'_>) -> Result<Token, Error> {
        if TokenId::parse(named).is_some() {
            return session.get(&format!("{}/{named}", self.path())).await;
        }
        let list = self.list(session).await?;
        let mut found: Vec<Token> = session.client.known(&list)?;
        found.retain(|token| token.name == named && is_active(token));
        let command = session
            .context
            .command(&self.list_command(session.context.branding));
        match <[Token; 1]>::try_from(found) {
            Ok([token]) => Ok(token),
            Err(found) if found.is_empty() => Err(Error::Failed(format!(
                "There is no active token with the name or ID {}. `{command}` shows the tokens.",
                plain(named)
            ))),
            Err(found) => {
                let ids: Vec<_> = found.iter().map(|token| plain(&token.id)).collect();
                Err(Error::Failed(format!(
                    "{} active tokens have the name {}. Use an ID: {}.",
                    ids.len(),
                    plain(named),
                    ids.join(", ")
                )))
            }
        }
    }
}

impl TokenCommand {
    /// The options that all client commands share.
    pub(super) fn options(&self) -> &ClientOptions {
        match self {
            Self::List(options) => &options.client,
            Self::Create(options) => &options.client,
            Self::Rotate(options) => &options.about.client,
            Self::Revoke(options) => &options.about.client,
            Self::RevokeAll(options) => &options.client,
            Self::Check(options) => &options.client,
            Self::Confirm(options) => &options.client,
            Self::Print(options) => &options.client,
        }
    }

    /// Runs the command.
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Error> {
        match self {
            Self::List(options) => list::run(options, context).await,
            Self::Create(options) => create::run(options, context).await,
            Self::Rotate(options) => rotate::run(options, context).await,
            Self::Revoke(options) => revoke::run(options, context).await,
            Self::RevokeAll(options) => revoke_all::run(options, context).await,
            Self::Check(options) => check::run(options, context).await,
            Self::Confirm(options) => confirm::run(options, context).await,
            Self::Print(_) => print::run(context),
        }
    }
}

/// Whether a token can be used, by its state.
fn is_active(token: &Token) -> bool {
    token.state == "live"
}

/// Name, hint and ID of a token.
fn named(token: &Token) -> String {
    format!(
        "{} ({}, {})",
        plain(&token.name),
        plain(&token.hint),
        plain(&token.id)
    )
}

/// The facts of a new token, a line for each.
fn facts(token: &Token, context: &Context<'_>) -> String {
    let words = |words: &[String]| match words {
        [] => "none".to_owned(),
        words => plain(&words.join(" ")).into_owned(),
    };
    let labels = &context.branding.words;
    let mut lines = vec![
        format!("Token:        {}", named(token)),
        format!("Scopes:       {}", words(&token.scopes)),
    ];
    lines.extend(
        token
            .organization
            .as_deref()
            .map(|id| format!("{:<13} {}", labels.apply("Organization:"), plain(id))),
    );
    lines.extend(
        token
            .projects
            .as_deref()
            .map(|ids| format!("{:<13} {}", labels.apply("Projects:"), words(ids))),
    );
    lines.push(format!(
        "Expires:      {}",
        moment::end(token.end(), moment::current_time())
    ));
    lines.join("\n")
}
