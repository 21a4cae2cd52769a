//! AUD-09, AUD-10: every manipulation of the log in the database is found, at its position. A
//! hundred random trials of each kind.

use super::{sound, verify};
use crate::support::TestApp;
use doorcode::app::audit;
use doorcode::domain::audit::discrepancy::Kind;
use doorcode::store::{self, Conn, Store};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const TRIALS: u64 = 100;

/// A log with many records and a copy of it.
struct Log {
    test: TestApp,
    random: StdRng,
    /// Number of records.
    last: u64,
    /// Sequence number of the last checkpoint.
    signed: u64,
}

const TABLES: [&str; 3] = ["audit_record", "audit_head", "audit_checkpoint"];

impl Log {
    async fn make(seed: u64) -> Self {
        let test = TestApp::with(
            "[audit]\ncheckpoint_records = 10\n[device]\nlive_codes_per_source = 100",
        )
        .await;
        for _ in 0..40 {
            test.device("tokens:read").await;
            test.settle().await;
        }
        let last = sound(&verify(&test).await);
        let signed = test
            .database
            .text("SELECT max(sequence) FROM audit_checkpoint");
        test.database.disarm();
        for table in TABLES {
            let sql = format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}");
            test.database.execute(&sql);
        }
        Self {
            test,
            random: StdRng::seed_from_u64(seed),
            last,
            signed: signed.parse().unwrap(),
        }
    }

    /// Restores the log from the copy.
    fn mend(&self) {
        self.test.database.execute("DELETE FROM audit_event");
        for table in TABLES {
            self.test.database.execute(&format!(
                "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}"
            ));
        }
    }

    fn any(&mut self, from: u64, to: u64) -> u64 {
        self.random.random_range(from..=to)
    }

    /// Manipulates the log and asserts that the verification finds it at this position.
    async fn trial(&self, sql: &str, place: u64, kinds: &[Kind]) {
        self.test.database.execute(sql);
        let report = verify(&self.test).await.report;
        let discrepancy = report
            .first_discrepancy
            .unwrap_or_else(|| panic!("not found: {sql}"));
        assert_eq!(discrepancy.sequence, place, "{sql}: {discrepancy:?}");
        assert!(kinds.contains(&discrepancy.kind), "{sql}: {discrepancy:?}");
        self.mend();
    }

    /// Truncates the log at a position, as in a copy of that time.
    fn go_back_to(&self, place: u64) {
        self.test.database.execute(&format!(
            "DELETE FROM audit_record WHERE sequence > {place};
             DELETE FROM audit_checkpoint WHERE sequence > {place};
             UPDATE audit_head SET sequence = {place},
                 hash = (SELECT hash FROM audit_record WHERE sequence = {place})"
        ));
    }
}

#[actix_web::test]
async fn changed_value_is_found() {
    let mut log = Log::make(1).await;
    const COLUMNS: [&str; 17] = [
        "hash",
        "id",
        "action",
        "outcome",
        "actor_kind",
        "actor_id",
        "method",
        "user_id",
        "token_id",
        "client_id",
        "organization_id",
        "target",
        "request_id",
        "address",
        "agent",
        "detail",
        "salt",
    ];
    for _ in 0..TRIALS {
        let place = log.any(1, log.last);
        let column = COLUMNS[log.random.random_range(0..COLUMNS.len())];
        let digit = log.any(0, 9);
        let sql = format!(
            "UPDATE audit_record SET {column} = COALESCE({column}, '') || '{digit}'
             WHERE sequence = {place}"
        );
        log.trial(
            &sql,
            place,
            &[Kind::Edited, Kind::Renumbered, Kind::Inserted],
        )
        .await;
    }
    let sql = "UPDATE audit_record SET at = '2020-01-01 00:00:00' WHERE sequence = 7";
    log.trial(sql, 7, &[Kind::Edited]).await;
}

#[actix_web::test]
async fn deleted_record_is_found() {
    let mut log = Log::make(2).await;
    for _ in 0..TRIALS {
        let place = log.any(1, log.last);
        let sql = format!("DELETE FROM audit_record WHERE sequence = {place}");
        log.trial(&sql, place, &[Kind::Missing, Kind::Cut]).await;
    }
}

#[actix_web::test]
async fn swapped_records_are_found() {
    let mut log = Log::make(3).await;
    for _ in 0..TRIALS {
        let a = log.any(1, log.last - 1);
        let b = log.any(a + 1, log.last);
        let sql = format!(
            "UPDATE audit_record SET sequence = -1 WHERE sequence = {a};
             UPDATE audit_record SET sequence = {a} WHERE sequence = {b};
             UPDATE audit_record SET sequence = {b} WHERE sequence = -1"
        );
        let kinds = [
            Kind::Swapped,
            Kind::Edited,
            Kind::Renumbered,
            Kind::Inserted,
            Kind::Missing,
        ];
        log.trial(&sql, a, &kinds).await;
    }
}

