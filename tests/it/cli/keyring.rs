//! Tokens in the keyring of the kernel. Where there is none, as in most containers, the tests
//! check that it is said before a code is requested.

use super::{DEFAULT_SCOPES, Machine, code_of};
use crate::support::TestApp;
use crate::support::program::Program;
use serde_json::json;

/// Refuses the system calls of the keyring to the program, as containers do: a filter (seccomp(2))
/// that returns EPERM for add_key, request_key and keyctl.
const WITHOUT_KEYRING: &str = r#"
import ctypes, os, platform, struct, sys
first, last = {"x86_64": (248, 250), "aarch64": (217, 219)}[platform.machine()]
steps = [
    (0x20, 0, 0, 0),
    (0x35, 0, 2, first),
    (0x25, 1, 0, last),
    (0x06, 0, 0, 0x00050001),
    (0x06, 0, 0, 0x7FFF0000),
]
code = b"".join(struct.pack("HBBI", *step) for step in steps)
filter = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(filter))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.c_char_p(program), 0, 0) == 0, ctypes.get_errno()
os.execv(sys.argv[1], sys.argv[1:])
"#;

fn without_keyring(program: Program) -> Program {
    program.run_by(&["python3", "-c", WITHOUT_KEYRING])
}

/// Whether this system has a keyring: a sign-in that stores nothing says so.
fn has_keyring() -> bool {
    let machine = Machine::at("http://127.0.0.1:1");
    let login = machine.command(&["login", "--no-browser", "--keyring"]);
    let failed = login.run().exited(1);
    assert!(machine.everything().is_empty());
    failed.stderr.contains("Cannot reach")
}

fn kept_in_keyring(machine: &Machine) -> String {
    let printed = machine.command(&["token", "print"]).run().exited(0);
    let token = printed.stdout.trim().to_owned();
    let text = std::fs::read_to_string(machine.file()).unwrap();
    assert!(!text.contains(&token), "{text}");
    token
}

/// The whole life of a token in the keyring: sign-in, use, renewal, sign-out.
#[actix_web::test]
async fn token_in_the_keyring_is_in_no_file_and_works_like_any_other() {
    if !has_keyring() {
        return refused_before_a_code(|program| program).await;
    }
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let (login, code) = machine.begin(&["--keyring"]);
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    let place = "Kept in:     the keyring of the kernel, until this machine restarts";
    login.finish().exited(0).says(&[place]);
    let first = kept_in_keyring(&machine);
    let mut file = machine.credentials();
    let key = file["keyring_key"].take();
    assert!(key.as_str().unwrap().starts_with("doorcode:"), "{key}");
    assert_eq!(
        file,
        json!({"host": test.url, "origin": "login", "keyring_key": null})
    );
    let whoami = machine.command(&["whoami"]).run().exited(0);
    whoami.says(&["Kept in:       the keyring of the kernel"]);
    let shown = machine.command(&["config", "show", "--json"]).run();
    assert_eq!(shown.exited(0).json()["token"]["source"], "keyring");
    let listed = machine.command(&["profile", "list"]).run().exited(0);
    listed.says(&["in the keyring"]);

    // A renewal stays there, and removes and revokes the old one.
    let renew = ["login", "--renew", "--no-browser", "--json"];
    let mut renewal = machine.command(&renew).spawn();
    let code = code_of(&mut renewal);
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    let renewed = renewal.finish().exited(0).json();
    assert_eq!(renewed["kept_in"], "keyring");
    assert_eq!(renewed["previous_token_revoked"], true);
    let second = kept_in_keyring(&machine);
    assert_eq!(test.introspect(&first).await["active"], false);
    assert_eq!(test.introspect(&second).await["active"], true);

    // Other profiles decide for themselves, unless the file asks for it.
    let given = test.token(&["orgs:read"]).await;
    let give = |profile: &str| {
        let login = machine.command(&["login", "--token", "-", "--profile", profile]);
        login.input(&given).run().exited(0)
    };
    give("plain");
    assert_eq!(machine.credentials()["profiles"]["plain"]["token"], given);
    let mut file = machine.credentials();
    file["keyring"] = json!(true);
    machine.write_file(&file.to_string());
    give("asked").says(&[place]);
    let file = machine.credentials();
    assert_eq!(file["profiles"]["asked"].get("token"), None);
    let forced = ["profile", "remove", "asked", "--force"];
    machine.command(&forced).run().exited(0);

    let logout = machine.command(&["logout"]).run().exited(0);
    logout.says(&["The token is revoked and deleted from this machine."]);
    assert_eq!(test.introspect(&second).await["active"], false);
    machine.command(&["token", "print"]).run().exited(3);
}

/// As after a restart of the machine.
#[actix_web::test]
async fn token_that_the_keyring_lost_is_named() {
    if !has_keyring() {
        return refused_before_a_code(|program| program).await;
    }
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let lost = json!({
        "host": test.url, "origin": "login", "keyring_key": "doorcode:no-such-key"
    });
    machine.write_file(&lost.to_string());
    machine.command(&["whoami"]).run().exited(3).complains(&[
        "the keyring of the kernel no longer has the token",
        "Run `doorcode login` to sign in.",
    ]);
    let logout = machine.command(&["logout"]).run().exited(0);
    logout.says(&["it stays valid until you revoke it on the server's Tokens page"]);
    assert_eq!(machine.credentials(), json!({"host": test.url}));
}

#[actix_web::test]
async fn system_without_a_keyring_is_reported_before_a_code_is_requested() {
    refused_before_a_code(without_keyring).await;
}

async fn refused_before_a_code(launch: impl Fn(Program) -> Program) {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let login = machine.command(&["login", "--no-browser", "--keyring"]);
    launch(login).run().exited(1).complains(&[
        "error: The keyring of the kernel cannot be used",
        "the system denies access to it, as most containers do",
        "Sign in without --keyring",
    ]);
    assert!(machine.everything().is_empty());
    assert_eq!(test.count("device_grant", "1 = 1"), 0);
}
