//! Signed checkpoints of the log.

use super::{add_records, go_back_to, sound, verify};
use crate::support::TestApp;
use doorcode::app::audit;
use doorcode::app::audit::Evidence;
use doorcode::app::audit::publish::Step;
use doorcode::app::audit::recover::{self, Revoking};
use doorcode::app::{Error, Request};
use doorcode::domain::audit::chain::Head;
use doorcode::domain::audit::checkpoint::{self, Checkpoint};
use doorcode::domain::audit::discrepancy::Kind;
use doorcode::domain::audit::hash::Hash;
use doorcode::domain::audit::note::VerifierKey;
use doorcode::domain::audit::origin::Origin;
use doorcode::store::{self, Store};
use ring::signature::Ed25519KeyPair;
use std::fs::File;
use std::io::BufReader;

const OFTEN: &str = "[audit]\ncheckpoint_records = 2\ncheckpoint_every = \"1h\"";

/// The sequence numbers of the file's checkpoints, after verification.
async fn signed(test: &TestApp) -> Vec<u64> {
    signed_in(test, "audit_checkpoints").await
}

/// The same for any file.
async fn signed_in(test: &TestApp, file: &str) -> Vec<u64> {
    let keys = audit::keys(&test.app).await.unwrap();
    let file = File::open(test.path(file)).unwrap();
    checkpoint::read_file(BufReader::new(file), &keys)
        .map(|read| read.unwrap().head.sequence)
        .collect()
}

async fn act(test: &TestApp) {
    test.device("tokens:read").await;
    test.settle().await;
}

/// AUD-10: after a number of records, or after an interval if there are new records.
#[actix_web::test]
async fn checkpoint_is_signed_after_enough_records_or_enough_time() {
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
    let all = u64::try_from(signed(&test).await.len()).unwrap();
    assert_eq!(verified.report.checkpoints, all);
}

