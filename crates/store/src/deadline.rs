//! How long callers wait for the database.

use std::cell::Cell;
use std::future::Future;
use std::time::{Duration, Instant};

/// The time for all database work of one request: each request is answered within 10 seconds.
const REQUEST: Duration = Duration::from_secs(9);

/// The time for one operation outside of a request: a background task or a command.
const BACKGROUND: Duration = Duration::from_secs(60);

tokio::task_local! {
    static DEADLINE: Cell<Instant>;
}

/// Runs the future of a request. Its database work ends within a few seconds, or fails.
pub async fn within_request<F: Future>(work: F) -> F::Output {
    within(REQUEST, work).await
}

/// Runs a future whose database work ends within this time, or fails.
pub async fn within<F: Future>(limit: Duration, work: F) -> F::Output {
    DEADLINE
        .scope(Cell::new(Instant::now() + limit), work)
        .await
}

/// Starts the time of a request again, after it has waited for something else than the database.
pub fn restart() {
    // Outside of a request each operation has its own time.
    let _ = DEADLINE.try_with(|at| at.set(Instant::now() + REQUEST));
}

/// When the next operation must end.
pub(super) fn current() -> Instant {
    DEADLINE
        .try_with(Cell::get)
        .unwrap_or_else(|_| Instant::now() + BACKGROUND)
}
