//! The JSON documents of the client commands, as `docs/reference/cli-json.md` shows them.

use super::{Machine, code_of, owner};
use crate::docs::assert_generated;
use crate::support::TestApp;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The document without what differs between runs. A list keeps its first item.
fn example(document: &mut Value, test: &TestApp, machine: &Machine) {
    match document {
        Value::Array(items) => {
            items.truncate(1);
            items
                .iter_mut()
                .for_each(|item| example(item, test, machine));
        }
        Value::Object(members) => {
            for (name, value) in members {
                match name.as_str() {
                    "hash" | "request_id" | "agent" => *value = "…".into(),
                    "sequence" => *value = 4711.into(),
                    // Uses are stored later.
                    "last_used_at" | "last_used_address" => *value = Value::Null,
                    _ => example(value, test, machine),
                }
            }
        }
        Value::String(text) => *text = shown(text, test, machine),
        _ => {}
    }
}

fn shown(text: &str, test: &TestApp, machine: &Machine) -> String {
    if text.starts_with("dc_…") {
        return "dc_…0000".to_owned();
    }
    let is_id = |text: &str| {
        ["dc_", "tok_", "usr_", "org_", "prj_", "evt_"]
            .iter()
            .find_map(|prefix| {
                text.strip_prefix(prefix)
                    .is_some()
                    .then(|| format!("{prefix}…"))
            })
    };
    if let Some(id) = is_id(text) {
        return id;
    }
    let device = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    text.replace(&test.url, "https://auth.example.com")
        .replace(machine.home().to_str().unwrap(), "~")
        .replace(device.trim(), "my-machine")
}

#[actix_web::test]
async fn json_reference_is_current() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let owner = owner(&test).await;
    let acme = test.organization(&owner, "Rockets").await;
    let project = test.project(&acme, "Web").await.id.to_string();
    let scopes = [
        "audit:read",
        "orgs:read",
        "projects:read",
        "tokens:read",
        "tokens:write",
    ];
    let mut login = machine
        .command(&[
            "login",
            "--no-browser",
            "--json",
            "--scope",
            &scopes.join(","),
        ])
        .spawn();
    let code = code_of(&mut login);
    test.user().await.approve(&code, &scopes).await;
    let signed_in = login.finish().exited(0).json();
    let mut text = "\n".to_owned();
    let mut write = |command: &str, mut document: Value| {
        example(&mut document, &test, &machine);
        let document = serde_json::to_string_pretty(&document).unwrap();
        write!(text, "### `{command}`\n\n```json\n{document}\n```\n\n").unwrap();
    };
    write("login", signed_in);
    let run = |command: &str| {
        let arguments: Vec<_> = command.split(' ').collect();
        machine
            .command(&arguments)
            .args(&["--json"])
            .run()
            .exited(0)
            .json()
    };
    write("whoami", run("whoami"));
    // Lists have an order only if their entries differ in age.
    test.clock.advance(1);
    for (title, command) in [
        ("token create", "token create nightly --scope orgs:read"),
        ("token list", "token list"),
        ("token rotate", "token rotate nightly --overlap 0"),
        ("token revoke", "token revoke nightly"),
        ("token print", "token print"),
        ("project use", &format!("project use {project}")),
        ("project list", "project list"),
        ("profile list", "profile list"),
        ("profile use", "profile use default"),
        ("config show", "config show"),
        ("audit list", "audit list --action token.created"),
    ] {
        write(title, run(command));
    }
    let check = machine
        .command(&["token", "check", "-", "--json"])
        .input(&machine.token());
    write("token check", check.run().exited(0).json());
    write("logout", run("logout"));
    machine.sign_in_with(&test, &scopes).await;
    write("token revoke-all", run("token revoke-all --yes"));
    write("profile remove", run("profile remove default"));
    assert_generated("docs/reference/cli-json.md", "documents", &text);

    // A script reads the error on standard error; standard output stays empty.
    let refused = machine.command(&["whoami", "--json"]).run().exited(3);
    assert_eq!((&*refused.stdout, refused.stderr.is_empty()), ("", false));
    assert_eq!(json!(machine.credentials()), json!({}));
}
