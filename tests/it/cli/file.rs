//! The credentials file.

use super::{DEFAULT_SCOPES, Machine};
use crate::support::TestApp;
use crate::support::deployment::mode;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

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

    let (login, code) = machine.begin(&["--profile", "work"]);
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    login.finish().exited(0).complains(&[
        "Other users of this machine could read",
        "Only you can read it now.",
    ]);
    let kept = machine.credentials();
    let work = kept["profiles"]["work"]["token"].as_str().unwrap();
    let expected = json!({
        "default_project": "prj_1", "theme": {"dark": true}, "more": [1],
        "profiles": {
            "work": {"colour": "red", "token": work, "host": test.url, "origin": "login"},
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
    expected["origin"] = "login".into();
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
    for member in ["token", "origin"] {
        let work = expected["profiles"]["work"].as_object_mut().unwrap();
        work.remove(member);
    }
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

/// Field report 5: what is not needed cannot fail.
#[actix_web::test]
async fn no_file_is_needed_if_the_environment_has_token_and_server() {
    let test = TestApp::start().await;
    let token = test.token(&["orgs:read"]).await;
    let machine = Machine::new(&test);
    machine.write_file("{");
    let whoami = || machine.command(&["whoami"]).env("DOORCODE_TOKEN", &token);
    whoami().run().exited(0).says(&["DOORCODE_TOKEN"]);
    whoami().without("HOME").run().exited(0);
    let nowhere = machine.home().join("nowhere");
    whoami().env("HOME", nowhere).run().exited(0);
    for path in ["/dev/null", "/", "/nonexistent/config.json"] {
        whoami().env("DOORCODE_CONFIG", path).run().exited(0);
    }
}

#[actix_web::test]
async fn file_without_content_has_no_credentials() {
    let test = TestApp::start().await;
    for empty in ["", "\n", "\u{feff}"] {
        let machine = Machine::new(&test);
        machine.write_file(empty);
        machine.command(&["whoami"]).run().exited(3);
        machine.command(&["logout"]).run().exited(0);
        machine.sign_in(&test, &[]).await;
        assert_eq!(test.me(&machine.token()).await.status(), 200);
    }
}

/// Field report 20: a place that stores nothing is reported before a code is requested.
#[actix_web::test]
async fn unwritable_file_is_reported_before_a_code_is_requested() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    std::fs::write(machine.home().join("taken"), "").unwrap();
    let below_a_file = machine.home().join("taken/config.json");
    for path in [
        below_a_file.to_str().unwrap(),
        "/dev/null",
        "/proc/config.json",
    ] {
        let login = machine.command(&["login", "--no-browser"]);
        let login = login.env("DOORCODE_CONFIG", path).run();
        let advice = "name another file in DOORCODE_CONFIG";
        login.exited(1).complains(&[path, advice]);
    }
    assert_eq!(test.count("device_grant", "1 = 1"), 0);
}

/// A file that is mounted into a container cannot be replaced. Where the test may not mount, its
/// folder is read-only instead.
#[actix_web::test]
async fn file_that_cannot_be_replaced_is_written_in_place() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let token = test.token(&["orgs:read"]).await;
    machine.write_file("");
    let source = machine.home().join("mounted.json");
    std::fs::write(&source, r#"{"more": "1234567890", "token": null}"#).unwrap();
    let mount = format!(
        r#"/bin/mount --bind '{}' '{}' && exec "$0" "$@""#,
        source.display(),
        machine.file().display()
    );
    let namespace = ["/usr/bin/unshare", "--mount", "--map-root-user"];
    let may_mount = Command::new(namespace[0])
        .args(&namespace[1..])
        .args(["/bin/sh", "-c", &mount, "/bin/true"])
        .status()
        .is_ok_and(|status| status.success());
    let login = machine.command(&["login", "--token", "-"]).input(&token);
    let stored = if may_mount {
        let launcher = [&namespace[..], &["/bin/sh", "-c", &mount]].concat();
        login.run_by(&launcher).unwitnessed().run().exited(0);
        assert_eq!(std::fs::read_to_string(machine.file()).unwrap(), "");
        source
    } else {
        std::fs::copy(&source, machine.file()).unwrap();
        let folder = machine.file().parent().unwrap().to_owned();
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o500)).unwrap();
        login.run().exited(0);
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
        machine.file()
    };
    let stored: serde_json::Value =
        serde_json::from_slice(&std::fs::read(stored).unwrap()).unwrap();
    let expected = json!({
        "more": "1234567890", "token": token, "host": test.url, "origin": "given"
    });
    assert_eq!(stored, expected);
}

/// Sign-ins at the same time lose no token.
#[actix_web::test]
async fn simultaneous_sign_ins_into_profiles_are_all_kept() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let token = test.token(&["orgs:read"]).await;
    let names: Vec<_> = (0..8).map(|n| format!("p{n}")).collect();
    let logins: Vec<_> = names
        .iter()
        .map(|name| {
            let login = machine.command(&["login", "--token", "-", "--profile", name]);
            login.input(&token).spawn()
        })
        .collect();
    for login in logins {
        login.finish().exited(0);
    }
    for name in &names {
        assert_eq!(machine.credentials()["profiles"][name]["token"], token);
    }
}

#[actix_web::test]
async fn unknown_profile_is_reported_with_the_known_ones() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    machine.sign_in(&test, &["--profile", "prod"]).await;
    for command in ["whoami", "logout"] {
        let refused = machine.command(&[command, "--profile", "prdo"]).run();
        refused.exited(3).complains(&[
            "There is no profile prdo in",
            "The profiles are: default, prod.",
        ]);
    }
}

#[actix_web::test]
async fn server_without_a_scheme_is_understood() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let token = test.token(&["orgs:read"]).await;
    let short = test.url.strip_prefix("http://").unwrap();
    let login = machine.command(&["login", "--token", "-", "--host", short]);
    login.input(&token).run().exited(0);
    assert_eq!(machine.credentials()["host"], test.url);
}
