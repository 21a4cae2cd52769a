//! Starts and commands leave a current schema alone.

use crate::support::database::Database;
use crate::support::deployment::Deployment;
use url::Url;

/// The locks that VACUUM and a long write hold.
const LOCKS: [&str; 2] = ["SHARE UPDATE EXCLUSIVE", "ROW EXCLUSIVE"];

/// A command that changes data.
pub const CLIENT: [&str; 8] = [
    "client",
    "add",
    "--id",
    "ci",
    "--name",
    "CI",
    "--scope",
    "tokens:read",
];

/// A long operation on the audit log blocks neither commands nor starting servers.
#[actix_web::test]
async fn starts_and_commands_wait_for_no_lock_on_the_audit_log() {
    let deployment = Deployment::with_user();
    let held = match Database::is_postgres() {
        true => LOCKS
            .map(|mode| {
                let lock = format!("LOCK TABLE audit_record IN {mode} MODE");
                deployment.database.hold(&lock)
            })
            .into(),
        false => vec![deployment.database.hold_read("SELECT 1 FROM audit_record")],
    };
    deployment.command(&CLIENT).run().exited(0);
    let _server = deployment.start();
    assert_eq!(deployment.status("/readyz").await, 200);
    drop(held);
}

/// A server needs no right to change the schema.
#[actix_web::test]
async fn server_runs_with_a_role_that_owns_nothing() {
    if !Database::is_postgres() {
        return;
    }
    let deployment = Deployment::with_user();
    let role = format!("r{}", hex::encode(rand::random::<[u8; 10]>()));
    deployment.database.execute(&format!(
        "CREATE ROLE {role} LOGIN;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
    ));
    let mut url = Url::parse(&deployment.database.url).unwrap();
    url.set_username(&role).unwrap();
    let deployment = deployment.set("DOORCODE__DATABASE__URL", url.as_str());
    deployment.command(&CLIENT).run().exited(0);
    let server = deployment.start();
    assert_eq!(deployment.status("/readyz").await, 200);
    let browser = deployment.user().await;
    assert!(!browser.cookies.is_empty());
    server.signal("TERM");
    server.finish().exited(0);
    deployment
        .database
        .execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

/// A command does not change the schema under running servers; it names the remedy.
#[test]
fn commands_leave_an_outdated_schema_to_migrate() {
    let deployment = Deployment::with_user();
    let list = || deployment.command(&["user", "list"]).run();
    list().exited(0);
    let database = &deployment.database;
    let version = database.text("SELECT version FROM __diesel_schema_migrations");
    database.execute("DELETE FROM __diesel_schema_migrations");
    list().exited(1).complains(&["doorcode migrate"]);
    database.execute(&format!(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"
    ));
    list().exited(0);

    // Missing triggers hinder no command.
    database.disarm();
    list().exited(0);
    deployment.command(&["migrate"]).run().exited(0);
    assert!(!deployment.database.try_execute("DELETE FROM audit_record"));
}