#[actix_web::test]
async fn inserted_record_is_found() {
    let mut log = Log::make(4).await;
    for _ in 0..TRIALS {
        let place = log.any(1, log.last);
        let copied = log.any(1, log.last);
        let copied = if copied >= place { copied + 1 } else { copied };
        let sql = format!(
            "UPDATE audit_record SET sequence = -sequence - 1 WHERE sequence >= {place};
             UPDATE audit_record SET sequence = -sequence WHERE sequence < 0;
             INSERT INTO audit_record SELECT {place}, hash, id || 'x', at, action, outcome,
                 actor_kind, actor_id, method, user_id, token_id, client_id, organization_id,
                 target, request_id, address, agent, detail, salt
             FROM audit_record WHERE sequence = {copied}"
        );
        log.trial(
            &sql,
            place,
            &[Kind::Inserted, Kind::Edited, Kind::Renumbered],
        )
        .await;
    }
}

#[actix_web::test]
async fn renumbered_record_is_found() {
    let mut log = Log::make(5).await;
    for _ in 0..TRIALS {
        let place = log.any(1, log.last);
        let number = log.last + log.any(1, 50);
        let sql = format!("UPDATE audit_record SET sequence = {number} WHERE sequence = {place}");
        log.trial(
            &sql,
            place,
            &[Kind::Missing, Kind::Renumbered, Kind::Swapped],
        )
        .await;
    }
}

/// An erasure without a record is found; otherwise an attacker could hide an address.
#[actix_web::test]
async fn unrecorded_erasure_is_found() {
    let mut log = Log::make(8).await;
    let told = log
        .test
        .database
        .text("SELECT COALESCE(max(sequence), 0) FROM audit_record WHERE salt IS NOT NULL");
    let told = told.parse().unwrap();
    let store = Store::open(&log.test.app.config().database.url).unwrap();
    for _ in 0..TRIALS {
        let from = log.any(1, told);
        let place = log.test.database.text(&format!(
            "SELECT min(sequence) FROM audit_record WHERE salt IS NOT NULL AND sequence >= {from}"
        ));
        let place = place.parse().unwrap();
        let erase = move |conn: &mut Conn| store::audit::erase(conn, &[place]);
        store.write(erase).await.unwrap();
        log.trial("SELECT 1", place, &[Kind::Edited]).await;
    }
    store.stop();
}

/// The attacker also adjusts the head of the log in the database.
#[actix_web::test]
async fn truncated_log_is_found() {
    let mut log = Log::make(6).await;
    for _ in 0..TRIALS {
        let place = log.any(1, log.signed - 1);
        log.go_back_to(place);
        let found = audit::inspect(&log.test.app).await.unwrap().unwrap();
        assert_eq!((found.sequence, found.kind), (place + 1, Kind::Cut));
        log.trial("SELECT 1", place + 1, &[Kind::Cut]).await;
    }
}

/// The server continues with the old copy until it exceeds the last checkpoint.
#[actix_web::test]
async fn restored_old_copy_is_found() {
    let mut log = Log::make(7).await;
    for _ in 0..TRIALS {
        let place = log.any(1, log.signed - 1);
        log.go_back_to(place);
        let more = log.signed - place + log.any(0, 5);
        log.test.database.execute(&format!(
            "INSERT INTO audit_event (id, at, action, outcome, method, actor_kind, request_id, detail)
             SELECT 'evt_other' || sequence, at, action, 'done', 'none', actor_kind, request_id, '{{}}'
             FROM kept_audit_record WHERE sequence <= {more}"
        ));
        // The server signs no contradicting checkpoint.
        log.test.settle().await;
        let checkpoints = log.test.count("audit_checkpoint", "1 = 1");
        let found = audit::inspect(&log.test.app).await.unwrap().unwrap();
        assert_eq!(found.kind, Kind::Forked, "{found:?}");
        assert_eq!(
            checkpoints,
            log.test
                .count("audit_checkpoint", &format!("sequence <= {place}"))
        );
        let report = verify(&log.test).await.report;
        let discrepancy = report.first_discrepancy.unwrap();
        assert_eq!(discrepancy.kind, Kind::Forked, "{discrepancy:?}");
        assert!(
            (place + 1..=log.signed).contains(&discrepancy.sequence),
            "{discrepancy:?}"
        );
        log.mend();
    }
}
