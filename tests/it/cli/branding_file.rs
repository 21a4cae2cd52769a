//! Where the names of a program come from: the file beside it, if only its owner can write it, and
//! the file of its build.

use super::branding::{client, program};
use super::{DEFAULT_SCOPES, code_of};
use crate::support::machine::{CLIENT, SERVER};
use crate::support::program::{Finished, Program};
use crate::support::source::root;
use crate::support::{EMAIL, TestApp};
use doorcode::app::client::Kind;
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

/// A file that others can write or replace would choose the server that gets the tokens.
#[actix_web::test]
async fn branding_of_others_is_ignored_with_a_warning_and_a_wrong_one_refused() {
    let test = TestApp::start().await;
    let acme = client(&test, "acme", "");
    let text = format!("program = \"acme\"\nhost = \"{}\"\n", test.url);
    let ignored = |why: &str| {
        let ignored = acme.command(&["whoami"]).run().exited(3);
        assert_eq!(
            ignored.stderr.matches("warning: ").count(),
            1,
            "{ignored:?}"
        );
        ignored.complains(&[
            "warning: ",
            &format!("acme.branding.toml is ignored: {why}"),
            "127.0.0.1:8080",
        ]);
    };
    for mode in [0o666, 0o664, 0o646] {
        acme.write_branding(&text, mode);
        ignored("others than the owner of the program can write it. ");
    }
    acme.write_branding(&text, 0o644);
    let set_mode = |mode| fs::set_permissions(acme.folder(), Permissions::from_mode(mode)).unwrap();
    for mode in [0o777, 0o775, 0o757, 0o1777] {
        set_mode(mode);
        ignored("others than the owner of the program can replace it. ");
    }
    set_mode(0o755);
    acme.run(&["whoami"]).exited(3).complains(&[&test.url]);

    let elsewhere = acme.home().join("elsewhere.toml");
    fs::copy(acme.branding(), &elsewhere).unwrap();
    fs::remove_file(acme.branding()).unwrap();
    symlink(&elsewhere, acme.branding()).unwrap();
    ignored("it is a symbolic link. ");
    fs::remove_file(acme.branding()).unwrap();
    // Would block a program that waits for its writer.
    let made = Command::new("mkfifo").arg(acme.branding()).status();
    assert!(made.unwrap().success());
    ignored("it is not a regular file. ");
    fs::remove_file(acme.branding()).unwrap();

    acme.write_branding("program = \"acme\"\nhots = \"x\"\n", 0o644);
    let refused = acme.run(&["whoami"]).exited(1);
    refused.complains(&["error: ", "acme.branding.toml", "unknown field `hots`"]);
}

/// The program with the server takes its names from the same file.
#[actix_web::test]
async fn program_with_the_server_has_the_names_of_the_company() {
    let test = TestApp::start().await;
    test.add_client("walwarden-cli", Kind::Public, &DEFAULT_SCOPES)
        .await;
    let branding = "client_id = \"walwarden-cli\"\nabout = \"Back up databases\"\nversion = \"7.1\"\n[words]\n\
                    project = \"vault\"\norganization = \"team\"\n";
    let walwarden = program(SERVER, &test, ("walwarden", branding));
    let own = |finished: Finished| {
        // The files and variables of the server keep their names, which the company sets.
        let text = finished.stdout + &finished.stderr;
        let of_server = ["doorcode.toml", "doorcode.db", "DOORCODE_"];
        let text = of_server
            .iter()
            .fold(text, |text, name| text.replace(name, ""));
        assert!(!text.to_lowercase().contains("doorcode"), "{text}");
        text
    };
    let version = walwarden.command(&["--version"]).run().exited(0);
    assert_eq!(version.stdout, "walwarden 7.1\n");
    let help = own(walwarden.command(&["--help"]).run().exited(0));
    for piece in [
        "Back up databases\n",
        "walwarden login",
        "WALWARDEN_TOKEN",
        "vault ",
    ] {
        assert!(help.contains(piece), "{piece}: {help}");
    }
    let login = walwarden.command(&["login", "--no-browser"]);
    let mut login = login.spawn();
    let code = code_of(&mut login);
    test.user().await.approve(&code, &DEFAULT_SCOPES).await;
    let signed_in = own(login.finish().exited(0));
    assert!(signed_in.contains("Run `walwarden whoami`"), "{signed_in}");
    let shown = own(walwarden.command(&["whoami"]).run().exited(0));
    assert!(shown.contains(EMAIL) && shown.contains("walwarden/config.json"));
    walwarden.run(&["vault", "list"]).exited(0);
    let wrong = own(walwarden.command(&["vault", "lits"]).run().exited(2));
    assert!(wrong.contains("walwarden vault"), "{wrong}");
    let absent = own(walwarden.command(&["user", "list"]).run().exited(1));
    assert!(absent.contains("`walwarden migrate` creates"), "{absent}");
    walwarden.run(&["logout"]).exited(0);
}

