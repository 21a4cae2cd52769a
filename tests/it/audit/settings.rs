//! The log records the settings of the server.

use super::{sound, verify};
use crate::support::TestApp;
use crate::support::database::AUDIT;
use doorcode::app::access::Caller;
use doorcode::app::reload::{self, Reloaded};
use doorcode::app::{Error, audit};
use serde_json::{Value, json};
use std::future::{Future, poll_fn};
use std::task::Poll;

/// Detail of the last settings record.
fn last(test: &TestApp) -> Value {
    let sql = format!(
        "SELECT detail FROM {AUDIT} WHERE action = 'settings.changed' ORDER BY id DESC LIMIT 1"
    );
    serde_json::from_str(&test.database.text(&sql)).unwrap()
}

/// CONTRACT 6: a changed setting is recorded.
#[actix_web::test]
async fn start_with_changed_settings_is_recorded_once() {
    let own = "[server]\npublic_url = \"http://127.0.0.1\"\n";
    let test = TestApp::with(own).await;
    for _ in 0..2 {
        audit::record_settings(&test.app).await.unwrap();
        assert_eq!(test.events("settings.changed"), 1);
    }
    let first = last(&test);
    assert_eq!(first["changed"], Value::Null);
    assert_eq!(first["settings"]["audit.token_use"], "every");

    let settings = format!(
        "{own}[audit]\ntoken_use = \"off\"\nship_to = \"https://logs.example.com/s3cr3t-path\"
         [mail]\nsmtp_url = \"smtp://ada:hunter2@127.0.0.1\"\nfrom = \"a@example.com\"
         [[scopes]]\nname = \"app:deploy\"\ndescription = \"Deploy\""
    );
    test.clock.advance(1);
    let other = test.second_server(&settings).await;
    audit::record_settings(&other.app).await.unwrap();
    let changed = last(&other)["changed"].clone();
    assert_eq!(
        changed["audit.token_use"],
        json!({"from": "every", "to": "off"})
    );
    let ship_to = changed["audit.ship_to"]["to"].as_str().unwrap();
    assert!(
        ship_to.starts_with("https://logs.example.com/… ("),
        "{ship_to}"
    );
    assert_eq!(changed["scopes.0"]["from"], Value::Null);
    assert_eq!(changed["tokens.prefix"], Value::Null);
    let log = test.database.dump();
    assert!(!log.contains("hunter2") && !log.contains("s3cr3t-path"));

    test.clock.advance(1);
    audit::record_settings(&test.app).await.unwrap();
    assert_eq!(last(&test)["changed"]["audit.token_use"]["to"], "every");
    assert_eq!(test.events("settings.changed"), 3);
    test.settle().await;
    sound(&verify(&test).await);
}

/// A reload is recorded with its actor. What began before it keeps its configuration.
#[actix_web::test]
async fn reload_is_recorded_and_leaves_earlier_requests_alone() {
    let test = TestApp::start().await;
    audit::record_settings(&test.app).await.unwrap();
    let earlier = test.app.current();
    let text = "[branding]\nname = \"Acme\"\n[tokens]\nprefix = \"ac\"\n";
    std::fs::write(test.path("doorcode.toml"), text).unwrap();
    test.clock.advance(1);
    let denied = reload::reload(&test.req(&Caller::Anonymous)).await;
    assert!(matches!(denied, Err(Error::Forbidden(_))));
    let reloaded = reload::reload(&test.req(&Caller::Operator(None))).await;
    let Reloaded {
        changed,
        needs_restart,
    } = reloaded.unwrap();
    assert_eq!(Vec::from_iter(changed), ["branding.name"]);
    assert_eq!(Vec::from_iter(needs_restart), ["tokens.prefix"]);
    assert_eq!(earlier.config().branding.name, "Doorcode");
    let current = test.app.current();
    assert_eq!(current.config().branding.name, "Acme");
    assert_eq!(current.config().tokens.prefix.as_str(), "dc");

    let detail = last(&test);
    assert_eq!(detail["reloaded"], true);
    let name = json!({"from": "Doorcode", "to": "Acme"});
    assert_eq!(detail["changed"], json!({"branding.name": name}));
    let by_operator = "action = 'settings.changed' AND actor_kind = 'operator'";
    assert_eq!(test.count(AUDIT, by_operator), 1);
    // The next start with the same settings records no change.
    test.clock.advance(1);
    audit::record_settings(&current).await.unwrap();
    assert_eq!(test.events("settings.changed"), 2);
    test.settle().await;
    sound(&verify(&test).await);
}

/// The caller of a reload goes away: what the log says is in force all the same.
#[actix_web::test]
async fn reload_without_a_waiting_caller_is_applied() {
    let test = TestApp::start().await;
    audit::record_settings(&test.app).await.unwrap();
    std::fs::write(test.path("doorcode.toml"), "[branding]\nname = \"Acme\"\n").unwrap();
    test.clock.advance(1);
    let req = test.req(&Caller::Operator(None));
    let mut abandoned = Box::pin(reload::reload(&req));
    let is_pending = poll_fn(|context| Poll::Ready(abandoned.as_mut().poll(context).is_pending()));
    assert!(is_pending.await);
    drop(abandoned);
    // The next reload begins after the first one.
    let repeated = reload::reload(&req).await.unwrap();
    assert!(repeated.changed.is_empty(), "{repeated:?}");
    assert_eq!(test.app.current().config().branding.name, "Acme");
    assert_eq!(last(&test)["changed"], json!({}));
}
