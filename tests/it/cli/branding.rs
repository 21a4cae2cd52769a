//! The client program under the names of a company, from a file beside it, against a real server.

use super::{DEFAULT_SCOPES, code_of, owner};
use crate::support::canary::Canaries;
use crate::support::deployment::mode;
use crate::support::machine::{CLIENT, Machine};
use crate::support::program::Program;
use crate::support::{EMAIL, TestApp};
use doorcode::app::client::Kind;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A machine with the client program under this name; `branding` lacks the name and the server.
pub fn client(test: &TestApp, name: &str, branding: &str) -> Machine {
    program(CLIENT, test, (name, branding))
}

/// The same with one of both programs.
pub fn program(own: &str, test: &TestApp, (name, branding): (&str, &str)) -> Machine {
    let text = format!("program = \"{name}\"\nhost = \"{}\"\n{branding}", test.url);
    Machine::new(own, &text, &test.url)
}

/// Signs in with an approval of these scopes in the browser.
async fn sign_in(machine: &Machine, test: &TestApp, (arguments, scopes): (&[&str], &[&str])) {
    let (login, code) = machine.begin(arguments);
    test.user().await.approve(&code, scopes).await;
    machine.branded(login.finish().exited(0));
}

/// The program, its file, its variables, its server and its default project.
#[actix_web::test]
async fn company_has_its_own_program_file_variables_and_scopes() {
    let test = TestApp::start().await;
    let scopes = ["orgs:read", "projects:read"];
    test.add_client("comwit-cli", Kind::Public, &scopes).await;
    let comwit = client(
        &test,
        "comwit",
        "client_id = \"comwit-cli\"\nscopes = [\"projects:read\"]\nversion = \"7.1\"\n",
    );
    let ada = owner(&test).await;
    let rockets = test.organization(&ada, "Rockets").await;
    let web = test.project(&rockets, "Web").await.id.to_string();
    assert_eq!(comwit.run(&["--version"]).stdout, "comwit 7.1\n");
    comwit
        .run(&["whoami"])
        .exited(3)
        .complains(&[&test.url, "Run `comwit login`"]);

    let login = (&["--project", &*web][..], &["projects:read"][..]);
    sign_in(&comwit, &test, login).await;
    let mut file = comwit.json("comwit/config.json");
    let token = file["token"].take();
    let token = token.as_str().unwrap();
    assert_eq!(
        file,
        json!({"token": null, "default_project": web, "host": test.url, "origin": "login"})
    );
    let introspected = test.introspect(token).await;
    assert_eq!(introspected["client_id"], "comwit-cli");
    assert_eq!(introspected["scope"], "projects:read");
    comwit
        .run(&["whoami"])
        .exited(0)
        .says(&["comwit/config.json"]);
    let shown = comwit.run(&["config", "show", "--json"]).exited(0).json();
    assert_eq!(shown["project"]["value"], web);

    // A given token with a project, in another file.
    let given = test.token(&["projects:read"]).await;
    let other = comwit.home().join("other.json");
    let login = comwit.command(&["login", "--token", "-", "--project", &web]);
    let login = login.env("COMWIT_CONFIG", &other).input(&given);
    comwit.branded(login.run()).exited(0);
    let stored: Value = serde_json::from_slice(&fs::read(&other).unwrap()).unwrap();
    assert_eq!(stored["token"], given);
    assert_eq!(stored["default_project"], web);
    let nothing = comwit.command(&["whoami"]).env("DOORCODE_TOKEN", "dc_0");
    comwit.branded(nothing.run()).exited(0);

    comwit.run(&["logout"]).exited(0);
    assert_eq!(test.introspect(token).await["active"], false);
}

/// Everything that a user can read, and the pages and completions of a package.
#[actix_web::test]
async fn help_pages_completions_and_errors_have_the_names_of_the_company() {
    let test = TestApp::start().await;
    let branding = "about = \"Back up databases\"\n[words]\nproject = \"vault\"\n\
                    organization = \"team\"\n";
    let walwarden = client(&test, "walwarden", branding);
    let help = walwarden.run(&["--help"]).exited(0);
    assert!(help.stdout.starts_with("Back up databases\n"), "{help:?}");
    help.says(&["walwarden login", "WALWARDEN_TOKEN", "vault "]);
    for command in ["login", "vault", "token", "profile"] {
        walwarden
            .run(&[command, "--help"])
            .exited(0)
            .says(&[&format!("Usage: walwarden {command}")]);
    }
    walwarden
        .run(&["vault", "lits"])
        .exited(2)
        .complains(&["walwarden vault"]);
    walwarden
        .run(&["token", "list", "--team", "acme"])
        .exited(3);
    for shell in ["bash", "zsh", "fish"] {
        let script = walwarden.run(&["completions", shell]).exited(0);
        script.says(&["walwarden", "vault", "team"]);
    }
    walwarden.run(&["man", "."]).exited(0);
    let mut pages = 0;
    for entry in fs::read_dir(walwarden.home()).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap().to_lowercase();
        assert!(!text.contains("doorcode"), "{}", path.display());
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("walwarden"), "{name}");
        pages += 1;
    }
    assert!(pages > 20, "{pages}");
}

