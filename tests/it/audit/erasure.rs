//! A person can be erased from the log, and it proves itself still (AUD-14).

use super::{sound, verify};
use crate::support::browser::Page;
use crate::support::database::Database;
use crate::support::{EMAIL, OPERATOR, PASSWORD, TestApp, http};
use doorcode::app::audit::erasure;
use doorcode::app::audit::recovery;
use doorcode::app::user::Named;
use doorcode::app::{Context, Error, audit};
use doorcode::domain::audit::discrepancy::Kind;
use doorcode::domain::audit::export;
use doorcode::domain::audit::note::VerifierKey;
use doorcode::domain::audit::origin::Origin;
use doorcode::domain::org::Role;
use doorcode::store::{self, Store};
use ring::signature::Ed25519KeyPair;
use std::time::Duration;

const OTHER: &str = "bob@example.com";

/// What each of two people leaves behind.
const TRACES: [(&str, [&str; 3]); 2] = [
    (EMAIL, ["AdasBrowser/1", "AdasLaptop", "AdasToken"]),
    (OTHER, ["BobsBrowser/1", "BobsLaptop", "BobsToken"]),
];

/// Both sign in, let a device in and make a token.
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

/// What the log says, as whoever has the database reads it.
fn log(test: &TestApp) -> String {
    let rows = test.database.content();
    let of_log = rows.iter().filter(|row| row.starts_with("audit_"));
    of_log.cloned().collect::<Vec<_>>().join("\n")
}

async fn erase(test: &TestApp, email: &str) -> Result<usize, Error> {
    let named = Named::Email(email.to_owned());
    erasure::erase(&test.app, &Context::local(), named).await
}

#[actix_web::test]
async fn a_person_is_erased_and_the_log_proves_itself() {
    let test = TestApp::start().await;
    test.add_user(OTHER, PASSWORD, Some(("Acme", Role::Owner)))
        .await;
    live(&test).await;
    let before = sound(&verify(&test).await);
    let heads = "SELECT count(DISTINCT hash) FROM audit_record";
    assert_eq!(test.database.text(heads), before.to_string());
    // What is done to her is not hers to erase.
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
    // Sign-in; the device's request, shown, approved and redeemed; two tokens.
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

    // A copy of it proves itself too, and says nothing of her.
    let copy = http()
        .get(test.at("/v1/audit/export"))
        .bearer_auth(OPERATOR);
    let copy = copy.send().await.unwrap().text().await.unwrap();
    let report = export::verify(copy.as_bytes(), std::iter::empty(), &[]).unwrap();
    assert_eq!(report.first_discrepancy, None);
    assert!(!ada.iter().any(|trace| copy.contains(trace)), "{copy}");

    // Pages say that something was there.
    let mut browser = test.user().await;
    let page = browser.get("/account/activity").await;
    assert!(
        page.contains("Erased") && page.contains("(name erased)"),
        "{}",
        page.body
    );
    assert!(!page.contains("sha256:"), "{}", page.body);

    // Nothing is left of it; what she did since is there.
    let second_server = erase(&test, EMAIL).await.unwrap();
    assert!((1..count).contains(&second_server), "{second_server}");
    sound(&verify(&test).await);
    let nobody = erase(&test, "nobody@example.com").await;
    assert!(matches!(nobody, Err(Error::NotFound)));
}

/// What is on disk is what tells, not what a query gives: SQLite keeps writes in a log of its own.
#[actix_web::test]
async fn nothing_of_a_person_is_left_on_disk() {
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
    // Her sessions and tokens are there still, and are no part of the log.
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

/// What was committed just before is erased too, though another server is about to seal it.
#[actix_web::test]
async fn records_that_another_server_seals_are_erased() {
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

/// A server that has lost its keys knows nobody who erased anything, until the operator names them.
#[actix_web::test]
async fn what_a_forgotten_key_has_signed_counts_once_it_is_trusted() {
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
    let refused = recovery::trust(&second_server.app, &Context::local(), of_another).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    for _ in 0..2 {
        recovery::trust(&second_server.app, &Context::local(), lost.clone())
            .await
            .unwrap();
    }
    second_server.settle().await;
    sound(&verify(&second_server).await);
    assert_eq!(audit::keys(&second_server.app).await.unwrap().len(), 2);
    assert_eq!(second_server.events("audit.key_trusted"), 2);
}

/// What is in the database already must say so before anything is erased.
#[actix_web::test]
async fn nothing_is_erased_where_the_log_cannot_say_so() {
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

/// The database lets nobody change a record, nor erase half of it.
#[actix_web::test]
async fn a_guard_lets_nothing_else_be_changed() {
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
    // What it lets through is found.
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

/// Who has the database alone cannot hide from where they came.
#[actix_web::test]
async fn what_the_operator_did_not_sign_was_not_erased() {
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
