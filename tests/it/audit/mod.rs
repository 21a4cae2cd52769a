//! Integrity of the audit log: its chain, its checkpoints and its token uses.

mod chain;
mod checkpoint;
mod erasure;
mod floods;
mod lag;
mod left_bytes;
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
use doorcode::app::audit::verify::Verified;
use doorcode::app::audit::{self, Evidence};
use std::time::{Duration, Instant};

/// Result of a verification of the log.
async fn verify(test: &TestApp) -> Verified {
    audit::verify::verify(&test.app, Evidence::default(), |_, _| ())
        .await
        .unwrap()
}

/// Asserts that the verification found no discrepancy. Returns the number of records.
#[track_caller]
fn sound(verified: &Verified) -> u64 {
    let report = &verified.report;
    assert_eq!(report.first_discrepancy, None);
    assert_eq!(report.head.sequence, report.start + report.records);
    report.records
}

/// Seals until no record waits. PostgreSQL needs time to notice that the owner of the lock has
/// disconnected.
async fn settle_within(test: &TestApp, time: Duration) {
    let since = Instant::now();
    test.settle().await;
    while test.count("audit_event", "1 = 1") > 0 {
        assert!(since.elapsed() < time, "nobody took over");
        test.settle().await;
    }
}