/// A partial checkpoint, after a crash or on a full disk, is not a discrepancy.
#[actix_web::test]
async fn partially_written_checkpoint_is_written_again() {
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

/// AUD-12: a new key is recorded in the log, and checkpoints of the old key remain valid.
#[actix_web::test]
async fn new_key_is_recorded_and_the_old_key_remains_valid() {
    let test = TestApp::with(OFTEN).await;
    act(&test).await;
    act(&test).await;
    std::fs::write(test.path("audit_key"), "7a".repeat(32)).unwrap();
    let second_server = test.second_server(OFTEN).await;
    second_server.settle().await;
    act(&second_server).await;
    act(&second_server).await;
    assert_eq!(
        test.count("audit_record", "action = 'audit.key_changed'"),
        2
    );
    assert_eq!(audit::keys(&second_server.app).await.unwrap().len(), 2);
    assert!(signed(&second_server).await.len() >= 2);
    sound(&verify(&second_server).await);
}

/// AUD-11: no checkpoint is signed before the operator's decision, which is recorded.
#[actix_web::test]
async fn restored_log_is_not_signed_before_the_operator_accepts_it() {
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

    let early = recover::recover(&Request::local(&test.app, None), Revoking::All).await;
    assert!(matches!(early, Err(Error::Conflict(_))));

    go_back_to(&test, place);
    add_records(&test, 1);
    test.clock.advance(7_200);
    test.settle().await;
    assert_eq!(signed(&test).await, before);
    let discrepancy = audit::inspect(&test.app).await.unwrap().unwrap();
    assert!(
        matches!(discrepancy.kind, Kind::Cut | Kind::Forked),
        "{discrepancy:?}"
    );

    // A decision that cannot be recorded has no effect: the operator has to decide again.
    test.database
        .execute("ALTER TABLE audit_event RENAME TO audit_event_away");
    let failed = recover::recover(&Request::local(&test.app, None), Revoking::Since).await;
    assert!(failed.is_err());
    test.database
        .execute("ALTER TABLE audit_event_away RENAME TO audit_event");
    assert_eq!(audit::inspect(&test.app).await.unwrap(), Some(discrepancy));
    assert_eq!(test.count("token", "revoked_at IS NOT NULL"), 0);

    let recovered = recover::recover(&Request::local(&test.app, None), Revoking::Since)
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

    // The checkpoints that were moved away still contradict the log.
    let more = Evidence {
        checkpoints: Some(&moved),
        keys: &[],
    };
    let with_them = audit::verify::verify(&test.app, more, |_, _| ())
        .await
        .unwrap();
    let kind = with_them.report.first_discrepancy.unwrap().kind;
    assert!(matches!(kind, Kind::Cut | Kind::Forked), "{kind:?}");
}

/// AUD-11: a server signs no checkpoint that contradicts an earlier one, published or not.
#[actix_web::test]
async fn server_remembers_its_checkpoints() {
    let test = TestApp::with("[audit]\ncheckpoint_records = 1\ncheckpoint_to = \"off\"").await;
    for _ in 0..4 {
        act(&test).await;
    }
    go_back_to(&test, 3);
    test.database.execute("DELETE FROM audit_checkpoint");
    add_records(&test, 8);
    test.settle().await;
    let discrepancy = audit::inspect(&test.app).await.unwrap().unwrap();
    assert_eq!(discrepancy.kind, Kind::Forked, "{discrepancy:?}");
    assert_eq!(test.count("audit_checkpoint", "1 = 1"), 0);
    let discrepancy = verify(&test).await.report.first_discrepancy.unwrap();
    assert_eq!(discrepancy.kind, Kind::Forked, "{discrepancy:?}");

    recover::recover(&Request::local(&test.app, None), Revoking::Nothing)
        .await
        .unwrap();
    act(&test).await;
    assert_eq!(audit::inspect(&test.app).await.unwrap(), None);
    assert!(test.count("audit_checkpoint", "1 = 1") > 0);
    sound(&verify(&test).await);

    let file = test.path("audit_key.seen");
    std::fs::write(&file, "something else").unwrap();
    let failed = doorcode::app::sweep::settle(&test.app).await;
    assert!(format!("{failed:?}").contains("move it away"), "{failed:?}");
}

/// AUD-12: an attacker with database access can name a key and sign with it, without any effect.
#[actix_web::test]
async fn key_that_only_the_database_names_is_not_trusted() {
    let test = TestApp::with("[audit]\ncheckpoint_records = 1\ncheckpoint_to = \"off\"").await;
    for _ in 0..4 {
        act(&test).await;
    }
    let last = sound(&verify(&test).await);
    go_back_to(&test, 3);
    test.database.execute("DELETE FROM audit_checkpoint");
    let log = Store::open(&test.app.config().database.url).unwrap();
    let log = log.read(store::audit::find_head).await.unwrap().unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let key = VerifierKey::of(&log.origin, &pair);
    test.database.execute(&format!(
        "INSERT INTO audit_event (id, at, action, outcome, method, actor_kind, request_id, detail)
         SELECT 'evt_0', at, 'audit.key_changed', 'done', 'none', 'system', '-', '{{\"key\":\"{key}\"}}'
         FROM audit_record WHERE sequence = 1"
    ));
    while test.count("audit_record", "1 = 1") < i64::try_from(last + 2).unwrap() {
        add_records(&test, 1);
        test.settle().await;
    }
    let hash = test.database.text(&format!(
        "SELECT hash FROM audit_record WHERE sequence = {last}"
    ));
    let checkpoint = Checkpoint {
        origin: log.origin,
        head: Head {
            sequence: last,
            hash: Hash::parse(&hash).unwrap(),
        },
        at: test.app.now(),
    };
    let note = checkpoint.sign(&pair);
    test.database.execute(&format!(
        "INSERT INTO audit_checkpoint (sequence, at, note)
         SELECT {last}, at, '{note}' FROM audit_record WHERE sequence = 1"
    ));
    assert!(!audit::keys(&test.app).await.unwrap().contains(&key));
    assert!(audit::inspect(&test.app).await.unwrap().is_some());
    let verified = verify(&test).await;
    assert_eq!(
        verified.report.first_discrepancy.unwrap().kind,
        Kind::Forked
    );
    assert_eq!(verified.unknown, 1);
}

/// An attacker with database access can insert checkpoints at future positions.
#[actix_web::test]
async fn checkpoints_of_an_attacker_do_not_block_new_checkpoints() {
    let test = TestApp::with("[audit]\ncheckpoint_records = 1").await;
    act(&test).await;
    let before = signed(&test).await;
    let head = test
        .database
        .text("SELECT sequence FROM audit_head")
        .parse::<u64>()
        .unwrap();
    let origin = Origin::parse(&test.database.text("SELECT origin FROM audit_head")).unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    for sequence in (1..20).map(|n| head + n).chain([1 << 62]) {
        let checkpoint = Checkpoint {
            origin: origin.clone(),
            head: Head {
                sequence,
                ..Head::genesis(&origin)
            },
            at: test.app.now(),
        };
        let note = checkpoint.sign(&pair);
        test.database.execute(&format!(
            "INSERT INTO audit_checkpoint (sequence, at, note)
             SELECT {sequence}, at, '{note}' FROM audit_record WHERE sequence = 1"
        ));
    }
    let behind = async || {
        let lag = audit::publish::lags(&test.app).await.unwrap();
        let lag = lag.iter().filter(|(step, _)| *step != Step::Seal);
        lag.map(|(_, lag)| lag.records).collect::<Vec<_>>()
    };
    assert_eq!(behind().await, [0, 0]);
    for _ in 0..2 {
        act(&test).await;
    }
    assert_eq!(behind().await[1], 0);
    let after = signed(&test).await;
    assert_eq!(after.len(), before.len() + 2, "{after:?}");
    assert!(after.is_sorted_by(|a, b| a < b), "{after:?}");
    let verified = verify(&test).await;
    assert_eq!(sound(&verified), *after.last().unwrap());
    assert_eq!(verified.unknown, 20);
}

/// Servers with different keys can share one file on a shared disk.
#[actix_web::test]
async fn servers_with_different_keys_can_share_a_file() {
    let one = TestApp::with("[audit]\ncheckpoint_records = 1").await;
    let settings = "[audit]\ncheckpoint_records = 1\nsigning_key_file = \"{directory}/other_key\"";
    let other = one.second_server(settings).await;
    for _ in 0..4 {
        act(&one).await;
        act(&other).await;
    }
    one.settle().await;
    let file = || std::fs::read_to_string(one.path("audit_checkpoints")).unwrap();
    let before = file();
    for server in [&one, &other, &one] {
        server.settle().await;
    }
    assert_eq!(file(), before);
    let signatures = before.lines().filter(|line| line.starts_with("— "));
    let mut signatures: Vec<_> = signatures.collect();
    let count = signatures.len();
    signatures.sort_unstable();
    signatures.dedup();
    assert_eq!(signatures.len(), count, "{before}");
}

/// Servers that share a database should share the key. Otherwise each one records its key once,
/// and compares the log with its own checkpoints.
#[actix_web::test]
async fn servers_with_different_keys_do_not_interfere() {
    let one = TestApp::with("[audit]\ncheckpoint_records = 1").await;
    let settings = "[audit]\ncheckpoint_records = 1\nsigning_key_file = \"{directory}/other_key\"
        checkpoint_to = \"{directory}/other_checkpoints\"";
    let other = one.second_server(settings).await;
    for _ in 0..6 {
        act(&one).await;
        act(&other).await;
    }
    assert_eq!(one.events("audit.key_changed"), 2);
    one.settle().await;
    for (server, file) in [(&one, "audit_checkpoints"), (&other, "other_checkpoints")] {
        // Each file has the checkpoints of its own server, once.
        let before = signed_in(server, file).await;
        assert!(before.is_sorted_by(|a, b| a < b), "{before:?}");
        server.settle().await;
        assert_eq!(signed_in(server, file).await, before);
        let verified = verify(server).await;
        sound(&verified);
        assert!(verified.report.checkpoints > 2, "{verified:?}");
        assert!(verified.unknown > 2, "{verified:?}");
        assert_eq!(audit::inspect(&server.app).await.unwrap(), None);
    }
}
