//! Integrity of the audit log: its chain, its checkpoints and its token uses.

mod chain;
mod checkpoint;
mod creation;
mod erasure;
mod floods;
mod head;
mod lag;
pub mod left_bytes;
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
use std::sync::atomic::{AtomicU32, Ordering};
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

/// Restores the records of the database to an earlier copy, which ends at this sequence number.
fn go_back_to(test: &TestApp, sequence: u64) {
    test.database.disarm();
    test.database.execute(&format!(
        "DELETE FROM audit_record WHERE sequence > {sequence};
         DELETE FROM audit_checkpoint WHERE sequence > {sequence};
         UPDATE audit_head SET sequence = {sequence},
             hash = (SELECT hash FROM audit_record WHERE sequence = {sequence})"
    ));
}

/// Adds records to the database of a server that refuses requests.
fn add_records(test: &TestApp, count: u32) {
    static ADDED: AtomicU32 = AtomicU32::new(0);
    for _ in 0..count {
        let id = ADDED.fetch_add(1, Ordering::Relaxed);
        test.database.execute(&format!(
            "INSERT INTO audit_event
                 (id, at, action, outcome, method, actor_kind, request_id, detail)
             SELECT 'evt_f{id}', at, 'device.started', 'done', 'none', 'system', '-', '{{}}'
             FROM audit_record WHERE sequence = (SELECT max(sequence) FROM audit_record)"
        ));
    }
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
