//! A database that fails, rejects writes or does not answer: every request gets its answer in
//! time, and the server recovers without a restart.

mod batches;
mod clock;
mod connections;
mod migration;
mod pooler;
mod rejected;
mod schema;
mod silence;
mod tls;
mod wal;

use crate::support::TestApp;
use crate::support::device::Answer;
use crate::support::{API, CLI};
use std::time::{Duration, Instant};

/// Every request is answered within this time.
const ANSWERED: Duration = Duration::from_secs(10);

/// The status and the body of `/readyz`.
async fn ready(url: &str) -> (u16, String) {
    let response = crate::support::http().get(format!("{url}/readyz"));
    let response = response.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// Waits until `/readyz` responds with this status and a body with this text.
async fn until_ready(url: &str, status: u16, text: &str, within: Duration) {
    let deadline = Instant::now() + within;
    let mut look = tokio::time::interval(Duration::from_millis(20));
    loop {
        look.tick().await;
        let found = ready(url).await;
        if found.0 == status && found.1.contains(text) {
            return;
        }
        assert!(Instant::now() < deadline, "{found:?}, not {status} {text}");
    }
}

/// Requests a device code, which is a write.
async fn write(test: &TestApp, url: &str) -> Answer {
    let request = test.anon().post(format!("{url}/auth/device"));
    Answer::of(request.form(&[("client_id", CLI)]).send().await.unwrap()).await
}

/// Introspects a token, which is a read.
async fn read(test: &TestApp, url: &str, token: &str) -> Answer {
    let form = [
        ("client_id", API),
        ("client_secret", &test.api_secret),
        ("token", token),
    ];
    let request = test.anon().post(format!("{url}/auth/introspect"));
    Answer::of(request.form(&form).send().await.unwrap()).await
}

/// Asserts that a request was denied for now.
#[track_caller]
fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.error(), "temporarily_unavailable");
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
}
