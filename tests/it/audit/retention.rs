//! Old records are pruned, and the log remains verifiable (AUD-14).

use super::{add_records, sound, verify};
use crate::support::{OPERATOR, TestApp, http};
use doorcode::app::audit::recover::{self, Revoking};
use doorcode::app::{Clock, Request, audit, sweep};
use doorcode::domain::Instant;
use doorcode::domain::audit::chain::Head;
use doorcode::domain::audit::checkpoint::{self, Checkpoint};
use doorcode::domain::audit::discrepancy::Kind;
use doorcode::domain::audit::export;
use doorcode::domain::audit::hash::Hash;
use doorcode::domain::audit::origin::Origin;
use doorcode::domain::audit::statement::{Claim, Statement};
use futures_util::future::join_all;
use ring::signature::Ed25519KeyPair;
use std::fs::File;
use std::io::BufReader;

const SETTINGS: &str = "[audit]\nkeep_uses = \"30d\"\nkeep_records = \"90d\"\n\
                        checkpoint_records = 5";

/// Creates records on this day and on `days` later days.
async fn act(test: &TestApp, days: i64) {
    for _ in 0..=days {
        let token = test.token(&["tokens:read"]).await;
        assert_eq!(test.me(&token).await.status(), 200);
        test.settle().await;
        test.clock.advance(86_400);
    }
}

async fn forget(test: &TestApp) {
    sweep::forget_old(&test.app).await.unwrap();
    test.settle().await;
}

fn number(test: &TestApp, sql: &str) -> u64 {
    test.database.text(sql).parse().unwrap()
}

#[actix_web::test]
async fn old_records_are_pruned_and_the_log_still_verifies() {
    let test = TestApp::with(SETTINGS).await;
    act(&test, 3).await;
    let before = sound(&verify(&test).await);
    forget(&test).await;
    assert_eq!(test.events("audit.pruned"), 0, "nothing is old");

    test.clock.advance(86 * 86_400);
    act(&test, 0).await;
    forget(&test).await;
    let verified = verify(&test).await;
    sound(&verified);
    assert!((5..before).contains(&verified.report.start), "{verified:?}");
    assert_eq!(test.events("audit.pruned"), 1);
    let first = number(&test, "SELECT min(sequence) FROM audit_record");
    assert_eq!(first, verified.report.start + 1);
    let oldest = test.clock.now() - chrono::Duration::days(90);
    let said = test
        .database
        .text("SELECT detail FROM audit_record WHERE action = 'audit.pruned'");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["through"], verified.report.start);
    assert!(said["before"].as_str().unwrap() < oldest.to_rfc3339().as_str());
    assert_eq!(audit::inspect(&test.app).await.unwrap(), None);

    // An export begins there, and earlier checkpoints match it.
    let copy = http()
        .get(test.at("/v1/audit/export"))
        .bearer_auth(OPERATOR);
    let copy = copy.send().await.unwrap().text().await.unwrap();
    let keys = audit::keys(&test.app).await.unwrap();
    let notes = File::open(test.path("audit_checkpoints")).unwrap();
    let notes = checkpoint::read_file(BufReader::new(notes), &keys);
    let report = export::verify(copy.as_bytes(), notes, &keys).unwrap();
    assert_eq!(report.first_discrepancy, None);
    assert!(report.checkpoints > 1);
    let chosen = http()
        .get(test.at("/v1/audit/export?action=token"))
        .bearer_auth(OPERATOR);
    let chosen = chosen.send().await.unwrap().text().await.unwrap();
    let report = export::verify(chosen.as_bytes(), std::iter::empty(), &[]).unwrap();
    assert_eq!(report.first_discrepancy, None);
    assert!(report.records > 0);

    // Pruning continues only when more records are old, and the log remains valid.
    forget(&test).await;
    assert_eq!(test.events("audit.pruned"), 1);
    act(&test, 90).await;
    forget(&test).await;
    let later = verify(&test).await;
    sound(&later);
    assert!(later.report.start > verified.report.start);
}

/// AUD-13: records are shipped to every sink before they are pruned.
#[actix_web::test]
async fn records_that_were_not_shipped_are_not_pruned() {
    let away = format!("{SETTINGS}\nship_to = \"http://127.0.0.1:9/\"");
    let test = TestApp::with(&away).await;
    for _ in 0..4 {
        test.device("tokens:read").await;
        sweep::settle(&test.app).await;
    }
    test.clock.advance(200 * 86_400);
    sweep::forget_old(&test.app).await.unwrap();
    assert_eq!(test.count("audit_record", "sequence = 1"), 1);

    let here = format!("{SETTINGS}\nship_to = \"{{directory}}/shipped\"");
    let second_server = test.second_server(&here).await;
    second_server.settle().await;
    forget(&second_server).await;
    assert_eq!(test.count("audit_record", "sequence = 1"), 0);
    sound(&verify(&second_server).await);
    let text = std::fs::read(test.path("shipped")).unwrap();
    let report = export::verify(text.as_slice(), std::iter::empty(), &[]).unwrap();
    assert_eq!(report.first_discrepancy, None);

    // A later sink gets the remaining records, which verify as well.
    let late = format!("{SETTINGS}\nship_to = \"{{directory}}/late\"");
    let late = test.second_server(&late).await;
    late.settle().await;
    let text = std::fs::read(test.path("late")).unwrap();
    let report = export::verify(text.as_slice(), std::iter::empty(), &[]).unwrap();
    assert_eq!(report.first_discrepancy, None);
    let verified = verify(&late).await;
    sound(&verified);
    assert_eq!(report.head, verified.report.head);
}

