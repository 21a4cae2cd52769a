//! What identifies a deployment: keys that differ from those of its database are refused, and
//! servers that share a database agree.

use crate::support::TestApp;
use crate::support::database::{AUDIT, Database};
use crate::support::deployment::Deployment;
use crate::support::program::{Finished, PATIENCE, Running};
use doorcode::app::Error;
use doorcode::app::deployment::register;
use std::time::Instant;

const KEYS: [(&str, &str); 2] = [("secret_key", "secret key"), ("audit_key", "audit key")];

/// A key that is not that of the deployment.
fn other_key() -> String {
    format!("{}\n", "5b".repeat(32))
}

/// Asserts a refusal in one line.
#[track_caller]
fn assert_refused(refused: Finished, pieces: &[&str]) {
    let refused = refused.exited(1).complains(pieces);
    let lines = refused.stderr.lines();
    let said = lines.filter(|line| line.starts_with("error: "));
    assert_eq!(said.count(), 1, "{refused:?}");
}

/// A lost key was replaced, or the program runs with the keys of another deployment: neither a server
/// nor a command starts, and nothing is written. The line says how to mend it, and both ways work.
#[actix_web::test]
async fn other_keys_than_those_of_the_database_are_refused() {
    let deployment = Deployment::with_user();
    stop(deployment.start());
    for (file, name) in KEYS {
        let file = format!("data/{file}");
        let own = std::fs::read_to_string(deployment.path(&file)).unwrap();
        deployment.write(&file, &other_key());
        let before = deployment.database.count(AUDIT, "1 = 1");
        for command in [&["serve"][..], &["user", "list"], &["client", "list"]] {
            assert_refused(
                deployment.command(command).run(),
                &[
                    &format!("The {name} is not that of this database"),
                    &file,
                    "from a backup",
                    "doorcode deployment accept-keys`.",
                ],
            );
        }
        assert_eq!(deployment.database.count(AUDIT, "1 = 1"), before);
        // Restoring the key is enough.
        deployment.write(&file, &own);
        let server = deployment.start();
        assert_eq!(deployment.user().await.get("/tokens").await.status, 200);
        stop(server);
    }
}

/// A key that is replaced on purpose takes a command, which records it.
#[actix_web::test]
async fn replaced_keys_are_accepted_by_a_command() {
    let deployment = Deployment::with_user();
    let accept = |arguments: &[&str]| {
        let all = [&["deployment", "accept-keys"], arguments].concat();
        deployment.command(&all).run()
    };
    let accepted = "action = 'deployment.keys_accepted'";
    accept(&["--yes"])
        .exited(0)
        .says(&["The keys are those of the database already."]);
    assert_eq!(deployment.database.count(AUDIT, accepted), 0);
    let mut count = 0;
    for (file, name) in KEYS {
        let path = deployment.path(&format!("data/{file}"));
        let earlier = std::fs::read_to_string(path).unwrap();
        deployment.write(&format!("data/{file}"), &other_key());
        accept(&[]).exited(1).complains(&["Add --yes to continue."]);
        deployment.command(&["serve"]).run().exited(1);
        // A server that runs has the earlier key.
        let own = deployment.path(&format!("data/{file}"));
        let new = std::fs::read_to_string(&own).unwrap();
        deployment.write(&format!("data/{file}"), &earlier);
        let server = deployment.start();
        deployment.write(&format!("data/{file}"), &new);
        accept(&["--yes"])
            .exited(1)
            .complains(&["Stop all servers first."]);
        stop(server);
        accept(&["--yes"]).exited(0).says(&[&format!(
            "The {name} of this server now belongs to the database."
        )]);
        count += 1;
        assert_eq!(deployment.database.count(AUDIT, accepted), count);
        let server = deployment.start();
        assert_eq!(deployment.user().await.get("/tokens").await.status, 200);
        stop(server);
        deployment.command(&["audit", "verify"]).run().exited(0);
    }
}

/// The stored fingerprints are neither the keys nor digests that a guess could be compared with.
#[test]
fn fingerprints_do_not_reveal_the_keys() {
    let deployment = Deployment::with_user();
    for (file, _) in KEYS {
        let key = std::fs::read_to_string(deployment.path(&format!("data/{file}"))).unwrap();
        let stored = deployment
            .database
            .text(&format!("SELECT {file} FROM deployment"));
        assert_eq!(stored.len(), 16);
        assert!(!key.contains(&stored), "{file}");
    }
}

/// Another deployment on the same database of PostgreSQL, with the same keys.
fn beside(deployment: &Deployment, settings: &[(&str, &str)]) -> Deployment {
    let mut other = Deployment::new().set("DOORCODE__DATABASE__URL", &deployment.database.url);
    for name in ["operator_token", "secret_key", "audit_key"] {
        let text = std::fs::read_to_string(deployment.path(&format!("data/{name}"))).unwrap();
        other.write(&format!("data/{name}"), &text);
    }
    other = other.set("DOORCODE__SERVER__PUBLIC_URL", &deployment.url);
    for (name, value) in settings {
        other = other.set(name, value);
    }
    other
}

