//! `doorcode logout`.

use super::{ClientOptions, Context};
use crate::error::Error;
use crate::settings::Settings;
use domain::secret::Secret;

/// The options of `logout`.
#[derive(Debug, clap::Args)]
pub struct LogoutOptions {
    #[command(flatten)]
    pub(super) client: ClientOptions,
    /// Delete the token here even if it cannot be revoked on the server
    #[arg(long)]
    force: bool,
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
    let token = settings.token()?;
    let revoked = match settings.client()?.revoke(token).await {
        Ok(()) => true,
        Err(error) if options.force => {
            context.out.note(format_args!(
                "{error}\nThe token stays valid on the server until it expires or is revoked \
                 there."
            ));
            false
        }
        Err(error) => return Err(Error::NotRevoked(Box::new(error))),
    };
    forget(&settings, token)?;
    let document = serde_json::json!({
        "signed_in": false,
        "host": settings.host.to_string(),
        "profile": settings.profile.to_string(),
        "revoked": revoked,
    });
    let text = if revoked {
        format!(
            "Signed out of {}. The token is revoked and deleted from this machine.",
            settings.host
        )
    } else {
        format!(
            "The token for {} is deleted from this machine.",
            settings.host
        )
    };
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