/// Every help text, completion and man page of the program with the server.
#[actix_web::test]
async fn help_completions_and_pages_of_the_program_with_the_server_name_it() {
    let test = TestApp::start().await;
    let branding = "[words]\norganization = \"team\"\nproject = \"vault\"\nprofile = \"mode\"\n";
    let acme = program(SERVER, &test, ("acme", branding));
    for shell in ["bash", "zsh", "fish"] {
        let script = acme.command(&["completions", shell]).run().exited(0);
        script.says(&["acme", "vault", "team", "reactivate"]);
    }
    acme.command(&["man", "."]).run().exited(0);
    let pages = fs::read_dir(acme.home()).unwrap();
    let names = pages.map(|page| page.unwrap().file_name().into_string().unwrap());
    let pages: Vec<_> = names.filter(|name| name.ends_with(".1")).collect();
    assert!(pages.len() > 40, "{pages:?}");
    for name in pages {
        assert!(name.starts_with("acme"), "{name}");
        let text = fs::read_to_string(acme.home().join(&name)).unwrap();
        let text = text.replace("doorcode.toml", "").replace("DOORCODE_", "");
        assert!(!text.to_lowercase().contains("doorcode"), "{name}: {text}");
    }
}

/// The names of the commands below a heading of the help.
fn below<'a>(help: &'a str, heading: &str) -> Vec<&'a str> {
    let (_, rest) = help.split_once(&format!("\n{heading}:\n")).unwrap();
    let lines = rest.lines().take_while(|line| !line.is_empty());
    let named = lines.filter(|line| !line.starts_with("   "));
    named
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

/// A command that the company renames is one of users. Help and page have the same order.
#[actix_web::test]
async fn renamed_command_is_listed_once_and_in_the_same_order_everywhere() {
    let test = TestApp::start().await;
    let branding = "[words]\nproject = \"vault\"\nprofile = \"mode\"\n";
    for (own, headings) in [
        (CLIENT, &["Commands"][..]),
        (SERVER, &["User commands", "Server commands"]),
    ] {
        let acme = program(own, &test, ("acme", branding));
        let help = acme.command(&["--help"]).run().exited(0).stdout;
        let lists: Vec<_> = headings.iter().map(|own| below(&help, own)).collect();
        for list in &lists {
            assert!(list.is_sorted_by(|a, b| a < b), "{list:?}");
        }
        assert!(lists[0].contains(&"mode") && lists[0].contains(&"vault"));
        let all: BTreeSet<_> = lists.concat().into_iter().collect();
        assert!(!all.contains("profile") && !all.contains("project"));
        if let [_, servers] = &lists[..] {
            assert!(!servers.contains(&"mode"), "{servers:?}");
            // The group has commands of the server too.
            assert!(servers.contains(&"vault"), "{servers:?}");
        }
        acme.command(&["man", "."]).run().exited(0);
        let page = fs::read_to_string(acme.home().join("acme.1")).unwrap();
        let listed: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("acme\\-")?.strip_suffix("(1)"))
            .collect();
        assert_eq!(listed, Vec::from_iter(all), "{page}");
    }
}

#[actix_web::test]
async fn help_of_every_command_has_the_names_of_the_company() {
    let test = TestApp::start().await;
    let branding = "[words]\norganization = \"team\"\nproject = \"vault\"\n";
    let acme = client(&test, "acme", branding);
    assert!(acme.read_help(&[]) > 20);
}

/// Compiles the build script of the client.
fn build_script(folder: &Path) -> std::path::PathBuf {
    let program = folder.join("build");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let compiled = Command::new(compiler)
        .current_dir(root())
        .args(["--edition", "2024", "crates/doorcode-client/build.rs", "-o"])
        .arg(&program)
        .output()
        .unwrap();
    let problem = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{problem}");
    program
}

/// The names of a build: the build script hands the file on, whose content the program has compiled
/// in. (The unit tests of the client show what it does with it.)
#[test]
fn build_takes_the_named_file_else_the_one_beside_the_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let script = build_script(folder.path());
    let manifest = folder.path().join("manifest");
    fs::create_dir(&manifest).unwrap();
    let named = folder.path().join("named.toml");
    fs::write(&named, "program = \"named\"\n").unwrap();
    let out = folder.path().join("branding.toml");
    let run = |variable: &str| {
        let script = Program::of_file(&script, &manifest, &[] as &[&str]);
        let script = script.env("OUT_DIR", folder.path());
        script.env("DOORCODE_BRANDING", variable).run()
    };
    let again = |finished: &Finished, path: &str| {
        let line = format!("cargo::rerun-if-changed={path}\n");
        assert!(finished.stdout.contains(&line), "{finished:?}");
        assert!(
            finished
                .stdout
                .contains("cargo::rerun-if-env-changed=DOORCODE_BRANDING\n")
        );
    };

    again(&run("").exited(0), ".");
    assert_eq!(fs::read_to_string(&out).unwrap(), "");
    fs::write(manifest.join("branding.toml"), "program = \"beside\"\n").unwrap();
    again(&run("").exited(0), "branding.toml");
    assert_eq!(fs::read_to_string(&out).unwrap(), "program = \"beside\"\n");
    let path = named.to_str().unwrap();
    again(&run(path).exited(0), path);
    assert_eq!(fs::read_to_string(&out).unwrap(), "program = \"named\"\n");

    run("named.toml")
        .exited(1)
        .complains(&["write an absolute path"]);
    run("/nowhere/x.toml")
        .exited(1)
        .complains(&["DOORCODE_BRANDING: /nowhere/x.toml: "]);
}