/// A log that contradicts its checkpoints is evidence.
#[actix_web::test]
async fn restored_log_is_not_pruned() {
    let test = TestApp::with(SETTINGS).await;
    act(&test, 3).await;
    let last = number(&test, "SELECT max(sequence) FROM audit_checkpoint");
    test.database.disarm();
    let place = last - 1;
    test.database.execute(&format!(
        "DELETE FROM audit_record WHERE sequence > {place};
         DELETE FROM audit_checkpoint WHERE sequence > {place};
         UPDATE audit_head SET sequence = {place},
             hash = (SELECT hash FROM audit_record WHERE sequence = {place})"
    ));
    test.clock.advance(200 * 86_400);
    sweep::forget_old(&test.app).await.unwrap();
    assert_eq!(test.count("audit_record", "sequence = 1"), 1);
    assert_eq!(test.count("audit_head", "pruned_sequence IS NULL"), 1);
}

/// A server that crashed while deleting records continues the deletion. A verification accepts the
/// rest and deletes nothing.
#[actix_web::test]
async fn interrupted_pruning_continues_the_next_time() {
    let test = TestApp::with(SETTINGS).await;
    act(&test, 3).await;
    test.database
        .execute("CREATE TABLE kept AS SELECT * FROM audit_record");
    test.clock.advance(100 * 86_400);
    forget(&test).await;
    let start = number(&test, "SELECT pruned_sequence FROM audit_head");
    test.database.disarm();
    let rest = format!("sequence BETWEEN {} AND {start}", start - 2);
    test.database.execute(&format!(
        "INSERT INTO audit_record SELECT * FROM kept WHERE {rest}"
    ));
    sound(&verify(&test).await);
    assert_eq!(test.count("audit_record", &rest), 3);
    forget(&test).await;
    assert_eq!(test.count("audit_record", &rest), 0);

    // Lines that no interrupted deletion leaves were inserted by an attacker.
    for planted in ["sequence <= 3", &format!("sequence = {start} - 1")] {
        test.database.execute(&format!(
            "INSERT INTO audit_record SELECT * FROM kept WHERE {planted}"
        ));
        let found = verify(&test).await.report.first_discrepancy.unwrap();
        assert_eq!(found.kind, Kind::Inserted, "{planted}");
        forget(&test).await;
        assert_eq!(test.count("audit_record", planted), 0);
    }
}

/// Two servers prune at the same time.
#[actix_web::test]
async fn one_of_two_servers_prunes() {
    let test = TestApp::with(SETTINGS).await;
    act(&test, 3).await;
    let other = test.second_server(SETTINGS).await;
    test.clock.advance(100 * 86_400);
    let both = [&test, &other].map(|server| sweep::forget_old(&server.app));
    for done in join_all(both).await {
        done.unwrap();
    }
    test.settle().await;
    assert_eq!(test.events("audit.pruned"), 1);
    let verified = verify(&other).await;
    sound(&verified);
    assert!(verified.report.start > 0);
}

/// Records with discrepancies are evidence, however old they are.
#[actix_web::test]
async fn edited_records_are_not_pruned() {
    let test = TestApp::with(SETTINGS).await;
    act(&test, 3).await;
    test.database.disarm();
    test.database
        .execute("UPDATE audit_record SET target = 'x' WHERE sequence = 2");
    test.clock.advance(100 * 86_400);
    forget(&test).await;
    assert_eq!(test.events("audit.pruned"), 0);
    let discrepancy = verify(&test).await.report.first_discrepancy.unwrap();
    assert_eq!((discrepancy.sequence, discrepancy.kind), (2, Kind::Edited));
}

/// With more records the outdated file would have a gap, and would not verify.
#[actix_web::test]
async fn file_that_ends_before_the_log_begins_is_rejected() {
    let shipping = format!("{SETTINGS}\nship_to = \"{{directory}}/shipped\"");
    let test = TestApp::with(&shipping).await;
    test.settle().await;
    let off = test.second_server(SETTINGS).await;
    act(&off, 3).await;
    test.clock.advance(100 * 86_400);
    forget(&off).await;
    let second_server = test.second_server(&shipping).await;
    let failed = format!("{:?}", sweep::settle(&second_server.app).await);
    assert!(failed.contains("move it away"), "{failed}");
    std::fs::remove_file(test.path("shipped")).unwrap();
    second_server.settle().await;
    let text = std::fs::read(test.path("shipped")).unwrap();
    let report = export::verify(text.as_slice(), std::iter::empty(), &[]).unwrap();
    assert_eq!(report.first_discrepancy, None);
    assert!(report.start > 0);
}

