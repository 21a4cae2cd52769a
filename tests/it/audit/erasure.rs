//! Erasure of personal data from the log, which remains verifiable (AUD-14).

use super::{sound, verify};
use crate::support::browser::Page;
use crate::support::database::Database;
use crate::support::{EMAIL, OPERATOR, PASSWORD, TestApp, http};
use doorcode::app::audit::recover;
use doorcode::app::audit::retain;
use doorcode::app::user::Named;
use doorcode::app::{Error, Request, audit};
use doorcode::domain::audit::discrepancy::Kind;
use doorcode::domain::audit::export;
use doorcode::domain::audit::note::VerifierKey;
use doorcode::domain::audit::origin::Origin;
use doorcode::domain::role::Role;
use doorcode::store::{self, Store};
use ring::signature::Ed25519KeyPair;
use std::time::Duration;

const OTHER: &str = "bob@example.com";

/// Personal data that each of the two users leaves in the log.
const TRACES: [(&str, [&str; 3]); 2] = [
    (EMAIL, ["AdasBrowser/1", "AdasLaptop", "AdasToken"]),
    (OTHER, ["BobsBrowser/1", "BobsLaptop", "BobsToken"]),
];

/// Both users sign in, approve a device and create a token.
async fn live(test: &TestApp) {
    for (email, [agent, device, token]) in TRACES {
        let mut browser = test.browser();
        browser.set_header("user-agent", agent);
        browser.sign_in(email, PASSWORD).await;
        let form = [("client_id", crate::support::CLI), ("device_name", device)];
        let asked = test.oauth("/auth/device", &form).await;
        let asked = crate::support::device::Device::of(&asked);
        let consent: Page = browser.type_code(&asked.user_code).await;
        browser.decide(&consent, "approve", &[]).await;
        test.poll(&asked).await.token();
        browser.new_token(token, &["tokens:read"], "30d").await;
    }
    test.settle().await;
}

/// Content of the log, as read from the database.
fn log(test: &TestApp) -> String {
    let rows = test.database.content();
    let of_log = rows.iter().filter(|row| row.starts_with("audit_"));
    of_log.cloned().collect::<Vec<_>>().join("\n")
}

async fn erase(test: &TestApp, email: &str) -> Result<usize, Error> {
    let named = Named::Email(email.to_owned());
    retain::erase(&Request::local(&test.app, None), named).await
}

#[actix_web::test]
async fn user_is_erased_and_the_log_still_verifies() {
    let test = TestApp::start().await;
    test.add_user(OTHER, PASSWORD, Some(("Acme", Role::Owner)))
        .await;
    live(&test).await;
    let before = sound(&verify(&test).await);
    let heads = "SELECT count(DISTINCT hash) FROM audit_record";
    assert_eq!(test.database.text(heads), before.to_string());
    // Actions of others on the user are not erased.
    let [organization, user] = ["organization", "users WHERE email LIKE 'ada%'"]
        .map(|of| test.database.text(&format!("SELECT id FROM {of}")));
    let path = format!("/v1/orgs/{organization}/members/{user}");
    let changed = http().put(test.at(&path)).bearer_auth(OPERATOR);
    let changed = changed
        .header("user-agent", "AdminTool/7")
        .json(&serde_json::json!({"role": "admin"}));
    assert_eq!(changed.send().await.unwrap().status(), 200);
    test.settle().await;
    let [(_, ada), (_, bob)] = TRACES;
    for trace in ada.iter().chain(&bob) {
        assert!(log(&test).contains(trace), "{trace}");
    }

    let count = erase(&test, EMAIL).await.unwrap();
    // Sign-in; the device grant, shown, approved and redeemed; two tokens.
    assert_eq!(count, 7);
    let after = log(&test);
    for trace in ada {
        assert!(!after.contains(trace), "{trace}");
    }
    for trace in bob.iter().chain(&["AdminTool/7"]) {
        assert!(after.contains(trace), "{trace}");
    }
    sound(&verify(&test).await);
    assert_eq!(test.events("audit.erased"), 1);

    // An export verifies too, and has none of the user's data.
    let copy = http()
        .get(test.at("/v1/audit/export"))
        .bearer_auth(OPERATOR);
    let copy = copy.send().await.unwrap().text().await.unwrap();
    let report = export::verify(copy.as_bytes(), std::iter::empty(), &[]).unwrap();
    assert_eq!(report.first_discrepancy, None);
    assert!(!ada.iter().any(|trace| copy.contains(trace)), "{copy}");

    // Pages show that data was erased.
    let mut browser = test.user().await;
    let page = browser.get("/account/activity").await;
    assert!(
        page.contains("Erased") && page.contains("(name erased)"),
        "{}",
        page.body
    );
    assert!(!page.contains("sha256:"), "{}", page.body);

    // A second erasure finds only the records since the first.
    let second = erase(&test, EMAIL).await.unwrap();
    assert!((1..count).contains(&second), "{second}");
    sound(&verify(&test).await);
    let nobody = erase(&test, "nobody@example.com").await;
    assert!(matches!(nobody, Err(Error::NotFound)));
}

