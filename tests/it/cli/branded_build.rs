//! The program of a company whose names are compiled in, against a real server.

use super::owner;
use crate::support::machine::{ACME, Machine};
use crate::support::{EMAIL, TestApp};
use doorcode::app::client::Kind;
use std::fs;

/// The variable with the address of the server.
const HOST: &str = "ACME_CLOUD_HOST";

#[actix_web::test]
async fn branded_build_has_its_own_name_prefix_folder_client_and_words() {
    let test = TestApp::start().await;
    let scopes = ["orgs:read", "projects:read"];
    test.add_client("acme-cli", Kind::Public, &scopes).await;
    let ada = owner(&test).await;
    let rockets = test.organization(&ada, "Rockets").await;
    let web = test.project(&rockets, "Web").await.id.to_string();
    let acme = Machine::without_file(ACME, "acme", &test.url);
    // A file that a browser saved beside the program does not choose the server of a build.
    acme.write_branding(
        "program = \"evil\"\nhost = \"https://evil.example\"\n",
        0o644,
    );

    assert_eq!(acme.run(&["--version"]).stdout, "acme 2.4.0\n");
    let help = acme.run(&["--help"]).exited(0);
    help.says(&["Command line of Acme\n", "ACME_CLOUD_TOKEN", "  vault "]);
    assert!(acme.read_help(&[]) > 20);
    acme.run(&["whoami"]).exited(3).complains(&[
        "You are not signed in to https://auth.acme.example.",
        "Run `acme login`",
    ]);

    let at = |arguments: &[&str]| acme.command(arguments).env(HOST, &test.url);
    let mut login = at(&["login", "--no-browser", "--vault", &web]).spawn();
    let code = super::code_of(&mut login);
    test.user().await.approve(&code, &["projects:read"]).await;
    let signed_in = acme.branded(login.finish().exited(0));
    signed_in.says(&["Run `acme whoami`"]);
    // The folder and the client of the company; afterwards the file names the server.
    let token = acme.json("acme-cloud/config.json")["token"].clone();
    let introspected = test.introspect(token.as_str().unwrap()).await;
    assert_eq!(introspected["client_id"], "acme-cli");
    assert_eq!(introspected["scope"], "projects:read");
    let folders = fs::read_dir(acme.file("")).unwrap();
    let folders: Vec<_> = folders.map(|one| one.unwrap().file_name()).collect();
    assert_eq!(folders, ["acme-cloud"]);
    acme.run(&["whoami"])
        .exited(0)
        .says(&[EMAIL, "acme-cloud/config.json"]);
    acme.run(&["vault", "list"]).exited(0).says(&["Web", &web]);
    acme.run(&["vault", "lits"])
        .exited(2)
        .complains(&["acme vault"]);

    // The variables of the company alone.
    let given = test.token(&["orgs:read"]).await;
    let by_variable = at(&["whoami"]).env("ACME_CLOUD_TOKEN", &given);
    let shown = acme.branded(by_variable.run()).exited(0);
    shown.says(&["the environment variable ACME_CLOUD_TOKEN"]);
    let unheard = acme.command(&["whoami"]).env("DOORCODE_TOKEN", "dc_0");
    acme.branded(unheard.run()).exited(0);

    acme.run(&["man", "."]).exited(0);
    let page = fs::read_to_string(acme.home().join("acme-vault-list.1")).unwrap();
    assert!(!page.to_lowercase().contains("doorcode"), "{page}");
    for shell in ["bash", "zsh", "fish"] {
        acme.run(&["completions", shell]).exited(0).says(&["vault"]);
    }
    acme.run(&["logout"])
        .exited(0)
        .says(&["The token is revoked"]);
    assert_eq!(
        test.introspect(token.as_str().unwrap()).await["active"],
        false
    );
}
