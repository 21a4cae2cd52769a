//! Sources of the settings, and exit codes, as tables.

use super::Machine;
use crate::support::TestApp;
use crate::support::truth::figures;
use serde_json::json;

/// CONTRACT 7: a flag, then the environment, then the file. The error names the chosen server.
#[test]
fn server_comes_from_flag_then_environment_then_file() {
    let [flag, variable, file] = [1, 2, 3].map(|port| format!("http://127.0.0.1:{port}"));
    figures::show("precedence-server", "precedence of the server: 8 rows");
    for bits in 0..8 {
        let [has_flag, has_variable, has_file] = [1, 2, 4].map(|bit| bits & bit != 0);
        let machine = Machine::at(if has_variable { &variable } else { "" });
        if has_file {
            machine.write_file(&json!({ "host": file }).to_string());
        }
        let whoami = machine.command(&["whoami"]).env("DOORCODE_TOKEN", "dc_0");
        let whoami = match has_flag {
            true => whoami.args(&["--host", &flag]),
            false => whoami,
        };
        let chosen = match (has_flag, has_variable, has_file) {
            (true, ..) => &flag,
            (false, true, _) => &variable,
            (false, false, true) => &file,
            (false, false, false) => "http://127.0.0.1:8080",
        };
        let refused = whoami.run();
        assert!(refused.stderr.contains(chosen), "{bits:b} {refused:?}");
    }
}

/// The same for profile and token, with a token for each profile.
#[actix_web::test]
async fn profile_and_token_come_from_flag_then_environment_then_file() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let mut browser = test.user().await;
    let mut tokens = Vec::new();
    for name in ["flag", "variable", "file", "default", "token"] {
        tokens.push(browser.new_token(name, &["orgs:read"], "30d").await);
    }
    let profile = |n: usize| json!({ "token": tokens[n], "host": test.url });
    figures::show(
        "precedence-token",
        "precedence of profile and token: 16 rows",
    );
    for bits in 0..16 {
        let [flag, variable, file, token] = [1, 2, 4, 8].map(|bit| bits & bit != 0);
        let mut document = profile(3);
        document["profiles"] = json!({
            "flag": profile(0), "variable": profile(1), "file": profile(2)
        });
        document["profile"] = json!(file.then_some("file"));
        machine.write_file(&document.to_string());
        let arguments: &[&str] = if flag { &["--profile", "flag"] } else { &[] };
        let whoami = machine
            .command(&["whoami"])
            .args(arguments)
            .env("DOORCODE_PROFILE", if variable { "variable" } else { "" })
            .env("DOORCODE_TOKEN", if token { &tokens[4] } else { "" });
        let chosen = match (token, flag, variable, file) {
            (true, ..) => "token",
            (_, true, ..) => "flag",
            (_, _, true, _) => "variable",
            (_, _, _, true) => "file",
            _ => "default",
        };
        let expected = format!("Token:         {chosen} (");
        whoami.run().exited(0).says(&[&expected]);
    }
}

/// The same for the project, which only a sign-in has a flag for.
#[test]
fn project_comes_from_environment_then_file() {
    figures::show("precedence-project", "precedence of the project: 4 rows");
    let [variable, file] =
        ["a", "b"].map(|end| format!("prj_01890a5dac96774bbcceb302099a805{end}"));
    for bits in 0..4 {
        let [has_variable, has_file] = [1, 2].map(|bit| bits & bit != 0);
        let machine = Machine::at("http://127.0.0.1:1");
        let stored = has_file.then_some(&file);
        machine.write_file(&json!({ "default_project": stored }).to_string());
        let show = machine.command(&["config", "show", "--json"]);
        let show = show.env(
            "DOORCODE_PROJECT",
            if has_variable { &variable } else { "" },
        );
        let expected = match (has_variable, has_file) {
            (true, _) => json!(variable),
            (false, true) => json!(file),
            (false, false) => json!(null),
        };
        let shown = show.run().exited(0).json();
        assert_eq!(shown["project"]["value"], expected, "{bits:b} {shown}");
    }
}

/// CONTRACT 7.
#[actix_web::test]
async fn exit_codes() {
    let test = TestApp::start().await;
    let token = test.token(&["orgs:read"]).await;
    let signed_in = json!({ "token": token, "host": test.url, "origin": "given" }).to_string();
    let dead = json!({ "token": token, "host": "http://127.0.0.1:1" }).to_string();
    let revoked = json!({ "token": "dc_0", "host": test.url }).to_string();
    let rows = [
        (&*signed_in, &["whoami"][..], 0),
        ("", &["--help"], 0),
        ("", &["--version"], 0),
        ("", &["completions", "bash"], 0),
        ("", &["config", "show"], 0),
        (&signed_in, &["token", "print"], 0),
        (&signed_in, &["token", "check", &*token], 0),
        (&signed_in, &["whoami", "--json"], 0),
        (&signed_in, &["logout"], 0),
        ("", &["logout"], 0),
        (&revoked, &["logout"], 0),
        ("{", &["whoami"], 1),
        ("{", &["login", "--no-browser"], 1),
        (&dead, &["whoami", "--host", "http://127.0.0.1:1"], 1),
        (&dead, &["logout", "--host", "http://127.0.0.1:1"], 1),
        (&dead, &["token", "list", "--host", "http://127.0.0.1:1"], 1),
        ("", &["token", "check", "dc_1"], 1),
        ("", &["fly"], 2),
        ("", &["token", "rotate", "a", "--overlap", "soon"], 2),
        (&signed_in, &["whoami", "--what"], 2),
        (&signed_in, &["whoami", "--host", "http://a.example"], 2),
        (&signed_in, &["whoami", "--config", "doorcode.toml"], 2),
        (&signed_in, &["login", "--only"], 2),
        ("", &["whoami"], 3),
        (&revoked, &["whoami"], 3),
        ("", &["token", "print"], 3),
        ("", &["token", "list"], 3),
        ("", &["project", "list"], 3),
        (&revoked, &["token", "list"], 3),
        ("", &["login", "--renew", "--no-browser"], 3),
        ("", &["login", "--token", "dc_1"], 3),
        (&signed_in, &["whoami", "--host", "https://a.example"], 3),
        (&signed_in, &["logout", "--host", "https://a.example"], 3),
        (&signed_in, &["whoami", "--profile", "prdo"], 3),
        (&signed_in, &["logout", "--profile", "prdo"], 3),
        (&signed_in, &["audit", "list"], 4),
        (&signed_in, &["token", "list"], 4),
        (&signed_in, &["token", "create", "x"], 4),
        (&signed_in, &["token", "revoke-all", "--yes"], 4),
    ];
    figures::show("exit-codes", &format!("exit codes: {} rows", rows.len()));
    for (file, arguments, code) in rows {
        let machine = Machine::new(&test);
        machine.write_file(file);
        let finished = machine.command(arguments).run();
        assert_eq!(finished.code, Some(code), "{arguments:?} {finished:?}");
        assert_eq!(finished.stdout.is_empty(), code != 0, "{finished:?}");
    }
    assert_eq!(test.me(&token).await.status(), 200);
}
