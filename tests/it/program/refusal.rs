//! Rejected starts, each with an error message and advice.

use crate::support::deployment::{Deployment, mode};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

/// User id of no user.
const NOBODY: u32 = 65534;

/// PAT-23: a guessable token stops the start, whatever its source.
#[test]
fn weak_operator_token_is_rejected() {
    for weak in [
        "changeme",
        "dc_0123456789abcdef",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "0101010101010101010101010101010101010101",
        "this-is-an-example-operator-token-0123456789",
        "correct horse battery staple zebra 12",
    ] {
        let deployment = Deployment::new();
        let refused = deployment
            .command(&["serve"])
            .env("DOORCODE_OPERATOR_TOKEN", weak)
            .run()
            .exited(1)
            .complains(&["DOORCODE_OPERATOR_TOKEN: the operator token"]);
        assert!(!refused.stderr.contains(weak), "{refused:?}");
        assert_eq!(refused.stdout, "");

        deployment.write("data/operator_token", weak);
        deployment
            .command(&["serve"])
            .run()
            .exited(1)
            .complains(&["data/operator_token: the operator token"]);
    }
}

/// Each secret file, and the variable that replaces it.
const SECRET_FILES: [(&str, &str); 3] = [
    ("data/operator_token", "DOORCODE_OPERATOR_TOKEN"),
    ("data/secret_key", "DOORCODE_SECRET_KEY"),
    ("data/audit_key", "DOORCODE_AUDIT_KEY"),
];

/// Writes a secret file with a mode.
fn write_secret(deployment: &Deployment, name: &str, mode: u32) -> PathBuf {
    let path = deployment.write(name, &format!("{}\n", "9c0f47d2e8b1a635".repeat(4)));
    std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    path
}

/// Modes of a mounted secret: accepted with one log line if root owns the file, as it does where
/// root runs the tests.
#[actix_web::test]
async fn secret_file_of_root_may_be_readable_by_others() {
    for mounted in [0o440, 0o444] {
        let deployment = Deployment::new();
        let paths = SECRET_FILES.map(|(name, _)| write_secret(&deployment, name, mounted));
        if std::fs::metadata(&paths[0]).unwrap().uid() != 0 {
            deployment.command(&["serve"]).run().exited(1).complains(&[
                "data/operator_token can be read by other users",
                "set DOORCODE_OPERATOR_TOKEN instead",
            ]);
            continue;
        }
        let server = deployment.start();
        assert_eq!(deployment.status("/readyz").await, 200);
        server.signal("TERM");
        let finished = server.finish().exited(0);
        for (name, _) in SECRET_FILES {
            let line = format!("{name} can be read by other users");
            assert_eq!(finished.stderr.matches(&line).count(), 1, "{finished:#?}");
        }
        assert_eq!(paths.map(|path| mode(&path)), [mounted; 3]);
    }
}

/// The owner of a writable file may have chosen the same modes by mistake. The variable in the
/// refusal replaces the file.
#[actix_web::test]
async fn secret_file_of_another_user_is_rejected_and_its_variable_replaces_it() {
    for (name, variable) in SECRET_FILES {
        let mut deployment = Deployment::new();
        let path = write_secret(&deployment, name, 0o444);
        if std::fs::metadata(&path).unwrap().uid() == 0 {
            std::os::unix::fs::chown(&path, Some(NOBODY), None).unwrap();
        }
        deployment.command(&["serve"]).run().exited(1).complains(&[
            &format!("{name} can be read by other users"),
            &format!("set {variable} instead"),
        ]);
        deployment = deployment.set(variable, &"5a17c3e09b2f4d86".repeat(4));
        let _server = deployment.start();
        assert_eq!(deployment.status("/readyz").await, 200);
    }
}

/// CFG-01: a secret file that others can read is rejected and not changed.
#[test]
fn secret_file_readable_by_others_is_rejected() {
    for (name, variable) in SECRET_FILES {
        for exposed in [0o644, 0o640, 0o604, 0o660] {
            let deployment = Deployment::new();
            let path = write_secret(&deployment, name, exposed);
            deployment.command(&["serve"]).run().exited(1).complains(&[
                &format!("{name} can be read by other users of this machine"),
                &format!("chmod 600 {name}"),
                &format!("set {variable} instead"),
            ]);
            assert_eq!(mode(&path), exposed);
        }
    }
}

#[test]
fn malformed_key_is_rejected() {
    for file in ["data/secret_key", "data/audit_key"] {
        for key in ["", "short", &"0".repeat(63), &"g".repeat(64)] {
            let deployment = Deployment::new();
            deployment.write(file, key);
            let wrong = format!("{file}: a key must be 64 hexadecimal digits");
            deployment
                .command(&["serve"])
                .run()
                .exited(1)
                .complains(&[&wrong]);
        }
    }
}

#[actix_web::test]
async fn port_in_use_is_reported_and_the_other_server_keeps_running() {
    let deployment = Deployment::new();
    let _server = deployment.start();
    let refused = deployment.command(&["serve"]).run().exited(1).complains(&[
        &format!("cannot listen on {}", deployment.address),
        "Set `listen` under [server] to another address.",
    ]);
    assert_eq!(refused.stdout, "");
    assert_eq!(deployment.status("/readyz").await, 200);
}

#[test]
fn unreachable_database_is_reported_and_not_replaced_by_a_file() {
    let deployment = Deployment::new();
    let refused = deployment
        .command(&["serve"])
        .env(
            "DOORCODE__DATABASE__URL",
            "postgres://ada:Tulip-77@127.0.0.1:1/doorcode",
        )
        .run()
        .exited(1)
        .complains(&[
            "the database cannot be reached",
            "Check `url` under [database]",
        ]);
    let is_log = |line: &&str| line.starts_with('{');
    let lines = refused.stderr.lines().filter(|line| !is_log(line));
    assert_eq!(lines.count(), 1, "{refused:?}");
    assert!(!refused.stderr.contains("Tulip-77"), "{refused:?}");
    let left = std::fs::read_dir(deployment.directory()).unwrap().count();
    assert_eq!(left, 0, "no file was made");
}

#[test]
fn file_that_is_not_a_database_is_rejected_and_kept() {
    let deployment = Deployment::new();
    let text = "This is a letter to the editor, and no database at all.\n".repeat(40);
    let path = deployment.write("letter.txt", &text);
    let url = format!("sqlite:{}", path.display());
    for command in ["serve", "migrate"] {
        deployment
            .command(&[command])
            .env("DOORCODE__DATABASE__URL", &url)
            .run()
            .exited(1)
            .complains(&[
                "letter.txt: file is not a database",
                "Check `url` under [database]",
            ]);
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}