/// SEEDS E23.
#[actix_web::test]
async fn single_variables_have_names_of_their_own() {
    let test = TestApp::start().await;
    let walwarden = client(
        &test,
        "walwarden",
        "[variables]\ntoken = \"WALWARDEN_API_KEY\"\nhost = \"WALWARDEN_BASE_URL\"\n",
    );
    let token = test.token(&["orgs:read"]).await;
    let whoami = |name: &str| {
        let run = walwarden.command(&["whoami"]).env(name, &token);
        walwarden.branded(run.env("WALWARDEN_BASE_URL", &test.url).run())
    };
    whoami("WALWARDEN_API_KEY").exited(0).says(&[
        &format!("Signed in to {}", test.url),
        "the environment variable WALWARDEN_API_KEY",
    ]);
    whoami("WALWARDEN_TOKEN").exited(3);
    let elsewhere = walwarden.command(&["whoami"]);
    let elsewhere = elsewhere.env("WALWARDEN_BASE_URL", "http://127.0.0.1:1");
    let elsewhere = elsewhere.env("WALWARDEN_API_KEY", &token).run();
    walwarden
        .branded(elsewhere)
        .exited(1)
        .complains(&["http://127.0.0.1:1", "Is the server running?"]);
}

/// SEEDS C18 to C20: a file for each mode, and the given tokens apart.
#[actix_web::test]
async fn each_mode_has_its_own_file_and_given_tokens_another() {
    let test = TestApp::start().await;
    test.add_client("cmdop-cli", Kind::Public, &DEFAULT_SCOPES)
        .await;
    let cmdop = client(
        &test,
        "cmdop",
        "client_id = \"cmdop-cli\"\n[variables]\nprofile = \"CMDOP_MODE\"\n[words]\nprofile = \"mode\"\n\
         [files]\ncredentials = \"token_{profile}.json\"\ngiven = \"ssh_workspaces.json\"\n\
         default_profile = \"prod\"\n",
    );
    sign_in(&cmdop, &test, (&[], &DEFAULT_SCOPES)).await;
    let login = (&["--mode", "dev"][..], &DEFAULT_SCOPES[..]);
    sign_in(&cmdop, &test, login).await;
    let tokens = ["prod", "dev"].map(|name| {
        let file = format!("cmdop/token_{name}.json");
        assert_eq!(mode(&cmdop.file(&file)), 0o600);
        cmdop.json(&file)["token"].as_str().unwrap().to_owned()
    });
    let printed = |program: Program| cmdop.branded(program.run()).exited(0).stdout;
    let print = || cmdop.command(&["token", "print"]);
    assert_eq!(printed(print()).trim(), tokens[0]);
    let by_variable = print().env("CMDOP_MODE", "dev");
    assert_eq!(printed(by_variable).trim(), tokens[1]);
    cmdop.run(&["mode", "use", "dev"]).exited(0);
    assert_eq!(printed(print()).trim(), tokens[1]);
    let listed = cmdop.run(&["mode", "list"]).exited(0);
    listed.says(&["MODE", "prod", "dev *"]);

    let given = test.token(&["orgs:read"]).await;
    let login = cmdop.command(&["login", "--token", "-", "--mode", "ci"]);
    let finished = cmdop.branded(login.input(&given).run()).exited(0);
    finished.says(&["cmdop/ssh_workspaces.json"]);
    assert_eq!(
        cmdop.json("cmdop/ssh_workspaces.json"),
        json!({"ci": {test.url.clone(): given}})
    );
    assert_eq!(mode(&cmdop.file("cmdop/ssh_workspaces.json")), 0o600);
    let text = fs::read_to_string(cmdop.file("cmdop/token_ci.json")).unwrap();
    assert!(!text.contains(&given), "{text}");
    let whoami = cmdop.run(&["whoami", "--mode", "ci"]).exited(0);
    whoami.says(&["cmdop/ssh_workspaces.json", EMAIL]);
    cmdop.run(&["logout", "--mode", "ci"]).exited(0);
    assert_eq!(cmdop.json("cmdop/ssh_workspaces.json"), json!({}));
    assert_eq!(test.introspect(&given).await["active"], true);

    cmdop.run(&["logout"]).exited(0);
    cmdop.run(&["mode", "remove", "dev"]).exited(0);
    assert!(!cmdop.file("cmdop/token_dev.json").exists());
    assert_eq!(printed(print()).trim(), tokens[0]);
}

/// From the prompt to a first call with a token: two commands, found in PATH.
#[actix_web::test]
async fn first_call_takes_two_commands_on_a_machine_with_the_program_alone() {
    let test = TestApp::start().await;
    let comwit = client(&test, "comwit", "");
    let typed = |line: &str| {
        let shell = Program::of_file(Path::new("/bin/sh"), comwit.home(), &["-c", line]);
        let shell = shell.of(&Canaries::of(&test.url));
        shell.env("PATH", comwit.folder())
    };
    let mut login = typed("comwit login").spawn();
    let code = code_of(&mut login);
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    login.finish().exited(0);
    let projects = typed("comwit token list").run().exited(0);
    projects.says(&["NAME", "tok_"]);
}
