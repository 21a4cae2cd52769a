//! The audit log proves itself: stories of its chain, its checkpoints and its uses of tokens.

mod chain;
mod checkpoint;
mod erasure;
mod lag;
mod program;
mod refusals;
mod refused_access;
mod retention;
mod settings;
mod shipping;
mod sink;
mod trials;
mod uses;

use crate::support::TestApp;
use doorcode::app::audit::verification::{self, Evidence, Verified};
use std::time::{Duration, Instant};

/// What a check of the log says.
async fn verify(test: &TestApp) -> Verified {
    verification::verify(&test.app, Evidence::default(), |_, _| ())
        .await
        .unwrap()
}

/// The check finds nothing; tells how many records there are.
#[track_caller]
fn sound(verified: &Verified) -> u64 {
    let report = &verified.report;
    assert_eq!(report.first_discrepancy, None);
    assert_eq!(report.head.sequence, report.start + report.records);
    report.records
}

/// Seals again and again until nothing waits: PostgreSQL takes its time to notice that whoever held
/// the lock is gone.
async fn settle_within(test: &TestApp, time: Duration) {
    let since = Instant::now();
    test.settle().await;
    while test.count("audit_event", "1 = 1") > 0 {
        assert!(since.elapsed() < time, "nobody took over");
        test.settle().await;
    }
}
