//! `doorcode whoami`.

use super::ClientOptions;
use crate::api::Client;
use crate::error::Error;
use crate::output::Output;
use crate::settings::{Environment, Settings};

/// The options of `whoami`.
#[derive(Debug, clap::Args)]
pub struct WhoamiOptions {
    #[command(flatten)]
    pub(super) client: ClientOptions,
}

/// Shows the signed-in user, the server, and the scopes of the token.
pub async fn run(options: &WhoamiOptions, out: &Output) -> Result<(), Error> {
    let settings = Settings::resolve(&options.client.flags(), Environment::of_process()?)?;
    let identity = Client::new(&settings.host)?.me(settings.token()?).await?;
    let text = format!(
        "Signed in to {host} as {owner}.\n\
         Organizations: {organizations}\n\
         Token:         {token}\n\
         Kept in:       {place}\n\
         Scopes:        {scopes}\n\
         Expires:       {expiry}",
        host = settings.host,
        owner = identity.owner(),
        organizations = identity.organizations(),
        token = identity.token(),
        place = if settings.token_from_environment() {
            "the environment variable DOORCODE_TOKEN".to_owned()
        } else {
            settings.file.display().to_string()
        },
        scopes = identity.scopes(),
        expiry = identity.expiry(),
    );
    Ok(out.answer(&identity.document, text)?)
}
