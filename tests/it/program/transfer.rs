//! `doorcode move`.

use crate::support::database::Database;
use crate::support::deployment::Deployment;
use crate::support::http;
use crate::support::program::Running;
use crate::support::seed::Size;
use diesel::prelude::*;
use doorcode::config::DatabaseUrl;
use doorcode::domain::Instant;
use doorcode::store::{Store, transfer};

/// The present database of the tests in this file, beside that of the deployment.
const SOURCE: &str = "sqlite:data/source.db";

/// Settings of a deployment with the database that is moved.
fn on_source(deployment: Deployment) -> Deployment {
    let path = deployment.path("data/source.db");
    deployment.set(
        "DOORCODE__DATABASE__URL",
        &format!("sqlite:{}", path.display()),
    )
}

/// Stops a server in order.
fn stop(server: Running) {
    server.signal("TERM");
    server.finish().exited(0);
}

/// A whole deployment moves, works there, and moves back with the same hashes.
#[actix_web::test]
async fn whole_deployment_moves_and_moves_back() {
    let target = Deployment::new();
    let to = target.database.url.clone();
    let source = on_source(target).migrate();
    source.add_user().run().exited(0);
    let server = source.start();
    let mut browser = source.user().await;
    let token = browser.new_token("script", &["tokens:read"], "90d").await;
    let refused = source.command(&["move", "--to", &to]).run().exited(1);
    refused.complains(&["A server (process ", "Stop it first."]);
    stop(server);
    let moved = source
        .command(&["move", "--to", &to, "--json"])
        .run()
        .exited(0)
        .json();
    let tables = moved["tables"].as_array().unwrap();
    let rows = |name: &str| {
        let table = tables.iter().find(|table| table["table"] == name).unwrap();
        table["rows"].as_u64().unwrap()
    };
    assert_eq!(
        (rows("deployment"), rows("token"), rows("users")),
        (1, 1, 1)
    );
    assert!(rows("audit_record") > 3);

    let there = source.set("DOORCODE__DATABASE__URL", &to);
    let server = there.start();
    let me = async || {
        let me = http().get(there.at("/v1/me")).bearer_auth(&token);
        me.send().await.unwrap().status().as_u16()
    };
    assert_eq!(me().await, 200);
    stop(server);
    there.command(&["audit", "verify"]).run().exited(0);

    let back = format!("sqlite:{}", there.path("data/back.db").display());
    let again = there.command(&["move", "--to", &to]).run().exited(1);
    again.complains(&["--to: names the present database"]);
    there
        .command(&["move", "--to", &back, "--json"])
        .run()
        .exited(0);
    let here = there.set("DOORCODE__DATABASE__URL", &back);
    here.command(&["audit", "verify"]).run().exited(0);
    let _server = here.start();
    let me = http().get(here.at("/v1/me")).bearer_auth(&token);
    assert_eq!(me.send().await.unwrap().status(), 200);
}

/// Copies there and back: the rows are the same, in every type of column.
#[actix_web::test]
async fn copy_and_its_copy_have_the_same_hashes() {
    let target = Deployment::new();
    let there = match target.database.url.strip_prefix("sqlite:") {
        Some(path) => DatabaseUrl::Sqlite(path.into()),
        None => DatabaseUrl::parse(&target.database.url).unwrap(),
    };
    let [here, back] = ["here.db", "back.db"].map(|name| DatabaseUrl::Sqlite(target.path(name)));
    let store = Store::open(&here).unwrap();
    store.migrate().unwrap();
    let size = Size {
        tokens: 2_000,
        users: 300,
        organizations: 30,
        of_first: 100,
    };
    let now = Instant::from_timestamp(1_790_000_000, 120_000_000).unwrap();
    size.seed(&store, now, |_, _| ()).await;
    store.stop();
    drop(store);
    let (mut last, mut all) = (0, 0);
    let first = transfer::copy(&here, &there, &mut |progress| {
        assert!(progress.done >= last);
        (last, all) = (progress.done, progress.all);
    });
    let first = first.unwrap();
    assert_eq!(last, all);
    let full = transfer::copy(&here, &there, &mut |_| ()).unwrap_err();
    assert!(
        full.to_string().contains("The target is not empty"),
        "{full}"
    );
    let second = transfer::copy(&there, &back, &mut |_| ()).unwrap();
    assert_eq!(first, second);
    let rows = |name: &str| first.iter().find(|sum| sum.table == name).unwrap().rows;
    assert!(rows("token") >= 2_000 && rows("users") == 300 && rows("organization") == 30);
    assert!(!first.iter().any(|sum| sum.table == "heartbeat"));
    assert!(first.iter().any(|sum| sum.table == "audit_head"));
}

#[test]
fn wrong_moves_are_refused_in_one_line() {
    let deployment = on_source(Deployment::new()).migrate();
    let folder = deployment.directory().to_owned();
    let newer = folder.join("newer.db");
    let url = DatabaseUrl::Sqlite(newer.clone());
    let store = Store::open(&url).unwrap();
    store.migrate().unwrap();
    store.stop();
    drop(store);
    let mut conn = diesel::SqliteConnection::establish(newer.to_str().unwrap()).unwrap();
    diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')")
        .execute(&mut conn)
        .unwrap();
    drop(conn);
    let newer = format!("sqlite:{}", newer.display());
    for (to, says) in [
        (
            "mysql://localhost/x",
            "--to: write sqlite:data/doorcode.db or postgres://",
        ),
        (
            "postgres://doorcode@127.0.0.1:1/x",
            "the database cannot be reached",
        ),
        (SOURCE, "--to: names the present database"),
        (&newer, "made by a newer Doorcode"),
    ] {
        let from = ["move", "--to", to];
        let refused = deployment
            .command(&from)
            .env("DOORCODE__DATABASE__URL", SOURCE)
            .run();
        let refused = refused.exited(1);
        assert_eq!(
            refused.stderr.lines().count(),
            1,
            "{to}: {}",
            refused.stderr
        );
        refused.complains(&[says]);
    }
}

/// A server on PostgreSQL is seen by its heartbeat.
#[actix_web::test]
async fn running_server_on_postgresql_prevents_the_move() {
    if !Database::is_postgres() {
        return;
    }
    let deployment = Deployment::with_user();
    let server = deployment.start();
    let back = format!("sqlite:{}", deployment.path("back.db").display());
    let refused = deployment.command(&["move", "--to", &back]).run().exited(1);
    refused.complains(&["A server uses the database. Stop all servers first."]);
    stop(server);
    deployment.command(&["move", "--to", &back]).run().exited(0);
}
