//! The credentials file.

use super::{DEFAULT_SCOPES, Machine};
use crate::support::TestApp;
use crate::support::deployment::mode;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

#[actix_web::test]
async fn profiles_are_separate_and_unknown_members_are_kept() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.write_file(
        r#"{"default_project": "prj_1", "theme": {"dark": true},
            "profiles": {"work": {"colour": "red"}, "other": {"token": "dc_1"}}, "more": [1]}"#,
    );
    let permissions = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(machine.file(), permissions).unwrap();

    machine.sign_in(&test, &["--profile", "work"]).await;
    let kept = machine.credentials();
    let work = kept["profiles"]["work"]["token"].as_str().unwrap();
    let expected = json!({
        "default_project": "prj_1", "theme": {"dark": true}, "more": [1],
        "profiles": {
            "work": {"colour": "red", "token": work, "host": test.url},
            "other": {"token": "dc_1"},
        },
    });
    assert_eq!(kept, expected);
    assert_eq!(
        mode(&machine.file()),
        0o600,
        "what was open to others is closed"
    );

    machine.sign_in(&test, &[]).await;
    let default = machine.token();
    let mut expected = expected;
    expected["token"] = default.as_str().into();
    expected["host"] = test.url.as_str().into();
    assert_eq!(machine.credentials(), expected);
    assert_ne!(default, work);

    // Each command uses its own profile, set by flag or environment.
    for (profile, token) in [("work", work), ("default", default.as_str())] {
        let hint = &token[token.len() - 4..];
        let whoami = machine.command(&["whoami", "--profile", profile]);
        whoami.run().exited(0).says(&[hint]);
        let whoami = machine
            .command(&["whoami"])
            .env("DOORCODE_PROFILE", profile);
        whoami.run().exited(0).says(&[hint]);
    }
    let logout = machine.command(&["logout", "--profile", "work"]);
    logout.run().exited(0);
    expected["profiles"]["work"]
        .as_object_mut()
        .unwrap()
        .remove("token");
    assert_eq!(machine.credentials(), expected);
    assert_eq!(test.me(work).await.status(), 401);
    assert_eq!(test.me(&default).await.status(), 200);
}

#[actix_web::test]
async fn broken_file_is_reported_and_not_changed() {
    let test = TestApp::start().await;
    for broken in ["{", "[]", "{\"token\": 1}", "{\"profiles\": []}", "\u{0}"] {
        let machine = Machine::new(&test);
        machine.write_file(broken);
        for command in [&["login", "--no-browser"][..], &["whoami"], &["logout"]] {
            let command = [command, &["--profile", "work"]].concat();
            // An invalid member of another profile does not affect this one.
            if broken.contains("token") {
                continue;
            }
            machine
                .command(&command)
                .run()
                .exited(1)
                .complains(&["config.json is broken", "The file was not changed."]);
        }
        let default = machine.command(&["whoami"]).run();
        assert_ne!(default.code, Some(0));
        assert_eq!(std::fs::read_to_string(machine.file()).unwrap(), broken);
    }
    assert_eq!(test.count("device_grant", "1 = 1"), 0, "no code was wasted");
}

#[actix_web::test]
async fn environment_sets_the_path_of_the_file() {
    let test = TestApp::start().await;
    let token = test.token(&["orgs:read"]).await;
    let machine = Machine::new(&test);
    let login = || machine.command(&["login", "--token", &token]);
    let at = |name: &str| machine.home().join(name);
    login().env("XDG_CONFIG_HOME", at("xdg")).run().exited(0);
    assert_eq!(mode(&at("xdg/doorcode/config.json")), 0o600);
    login()
        .env("XDG_CONFIG_HOME", at("xdg-2"))
        .env("DOORCODE_CONFIG", at("own.json"))
        .run()
        .exited(0)
        .says(&["own.json"]);
    assert_eq!(mode(&at("own.json")), 0o600);
    assert!(!at("xdg-2").exists() && !machine.file().exists());
    login().env("XDG_CONFIG_HOME", "relative").run().exited(0);
    assert_eq!(mode(&machine.file()), 0o600, "a relative folder is ignored");
    assert_eq!(test.me(&token).await.status(), 200);
}

#[actix_web::test]
async fn token_is_revoked_if_the_file_cannot_be_written() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    // A file exists at the path of the directory.
    std::fs::write(machine.home().join("taken"), "").unwrap();
    let login = machine
        .command(&["login", "--no-browser"])
        .env("DOORCODE_CONFIG", machine.home().join("fine/config.json"));
    let mut login = login.spawn();
    let code = super::code_of(&mut login);
    std::fs::write(machine.home().join("fine"), "").unwrap();
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    login.finish().exited(1).complains(&["config.json"]);
    assert_eq!(test.count("token", "revoked_at IS NULL"), 0);
    assert_eq!(test.count("token", "revoked_at IS NOT NULL"), 1);
}
