//! Migrations beside other sessions, and roles with few rights.

use crate::support::database::Database;
use crate::support::deployment::{Deployment, READY};
use crate::support::program::Finished;
use crate::support::source::root;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use url::Url;

/// The start stops with one line, which has these texts.
#[track_caller]
fn assert_one_line(finished: &Finished, pieces: &[&str]) {
    let errors: Vec<_> = finished.stderr.lines().collect();
    let last = errors.last().copied().unwrap_or_default();
    assert!(last.starts_with("error: "), "{finished:?}");
    for piece in pieces {
        assert!(last.contains(piece), "no {piece:?} in {last}");
    }
    // The others are the log.
    let others = &errors[..errors.len() - 1];
    assert!(
        others.iter().all(|line| line.starts_with('{')),
        "{errors:#?}"
    );
}

/// A role of the server, and the URL of a database with it.
fn role(database: &Database) -> (String, String) {
    let name = format!("r{}", hex::encode(rand::random::<[u8; 10]>()));
    database.execute(&format!("CREATE ROLE {name} LOGIN"));
    let mut url = Url::parse(&database.url).unwrap();
    url.set_username(&name).unwrap();
    (name, url.to_string())
}

/// The SQL of an example on the page about PostgreSQL.
fn documented(first_line: &str) -> String {
    let page = std::fs::read_to_string(root().join("docs/how-to/run-on-postgresql.md")).unwrap();
    let examples = page.split("```sql\n").skip(1);
    let mut examples = examples.filter_map(|rest| rest.split("```").next());
    let found = examples.find(|example| example.trim_start().starts_with(first_line));
    found
        .unwrap_or_else(|| panic!("no {first_line}"))
        .to_owned()
}

/// A long transaction of another session blocks a migration: it tries again, and succeeds when the
/// transaction ends.
#[test]
fn migration_waits_for_the_lock_of_another_session() {
    if !Database::is_postgres() {
        return;
    }
    let deployment = Deployment::with_user();
    deployment.database.disarm();
    let held = deployment
        .database
        .hold("LOCK TABLE audit_record IN ROW EXCLUSIVE MODE");
    let mut server = deployment.command(&["serve"]).spawn();
    let waiting = server.line("other sessions lock the tables");
    assert!(waiting.contains("the oldest is process "), "{waiting}");
    drop(held);
    server.line(READY);
    assert!(!deployment.database.try_execute("DELETE FROM audit_record"));
}

/// If the transaction does not end, the start stops, and has changed nothing.
#[test]
fn migration_that_stays_blocked_stops_the_start_with_one_line() {
    if !Database::is_postgres() {
        return;
    }
    let deployment = Deployment::with_user();
    deployment.database.disarm();
    let held = deployment
        .database
        .hold("LOCK TABLE audit_record IN ROW EXCLUSIVE MODE");
    let refused = deployment.command(&["serve"]).run().exited(1);
    let texts = [
        "the database could not be migrated: other sessions lock its tables",
        "the oldest is process ",
        "End them, or wait for them, and start again.",
    ];
    assert_one_line(&refused, &texts);
    drop(held);
    let triggers = "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'audit_record'::regclass \
                    AND NOT tgisinternal";
    assert_eq!(deployment.database.text(triggers), "0");
    deployment.command(&["migrate"]).run().exited(0);
}

/// `--no-migrate` leaves the tables to `doorcode migrate`.
#[test]
fn server_without_migration_refuses_what_is_not_migrated() {
    let deployment = Deployment::new();
    let serve = || {
        deployment
            .command(&["serve", "--no-migrate"])
            .run()
            .exited(1)
    };
    let texts = ["There is no database at ", "`doorcode migrate`"];
    serve().complains(&texts[..1]);
    let left = std::fs::read_dir(deployment.directory()).unwrap().count();
    assert_eq!(left, 0, "no file was made");

    deployment.command(&["migrate"]).run().exited(0);
    let database = &deployment.database;
    let version = database.text("SELECT version FROM __diesel_schema_migrations");
    database.execute("DELETE FROM __diesel_schema_migrations");
    assert_one_line(&serve(), &["of an older version", "migrate` first"]);
    database.execute(&format!(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"
    ));
    let mut server = deployment.command(&["serve", "--no-migrate"]).spawn();
    server.line(READY);
}

/// Two roles, as documented: one owns the database and migrates it, the other one serves and cannot
/// change the schema. Neither is a superuser or creates an extension, as with managed services.
#[actix_web::test]
async fn one_role_migrates_and_another_one_serves() {
    if !Database::is_postgres() {
        return;
    }
    let deployment = Deployment::new();
    let database = deployment.database.clone();
    let ((owner, owner_url), (role, url)) = (role(&database), role(&database));
    let name = database.text("SELECT current_database()");
    database.execute(&format!("ALTER DATABASE {name} OWNER TO {owner}"));
    let mut as_owner = PgConnection::establish(&owner_url).unwrap();
    let grants = documented("ALTER DEFAULT PRIVILEGES");
    let grants = grants.replace(" doorcode;", &format!(" {role};"));

    let deployment = deployment.set("DOORCODE__DATABASE__URL", &url);
    let refused = deployment.command(&["serve"]).run().exited(1);
    let texts = [
        "may not change the schema: ",
        "migrate` with the role that owns",
    ];
    assert_one_line(&refused, &texts);
    let migrate = |url: &str| {
        let command = deployment.command(&["migrate"]);
        command.env("DOORCODE__DATABASE__URL", url).run()
    };
    migrate(&owner_url).exited(0);
    let refused = deployment.command(&["serve"]).run().exited(1);
    assert_one_line(
        &refused,
        &["may not use the table ", "Grant it SELECT, INSERT"],
    );
    as_owner.batch_execute(&grants).unwrap();
    // Tables of a later version get the same rights.
    as_owner
        .batch_execute("CREATE TABLE later (id TEXT)")
        .unwrap();

    let mut as_role = PgConnection::establish(&url).unwrap();
    assert!(
        as_role
            .batch_execute("INSERT INTO later VALUES ('a')")
            .is_ok()
    );
    assert!(as_role.batch_execute("CREATE TABLE own (id TEXT)").is_err());
    assert!(
        as_role
            .batch_execute("DELETE FROM __diesel_schema_migrations")
            .is_err()
    );
    deployment.add_user().run().exited(0);
    let mut server = deployment.command(&["serve", "--no-migrate"]).spawn();
    server.line(READY);
    assert_eq!(deployment.status("/readyz").await, 200);
    let mut browser = deployment.user().await;
    browser.new_token("laptop", &["tokens:read"], "30d").await;
    server.signal("TERM");
    server.finish().exited(0);

    // The owner can serve too, without any other right.
    let mut server = deployment
        .command(&["serve"])
        .env("DOORCODE__DATABASE__URL", &owner_url)
        .spawn();
    server.line(READY);
    assert_eq!(deployment.status("/readyz").await, 200);
    server.signal("TERM");
    server.finish().exited(0);
    drop((as_owner, as_role));
    for name in [role, owner] {
        database.execute(&format!(
            "REASSIGN OWNED BY {name} TO CURRENT_USER; DROP OWNED BY {name}; DROP ROLE {name}"
        ));
    }
}
