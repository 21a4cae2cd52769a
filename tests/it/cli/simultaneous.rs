//! Sign-ins at the same time into one credentials file.

use super::{DEFAULT_SCOPES, Machine, code_of};
use crate::support::TestApp;
use crate::support::program::Running;
use serde_json::json;

/// Starts a sign-in to this server.
fn begin(machine: &Machine, test: &TestApp) -> (Running, String) {
    let login = ["login", "--no-browser", "--host", &test.url];
    let mut login = machine.command(&login).unwitnessed().spawn();
    let code = code_of(&mut login);
    (login, code)
}

async fn approve(test: &TestApp, code: &str) {
    test.user().await.approve(code, &DEFAULT_SCOPES).await;
}

#[actix_web::test]
async fn sign_ins_to_two_servers_are_both_kept() {
    let (first, second) = (TestApp::start().await, TestApp::start().await);
    let machine = Machine::new(&first);
    let (one, one_code) = begin(&machine, &first);
    let (other, other_code) = begin(&machine, &second);
    tokio::join!(approve(&first, &one_code), approve(&second, &other_code));
    one.finish().exited(0);
    other.finish().exited(0);
    for test in [&first, &second] {
        let print = ["token", "print", "--host", &test.url];
        let token = machine.command(&print).run().exited(0).stdout;
        let introspected = test.introspect(token.trim()).await;
        assert_eq!(introspected["active"], true, "{}", test.url);
    }
    assert_eq!(machine.credentials()["hosts"].as_object().unwrap().len(), 1);
}

/// The later one replaces the earlier one, and says what became of it.
#[actix_web::test]
async fn sign_ins_to_the_same_server_leave_one_token() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let logins = [begin(&machine, &test), begin(&machine, &test)];
    let [(_, one), (_, other)] = &logins;
    tokio::join!(approve(&test, one), approve(&test, other));
    let finished = logins.map(|(login, _)| login.finish().exited(0));
    let revoked = finished
        .iter()
        .filter(|finished| finished.stdout.contains("The previous token is revoked."));
    assert_eq!(revoked.count(), 1, "{finished:#?}");
    assert_eq!(test.introspect(&machine.token()).await["active"], true);
    assert_eq!(test.count("token", "revoked_at IS NULL"), 1);
    assert_eq!(
        machine.credentials(),
        json!({"token": machine.token(), "host": test.url, "origin": "login"})
    );
}
