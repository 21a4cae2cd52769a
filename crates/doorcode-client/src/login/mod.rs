//! The client side of the device flow (RFC 8628 section 3).

pub mod pace;
pub mod prompt;

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::Instant;

use self::pace::{Pace, Polled};
use self::prompt::{Browser, Waiting};
use crate::api::{Client, DeviceParameters, Poll};
use crate::error::Error;
use crate::output::{Output, plain};
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
    prompt::show(&grant, browser, out)?;

    let waiting = Waiting::start(deadline, out);
    tokio::select! {
        biased;
        outcome = decision(client, &grant, deadline, &waiting, out) => outcome,
        never = waiting.animate() => match never {},
    }
}

/// Polls until the user has decided or the code has expired.
async fn decision(
    client: &Client,
    grant: &DeviceAuthorizationResponse,
    deadline: Instant,
    waiting: &Waiting,
    out: &Output,
) -> Result<TokenResponse, Error> {
    let pace = Pace::new(grant.interval);
    let decided = repeat(pace, deadline, async |left| {
        // The last poll exceeds the lifetime, so that the server reports the outcome.
        let hold = HOLD.min(left.as_secs() + 1);
        match client.poll(&grant.device_code, hold).await {
            Ok(Poll::Token(token)) => Ok(ControlFlow::Break(token)),
            Ok(Poll::Wait(polled)) => {
                waiting.all_is_well();
                Ok(ControlFlow::Continue(polled))
            }
            Err(error) => {
                if error.passing().is_some() {
                    waiting.trouble(out);
                }
                Err(error)
            }
        }
    });
    decided.await
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
            out.note(prompt::TROUBLE);
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
