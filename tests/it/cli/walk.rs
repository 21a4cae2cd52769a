//! What a user sees in a terminal of 80 columns and 24 rows when something goes wrong. The screens
//! are a snapshot, so that a change of them is seen in review.

use super::pseudo_terminal::Terminal;
use super::{DEFAULT_SCOPES, Machine};
use crate::public_text::{assert_snapshot, shown};
use crate::support::TestApp;
use std::fmt::Write;

const COLUMNS: u16 = 80;
const ROWS: u16 = 24;

/// The screens of a walk.
struct Walk<'a> {
    test: &'a TestApp,
    machine: &'a Machine,
    seen: String,
}

impl Walk<'_> {
    fn start(&self, line: &str) -> Terminal {
        let words: Vec<_> = line.split(' ').collect();
        let program = self.machine.command(&words).env("TERM", "xterm-256color");
        program
            .env("LANG", "en_US.UTF-8")
            .in_terminal(COLUMNS, ROWS)
    }

    /// Adds what the terminal shows at the end of a command.
    fn end(&mut self, line: &str, terminal: Terminal) {
        let (code, text) = self.fits(line, terminal);
        let text = format!("$ doorcode {line}\n{text}\n[{code}]\n\n");
        self.seen += &shown(&text, self.machine, self.test);
    }

    /// Checks that no word is broken and that nothing has scrolled away. Returns the exit code and
    /// the text.
    fn fits(&self, line: &str, mut terminal: Terminal) -> (i32, String) {
        let finished = terminal.finish();
        let rows = terminal.rows();
        assert!(rows.len() <= usize::from(ROWS), "{line}: {rows:#?}");
        let written = terminal.written();
        for row in written.split('\n').map(|row| row.trim_end_matches('\r')) {
            let row = console::strip_ansi_codes(row.rsplit('\r').next().unwrap());
            let is_wide = row.chars().count() > usize::from(COLUMNS);
            assert!(
                !is_wide || !row.contains(' '),
                "{line}: the terminal breaks: {row}"
            );
        }
        (finished.code.unwrap(), terminal.text())
    }

    fn run(&mut self, line: &str) {
        let terminal = self.start(line);
        self.end(line, terminal);
    }

    /// Starts a sign-in; returns its user code.
    fn sign_in(&self, line: &str) -> (Terminal, String) {
        let mut login = self.start(line);
        login.until("Waiting for approval");
        let visible = login.visible().join("\n");
        let (_, code) = visible.split_once("Code:  ").unwrap();
        let code = code.lines().next().unwrap().trim().to_owned();
        (login, code)
    }
}

#[actix_web::test]
async fn every_way_out_of_a_sign_in_fits_the_terminal() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let mut walk = Walk {
        test: &test,
        machine: &machine,
        seen: String::new(),
    };
    for line in [
        "whoami",
        "whoami --host http://127.0.0.1:1",
        "login --host https://auth.invalid",
        "login --host http://auth.example.com",
        "login --profil work",
    ] {
        walk.run(line);
    }

    let line = "login --no-browser";
    let (login, code) = walk.sign_in(line);
    let mut browser = test.user().await;
    let consent = browser.type_code(&code).await;
    browser.decide(&consent, "deny", &[]).await;
    walk.end(line, login);

    let (login, _) = walk.sign_in(line);
    test.clock.advance(601);
    walk.end(line, login);

    let scopes = ["orgs:read", "tokens:read", "tokens:write"];
    let line = "login --no-browser --scope orgs:read,tokens:read,tokens:write";
    let (login, code) = walk.sign_in(line);
    test.user().await.approve(&code, &scopes).await;
    walk.end(line, login);

    for line in ["whoami", "audit list"] {
        walk.run(line);
    }
    // Tables have tests of their own.
    for line in ["token create ci --scope orgs:read", "token list"] {
        let (code, text) = walk.fits(line, walk.start(line));
        assert_eq!(code, 0, "{text}");
    }
    let line = "login --renew --no-browser";
    let mut login = walk.start(line);
    login.until("Continue? [y/N]");
    login.press("n\n");
    walk.end(line, login);

    let line = "login --renew --no-browser --yes";
    let (login, code) = walk.sign_in(line);
    test.user().await.approve(&code, &scopes).await;
    walk.end(line, login);

    let line = "token revoke-all";
    for answer in ["n\n", "y\n"] {
        let mut all = walk.start(line);
        all.until("Continue? [y/N]");
        all.press(answer);
        walk.end(line, all);
    }
    walk.run("whoami");

    // Revoked in the browser, in the middle of the work.
    let line = "login --no-browser";
    let (login, code) = walk.sign_in(line);
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    walk.end(line, login);
    let form = [("client_id", "doorcode-cli"), ("token", &machine.token())];
    assert_eq!(test.oauth("/auth/revoke", &form).await.status, 200);
    for line in ["whoami", "login --renew --no-browser", "logout", "logout"] {
        walk.run(line);
    }
    assert_snapshot("walk", &walk.seen);
}

/// The help of each command is read without scrolling sideways.
#[test]
fn help_of_every_command_fits_the_width() {
    let machine = Machine::at("http://127.0.0.1:1");
    let mut found = String::new();
    crate::public_text::list_help(&[], &mut found);
    let commands = found
        .lines()
        .filter_map(|line| line.strip_prefix("$ doorcode "));
    let mut wide = String::new();
    let mut count = 0;
    for line in commands.filter(|line| line.ends_with("--help")) {
        let words: Vec<_> = line.split_whitespace().collect();
        let program = machine.command(&words).env("TERM", "xterm-256color");
        let mut terminal = program.in_terminal(COLUMNS, ROWS);
        terminal.finish().exited(0);
        let written = terminal.written();
        let plain = console::strip_ansi_codes(&written).replace('\r', "");
        // The library does not break the synopsis.
        let rows = plain.lines().filter(|row| !row.starts_with("Usage:"));
        for row in rows.filter(|row| row.chars().count() > usize::from(COLUMNS)) {
            writeln!(wide, "{line}: {row}").unwrap();
        }
        count += 1;
    }
    assert!(count > 40, "{count}");
    assert_eq!(wide, "");
}
