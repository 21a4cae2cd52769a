//! The device grant (RFC 8628), from the device authorization request to the token.

mod answer;
mod ask;
mod client;
mod code;
mod confirm;
mod consent;
mod decision;
mod forbidden;
mod limit;
mod limits;
mod pace;
mod poll;
mod race;
mod repeat;
mod right;
mod secrecy;
mod time;
mod wait;

use crate::support::TestApp;
use crate::support::device::Answer;

/// The device authorization endpoint.
const ASK: &str = "/auth/device";
/// The token endpoint.
const POLL: &str = "/auth/device/token";

/// The start of the limits on a consent page that shows them.
const OPEN: &str = r#"<details class="more limits" open>"#;
/// The start of the limits on a consent page that folds them.
const CLOSED: &str = r#"<details class="more limits">"#;

/// Settings under which the test acts as a proxy that sets the client address.
const BEHIND_PROXY: &str = "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n";

/// Sends a body unchanged.
async fn send(test: &TestApp, path: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = test
        .anon()
        .post(test.at(path))
        .header("content-type", media_type)
        .body(body.into());
    Answer::of(request.send().await.unwrap()).await
}

/// Sends a form unchanged.
async fn send_form(test: &TestApp, path: &str, body: &str) -> Answer {
    send(test, path, "application/x-www-form-urlencoded", body).await
}

/// Asserts that a response is an uncached OAuth error.
#[track_caller]
fn assert_refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(
        (answer.status, answer.error()),
        (status, error),
        "{answer:?}"
    );
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["pragma"], "no-cache");
    assert_eq!(answer.headers["content-type"], "application/json");
}