/// Signs that the log was pruned up to this head.
fn sign_pruned(pruned: &Checkpoint, pair: &Ed25519KeyPair) -> String {
    let Checkpoint { origin, head, at } = pruned.clone();
    let claim = Claim::Pruned { head, at };
    Statement { origin, claim }.sign(pair)
}

/// Only a trusted key can sign the start of the log.
#[actix_web::test]
async fn records_deleted_without_a_signature_are_missing() {
    let test = TestApp::with(SETTINGS).await;
    act(&test, 3).await;
    let notes = test.count("audit_checkpoint", "1 = 1");
    assert!(
        !test
            .database
            .try_execute("DELETE FROM audit_record WHERE sequence <= 3")
    );
    let origin = Origin::parse(&test.database.text("SELECT origin FROM audit_head")).unwrap();
    let at = |sequence: u64| Checkpoint {
        origin: origin.clone(),
        head: Head {
            sequence,
            hash: Hash::parse(&hash_of(&test, sequence)).unwrap(),
        },
        at: Instant::from_timestamp(1_795_305_600, 0).unwrap(),
    };
    let (third, second) = (at(3), at(2));
    let own = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let key = std::fs::read_to_string(test.path("audit_key")).unwrap();
    let key = hex::decode(key.trim()).unwrap();
    let servers = Ed25519KeyPair::from_seed_unchecked(&key).unwrap();
    let elsewhere = Checkpoint {
        origin: Origin::parse("another").unwrap(),
        ..third.clone()
    };
    // The database now allows the deletion; the verification does not.
    for note in [
        String::new(),
        "nothing".to_owned(),
        sign_pruned(&third, &own),
        sign_pruned(&second, &servers),
        sign_pruned(&elsewhere, &servers),
        third.sign(&servers),
    ] {
        test.database.execute(&format!(
            "UPDATE audit_head SET pruned_sequence = 3, pruned_hash = '{}', pruned_note = '{note}';
             DELETE FROM audit_record WHERE sequence <= 3",
            third.head.hash
        ));
        let discrepancy = verify(&test).await.report.first_discrepancy.unwrap();
        assert_eq!(
            (discrepancy.sequence, discrepancy.kind),
            (1, Kind::Missing),
            "{note}"
        );
        // Such a log is no longer signed.
        let discrepancy = audit::inspect(&test.app).await.unwrap().unwrap();
        assert_eq!(
            (discrepancy.sequence, discrepancy.kind),
            (1, Kind::Missing),
            "{note}"
        );
    }
    add_records(&test, 1);
    test.settle().await;
    assert_eq!(test.count("audit_checkpoint", "1 = 1"), notes);
    // The server ignores a start that no trusted key has signed.
    test.database
        .execute("UPDATE audit_head SET pruned_sequence = 5");
    sweep::forget_old(&test.app).await.unwrap();
    assert_eq!(test.count("audit_record", "sequence IN (4, 5)"), 2);
    let note = sign_pruned(&third, &servers);
    test.database.execute(&format!(
        "UPDATE audit_head SET pruned_sequence = 3, pruned_note = '{note}'"
    ));
    sound(&verify(&test).await);
    // Without a signed start, the records count as missing.
    test.database
        .execute("UPDATE audit_head SET pruned_sequence = NULL");
    let discrepancy = verify(&test).await.report.first_discrepancy.unwrap();
    assert_eq!((discrepancy.sequence, discrepancy.kind), (1, Kind::Missing));
}

fn hash_of(test: &TestApp, sequence: u64) -> String {
    test.database.text(&format!(
        "SELECT hash FROM audit_record WHERE sequence = {sequence}"
    ))
}

/// A server that has lost its keys cannot verify who pruned the log. The operator accepts it.
#[actix_web::test]
async fn operator_accepts_a_log_start_signed_by_an_unknown_key() {
    let test = TestApp::with(SETTINGS).await;
    act(&test, 3).await;
    test.clock.advance(100 * 86_400);
    forget(&test).await;
    let pruned = verify(&test).await.report.start;
    assert!(pruned > 0);
    for file in ["audit_key", "audit_key.seen"] {
        std::fs::remove_file(test.path(file)).unwrap();
    }
    let second_server = test.second_server(SETTINGS).await;
    let discrepancy = audit::inspect(&second_server.app).await.unwrap().unwrap();
    assert_eq!((discrepancy.sequence, discrepancy.kind), (1, Kind::Missing));
    recover::recover(&Request::local(&second_server.app, None), Revoking::Nothing)
        .await
        .unwrap();
    second_server.settle().await;
    assert_eq!(audit::inspect(&second_server.app).await.unwrap(), None);
    let verified = verify(&second_server).await;
    sound(&verified);
    assert_eq!(verified.report.start, pruned);
    assert_eq!(second_server.events("audit.fork_accepted"), 1);
}