/// The files are checked, not query results: SQLite keeps recent writes in its WAL.
#[actix_web::test]
async fn erased_data_is_removed_from_disk() {
    if Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    test.add_user(OTHER, PASSWORD, None).await;
    live(&test).await;
    let [(_, ada), (_, bob)] = TRACES;
    let holds = |trace: &str| {
        let searcher = aho_corasick::AhoCorasick::new([trace]).unwrap();
        let files = std::fs::read_dir(test.path("")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let of_database = files.filter(|file| file.to_string_lossy().contains("doorcode.db"));
        let mut texts = of_database.map(|file| std::fs::read(file).unwrap());
        texts.any(|text| searcher.is_match(&text))
    };
    assert!(ada.iter().all(|trace| holds(trace)));
    // The user's sessions and tokens remain; they are not part of the log.
    test.database.execute(
        "PRAGMA secure_delete = ON; UPDATE session SET user_agent = 'x';
         UPDATE token SET name = 'x', device_name = 'x';
         UPDATE device_grant SET device_name = 'x'",
    );
    erase(&test, EMAIL).await.unwrap();
    for trace in ada {
        assert!(!holds(trace), "{trace}");
    }
    assert!(holds(bob[0]));
}

/// Records committed just before are erased too, even if another server is about to seal them.
#[actix_web::test]
async fn records_being_sealed_by_another_server_are_erased() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    test.add_user(OTHER, PASSWORD, None).await;
    test.settle().await;
    let sealer = test.database.hold("SELECT 1 FROM audit_head FOR UPDATE");
    live(&test).await;
    assert!(test.count("audit_event", "agent LIKE 'Adas%'") > 0);
    let mut erasing = std::pin::pin!(erase(&test, EMAIL));
    let early = tokio::time::timeout(Duration::from_millis(500), &mut erasing).await;
    assert!(early.is_err(), "it does not wait: {early:?}");
    drop(sealer);
    assert_eq!(erasing.await.unwrap(), 7);
    assert!(!log(&test).contains("AdasBrowser"));
}

/// A server that has lost its keys trusts no erasure until the operator trusts the old key.
#[actix_web::test]
async fn erasure_signed_by_a_lost_key_is_valid_once_the_key_is_trusted() {
    let test = TestApp::start().await;
    live_one(&test).await;
    assert!(erase(&test, EMAIL).await.unwrap() > 0);
    let lost = audit::keys(&test.app).await.unwrap().pop().unwrap();
    for file in ["audit_key", "audit_key.seen"] {
        std::fs::remove_file(test.path(file)).unwrap();
    }
    let second_server = test.second_server("").await;
    second_server.settle().await;
    let discrepancy = verify(&second_server)
        .await
        .report
        .first_discrepancy
        .unwrap();
    assert_eq!(discrepancy.kind, Kind::Edited);

    let elsewhere = Origin::parse("another").unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let of_another = VerifierKey::of(&elsewhere, &pair);
    let refused = recover::trust(&Request::local(&second_server.app, None), of_another).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    for _ in 0..2 {
        recover::trust(&Request::local(&second_server.app, None), lost.clone())
            .await
            .unwrap();
    }
    second_server.settle().await;
    sound(&verify(&second_server).await);
    assert_eq!(audit::keys(&second_server.app).await.unwrap().len(), 2);
    assert_eq!(second_server.events("audit.key_trusted"), 2);
}

