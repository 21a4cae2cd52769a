//! `doorcode logout`.

use super::ClientOptions;
use crate::api::Client;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::output::Output;
use crate::settings::{Environment, Settings};
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
pub async fn run(options: &LogoutOptions, out: &Output) -> Result<(), Error> {
    let settings = Settings::resolve(&options.client.flags(), Environment::of_process()?)?;
    if settings.token_from_environment() {
        return Err(Error::Failed(
            "The token comes from the environment variable DOORCODE_TOKEN. Nothing was changed. \
             Unset the variable with `unset DOORCODE_TOKEN`, and revoke the token on the \
             server's Tokens page."
                .to_owned(),
        ));
    }
    let token = settings.token()?;
    let revoked = match Client::new(&settings.host)?.revoke(token).await {
        Ok(()) => true,
        Err(error) if options.force => {
            out.note(format_args!(
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
    Ok(out.answer(&document, text)?)
}

/// Removes the token from the file, unless another sign-in has replaced it meanwhile.
fn forget(settings: &Settings, token: &Secret) -> Result<(), Error> {
    let mut credentials = Credentials::load(&settings.file)?;
    let kept = credentials.entry(&settings.profile)?.token;
    if kept.is_some_and(|kept| kept.expose() == token.expose()) {
        credentials.forget(&settings.profile)?;
        credentials.save()?;
    }
    Ok(())
}
