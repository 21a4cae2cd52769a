//! `doorcode token confirm`.

use std::time::Duration;

use serde_json::json;

use super::named;
use super::rotate::parse_time;
use crate::commands::session::Session;
use crate::commands::{ClientOptions, Context};
use crate::error::Error;
use crate::login::confirmation::{ConfirmationParameters, confirm};
use crate::login::prompt::Browser;

/// The options of `token confirm`.
#[derive(Debug, clap::Args)]
pub struct ConfirmOptions {
    #[command(flatten)]
    pub(super) client: ClientOptions,
    /// How recent the sign-in must be: the max_age of the refused request, such as 300s or 5m
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_time)]
    max_age: u32,
    /// Do not open a browser on this machine
    #[arg(long)]
    no_browser: bool,
}

/// Sends the user to the page on which they sign in again for the token, and waits for it.
pub async fn run(options: &ConfirmOptions, context: &Context<'_>) -> Result<(), Error> {
    let session = Session::open(context)?;
    let max_age = Duration::from_secs(options.max_age.into());
    let parameters = ConfirmationParameters {
        max_age,
        browser: match options.no_browser {
            true => Browser::Leave,
            false => Browser::Open,
        },
    };
    let token = confirm(&session.client, &session.token, parameters, &context.out).await?;
    let text = format!("{} is confirmed. Repeat the request now.", named(&token));
    let document = json!({"id": token.id, "name": token.name, "confirmed_at": token.confirmed_at});
    Ok(context.out.report(&document, text)?)
}
