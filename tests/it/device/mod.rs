//! The device grant (RFC 8628), from the device's request to its token.

mod ask;
mod client;
mod code;
mod confirm;
mod consent;
mod decision;
mod limit;
mod poll;
mod race;
mod right;
mod secrecy;
mod time;
mod wait;

use crate::support::TestApp;
use crate::support::device::Answer;

/// The address of device authorization.
const ASK: &str = "/auth/device";
/// The address of the token endpoint.
const POLL: &str = "/auth/device/token";

/// Settings under which the test plays a proxy that names the caller's address.
const BEHIND_PROXY: &str = "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n";

/// Sends a body as it is.
async fn send(test: &TestApp, path: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = test
        .anon()
        .post(test.at(path))
        .header("content-type", media_type)
        .body(body.into());
    Answer::of(request.send().await.unwrap()).await
}

/// Sends a form as it is.
async fn send_form(test: &TestApp, path: &str, body: &str) -> Answer {
    send(test, path, "application/x-www-form-urlencoded", body).await
}

/// Checks that an answer is an error of OAuth, kept out of every cache.
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
