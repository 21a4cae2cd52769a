//! `doorcode whoami`.

use super::{ClientOptions, Context};
use crate::error::Error;

/// The options of `whoami`.
#[derive(Debug, clap::Args)]
pub struct WhoamiOptions {
    #[command(flatten)]
    pub(super) client: ClientOptions,
}

/// Shows the signed-in user, the server, and the scopes of the token.
pub async fn run(context: &Context<'_>) -> Result<(), Error> {
    let settings = context.settings()?;
    let identity = settings.client()?.me(settings.token()?).await?;
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
            format!(
                "the environment variable {}",
                context.branding.variable("TOKEN")
            )
        } else {
            settings.file()?.display().to_string()
        },
        scopes = identity.scopes(),
        expiry = identity.expiry(),
    );
    Ok(context.out.answer(&identity.document, text)?)
}
