//! Output of a sign-in on machines with and without a display.

use super::{DEFAULT_SCOPES, Machine, code_of};
use crate::support::TestApp;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const HINT: &str = "This link has the code filled in:";
const OPENED: &str = "The page opens in your browser. Approve only if it shows the same code.";

/// Installs a fake browser. Returns a channel with the URL that it opens.
fn browser(machine: &Machine) -> Receiver<String> {
    let folder = machine.home().join("bin");
    std::fs::create_dir(&folder).unwrap();
    let pipe = folder.join("opened");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let program = folder.join("xdg-open");
    let script = format!("#!/bin/sh\nprintf %s \"$1\" > '{}'\n", pipe.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let (sender, opened) = channel();
    std::thread::spawn(move || {
        if let Ok(address) = std::fs::read_to_string(pipe) {
            // The receiver is dropped at the end of the test.
            let _ = sender.send(address);
        }
    });
    opened
}

/// DEV-61.
#[cfg(target_os = "linux")]
#[actix_web::test]
async fn browser_opens_the_link_and_code_and_page_are_shown() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let opened = browser(&machine);
    let path = machine.home().join("bin");
    let mut login = machine
        .command(&["login"])
        .env("PATH", format!("{}:/usr/bin:/bin", path.display()))
        .env("DISPLAY", ":0")
        .spawn();
    let code = code_of(&mut login);
    let address = opened.recv_timeout(Duration::from_secs(30)).unwrap();
    let prefix = format!("{}?user_code=", test.at("/device"));
    let filled = address.strip_prefix(&prefix).expect(&address);
    assert_eq!(filled.replace('-', ""), code.replace('-', ""));
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    let page = format!("Page:  {}\n", test.at("/device"));
    let finished = login.finish().exited(0).complains(&[OPENED, &page]);
    assert!(!finished.stderr.contains(HINT), "{finished:?}");
}

/// DEV-61: over SSH, without a display, or with a flag, the link is shown instead.
#[cfg(target_os = "linux")]
#[actix_web::test]
async fn link_is_shown_without_a_browser() {
    let test = TestApp::start().await;
    for (arguments, environment) in [
        (&["login", "--no-browser"][..], &[("DISPLAY", ":0")][..]),
        (&["login"], &[]),
        (&["login", "--device"], &[("DISPLAY", "")]),
        (
            &["login"],
            &[
                ("DISPLAY", ":0"),
                ("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22"),
            ],
        ),
    ] {
        let machine = Machine::new(&test);
        let opened = browser(&machine);
        let path = machine.home().join("bin");
        let login = machine
            .command(arguments)
            .env("PATH", format!("{}:/usr/bin:/bin", path.display()));
        let login = environment
            .iter()
            .fold(login, |login, (name, value)| login.env(name, value));
        let mut login = login.spawn();
        let code = code_of(&mut login);
        test.user().await.approve(&code, &DEFAULT_SCOPES).await;
        let finished = login.finish().exited(0).complains(&[HINT, "?user_code="]);
        assert!(!finished.stderr.contains(OPENED), "{finished:?}");
        assert!(opened.try_recv().is_err());
    }
}

#[actix_web::test]
async fn pipe_gets_no_control_characters() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let (login, code) = machine.begin(&[]);
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    let finished = login.finish().exited(0);
    let text = format!("{}{}", finished.stdout, finished.stderr);
    assert!(
        !text.chars().any(|c| c.is_control() && c != '\n'),
        "{text:?}"
    );
}