/// Where several servers share a database, another public URL or operator token is refused while one
/// runs that has the earlier value, and accepted and recorded afterwards.
#[test]
fn servers_agree_on_url_and_operator_token() {
    if !Database::is_postgres() {
        return;
    }
    let first = Deployment::with_user();
    let url = "http://127.0.0.1:1";
    let token = "q7Rm2xKd90vLs4Tz8bWn1cYh6fJp3gAe";
    let old = std::fs::read_to_string(first.path("data/operator_token")).unwrap();
    let other_url = beside(&first, &[("DOORCODE__SERVER__PUBLIC_URL", url)]);
    let other_token = beside(&first, &[("DOORCODE_OPERATOR_TOKEN", token)]);
    let overlap = beside(
        &first,
        &[
            ("DOORCODE_OPERATOR_TOKEN", token),
            ("DOORCODE_OPERATOR_TOKEN_PREVIOUS", old.trim()),
        ],
    );
    let running = first.start();
    // A refused server changes nothing: it does not even complete the built-in client.
    first
        .database
        .execute("DELETE FROM client WHERE id = 'doorcode-cli'");
    let refuse = |deployment: &Deployment, pieces: &[&str]| {
        assert_refused(deployment.command(&["serve"]).run(), pieces);
    };
    refuse(
        &other_url,
        &["server.public_url is http://127.0.0.1:1", &first.url],
    );
    refuse(
        &other_token,
        &["operator token that this one does not accept"],
    );
    assert_eq!(first.database.count("client", "1 = 1"), 0);
    stop(beside(&first, &[]).start());
    assert_eq!(first.database.count("client", "1 = 1"), 1);
    // A rotation goes through the servers one by one: the next one still accepts the old token.
    stop(overlap.start());
    // The running server tells which token it accepts after a rotation of the file.
    let known = || first.database.text("SELECT operator_token FROM heartbeat");
    let before = known();
    let rotate = ["operator", "rotate", "--overlap", "0"];
    first.command(&rotate).run().exited(0);
    let deadline = Instant::now() + PATIENCE;
    while known() == before {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    stop(beside(&first, &[]).start());
    stop(running);
    // No server runs with the earlier values.
    stop(other_url.start());
    let recorded = "action = 'settings.changed' AND detail LIKE '%server.public_url%'";
    assert!(first.database.count(AUDIT, recorded) > 0);
    stop(other_token.start());
    // A server that was killed counts for a while, and one that last ran earlier does not.
    first.start().kill();
    refuse(
        &other_url,
        &["A server that was killed counts for 30 seconds."],
    );
    first
        .database
        .execute("UPDATE heartbeat SET at = at - 31000");
    stop(other_url.start());
}

fn stop(server: Running) {
    server.signal("TERM");
    server.finish().exited(0);
}

/// A start that fails late leaves no running server behind, and the rows of servers that were killed
/// long ago are gone.
#[test]
fn failed_start_does_not_stay_registered() {
    if !Database::is_postgres() {
        return;
    }
    let deployment = Deployment::migrated();
    deployment.start().kill();
    let count = |rows: &str| deployment.database.count("heartbeat", rows);
    assert_eq!(count("1 = 1"), 1);
    deployment
        .database
        .execute("UPDATE heartbeat SET at = at - 61000");
    let full = ["/bin/sh", "-c", r#"exec "$0" "$@" > /dev/full"#];
    let failed = deployment.command(&["serve"]).run_by(&full).run();
    failed.exited(1).complains(&["No space left on device"]);
    assert_eq!(count("public_url IS NOT NULL"), 0);
    stop(deployment.start());
}

/// The keys of the database are replaced between the check of a starting server and its registration.
#[actix_web::test]
async fn keys_that_were_replaced_meanwhile_are_refused() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    // Of the server from whose database this one is copied.
    test.database.execute("DELETE FROM heartbeat");
    register(&test.app, "5b").await.unwrap();
    for (column, name) in KEYS {
        let set = |value: &str| {
            let update = format!("UPDATE deployment SET {column} = '{value}'");
            test.database.execute(&update);
        };
        let select = format!("SELECT {column} FROM deployment");
        let own = test.database.text(&select);
        set("0123456789abcdef");
        let refused = register(&test.app, "5b").await.unwrap_err();
        assert!(
            matches!(&refused, Error::Configuration(why) if why.contains(name)),
            "{refused:?}"
        );
        set(&own);
    }
    register(&test.app, "5b").await.unwrap();
}

/// The clock of a machine with commands is an hour behind that of the database: what a command stores
/// has the time of the servers.
#[test]
fn commands_follow_the_clock_of_the_database() {
    if !Database::is_postgres() {
        return;
    }
    let deployment = Deployment::with_user();
    deployment.database.execute(
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
             $$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$;
         DO $$ BEGIN
             EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog',
                 current_database());
         END $$",
    );
    let invite = ["org", "add", "--name", "Later"];
    deployment.command(&invite).run().exited(0);
    let last = "SELECT (max(at) > now() AT TIME ZONE 'UTC' + interval '59 minutes')::text";
    let last = deployment.database.text(&format!("{last} FROM {AUDIT}"));
    assert_eq!(last, "true");
}
