//! The settings of the CLI: file, variables, host and default project.

use super::{FOLDER, comwit};
use crate::seeds::machine::as_shipped;
use crate::support::deployment::mode;
use crate::support::machine::Machine;
use serde_json::{Value, json};
use std::fs;

/// The value of a setting, as the CLI shows it.
#[track_caller]
fn setting(finished: crate::support::program::Finished, name: &str) -> Value {
    finished.exited(0).json()[name]["value"].clone()
}

/// Writes a credentials file by hand.
fn write(machine: &Machine, name: &str, content: &Value) {
    let path = machine.file(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content.to_string()).unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&path, permissions).unwrap();
}

/// `login --token cwt_xxx --project <id>` stores a given token.
#[actix_web::test]
async fn b_29_login_stores_a_given_token() {
    let comwit = comwit().await;
    let (user, token) = comwit.member_with("given", &["project:read"]).await;
    let machine = comwit.system.machine(&comwit.system.api);
    let login = ["login", "--token", &token, "--project", &comwit.web];
    machine.run(&login).exited(0);
    let saved = machine.json("comwit/config.json");
    assert_eq!(saved["token"], token);
    assert_eq!(saved["default_project"], comwit.web);
    machine.run(&["whoami"]).exited(0).says(&[&user.email]);
    // It may be in use elsewhere: signing out here does not end it.
    machine.run(&["logout"]).exited(0);
    assert_eq!(
        comwit.system.call("GET /v1/projects", &token).await.status,
        200
    );
}

/// Config file holds `{"token","default_project"}`.
#[actix_web::test]
async fn b_30_file_has_the_token_and_the_default_project() {
    let comwit = comwit().await;
    let (user, token) = comwit.member_with("filer", &["project:read"]).await;
    let machine = comwit.system.machine(&comwit.system.api);
    let content = json!({"token": token, "default_project": comwit.web});
    write(&machine, "comwit/config.json", &content);
    machine.run(&["whoami"]).exited(0).says(&[&user.email]);
    let shown = machine.run(&["config", "show", "--json"]);
    assert_eq!(setting(shown, "project"), comwit.web);
    let login = ["login", "--token", &token, "--project", &comwit.web];
    machine.run(&login).exited(0);
    let saved = machine.json("comwit/config.json");
    for (name, value) in content.as_object().unwrap() {
        assert_eq!(saved[name], *value, "{name}");
    }
}

/// `COMWIT_CONFIG` overrides the path; otherwise `$XDG_CONFIG_HOME/comwit/config.json`.
#[actix_web::test]
async fn b_31_variables_choose_the_file() {
    let comwit = comwit().await;
    let (_, token) = comwit.member_with("paths", &["project:read"]).await;
    let machine = comwit.system.machine(&comwit.system.api);
    let folder = machine.home().join("xdg");
    let file = machine.home().join("other.json");
    let login = || {
        let login = machine.command(&["login", "--token", &token]);
        login.env("XDG_CONFIG_HOME", &folder)
    };
    machine.branded(login().run()).exited(0);
    let of_folder = folder.join("comwit/config.json");
    assert_eq!(mode(&of_folder), 0o600);
    fs::remove_file(&of_folder).unwrap();
    machine
        .branded(login().env("COMWIT_CONFIG", &file).run())
        .exited(0);
    let saved: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(saved["token"], token);
    assert!(!of_folder.exists());
    assert!(!machine.file("comwit/config.json").exists());
}

/// Project order: `--project`, then `COMWIT_PROJECT`, then `default_project`.
#[actix_web::test]
async fn b_32_project_comes_from_flag_variable_and_file() {
    let machine = as_shipped(FOLDER);
    let [file, variable, flag] = ["1", "2", "3"].map(|digit| format!("prj_{}", digit.repeat(32)));
    let content = json!({"token": "cwt_0", "default_project": file});
    write(&machine, "comwit/config.json", &content);
    let show = || machine.command(&["config", "show", "--json"]);
    let with_variable = || show().env("COMWIT_PROJECT", &variable);
    assert_eq!(setting(show().run(), "project"), file);
    assert_eq!(setting(with_variable().run(), "project"), variable);
    let with_flag = with_variable().args(&["--project", &flag]);
    assert_eq!(setting(with_flag.run(), "project"), flag);
}

/// API host defaults to `https://api.cloud.comwit.io`.
#[actix_web::test]
async fn b_33_host_has_a_default() {
    let machine = as_shipped(FOLDER);
    let shown = machine.run(&["config", "show", "--json"]);
    assert_eq!(setting(shown, "host"), "https://api.cloud.comwit.io");
    let refused = machine.run(&["whoami"]).exited(3);
    refused.complains(&["https://api.cloud.comwit.io", "Run `comwit login`"]);
}
