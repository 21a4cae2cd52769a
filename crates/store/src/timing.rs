//! The times of the database work of one request, for traces.

use super::Error;
use super::figures::ErrorKind;
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// The most operations of a request that are kept.
const MOST: usize = 64;

tokio::task_local! {
    static OPERATIONS: Option<RefCell<Vec<Operation>>>;
}

/// One operation of the database, with the time that it waited for its turn.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Whether it could write.
    pub writes: bool,
    /// Its start.
    pub began: Instant,
    /// Its duration.
    pub took: Duration,
    /// The kind of its error, if it failed.
    pub error: Option<ErrorKind>,
}

/// Runs a future; if it is recorded, returns the operations of its task.
pub async fn within<F: Future>(is_recorded: bool, work: F) -> (F::Output, Vec<Operation>) {
    let kept = is_recorded.then(RefCell::default);
    OPERATIONS
        .scope(kept, async {
            let output = work.await;
            let take = |kept: &Option<RefCell<Vec<_>>>| kept.as_ref().map(RefCell::take);
            (output, OPERATIONS.with(take).unwrap_or_default())
        })
        .await
}

/// The start of an operation; `None` if it is not recorded.
pub(super) fn begin() -> Option<Instant> {
    let is_recorded = OPERATIONS.try_with(Option::is_some).unwrap_or_default();
    is_recorded.then(Instant::now)
}

/// Keeps an operation that is recorded.
pub(super) fn end(began: Option<Instant>, writes: bool, error: Option<&Error>) {
    let Some(began) = began else {
        return;
    };
    let operation = Operation {
        writes,
        began,
        took: began.elapsed(),
        error: error.and_then(ErrorKind::of),
    };
    // It is the same task as at the start.
    let _ = OPERATIONS.try_with(|kept| {
        let mut kept = kept.as_ref()?.borrow_mut();
        (kept.len() < MOST).then(|| kept.push(operation))
    });
}
