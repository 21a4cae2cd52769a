//! `doorcode logout`.

use super::revocation::{self, confirm, origin_of};
use super::{ClientOptions, Context};
use crate::api::Client;
use crate::credentials::Origin;
use crate::error::Error;
use crate::settings::{Settings, Token};
use domain::secret::Secret;

/// The options of `logout`.
#[derive(Debug, clap::Args)]
pub struct LogoutOptions {
    #[command(flatten)]
    pub(super) client: ClientOptions,
    /// Also revoke a token that you gave to `login --token`, which may be in use elsewhere
    #[arg(long)]
    revoke: bool,
    /// Revoke what was created with the token too, without a question
    #[arg(long)]
    yes: bool,
    /// Delete the token here even if it cannot be revoked on the server
    #[arg(long)]
    force: bool,
}

/// What became of the token on the server.
enum Outcome {
    /// It is revoked, and the server has confirmed it.
    Revoked,
    /// The server did not accept it before either.
    Inactive,
    /// It stays valid; the text states why.
    Valid(String),
}

/// Revokes the token on the server, then deletes it here.
pub async fn run(options: &LogoutOptions, context: &Context<'_>) -> Result<(), Error> {
    let settings = context.settings()?;
    if settings.token_from_environment() {
        let variable = context.branding.variable("TOKEN");
        return Err(Error::Failed(format!(
            "The token comes from the environment variable {variable}. Nothing was changed. \
             Unset the variable with `unset {variable}`, and revoke the token on the server's \
             Tokens page."
        )));
    }
    let (token, origin) = match &settings.token {
        Token::Stored(token, origin, _) => (token, *origin),
        Token::Missing => {
            settings.file()?;
            let text = format!("You are not signed in to {}.", settings.host);
            return report(context, &settings, (None, text));
        }
        Token::Lost => {
            settings
                .change_file(|credentials| credentials.forget(&settings.profile, &settings.host))?;
            let text = format!(
                "You are not signed in to {host}: the keyring of the kernel lost the token. If it \
                 has not expired, it stays valid until you revoke it on the server's Tokens page.",
                host = settings.host
            );
            return report(context, &settings, (None, text));
        }
        _ => (settings.token()?, None),
    };
    let outcome = match end(&settings.client()?, (token, origin), options, context).await {
        Err(error) if options.force => Outcome::Valid(format!(
            "{error} The token stays valid on the server until it expires or is revoked there."
        )),
        outcome => outcome?,
    };
    forget(&settings, token)?;
    let host = &settings.host;
    let result = match outcome {
        Outcome::Revoked => (
            Some(true),
            format!("Signed out of {host}. The token is revoked and deleted from this machine."),
        ),
        Outcome::Inactive => (
            Some(true),
            format!(
                "Signed out of {host}. The token was already inactive, and is deleted from this \
                 machine."
            ),
        ),
        Outcome::Valid(why) => {
            context.out.note(why);
            let text = format!("The token for {host} is deleted from this machine.");
            (Some(false), text)
        }
    };
    report(context, &settings, result)
}

/// Ends the token on the server, if it can and may be ended.
async fn end(
    client: &Client,
    (token, origin): (&Secret, Option<Origin>),
    options: &LogoutOptions,
    context: &Context<'_>,
) -> Result<Outcome, Error> {
    let not_revoked = |error| Error::NotRevoked(Box::new(error));
    let identity = match client.me(token).await {
        Err(Error::TokenRefused(_)) => return Ok(Outcome::Inactive),
        identity => identity.map_err(not_revoked)?,
    };
    if identity.is_operator() {
        return Ok(Outcome::Valid(
            "This is the operator token, which cannot be revoked here. Replace it on the server."
                .to_owned(),
        ));
    }
    if origin_of(origin, &identity, context) == Origin::Given && !options.revoke {
        return Ok(Outcome::Valid(format!(
            "The token was given by hand, so it may be in use elsewhere, and stays valid (expires: \
             {}). If it is not in use, revoke it on the server's Tokens page.",
            identity.expiry()
        )));
    }
    let descendants = client.descendants(token).await.map_err(not_revoked)?;
    confirm(&descendants, options.yes, "").await?;
    let issued_to = identity.me.token.client_id.as_deref();
    revocation::revoke(client, token, issued_to)
        .await
        .map_err(not_revoked)?;
    Ok(Outcome::Revoked)
}

fn report(
    context: &Context<'_>,
    settings: &Settings,
    (revoked, text): (Option<bool>, String),
) -> Result<(), Error> {
    let document = serde_json::json!({
        "signed_in": false,
        "host": settings.host.to_string(),
        "profile": settings.profile.to_string(),
        "revoked": revoked,
    });
    Ok(context.out.answer(&document, text)?)
}

/// Removes the token from the file, unless another sign-in has replaced it meanwhile.
fn forget(settings: &Settings, token: &Secret) -> Result<(), Error> {
    settings.change_file(|credentials| {
        let kept = credentials.entry(&settings.profile, &settings.host)?.token;
        if kept.is_some_and(|kept| kept.expose() == token.expose()) {
            credentials.forget(&settings.profile, &settings.host)?;
        }
        Ok(())
    })
}
