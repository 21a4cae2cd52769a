//! Records are shipped to sinks in order and without loss.

use super::sink::{Sink, serve, serve_at};
use super::{add_records, sound, verify};
use crate::support::deployment::free_address;
use crate::support::{TestApp, WEBHOOK};
use doorcode::app::audit::publish::Step;
use doorcode::app::audit::recover::{self, Revoking};
use doorcode::app::{Error, Request, audit, sweep};
use doorcode::domain::audit::discrepancy::Kind;
use doorcode::domain::audit::{checkpoint, export};
use futures_util::future::join_all;
use std::io::Write;

async fn act(test: &TestApp) {
    test.device("tokens:read").await;
    test.settle().await;
}

/// The file is one export, even after a crash in the middle of a line.
#[actix_web::test]
async fn file_gets_every_record_and_is_an_export() {
    let test = TestApp::with("[audit]\nship_to = \"{directory}/shipped\"").await;
    act(&test).await;
    act(&test).await;
    let file = test.path("shipped");
    let mut torn = std::fs::OpenOptions::new()
        .append(true)
        .open(&file)
        .unwrap();
    torn.write_all(b"{\"user_id\":null,\"act").unwrap();
    act(&test).await;

    let records = sound(&verify(&test).await);
    let text = std::fs::read(&file).unwrap();
    let report = export::verify(text.as_slice(), std::iter::empty(), &[]).unwrap();
    assert_eq!(report.first_discrepancy, None);
    assert_eq!(report.records, records);
}

/// After a crash between the write to the file and the update of the database.
#[actix_web::test]
async fn file_gets_no_record_twice() {
    let test = TestApp::with("[audit]\nship_to = \"{directory}/shipped\"").await;
    act(&test).await;
    act(&test).await;
    let file = test.path("shipped");
    let before = std::fs::read_to_string(&file).unwrap();
    test.database
        .execute("UPDATE audit_shipping SET sequence = 1, hash = NULL");
    test.settle().await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);

    act(&test).await;
    let records = sound(&verify(&test).await);
    let text = std::fs::read(&file).unwrap();
    let report = export::verify(text.as_slice(), std::iter::empty(), &[]).unwrap();
    assert_eq!((report.first_discrepancy, report.records), (None, records));

    // A new file begins at the record where the old one was removed.
    std::fs::remove_file(&file).unwrap();
    act(&test).await;
    let text = std::fs::read(&file).unwrap();
    let report = export::verify(text.as_slice(), std::iter::empty(), &[]).unwrap();
    assert_eq!(report.first_discrepancy, None);
    assert_eq!(report.head.sequence, sound(&verify(&test).await));
}

/// A file that is not an export is not changed.
#[actix_web::test]
async fn unrelated_file_is_not_overwritten() {
    let test = TestApp::with("[audit]\nship_to = \"{directory}/shipped\"").await;
    let file = test.path("shipped");
    std::fs::write(&file, "what somebody else keeps").unwrap();
    test.device("tokens:read").await;
    let failed = sweep::settle(&test.app).await;
    assert!(format!("{failed:?}").contains("move it away"), "{failed:?}");
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "what somebody else keeps"
    );
    std::fs::remove_file(&file).unwrap();
    act(&test).await;
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .contains("device.requested")
    );
}

/// AUD-13: the server keeps running while the sink is down; afterwards all records arrive once
/// and in order, in batches that each verify.
#[actix_web::test]
async fn sink_that_was_down_gets_every_record_in_order() {
    let sink = Sink::answering(503);
    let (url, handle) = serve(&sink);
    let test = TestApp::with(&format!("[audit]\nship_to = \"{url}\"")).await;
    for status in [503, 404, 302] {
        sink.answer(status);
        test.device("tokens:read").await;
        assert_eq!(sweep::settle(&test.app).await.len(), 1);
    }
    assert!(sink.pieces.lock().unwrap().is_empty());
    let other = test
        .second_server(&format!("[audit]\nship_to = \"{url}\""))
        .await;
    sink.answer(204);
    // The first server owns its lease; the second one skips it without loss.
    other.settle().await;
    act(&test).await;
    act(&other).await;

    let records = sound(&verify(&test).await);
    test.settle().await;
    assert_eq!(sink.places(), (1..=records).collect::<Vec<_>>());
    assert!(!test.database.dump().contains(WEBHOOK));
    handle.stop(false).await;
}

