//! What was signed of the log, and what is not.

use super::{disarm, sound, verify};
use crate::support::TestApp;
use doorcode::app::audit;
use doorcode::app::audit::recovery::{self, Revoking};
use doorcode::app::{Context, Error};
use doorcode::domain::audit::checkpoint;
use doorcode::domain::audit::doubt::Kind;
use std::fs::File;
use std::io::BufReader;

const OFTEN: &str = "[audit]\ncheckpoint_records = 2\ncheckpoint_every = \"1h\"";

/// The places up to which the file's notes go, each verified.
async fn signed(test: &TestApp) -> Vec<u64> {
    let keys = audit::keys(&test.app).await.unwrap();
    let file = File::open(test.path("audit_checkpoints")).unwrap();
    checkpoint::read_file(BufReader::new(file), &keys)
        .map(|read| read.unwrap().head.sequence)
        .collect()
}

async fn act(test: &TestApp) {
    test.device("tokens:read").await;
    test.settle().await;
}

/// AUD-10: after so many records, or so much time if there is anything new.
#[actix_web::test]
async fn the_end_of_the_log_is_signed_after_so_many_records_or_so_much_time() {
    let test = TestApp::with(OFTEN).await;
    test.settle().await;
    test.settle().await;
    let first = signed(&test).await;
    act(&test).await;
    assert_eq!(signed(&test).await, first);
    act(&test).await;
    let second = signed(&test).await;
    assert_eq!(second.len(), first.len() + 1);

    test.clock.advance(3_600);
    test.settle().await;
    assert_eq!(signed(&test).await, second, "nothing is new");
    act(&test).await;
    assert_eq!(signed(&test).await.len(), second.len() + 1);

    let verified = verify(&test).await;
    sound(&verified);
    // Those in the database and those in the file.
    let all = u64::try_from(2 * signed(&test).await.len()).unwrap();
    assert_eq!(verified.report.checkpoints, all);
}

/// A server that died, or found the disk full, while it wrote a note is no reason for doubt.
#[actix_web::test]
async fn a_note_that_was_not_written_to_its_end_is_written_again() {
    let test = TestApp::with(OFTEN).await;
    act(&test).await;
    act(&test).await;
    let file = test.path("audit_checkpoints");
    let whole = std::fs::read_to_string(&file).unwrap();
    let pieces: Vec<_> = whole.split("\n\n").collect();
    let (text, signature) = (pieces[0], pieces[1]);
    for torn in [
        &text[..9],
        text,
        &format!("{text}\n\n"),
        &format!("{text}\n\n{}", &signature[..20]),
        &format!("{text}\n\n{signature}\n"),
    ] {
        std::fs::write(&file, format!("{whole}{torn}")).unwrap();
        act(&test).await;
        act(&test).await;
        sound(&verify(&test).await);
        assert!(signed(&test).await.is_sorted(), "{torn}");
        assert!(
            std::fs::read_to_string(&file).unwrap().starts_with(&whole),
            "{torn}"
        );
    }
}

/// AUD-12: another key says so in the log, and what the old one signed still counts.
#[actix_web::test]
async fn a_new_key_is_recorded_and_the_old_one_still_counts() {
    let test = TestApp::with(OFTEN).await;
    act(&test).await;
    act(&test).await;
    std::fs::write(test.path("audit_key"), "7a".repeat(32)).unwrap();
    let again = test.again(OFTEN).await;
    again.settle().await;
    act(&again).await;
    act(&again).await;
    assert_eq!(
        test.count("audit_record", "action = 'audit.key_changed'"),
        2
    );
    assert_eq!(audit::keys(&again.app).await.unwrap().len(), 2);
    assert!(signed(&again).await.len() >= 2);
    sound(&verify(&again).await);
}

/// AUD-11: nothing is signed until the operator has decided, and the decision is recorded.
#[actix_web::test]
async fn a_log_that_went_back_is_not_signed_until_the_operator_goes_on_with_it() {
    let test = TestApp::with(OFTEN).await;
    act(&test).await;
    let kept = test.token(&["tokens:read"]).await;
    test.settle().await;
    let place = sound(&verify(&test).await);
    test.clock.advance(60);
    let issued_since = test.token(&["tokens:read"]).await;
    act(&test).await;
    act(&test).await;
    let before = signed(&test).await;

    let context = Context::local();
    let early = recovery::recover(&test.app, &context, Revoking::All).await;
    assert!(matches!(early, Err(Error::Conflict(_))));

    disarm(&test);
    test.database.execute(&format!(
        "DELETE FROM audit_record WHERE sequence > {place};
         DELETE FROM audit_checkpoint WHERE sequence > {place};
         UPDATE audit_head SET sequence = {place},
             hash = (SELECT hash FROM audit_record WHERE sequence = {place})"
    ));
    act(&test).await;
    test.clock.advance(7_200);
    test.settle().await;
    assert_eq!(signed(&test).await, before);
    let doubt = audit::inspect(&test.app).await.unwrap().unwrap();
    assert!(matches!(doubt.kind, Kind::Cut | Kind::Forked), "{doubt:?}");

    let recovered = recovery::recover(&test.app, &context, Revoking::Since)
        .await
        .unwrap();
    assert_eq!(recovered.revoked, 1);
    assert_eq!(test.introspect(&issued_since).await["active"], false);
    assert_eq!(test.introspect(&kept).await["active"], true);
    let moved = recovered.moved.unwrap();
    assert!(
        std::fs::read_to_string(&moved)
            .unwrap()
            .contains("doorcode-")
    );
    test.settle().await;
    assert_eq!(audit::inspect(&test.app).await.unwrap(), None);
    sound(&verify(&test).await);
    assert!(!signed(&test).await.is_empty());
    assert_eq!(test.events("audit.fork_accepted"), 1);

    // The checkpoints that were put aside still contradict it.
    let with_them = audit::verification::verify(&test.app, Some(&moved), |_, _| ())
        .await
        .unwrap();
    let kind = with_them.report.first_doubt.unwrap().kind;
    assert!(matches!(kind, Kind::Cut | Kind::Forked), "{kind:?}");
}
