//! A new sign-in of the owner of a token, for requests that need a recent one (RFC 9470).

use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::browser::{Opening, openers};
use super::pace::{Pace, Polled};
use super::prompt::Browser;
use super::repeat;
use crate::api::Client;
use crate::error::Error;
use crate::host::web_address;
use crate::output::{Output, plain};
use crate::terminal::stop_requested;
use domain::secret::Secret;
use wire::api::Token;

/// How long the user may take.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Seconds between two looks at the token.
const INTERVAL: u64 = 2;

/// What a confirmation needs.
#[derive(Debug, Clone, Copy)]
pub struct ConfirmationParameters {
    /// How recent the sign-in must be: the `max_age` of the challenge.
    pub max_age: Duration,
    /// Whether to open the page in a browser.
    pub browser: Browser,
}

/// Sends the user to the page on which the owner of a token signs in again for it, and waits for
/// it. Returns the confirmed token.
pub async fn confirm(
    client: &Client,
    token: &Secret,
    parameters: ConfirmationParameters,
    out: &Output,
) -> Result<Token, Error> {
    let before = client.me(token).await?.me.token;
    if before.kind != "personal" {
        return Err(Error::Failed(
            "Only personal tokens can be confirmed: no user signs in for this one.".to_owned(),
        ));
    }
    let page = client.confirmation_page(&before.id, parameters.max_age.as_secs());
    let link = web_address(&page)
        .ok_or_else(|| Error::Failed("The address of the page is not valid.".to_owned()))?;
    out.event(&json!({"event": "confirmation", "confirm_uri": page}))?;
    let opening = match parameters.browser {
        Browser::Open => Opening::start(openers(&link, client.branding())),
        Browser::Leave => None,
    };
    let opens = match opening {
        Some(_) => "The page opens in your browser. Sign in there and confirm the token",
        None => "Open this page, sign in there and confirm the token",
    };
    out.say(format_args!(
        "{opens} {}:\n\n    Page:  {page}\n\nWaiting for the confirmation.",
        plain(&before.name)
    ))?;
    let deadline = Instant::now() + PATIENCE;
    let confirmed = repeat(Pace::new(INTERVAL), deadline, async |_| {
        let asked_at = Instant::now();
        let now = client.me(token).await?.me.token;
        Ok(match now.confirmed_at == before.confirmed_at {
            true => ControlFlow::Continue(Polled::Pending {
                held: false,
                took: asked_at.elapsed(),
            }),
            false => ControlFlow::Break(now),
        })
    });
    tokio::select! {
        biased;
        confirmed = confirmed => match confirmed {
            Err(Error::Expired) => Err(Error::Failed(
                "The token was not confirmed in time. Run the command again.".to_owned(),
            )),
            confirmed => confirmed,
        },
        () = stop_requested() => Err(Error::Cancelled),
    }
}
