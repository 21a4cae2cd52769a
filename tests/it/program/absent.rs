//! Commands where there is no deployment, or only a part of one.

use crate::support::database::Database;
use crate::support::deployment::{Deployment, READY};
use crate::support::program::Program;
use crate::support::{EMAIL, PASSWORD};

/// One command of each group that reads or changes a deployment.
const COMMANDS: [&[&str]; 8] = [
    &["user", "list"],
    &["user", "deactivate", "--email", EMAIL],
    &["client", "list"],
    &[
        "client",
        "add",
        "--id",
        "my-api",
        "--name",
        "X",
        "--confidential",
    ],
    &["org", "add", "--name", "Acme"],
    &["project", "add", "--org", "Acme", "--name", "Website"],
    &["operator", "rotate"],
    &["audit", "keys"],
];

fn files(deployment: &Deployment) -> Vec<String> {
    let entries = std::fs::read_dir(deployment.directory()).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.unwrap().file_name().into_string().unwrap()
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}

/// The wrong folder must not become a second deployment.
#[test]
fn command_without_a_database_is_refused_and_creates_nothing() {
    let deployment = Deployment::new();
    for command in COMMANDS {
        deployment.command(command).run().exited(1).complains(&[
            "There is no database at ",
            "Run the command in the server's folder, or with --config FILE.",
        ]);
        assert_eq!(files(&deployment), [""; 0], "{command:?}");
    }
    // With the default settings the text names the absolute path.
    let place = deployment.path("data/doorcode.db").display().to_string();
    Program::new(deployment.directory(), COMMANDS[0])
        .run()
        .exited(1)
        .complains(&[&format!("There is no database at {place}. ")]);
    // A mistyped path makes no folders.
    for command in COMMANDS {
        let path = deployment.path("typo/dir/x.db");
        Program::new(deployment.directory(), command)
            .env(
                "DOORCODE__DATABASE__URL",
                format!("sqlite:{}", path.display()),
            )
            .run()
            .exited(1)
            .complains(&["typo/dir/x.db"]);
    }
    assert_eq!(files(&deployment), [""; 0]);
    // The operator follows the text.
    deployment
        .migrate()
        .add_user()
        .run()
        .exited(0)
        .says(&["ada@example.com can sign in now."]);
}

/// A command in another folder reaches the database of a running deployment by its URL, but its keys
/// are elsewhere.
#[test]
fn key_that_is_missing_beside_a_database_in_use_is_not_replaced() {
    let deployment = Deployment::with_user();
    for (name, loss) in [
        ("secret_key", "pending device codes"),
        ("audit_key", "cannot sign the audit log"),
    ] {
        let (path, kept) = (
            deployment.path(&format!("data/{name}")),
            deployment.path("kept"),
        );
        std::fs::rename(&path, &kept).unwrap();
        for command in COMMANDS.iter().chain(&[&["serve"][..]]) {
            deployment.command(command).run().exited(1).complains(&[
                &format!("{} does not exist", path.display()),
                "restore the file from a backup",
                loss,
                "openssl rand -hex 32",
            ]);
            assert!(!path.exists(), "{command:?}");
        }
        std::fs::rename(&kept, &path).unwrap();
        deployment.command(&["user", "list"]).run().exited(0);
    }

    let token = deployment.path("data/operator_token");
    std::fs::remove_file(&token).unwrap();
    deployment
        .command(&["client", "list"])
        .run()
        .exited(1)
        .complains(&["operator_token does not exist", "creates a new one"]);
    assert!(!token.exists());
    let server = deployment.start();
    assert!(server.stdout.contains("Created "), "{}", server.stdout);
    deployment.command(&["client", "list"]).run().exited(0);
}

/// A rollback of the program must not write into a schema that it does not know.
#[test]
fn database_of_a_newer_version_is_refused_by_name() {
    let deployment = Deployment::with_user();
    deployment.database.execute(
        "INSERT INTO __diesel_schema_migrations (version, run_on)
         VALUES ('20991231000000', '2099-12-31 00:00:00')",
    );
    let content = || {
        (
            deployment.database.count("audit_record", "1 = 1"),
            deployment.database.count("client", "1 = 1"),
        )
    };
    let before = content();
    for command in COMMANDS.iter().chain(&[&["serve"][..], &["migrate"]]) {
        deployment.command(command).run().exited(1).complains(&[
            "made by a newer Doorcode (schema version 20991231000000)",
            "Start that one, or restore a backup.",
        ]);
    }
    assert_eq!(content(), before);
    deployment
        .database
        .execute("DELETE FROM __diesel_schema_migrations WHERE version = '20991231000000'");
    deployment.command(&["migrate"]).run().exited(0);
    deployment.start();
}

/// A call without a command names the files before it creates them. Later calls do not.
#[test]
fn first_call_without_a_command_names_the_files_that_it_creates() {
    let deployment = Deployment::new();
    let serve = || {
        let mut server = deployment.command(&[]).spawn();
        server.line(READY);
        server.signal("TERM");
        server.finish().exited(0)
    };
    let first = serve();
    let (before, _) = first.stdout.split_once("is running at").unwrap();
    let mut created = vec!["data/operator_token", "data/secret_key", "data/audit_key"];
    if !Database::is_postgres() {
        created.push("doorcode.db");
    }
    assert!(before.contains("starts a new server"), "{first:?}");
    for name in created {
        let path = deployment.path(name);
        assert!(before.contains(&path.display().to_string()), "{first:?}");
        assert!(path.exists());
    }
    assert!(!serve().stdout.contains("starts a new server"));
}

#[test]
fn program_is_named_as_it_was_called() {
    let deployment = Deployment::new();
    let called = env!("CARGO_BIN_EXE_doorcode");
    let list = deployment.command(&["user", "list"]).called_as(called);
    let refused = list.run().exited(1);
    assert!(
        refused.stderr.contains(&format!("`{called} migrate`")),
        "{refused:?}"
    );
    let deployment = deployment.migrate();
    deployment
        .command(&["user", "add", "--email", EMAIL, "--name", "Ada"])
        .args(&["--password-stdin"])
        .input(PASSWORD)
        .run()
        .exited(0);
    deployment
        .command(&["user", "show", "--email", "zz@b.example"])
        .called_as(called)
        .run()
        .exited(1)
        .complains(&[&format!(
            "There is no user zz@b.example. `{called} user list` lists them."
        )]);
    deployment
        .command(&["operator", "rotate", "--overlap", "soon"])
        .run()
        .exited(2)
        .complains(&["such as 90m or 24h"]);
}
