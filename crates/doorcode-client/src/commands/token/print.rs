//! `doorcode token print`.

use serde_json::json;

use crate::commands::session::Session;
use crate::commands::{ClientOptions, Context};
use crate::error::Error;

/// The options of `token print`.
#[derive(Debug, clap::Args)]
pub struct PrintOptions {
    #[command(flatten)]
    pub(super) client: ClientOptions,
}

/// Prints the token that commands send to this server.
pub fn run(context: &Context<'_>) -> Result<(), Error> {
    let session = Session::open(context)?;
    let token = session.token.expose();
    let document = json!({ "host": session.settings.host.to_string(), "token": token });
    Ok(context.out.answer(&document, token)?)
}
