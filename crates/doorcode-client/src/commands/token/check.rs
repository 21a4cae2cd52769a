//! `doorcode token check`.

use serde_json::{Value, json};

use crate::commands::login::{parse_token, read_token};
use crate::commands::{ClientOptions, Context};
use crate::error::Error;
use domain::secret::Secret;
use domain::token::is_well_formed;

/// The options of `token check`.
#[derive(Debug, clap::Args)]
pub struct CheckOptions {
    #[command(flatten)]
    pub(super) client: ClientOptions,
    /// The token; `-` reads it from standard input. A token on the command line is visible in the
    /// process list and in the shell history
    #[arg(value_name = "TOKEN", value_parser = parse_token)]
    token: Secret,
}

/// Checks the form of a token here, and its state at the server.
pub async fn run(options: &CheckOptions, context: &Context<'_>) -> Result<(), Error> {
    let settings = context.settings()?;
    let token = read_token(&options.token, &context.out).await?;
    let host = settings.host.to_string();
    let document = |well_formed: bool, active: Option<bool>, me: Value| json!({ "host": host, "well_formed": well_formed, "active": active, "me": me });
    if !has_form(token.expose()) {
        context.out.document(&document(false, None, Value::Null))?;
        return Err(Error::Failed(
            "This is not a token: its form or its checksum is wrong. Nothing was sent to the \
             server. Check that it was copied completely."
                .to_owned(),
        ));
    }
    let identity = match settings.client()?.me(&token).await {
        Err(Error::TokenRefused(host)) => {
            context
                .out
                .document(&document(true, Some(false), Value::Null))?;
            return Err(Error::Inactive(host));
        }
        identity => identity?,
    };
    let text = format!(
        "{host} accepts the token.\n\
         Owner:   {}\n\
         Token:   {}\n\
         Scopes:  {}\n\
         Expires: {}",
        identity.owner(),
        identity.token(),
        identity.scopes(),
        identity.expiry()
    );
    let document = document(true, Some(true), identity.document);
    Ok(context.out.answer(&document, text)?)
}

/// Whether a text has the form and checksum of a token, with any prefix.
fn has_form(text: &str) -> bool {
    let prefix = text.rsplit_once('_').map(|(prefix, _)| prefix);
    prefix.is_some_and(|prefix| !prefix.is_empty() && is_well_formed(prefix, text))
}
