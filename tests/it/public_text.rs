//! What users read, as snapshots in `tests/snapshots`: the description of the API, the help of
//! every command, what the command line prints. (The pages are snapshots of the unit tests.)
//!
//! After an intended change, `INSTA_UPDATE=always cargo test public_text` writes them anew.

use crate::api::description::described;
use crate::cli::Machine;
use crate::support::TestApp;
use crate::support::program::{Finished, Program};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Compares with `tests/snapshots/{name}.snap`.
pub fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Lists every title, summary and description below a value of an OpenAPI document.
fn list_texts(value: &Value, pointer: &str, found: &mut String) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let below = format!("{pointer}/{}", key.replace('/', "~1"));
                match member {
                    Value::String(text)
                        if matches!(key.as_str(), "title" | "summary" | "description") =>
                    {
                        writeln!(found, "{below}\n    {}", text.replace('\n', "\n    ")).unwrap();
                    }
                    _ => list_texts(member, &below, found),
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                list_texts(item, &format!("{pointer}/{at}"), found);
            }
        }
        _ => {}
    }
}

#[actix_web::test]
async fn description_of_the_api() {
    let test = TestApp::start().await;
    let document = described(&test).await;
    let mut found = String::new();
    list_texts(&document, "", &mut found);
    assert_snapshot("openapi", &found);
}

/// The help of a command and of the commands below it.
pub fn list_help(command: &[&str], found: &mut String) {
    let home = tempfile::tempdir().unwrap();
    let help = Program::new(home.path(), command)
        .args(&["--help"])
        .run()
        .exited(0);
    writeln!(
        found,
        "$ doorcode {} --help\n{}",
        command.join(" "),
        help.stdout
    )
    .unwrap();
    let mut lines = help.stdout.lines();
    let mut names = Vec::new();
    while lines.by_ref().any(|line| line.ends_with("ommands:")) {
        let listed = lines.by_ref().take_while(|line| !line.is_empty());
        let entries = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        names.extend(entries.filter_map(|line| line.split_whitespace().next()));
    }
    // A group with commands of users and of the server is listed for both.
    let mut seen = BTreeSet::from(["help"]);
    names.retain(|name| seen.insert(*name));
    for name in names {
        let mut below = command.to_vec();
        below.push(name);
        list_help(&below, found);
    }
}

#[test]
fn help_of_every_command() {
    let mut found = String::new();
    list_help(&[], &mut found);
    assert!(found.matches("$ doorcode").count() > 25, "{found}");
    assert_snapshot("help", &found);
}

/// What a terminal showed: the command, both streams, the exit code.
fn write_session(
    written: &mut String,
    machine: &Machine,
    test: &TestApp,
    command: &str,
    finished: &Finished,
) {
    let text = format!(
        "$ doorcode {command}\n{}{}[{}]\n\n",
        finished.stdout,
        finished.stderr,
        finished.code.unwrap(),
    );
    written.push_str(&shown(&text, machine, test));
}

/// A text with the same addresses, paths, codes and times in each run.
pub fn shown(text: &str, machine: &Machine, test: &TestApp) -> String {
    let home = machine.home().to_str().unwrap();
    let device = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let mut text = text.to_owned();
    for (found, shown) in [
        (test.url.as_str(), "https://api.example.com"),
        (home, "~"),
        (env!("CARGO_BIN_EXE_doorcode"), "doorcode"),
        (&format!(" on {} (", device.trim()), " on my-machine ("),
    ] {
        text = text.replace(found, shown);
    }
    without_codes(&without_time_left(&without_request_ids(&text)))
}

/// The text with the same request id everywhere.
fn without_request_ids(text: &str) -> String {
    let mut parts = text.split("(request ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (_, rest) = part.split_once(')').unwrap();
        text + "(request 0000)" + rest
    })
}

/// The text without the time that is left until the end of a token, which the client computes with
/// the clock of this machine.
fn without_time_left(text: &str) -> String {
    let lines = text
        .split_inclusive('\n')
        .map(|line| match line.split_once("), in ") {
            Some((time, left)) if left.ends_with("days\n") => format!("{time}), in 90 days\n"),
            _ => line.to_owned(),
        });
    lines.collect()
}

/// The text with user codes and the ends of tokens replaced.
fn without_codes(text: &str) -> String {
    let is_code = |word: &str| {
        word.len() == 9
            && word.char_indices().all(|(at, c)| match at {
                4 => c == '-',
                _ => c.is_ascii_uppercase(),
            })
    };
    let mut shown = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let code = rest.get(..9).is_some_and(is_code);
        let hint = rest.starts_with('…') && rest.len() > 7 && !rest[3..].starts_with('\n');
        let length = match (code, hint) {
            (true, _) => 9,
            (_, true) => 7,
            _ => first.len_utf8(),
        };
        shown.push_str(match (code, hint) {
            (true, _) => "WDJB-MJHX",
            (_, true) => "…0000",
            _ => &rest[..length],
        });
        rest = &rest[length..];
    }
    shown
}

#[actix_web::test]
async fn sessions_of_the_command_line() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let mut written = String::new();
    let mut show = |command: &str| {
        let arguments: Vec<_> = command.split(' ').collect();
        let finished = machine.command(&arguments).run();
        write_session(&mut written, &machine, &test, command, &finished);
    };
    for command in ["whoami", "logout", "login --scope nonsense"] {
        show(command);
    }
    let (login, code) = machine.begin(&[]);
    let mut browser = test.user().await;
    let consent = browser.type_code(&code).await;
    browser.decide(&consent, "deny", &[]).await;
    let finished = login.finish();
    write_session(
        &mut written,
        &machine,
        &test,
        "login --no-browser",
        &finished,
    );
    let (login, code) = machine.begin(&[]);
    browser.approve(&code, &crate::cli::DEFAULT_SCOPES).await;
    let finished = login.finish();
    write_session(
        &mut written,
        &machine,
        &test,
        "login --no-browser",
        &finished,
    );
    for command in ["whoami", "whoami --profile work", "logout", "whoami"] {
        let arguments: Vec<_> = command.split(' ').collect();
        let finished = machine.command(&arguments).run();
        write_session(&mut written, &machine, &test, command, &finished);
    }
    assert_snapshot("cli", &written);
}
