//! `doorcode profile` and `doorcode config show`.

use super::Machine;
use crate::support::TestApp;
use serde_json::{Value, json};

async fn is_active(test: &TestApp, token: &Value) -> bool {
    let token = token.as_str().unwrap();
    test.introspect(token).await["active"].as_bool().unwrap()
}

/// A machine that is signed in with the default profile and the profile `work`.
async fn signed_in_twice() -> (TestApp, Machine) {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &[]).await;
    machine.sign_in(&test, &["--profile", "work"]).await;
    (test, machine)
}

#[actix_web::test]
async fn profiles_are_listed_with_their_servers_and_chosen() {
    let (test, machine) = signed_in_twice().await;
    let profile = |arguments: &[&str]| machine.command(&["profile"]).args(arguments).run();
    let shown = profile(&["list"]).exited(0);
    for line in ["default *  ", "work       "] {
        let line = shown.stdout.lines().find(|found| found.starts_with(line));
        assert!(
            line.is_some_and(|line| line.contains(&test.url)),
            "{shown:?}"
        );
    }
    profile(&["use", "work"])
        .exited(0)
        .complains(&["Commands that name no profile use work now."]);
    let document = profile(&["list", "--json"]).exited(0).json();
    let host = json!({
        "host": test.url, "token": true, "kept_in": "file", "origin": "login",
        "default_project": null
    });
    assert_eq!(
        document["items"],
        json!([
            {"name": "default", "used": false, "hosts": [host]},
            {"name": "work", "used": true, "hosts": [host]},
        ])
    );
    let token = machine.command(&["token", "print"]).run().exited(0).stdout;
    assert_eq!(
        token.trim_end(),
        machine.credentials()["profiles"]["work"]["token"]
    );
    let overridden = machine
        .command(&["profile", "use", "default"])
        .env("DOORCODE_PROFILE", "work");
    overridden
        .run()
        .exited(0)
        .complains(&["DOORCODE_PROFILE is set and overrides this."]);
    assert_eq!(machine.credentials().get("profile"), None);

    let before = machine.credentials();
    for command in ["use", "remove"] {
        profile(&[command, "wrok"])
            .exited(2)
            .complains(&["There is no profile wrok. The profiles are: default, work."]);
    }
    assert_eq!(machine.credentials(), before);
}

#[actix_web::test]
async fn profile_with_a_token_is_removed_only_by_force_and_the_token_stays_valid() {
    let (test, machine) = signed_in_twice().await;
    let kept = machine.credentials();
    let token = &kept["profiles"]["work"]["token"];
    let profile = |arguments: &[&str]| machine.command(&["profile"]).args(arguments).run();
    profile(&["remove", "work"]).exited(1).complains(&[
        &format!("  doorcode logout --profile work --host {}\n", test.url),
        "Nothing was changed.",
    ]);
    assert_eq!(machine.credentials(), kept);
    let removed = profile(&["remove", "work", "--force", "--json"]).exited(0);
    let expected = json!({"removed": "work", "tokens_left_valid_at": [test.url]});
    assert_eq!(removed.json(), expected);
    removed.complains(&["Its tokens stay valid", "The profile work is removed."]);
    assert!(is_active(&test, token).await);
    assert_eq!(machine.credentials().get("profiles"), None);
    assert!(is_active(&test, &machine.credentials()["token"]).await);

    // After a sign-out, nothing is left to lose.
    machine.command(&["logout"]).run().exited(0);
    profile(&["remove", "default"]).exited(0);
    assert!(!is_active(&test, &kept["token"]).await);
}

#[actix_web::test]
async fn each_setting_is_shown_with_its_source() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let show = || machine.command(&["config", "show", "--json"]);
    let setting = |value: Value, source: &str| json!({"value": value, "source": source});
    let empty = show().without("DOORCODE_HOST").run().exited(0).json();
    assert_eq!(
        empty["host"],
        setting("http://127.0.0.1:8080".into(), "default")
    );
    assert_eq!(empty["token"], setting(Value::Null, "default"));
    assert_eq!(empty["profile"], setting("default".into(), "default"));

    machine.sign_in(&test, &[]).await;
    let secret = machine.token();
    let hint = format!("dc_…{}", &secret[secret.len() - 4..]);
    let shown = show().run().exited(0).json();
    let environment = "environment DOORCODE_HOST";
    assert_eq!(shown["host"], setting(test.url.clone().into(), environment));
    assert_eq!(shown["token"], setting(hint.clone().into(), "file"));
    let file = machine.file().display().to_string();
    assert_eq!(shown["file"], setting(file.into(), "default"));
    let by_flag = show().args(&["--host", &test.url, "--profile", "work"]);
    let by_flag = by_flag.run().exited(0).json();
    assert_eq!(by_flag["profile"], setting("work".into(), "flag --profile"));
    assert_eq!(
        by_flag["host"],
        setting(test.url.clone().into(), "flag --host")
    );
    let text = machine.command(&["config", "show"]).run().exited(0);
    assert!(!text.stdout.contains(&secret));
    text.says(&["SETTING  VALUE", &hint, "environment DOORCODE_HOST"]);
}