/// AUD-13: the sink is down for five minutes, during which a thousand records are created and the
/// server restarts. Then all records arrive once, in order.
#[actix_web::test]
async fn sink_that_was_down_for_five_minutes_gets_every_record_once() {
    let address = free_address();
    let settings = format!("[audit]\nship_to = \"http://{address}/hook\"");
    let mut test = TestApp::with(&settings).await;
    let sink = Sink::answering(204);
    let (_, before) = serve_at(address, &sink);
    let owner = test.caller("owner@example.com").await;
    test.settle().await;
    let shipped = u64::try_from(sink.places().len()).unwrap();
    assert_eq!(shipped, sound(&verify(&test).await));
    before.stop(true).await;

    for minute in 0..5 {
        let create = async |n| {
            let name = format!("Organization {minute} {n}");
            test.organization(&owner, &name).await
        };
        join_all((0..200).map(create)).await;
        let failed = sweep::settle(&test.app).await;
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert!(matches!(failed[0], Error::Outside(_)), "{failed:?}");
        test.clock.advance(60);
        if minute == 2 {
            test.restart().await;
        }
    }
    let records = sound(&verify(&test).await);
    assert!(records >= shipped + 1_000, "{records}");
    let lag = audit::publish::lags(&test.app).await.unwrap();
    let (_, lag) = lag.iter().find(|(step, _)| *step == Step::Ship).unwrap();
    assert_eq!((lag.records, lag.age.num_minutes()), (records - shipped, 5));
    assert_eq!(sink.places().len() as u64, shipped);

    let (_, after) = serve_at(address, &sink);
    test.settle().await;
    assert_eq!(sink.places(), (1..=records).collect::<Vec<_>>());
    test.settle().await;
    assert_eq!(sink.places().len() as u64, records, "nothing comes twice");
    after.stop(true).await;
}

/// AUD-10: checkpoints are also published to a URL, and missed ones follow later.
#[actix_web::test]
async fn url_gets_every_checkpoint() {
    let sink = Sink::answering(503);
    let (url, handle) = serve(&sink);
    let settings = format!("[audit]\ncheckpoint_to = \"{url}\"\ncheckpoint_records = 1");
    let test = TestApp::with(&settings).await;
    let mut failed = 0;
    for _ in 0..4 {
        test.device("tokens:read").await;
        failed += sweep::settle(&test.app).await.len();
    }
    assert_eq!(failed, 4);
    sink.answer(204);
    act(&test).await;
    act(&test).await;
    let notes = sink.pieces.lock().unwrap().concat();
    let keys = audit::keys(&test.app).await.unwrap();
    let read = checkpoint::read_file(notes.as_bytes(), &keys);
    let signed: Vec<_> = read.map(|read| read.unwrap().head.sequence).collect();
    assert!(signed.len() >= 5 && signed.is_sorted(), "{signed:?}");
    let kept = test.count("audit_checkpoint", "1 = 1");
    assert_eq!(i64::try_from(signed.len()).unwrap(), kept);
    handle.stop(false).await;
}

/// Removes the last records of the log, which were shipped but not covered by a checkpoint.
fn cut(test: &TestApp, records: u64) -> u64 {
    let last: u64 = test
        .database
        .text("SELECT sequence FROM audit_head")
        .parse()
        .unwrap();
    let place = last - records;
    test.database.disarm();
    test.database.execute(&format!(
        "DELETE FROM audit_record WHERE sequence > {place};
         UPDATE audit_head SET sequence = {place},
             hash = (SELECT hash FROM audit_record WHERE sequence = {place})"
    ));
    place
}

/// Missing shipped records are reported, and their replacements are shipped after the operator
/// accepts the log.
#[actix_web::test]
async fn shortened_log_is_reported_and_shipped_again() {
    let sink = Sink::answering(204);
    let (url, handle) = serve(&sink);
    let test = TestApp::with(&format!(
        "[audit]\nship_to = \"{url}\"\ncheckpoint_every = \"24h\""
    ))
    .await;
    act(&test).await;
    act(&test).await;
    act(&test).await;
    let shipped = sink.places().len();
    let left = cut(&test, 2);
    let refused = async |kind: Kind, sequence: u64, says: &str| {
        let failed = format!("{:?}", sweep::settle(&test.app).await);
        assert!(failed.contains(says), "{failed}");
        let discrepancy = verify(&test).await.report.first_discrepancy.unwrap();
        assert_eq!((discrepancy.kind, discrepancy.sequence), (kind, sequence));
        let discrepancy = audit::inspect(&test.app).await.unwrap().unwrap();
        assert_eq!((discrepancy.kind, discrepancy.sequence), (kind, sequence));
        assert_eq!(sink.places().len(), shipped);
    };
    refused(Kind::Cut, left + 1, "was shipped up to record").await;
    add_records(&test, 4);
    refused(Kind::Forked, left + 2, "was shipped with another record").await;

    recover::recover(&Request::local(&test.app, None), Revoking::Nothing)
        .await
        .unwrap();
    test.settle().await;
    let records = sound(&verify(&test).await);
    let pieces = sink.pieces.lock().unwrap().join("");
    for sequence in 1..=records {
        let sql = format!("SELECT hash FROM audit_record WHERE sequence = {sequence}");
        assert!(pieces.contains(&test.database.text(&sql)), "{sequence}");
    }
    handle.stop(false).await;
}

