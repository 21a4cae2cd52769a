//! `doorcode token revoke-all`.

use chrono::{DateTime, Utc};
use serde_json::json;
use wire::api::{RevokeAll, Revoked, Token};

use super::{OwnerOptions, is_active};
use crate::commands::revocation::ask;
use crate::commands::session::Session;
use crate::commands::{ClientOptions, Context, parse_time};
use crate::error::Error;
use crate::output::plain;

/// The options of `token revoke-all`.
#[derive(Debug, clap::Args)]
pub struct RevokeAllOptions {
    #[command(flatten)]
    pub(super) client: ClientOptions,
    #[command(flatten)]
    owner: OwnerOptions,
    /// Only tokens created before this date or time, such as 2030-01-31 or 2030-01-31T12:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = parse_time)]
    created_before: Option<DateTime<Utc>>,
    /// Revoke without a question
    #[arg(long)]
    yes: bool,
}

/// Revokes all tokens of the user or of an organization, and asks the server whether it did.
pub async fn run(options: &RevokeAllOptions, context: &Context<'_>) -> Result<(), Error> {
    let session = Session::open(context)?;
    let identity = session.identity().await?;
    let owner = match &options.owner.org {
        Some(org) => {
            let word = &context.branding.words.organization;
            format!("of the {word} {}", plain(org))
        }
        None => format!("of {} at {}", identity.owner(), session.settings.host),
    };
    let count = affected(options, &session).await?.len();
    if !options.yes {
        let (tokens, them) = match count {
            1 => ("token", "it"),
            _ => ("tokens", "them"),
        };
        let explanation = format!(
            "{count} active {tokens} {owner} will be revoked, with everything that was created \
             with {them}."
        );
        ask(&explanation, "Add --yes to revoke them", "").await?;
    }
    let body = RevokeAll {
        issued_before: options.created_before,
    };
    let path = format!("{}/revoke-all", options.owner.path());
    let list = options.owner.list_command(context.branding);
    let ended: Revoked = session.create(&path, &body, &list).await?;
    let (left, own_is_revoked) = match affected(options, &session).await {
        // All that the server can still confirm is the end of the token of this command.
        Err(Error::TokenRefused(_)) => (0, true),
        left => (left?.len(), false),
    };
    if left > 0 {
        return Err(Error::Failed(format!(
            "{left} tokens {owner} are still active. Run the command again."
        )));
    }
    let mut text = format!(
        "Revoked tokens {owner}: {}. Withdrawn invitations: {}.",
        ended.revoked, ended.withdrawn_invitations
    );
    if own_is_revoked {
        text += &format!(
            "\nThe token of this command is revoked too. Run `{}` to sign in again.",
            context.command("login")
        );
        forget(&session)?;
    }
    let document = json!({
        "revoked": ended.revoked,
        "withdrawn_invitations": ended.withdrawn_invitations,
        "own_token_revoked": own_is_revoked,
    });
    Ok(context.out.report(&document, text)?)
}

/// The active tokens that the command revokes.
async fn affected(options: &RevokeAllOptions, session: &Session<'_>) -> Result<Vec<Token>, Error> {
    let list = options.owner.list(session).await?;
    let mut tokens: Vec<Token> = session.client.known(&list)?;
    let is_before = |token: &Token| match options.created_before {
        Some(limit) => DateTime::parse_from_rfc3339(&token.created_at)
            .is_ok_and(|created| created.to_utc() < limit),
        None => true,
    };
    tokens.retain(|token| is_active(token) && is_before(token));
    Ok(tokens)
}

/// Removes the revoked token of this command from the credentials file.
fn forget(session: &Session<'_>) -> Result<(), Error> {
    if !session.is_stored() {
        return Ok(());
    }
    let (profile, host) = (&session.settings.profile, &session.settings.host);
    session.settings.change_file(|credentials| {
        let kept = credentials.entry(profile, host)?.token;
        if kept.is_some_and(|kept| kept.expose() == session.token.expose()) {
            credentials.forget(profile, host)?;
        }
        Ok(())
    })
}
