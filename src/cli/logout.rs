//! `doorcode logout`.

use super::ClientOptions;
use super::client::Client;
use super::credentials::Credentials;
use super::error::Error;
use super::settings::{Environment, Settings};
use super::terminal::Output;
use domain::secret::Secret;

/// The options of `logout`.
#[derive(Debug, clap::Args)]
pub struct LogoutOptions {
    #[command(flatten)]
    pub(super) client: ClientOptions,
    /// Forget the token here even if the server cannot be told to revoke it
    #[arg(long)]
    force: bool,
}

/// Revokes the token on the server, then forgets it.
pub async fn run(options: &LogoutOptions, out: &Output) -> Result<(), Error> {
    let settings = Settings::resolve(&options.client, Environment::of_process()?)?;
    if settings.token_from_environment() {
        return Err(Error::Failed(
            "The token in use comes from the environment variable DOORCODE_TOKEN, which only \
             you can remove. Unset it (`unset DOORCODE_TOKEN`); to end the token itself, \
             revoke it on the server's page of tokens. Nothing was changed."
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
            "Signed out of {}. The token is revoked and forgotten.",
            settings.host
        )
    } else {
        format!(
            "The token for {} is forgotten on this machine.",
            settings.host
        )
    };
    Ok(out.answer(&document, text)?)
}

/// Takes the token out of the file, unless somebody has signed in anew meanwhile.
fn forget(settings: &Settings, token: &Secret) -> Result<(), Error> {
    let mut credentials = Credentials::load(&settings.file)?;
    let kept = credentials.entry(&settings.profile)?.token;
    if kept.is_some_and(|kept| kept.expose() == token.expose()) {
        credentials.forget(&settings.profile)?;
        credentials.save()?;
    }
    Ok(())
}
