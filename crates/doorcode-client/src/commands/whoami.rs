//! `doorcode whoami`.

use serde_json::json;

use super::session::Session;
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
    let session = Session::open(context)?;
    let (settings, identity) = (&session.settings, session.identity().await?);
    let organizations = identity.organizations().map(|names| {
        let heading = context.branding.words.apply("Organizations:");
        format!("{heading:<14} {names}\n")
    });
    let text = format!(
        "Signed in to {host} as {owner}.\n\
         {organizations}\
         Token:         {token}\n\
         Kept in:       {place}\n\
         Scopes:        {scopes}\n\
         Expires:       {expiry}",
        host = settings.host,
        owner = identity.owner(),
        organizations = organizations.unwrap_or_default(),
        token = identity.token(),
        place = if settings.token_from_environment() {
            format!(
                "the environment variable {}",
                context.branding.variable("TOKEN")
            )
        } else {
            session.whereabouts()?
        },
        scopes = identity.scopes(),
        expiry = identity.expiry(),
    );
    let document = json!({
        "signed_in": true,
        "host": settings.host.to_string(),
        "profile": settings.profile.to_string(),
        "token_source": session.token_source(),
        "me": identity.document,
    });
    Ok(context.out.answer(&document, text)?)
}
