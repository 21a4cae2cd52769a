//! Tables on terminals of several widths.

use super::Machine;
use crate::support::TestApp;
use std::process::Command;

/// What a terminal of this width shows.
fn shown(machine: &Machine, columns: &str, arguments: &[&str]) -> String {
    let spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let mut python = Command::new("python3");
    python
        .args(["-c", spawn, env!("CARGO_BIN_EXE_doorcode")])
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", machine.home())
        .env("DOORCODE_HOST", &machine.host)
        .env("COLUMNS", columns);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().replace('\r', "")
}

#[actix_web::test]
async fn tables_fit_the_terminal_and_keep_ids() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let scopes = [
        "audit:read",
        "orgs:read",
        "projects:read",
        "tokens:read",
        "tokens:write",
    ];
    machine.sign_in_with(&test, &scopes).await;
    let me: serde_json::Value = test.me(&machine.token()).await.json().await.unwrap();
    let id = me["token"]["id"].as_str().unwrap();
    for (command, least, heading) in [
        (&["token", "list"][..], 75, "NAME"),
        (&["audit", "list"], 80, "TIME"),
        (&["profile", "list"], 70, "PROFILE"),
    ] {
        for columns in [least, 80, 120, 200] {
            let shown = shown(&machine, &columns.to_string(), command);
            let longest = shown.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(columns), "{columns}: {shown}");
            let first = shown.lines().next().unwrap();
            assert!(
                first.starts_with(heading) && !first.contains(':'),
                "{shown}"
            );
            if command[0] == "token" {
                assert!(shown.contains(id), "{shown}");
            }
        }
        // Below, each row becomes a paragraph.
        let narrow = shown(&machine, "30", command);
        assert!(
            narrow
                .lines()
                .next()
                .unwrap()
                .starts_with(&format!("{heading}:")),
            "{narrow}"
        );
    }
    // A pipe gets the full width.
    let piped = machine
        .command(&["token", "list"])
        .env("COLUMNS", "40")
        .run()
        .exited(0);
    piped.says(&[
        id,
        "audit:read orgs:read projects:read tokens:read tokens:write",
    ]);
}
