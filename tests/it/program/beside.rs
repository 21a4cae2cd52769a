//! A second server, and commands, beside a server on an SQLite file.

use crate::support::database::Database;
use crate::support::deployment::Deployment;
use crate::support::http;
use futures_util::future::join_all;
use std::sync::atomic::{AtomicBool, Ordering};

/// Requests that write at the same time, all the time.
const CLIENTS: usize = 32;

/// Commands that run meanwhile.
const COMMANDS: usize = 12;

/// A second server would lose the wake-ups of the first: it is refused in one line, and the first one
/// runs on. After a crash, the next server and commands start at once.
#[actix_web::test]
async fn second_server_on_a_file_is_refused() {
    if Database::is_postgres() {
        return;
    }
    let deployment = Deployment::with_user();
    let server = deployment.start();
    let second = deployment
        .command(&["serve"])
        .env("DOORCODE__SERVER__LISTEN", "127.0.0.1:0");
    let refused = second.run().exited(1).complains(&[
        &format!("Another server (process {}) uses", server.id()),
        "Stop it first.",
    ]);
    assert_eq!(refused.stderr.matches("error: ").count(), 1);
    assert_eq!(deployment.status("/readyz").await, 200);
    server.kill();
    deployment.command(&["user", "list"]).run().exited(0);
    let _server = deployment.start();
    assert_eq!(deployment.status("/readyz").await, 200);
}

/// Commands of the operator never fail beside a server that writes without a pause, nor do its
/// requests.
#[test]
fn commands_succeed_beside_a_busy_server() {
    let deployment = Deployment::with_user()
        .set("DOORCODE__DEVICE__LIVE_CODES_PER_SOURCE", "1000000")
        .set("DOORCODE__DEVICE__LIVE_CODES_PER_SITE", "1000000")
        .set("DOORCODE__DEVICE__LIVE_CODES_PER_CLIENT", "1000000");
    let _server = deployment.start();
    let url = deployment.at("/auth/device");
    let is_over = AtomicBool::new(false);
    let client = async || {
        let (http, mut sent) = (http(), 0);
        while !is_over.load(Ordering::Relaxed) {
            let form = [("client_id", "doorcode-cli")];
            let answer = http.post(&url).form(&form).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            sent += 1;
        }
        sent
    };
    let sent: usize = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let clients = join_all((0..CLIENTS).map(|_| client()));
            actix_web::rt::System::new()
                .block_on(clients)
                .into_iter()
                .sum()
        });
        for n in 0..COMMANDS {
            let id = format!("client-{n}");
            let add = [
                "client",
                "add",
                "--id",
                &id,
                "--name",
                "Beside",
                "--scope",
                "orgs:read",
            ];
            deployment.command(&add).run().exited(0);
            if !Database::is_postgres() {
                let backup = deployment.path(&format!("backup-{n}.db"));
                let backup = ["backup", backup.to_str().unwrap()];
                deployment.command(&backup).run().exited(0);
            }
        }
        is_over.store(true, Ordering::Relaxed);
        load.join().unwrap()
    });
    assert!(sent > CLIENTS, "{sent}");
    let added = deployment.database.count("client", "name = 'Beside'");
    assert_eq!(added, i64::try_from(COMMANDS).unwrap());
}
