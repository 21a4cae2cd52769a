//! Lines 18 to 20: the files of the command line.

use super::Fleets;
use crate::support::deployment::mode;
use crate::support::machine::Machine;
use serde_json::json;

/// Signs Ada in with these arguments.
async fn sign_in(fleets: &Fleets, (machine, arguments): (&Machine, &[&str])) {
    let (login, code) = machine.begin(arguments);
    let mut ada = fleets.ada().await;
    ada.approve(&code, &["machines:read"]).await;
    machine.branded(login.finish().exited(0));
}

/// The CLI stores OAuth tokens in `token_prod.json` or `token_dev.json` by active mode.
#[actix_web::test]
async fn c_18_each_mode_has_a_file_for_its_sign_in() {
    let fleets = Fleets::start().await;
    let machine = fleets.system.machine();
    let mut tokens = Vec::new();
    for (name, arguments) in [("prod", &[][..]), ("dev", &["--mode", "dev"][..])] {
        sign_in(&fleets, (&machine, arguments)).await;
        let file = machine.json(&format!("cmdop/token_{name}.json"));
        let token = file["token"].as_str().unwrap().to_owned();
        assert_eq!(fleets.machines("alpha", &token).await, 200, "{name}");
        tokens.push(token);
    }
    assert_ne!(tokens[0], tokens[1]);
    let prod = machine.json("cmdop/token_prod.json");
    assert_eq!(prod["token"], tokens[0]);
}

/// API tokens are stored separately in `ssh_workspaces.json`, mode 0600.
#[actix_web::test]
async fn c_19_api_tokens_are_in_a_file_of_their_own() {
    let fleets = Fleets::start().await;
    let machine = fleets.system.machine();
    let given = fleets.personal(&fleets.ada).await;
    let login = machine.command(&["login", "--token", "-"]).input(&given);
    login.run().exited(0);
    let file = machine.file("cmdop/ssh_workspaces.json");
    assert_eq!(mode(&file), 0o600);
    let host = fleets.system.test.url.clone();
    assert_eq!(
        machine.json("cmdop/ssh_workspaces.json"),
        json!({"prod": {host: given}})
    );
    let sign_ins = std::fs::read_to_string(machine.file("cmdop/token_prod.json"));
    assert!(!sign_ins.unwrap_or_default().contains(&given));
}

/// Switching modes switches the file; the cabinet does not expose the split.
#[actix_web::test]
async fn c_20_switching_modes_switches_the_file() {
    let fleets = Fleets::start().await;
    let machine = fleets.system.machine();
    for arguments in [&[][..], &["--mode", "dev"]] {
        sign_in(&fleets, (&machine, arguments)).await;
    }
    let printed = || {
        let finished = machine.command(&["token", "print"]).run().exited(0);
        finished.stdout.trim().to_owned()
    };
    assert_eq!(printed(), machine.json("cmdop/token_prod.json")["token"]);
    machine.command(&["mode", "use", "dev"]).run().exited(0);
    assert_eq!(printed(), machine.json("cmdop/token_dev.json")["token"]);
    machine.command(&["mode", "use", "prod"]).run().exited(0);
    assert_eq!(printed(), machine.json("cmdop/token_prod.json")["token"]);
    // The cabinet knows tokens, not files or modes.
    let mut ada = fleets.ada().await;
    for path in ["/tokens", "/tokens/new", "/devices", "/account"] {
        let page = ada.get(path).await.body;
        assert!(
            !page.contains("token_prod") && !page.contains("ssh_workspaces"),
            "{path}"
        );
    }
}
