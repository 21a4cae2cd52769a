//! The log records the settings of the server.

use super::{sound, verify};
use crate::support::TestApp;
use crate::support::database::AUDIT;
use doorcode::app::audit;
use serde_json::{Value, json};

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