/// The erasure must be recorded in the database before any data is erased.
#[actix_web::test]
async fn erasure_that_cannot_be_recorded_is_rejected() {
    let test = TestApp::start().await;
    test.add_user(OTHER, PASSWORD, None).await;
    live(&test).await;
    let before = log(&test);
    test.database
        .execute("ALTER TABLE audit_event RENAME TO audit_event_away");
    assert!(erase(&test, EMAIL).await.is_err());
    test.database
        .execute("ALTER TABLE audit_event_away RENAME TO audit_event");
    assert_eq!(log(&test), before);
}

/// The database rejects changes of a record and partial erasures.
#[actix_web::test]
async fn database_rejects_every_other_change() {
    let test = TestApp::start().await;
    live_one(&test).await;
    for change in [
        "address = 'x'",
        "agent = NULL",
        "detail = '{}'",
        "salt = 'x'",
        "target = 'x'",
        "salt = NULL, target = 'x'",
        "salt = NULL, address = 'x'",
        "salt = NULL, address = NULL",
        "hash = hash",
    ] {
        let sql = format!("UPDATE audit_record SET {change} WHERE salt IS NOT NULL");
        assert!(!test.database.try_execute(&sql), "{sql}");
    }
    let unsalted = "UPDATE audit_record SET address = 'x', salt = NULL WHERE salt IS NULL";
    assert!(!test.database.try_execute(unsalted));
    sound(&verify(&test).await);
    // A change that the triggers accept is found.
    let place = test
        .database
        .text("SELECT min(sequence) FROM audit_record WHERE salt IS NOT NULL");
    test.database.execute(&format!(
        "UPDATE audit_record SET salt = NULL, address = 'sha256:{zeros}',
             agent = CASE WHEN agent IS NULL THEN NULL ELSE 'sha256:{zeros}' END
         WHERE sequence = {place}",
        zeros = "0".repeat(64)
    ));
    let discrepancy = verify(&test).await.report.first_discrepancy.unwrap();
    assert_eq!(discrepancy.sequence.to_string(), place);
}

async fn live_one(test: &TestApp) {
    test.user().await;
    test.device("tokens:read").await;
    test.settle().await;
}

/// An attacker with database access alone cannot erase a client address undetected.
#[actix_web::test]
async fn unsigned_erasure_is_found() {
    let test = TestApp::start().await;
    live_one(&test).await;
    let place = "SELECT min(sequence) FROM audit_record WHERE salt IS NOT NULL";
    let place: u64 = test.database.text(place).parse().unwrap();
    let store = Store::open(&test.app.config().database.url).unwrap();
    let erased = store.write(move |conn| store::audit::erase(conn, &[place]));
    assert_eq!(erased.await.unwrap(), 1);
    store.stop();
    test.database.execute(
        "INSERT INTO audit_event (id, at, action, outcome, method, actor_kind, request_id, detail)
         SELECT 'evt_forged', at, 'audit.erased', 'done', 'none', 'operator', '-', '{\"records\":\"1-99\"}'
         FROM audit_record WHERE sequence = 1",
    );
    let discrepancy = verify(&test).await.report.first_discrepancy.unwrap();
    assert_eq!(
        (discrepancy.sequence, discrepancy.kind),
        (place, Kind::Edited)
    );
}
