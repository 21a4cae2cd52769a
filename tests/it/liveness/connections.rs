//! Connections to PostgreSQL: their addresses, rights and settings, and the answer to a commit that
//! is lost with one.

use super::{ANSWERED, assert_unavailable, until_ready, write};
use crate::support::database::{AUDIT, Database};
use crate::support::relay::{DeadEnd, Relay};
use crate::support::{TestApp, http};
use doorcode::app::sweep;
use std::time::Instant;
use url::Url;

/// A role of a database, and its URL.
struct Role<'a> {
    database: &'a Database,
    name: String,
    url: String,
}

impl<'a> Role<'a> {
    /// A role with these attributes that may read and write the tables.
    fn new(database: &'a Database, attributes: &str) -> Self {
        let name = format!("r{}", hex::encode(rand::random::<[u8; 10]>()));
        database.execute(&format!(
            "CREATE ROLE {name} LOGIN {attributes};
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}"
        ));
        let mut url = Url::parse(&database.url).unwrap();
        url.set_username(&name).unwrap();
        Self {
            database,
            name,
            url: url.to_string(),
        }
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        let Self { database, name, .. } = self;
        database.execute(&format!("DROP OWNED BY {name}; DROP ROLE {name}"));
    }
}

/// A server whose role may only read and write the tables recovers from failed writes.
#[actix_web::test]
async fn server_recovers_without_the_right_to_temporary_tables() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    let database = &test.database;
    let name = database.text("SELECT current_database()");
    database.execute(&format!("REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC"));
    let role = Role::new(database, "");
    let node = test.node(&role.url);
    until_ready(&node.url, 200, "ready", ANSWERED).await;
    database.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE EXCEPTION 'voll' USING ERRCODE = '53100';
         END $$;
         CREATE TRIGGER failing BEFORE INSERT ON device_grant
             FOR EACH ROW EXECUTE FUNCTION fail()",
    );
    assert_unavailable(&write(&test, &node.url).await);
    assert_unavailable(&write(&test, &node.url).await);
    until_ready(&node.url, 503, "database", ANSWERED).await;
    database.execute("DROP TRIGGER failing ON device_grant");
    until_ready(&node.url, 200, "ready", ANSWERED).await;
    assert_eq!(write(&test, &node.url).await.status, 200);
    database.cut_connections();
}

/// A setting of the role or the database cannot make an acknowledged commit less durable than a
/// flush to disk; a stricter one stays.
#[actix_web::test]
async fn commits_are_flushed_whatever_the_role_says() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    let database = &test.database;
    let role = Role::new(database, "SUPERUSER");
    database.execute(
        "CREATE TABLE setting (id SERIAL, value TEXT);
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO setting (value) VALUES (current_setting('synchronous_commit'));
             RETURN NEW;
         END $$;
         CREATE TRIGGER noted BEFORE INSERT ON device_grant
             FOR EACH ROW EXECUTE FUNCTION note()",
    );
    for (set, used) in [
        ("off", "on"),
        ("local", "on"),
        ("remote_apply", "remote_apply"),
    ] {
        let name = &role.name;
        database.execute(&format!("ALTER ROLE {name} SET synchronous_commit = {set}"));
        let node = test.node(&role.url);
        assert_eq!(write(&test, &node.url).await.status, 200);
        let found = database.text("SELECT value FROM setting ORDER BY id DESC LIMIT 1");
        assert_eq!(found, used, "{set}");
    }
    database.cut_connections();
}

/// The first hosts of the address accept connections and never answer. The server reaches the last
/// one, although that takes longer than any work may.
#[actix_web::test]
async fn dark_addresses_delay_the_connection_only() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    let dark: [DeadEnd; 3] = std::array::from_fn(|_| DeadEnd::start());
    let url = Url::parse(&test.database.url).unwrap();
    let mut hosts: Vec<_> = dark.iter().map(|end| end.address.to_string()).collect();
    hosts.push(format!(
        "{}:{}",
        url.host_str().unwrap(),
        url.port().unwrap_or(5432)
    ));
    let started = Instant::now();
    let node = test.node(&format!(
        "postgres://{}@{}{}",
        url.username(),
        hosts.join(","),
        url.path()
    ));
    assert_unavailable(&write(&test, &node.url).await);
    until_ready(&node.url, 200, "ready", ANSWERED).await;
    assert_eq!(write(&test, &node.url).await.status, 200);
    assert!(started.elapsed() < 2 * ANSWERED, "{:?}", started.elapsed());
}

/// A commit whose answer is lost: counted events are recorded once, however often they are flushed.
#[actix_web::test]
async fn counted_events_are_recorded_once_after_a_lost_answer() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    let relay = Relay::to(&test.database.url);
    let node = test.node(&relay.url(&test.database.url));
    until_ready(&node.url, 200, "ready", ANSWERED).await;
    let refused = async || {
        let call = http().get(node.at("/v1/me")).bearer_auth("dc_x");
        assert_eq!(call.send().await.unwrap().status(), 401);
    };
    for _ in 0..3 {
        refused().await;
    }
    let counted = format!(
        "SELECT string_agg(detail::json ->> 'count', ' ' ORDER BY id) FROM {AUDIT}
         WHERE action = 'access.refused'"
    );
    relay.lose_commit_after("access.refused");
    assert_eq!(sweep::write_gathered(&node.app).await.len(), 1);
    assert_eq!(test.database.text(&counted), "3");
    refused().await;
    assert!(sweep::write_gathered(&node.app).await.is_empty());
    assert_eq!(test.database.text(&counted), "3 1");
    assert!(sweep::write_gathered(&node.app).await.is_empty());
    assert_eq!(test.database.text(&counted), "3 1");
}