/// A file that ends with removed records would not verify with further records.
#[actix_web::test]
async fn file_that_contradicts_the_log_is_not_changed() {
    let settings = "[audit]\nship_to = \"{directory}/shipped\"\ncheckpoint_every = \"24h\"";
    let test = TestApp::with(settings).await;
    act(&test).await;
    act(&test).await;
    let file = test.path("shipped");
    let before = std::fs::read_to_string(&file).unwrap();
    cut(&test, 1);
    test.device("tokens:read").await;
    let failed = format!("{:?}", sweep::settle(&test.app).await);
    assert!(
        failed.contains("was shipped with another record"),
        "{failed}"
    );
    recover::recover(&Request::local(&test.app, None), Revoking::Nothing)
        .await
        .unwrap();
    let failed = format!("{:?}", sweep::settle(&test.app).await);
    assert!(failed.contains("not in the log; move it away"), "{failed}");
    assert!(failed.contains("/shipped"), "{failed}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    std::fs::remove_file(&file).unwrap();
    test.settle().await;
    let text = std::fs::read(&file).unwrap();
    let report = export::verify(text.as_slice(), std::iter::empty(), &[]).unwrap();
    assert_eq!(report.first_discrepancy, None);
    assert_eq!(report.head.sequence, sound(&verify(&test).await));
}

/// A shipping position that contradicts the log: after the operator accepts the log, all records
/// are shipped again.
#[actix_web::test]
async fn invalid_shipping_position_is_reported_and_repaired() {
    let sink = Sink::answering(204);
    let (url, handle) = serve(&sink);
    let settings = format!("[audit]\nship_to = \"{url}\"\ncheckpoint_records = 1");
    let test = TestApp::with(&settings).await;
    for hash in ["x".to_owned(), "0".repeat(64)] {
        act(&test).await;
        assert_eq!(audit::inspect(&test.app).await.unwrap(), None);
        test.database
            .execute(&format!("UPDATE audit_shipping SET hash = '{hash}'"));
        let discrepancy = audit::inspect(&test.app).await.unwrap().unwrap();
        assert_eq!(discrepancy.kind, Kind::Forked, "{discrepancy:?}");
        assert!(!sweep::settle(&test.app).await.is_empty());
        recover::recover(&Request::local(&test.app, None), Revoking::Nothing)
            .await
            .unwrap();
        assert_eq!(audit::inspect(&test.app).await.unwrap(), None);
        sink.pieces.lock().unwrap().clear();
        test.settle().await;
        let records = sound(&verify(&test).await);
        test.settle().await;
        assert_eq!(sink.places(), (1..=records).collect::<Vec<_>>());
    }
    handle.stop(false).await;
}

/// Each server publishes its own checkpoints, also those signed while the URL was down.
#[actix_web::test]
async fn url_gets_the_checkpoints_of_servers_with_different_keys() {
    let sink = Sink::answering(503);
    let (url, handle) = serve(&sink);
    let settings = format!("[audit]\ncheckpoint_records = 1\ncheckpoint_to = \"{url}\"");
    let one = TestApp::with(&settings).await;
    let own = format!("{settings}\nsigning_key_file = \"{{directory}}/other_key\"");
    let other = one.second_server(&own).await;
    for server in [&one, &other, &one, &other] {
        server.device("tokens:read").await;
        assert_eq!(sweep::settle(&server.app).await.len(), 1);
    }
    sink.answer(204);
    for server in [&one, &other, &one, &other] {
        server.settle().await;
    }
    let pieces = sink.pieces.lock().unwrap().join("");
    let notes = one.count("audit_checkpoint", "1 = 1");
    assert!(notes > 3, "{notes}");
    for n in 0..notes {
        let nth = format!("SELECT note FROM audit_checkpoint ORDER BY sequence LIMIT 1 OFFSET {n}");
        let note = one.database.text(&nth);
        assert_eq!(pieces.matches(&note).count(), 1, "{note}");
    }
    handle.stop(false).await;
}
