//! The audit log proves itself: stories of its chain, its checkpoints and its uses of tokens.

mod chain;
mod checkpoint;
mod program;
mod refusals;
mod settings;
mod shipping;
mod trials;
mod uses;

use crate::support::TestApp;
use doorcode::app::audit::verification::{self, Evidence, Verified};

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
    assert_eq!(report.first_doubt, None);
    assert_eq!(report.head.sequence, report.records);
    report.records
}

/// Takes away what protects sealed records from whoever has the database.
fn disarm(test: &TestApp) {
    use crate::support::database::Database;
    test.database.execute(match Database::is_postgres() {
        true => {
            "DROP TRIGGER audit_record_kept ON audit_record;
             DROP TRIGGER audit_record_follows ON audit_record"
        }
        false => {
            "DROP TRIGGER audit_record_kept; DROP TRIGGER audit_record_unchanged;
             DROP TRIGGER audit_record_follows"
        }
    });
}
