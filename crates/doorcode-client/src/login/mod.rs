//! The client side of the device flow (RFC 8628 section 3).

pub mod browser;
pub mod confirmation;
pub mod pace;
pub mod prompt;
pub mod waiting;

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::Instant;

use self::browser::Opening;
use self::pace::{Pace, Polled};
use self::prompt::{Browser, Prompt};
use self::waiting::Waiting;
use crate::api::{Client, DeviceParameters, Poll};
use crate::error::Error;
use crate::output::{Output, plain};
use crate::terminal::stop_requested;
use domain::name::shorten;
use wire::oauth::{DeviceAuthorizationResponse, TokenResponse};

/// `Prefer: wait` in seconds: short enough that no proxy closes the connection as idle.
const HOLD: u64 = 25;

/// Maximum accepted lifetime of a code, in seconds.
const LONGEST_LIFE: u64 = 24 * 60 * 60;

/// Requests a code, shows it, and waits until the user has decided or the code expires. An
/// ended flow is never restarted automatically. Adds the name of this machine to the parameters.
pub async fn obtain(
    client: &Client,
    parameters: DeviceParameters<'_>,
    browser: Browser,
    out: &Output,
) -> Result<TokenResponse, Error> {
    let device_name = device_name();
    let parameters = DeviceParameters {
        device_name: device_name.as_deref(),
        ..parameters
    };
    let grant = client.authorize_device(parameters).await?;
    let life = Duration::from_secs(grant.expires_in.min(LONGEST_LIFE));
    let deadline = Instant::now() + life;
    let prompt = Prompt::new(&grant, out.screen())?;
    out.event(&prompt.event())?;
    let opening = match browser {
        Browser::Open => Opening::start(prompt.openers(client.branding())),
        Browser::Leave => None,
    };
    out.say(match opening {
        Some(_) => prompt.with_browser(),
        None => prompt.without_browser(),
    })?;

    let polling = Polling {
        client,
        grant: &grant,
        deadline,
    };
    let waiting = Waiting::start(deadline, client.branding(), out);
    tokio::select! {
        biased;
        outcome = polling.decision(&waiting, out) => outcome,
        () = stop_requested() => Err(Error::CancelledAfterCode),
        never = waiting.animate() => match never {},
        never = replace_failed_browser(opening, &prompt, &waiting, out) => match never {},
    }
}

/// Shows the link as soon as the browser has failed to open it.
async fn replace_failed_browser(
    opening: Option<Opening>,
    prompt: &Prompt<'_>,
    waiting: &Waiting,
    out: &Output,
) -> Infallible {
    if let Some(opening) = opening {
        opening.failed().await;
        waiting.clear();
        out.note(format_args!(
            "The page could not be opened in a browser here.\n\n{}",
            prompt.without_browser()
        ));
    }
    std::future::pending().await
}

/// The polling of a device grant.
struct Polling<'a> {
    client: &'a Client,
    grant: &'a DeviceAuthorizationResponse,
    deadline: Instant,
}

impl Polling<'_> {
    /// Polls until the user has decided or the code has expired.
    async fn decision(&self, waiting: &Waiting, out: &Output) -> Result<TokenResponse, Error> {
        let mut response_lost = false;
        let pace = Pace::new(self.grant.interval);
        let decided = repeat(pace, self.deadline, async |left| {
            // The last poll exceeds the lifetime, so that the server reports the outcome.
            let hold = HOLD.min(left.as_secs() + 1);
            match self.client.poll(&self.grant.device_code, hold).await {
                Ok(Poll::Token(token)) => Ok(ControlFlow::Break(token)),
                Ok(Poll::Wait(polled)) => {
                    waiting.all_is_well();
                    response_lost = false;
                    Ok(ControlFlow::Continue(polled))
                }
                // The code has been used: by the poll whose response was lost.
                Err(Error::OAuth { name, .. }) if response_lost && name == "invalid_grant" => {
                    Err(Error::TokenLost)
                }
                Err(error) => {
                    if error.passing().is_some() {
                        response_lost = true;
                        waiting.trouble(out);
                    }
                    Err(error)
                }
            }
        });
        decided.await
    }
}

/// Sends a request again while the server is unreachable or overloaded, until it responds or
/// `patience` is over. The pauses grow.
pub async fn persist<T>(
    patience: Duration,
    out: &Output,
    mut request: impl AsyncFnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    let mut is_reported = false;
    let deadline = Instant::now() + patience;
    let done = repeat(Pace::new(1), deadline, async |_| {
        let outcome = request().await;
        let is_passing = outcome
            .as_ref()
            .is_err_and(|error| error.passing().is_some());
        if is_passing && !std::mem::replace(&mut is_reported, true) {
            out.note(waiting::TROUBLE);
        }
        outcome.map(ControlFlow::Break)
    });
    done.await
}

/// Repeats an attempt, which gets the remaining time, until it yields a value, fails for good, or
/// the time is over.
async fn repeat<T>(
    mut pace: Pace,
    deadline: Instant,
    mut attempt: impl AsyncFnMut(Duration) -> Result<ControlFlow<T, Polled>, Error>,
) -> Result<T, Error> {
    let left = || deadline.saturating_duration_since(Instant::now());
    loop {
        let (polled, failure) = match attempt(left()).await {
            Ok(ControlFlow::Break(value)) => return Ok(value),
            Ok(ControlFlow::Continue(polled)) => (polled, Error::Expired),
            Err(error) => match error.passing() {
                Some(retry_after) => (Polled::Failed { retry_after }, error),
                None => return Err(error),
            },
        };
        if left().is_zero() {
            return Err(failure);
        }
        tokio::time::sleep(pace.pause_after(polled).min(left())).await;
    }
}

/// The device name that the consent page shows: user and host.
fn device_name() -> Option<String> {
    let variable = |names: [&str; 2]| {
        names
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()))
    };
    let user = variable(["USER", "USERNAME"]);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| variable(["HOSTNAME", "COMPUTERNAME"]));
    join_name(user.as_deref(), host.as_deref())
}

fn join_name(user: Option<&str>, host: Option<&str>) -> Option<String> {
    let parts: Vec<_> = [user, host]
        .into_iter()
        .flatten()
        .map(|part| plain(part.trim()))
        .filter(|part| !part.is_empty())
        .collect();
    let name = shorten(&parts.join("@"));
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_name_is_the_known_part_of_user_and_host() {
        let name =
            |user: Option<&str>, host: Option<&str>| join_name(user, host).unwrap_or_default();
        assert_eq!(name(Some("ada"), Some("engine\n")), "ada@engine");
        assert_eq!(name(None, Some("engine")), "engine");
        assert_eq!(name(Some("ada"), Some(" ")), "ada");
        assert_eq!(join_name(None, None), None);
        assert_eq!(
            name(Some(&"é".repeat(90)), Some("engine.example.com"))
                .chars()
                .count(),
            100
        );
        let long = format!("{}👩\u{200d}💻", "x".repeat(95));
        assert!(name(Some("ada"), Some(long.as_str())).ends_with("x👩"));
        assert_eq!(name(Some("a\u{202e}da"), Some("x\u{3164}y")), "ada@x");
    }
}
