//! PgBouncer in transaction mode between the server and PostgreSQL.

use super::schema::CLIENT;
use crate::support::database::Database;
use crate::support::deployment::{Deployment, free_address};
use crate::support::http;
use diesel::prelude::*;
use diesel::sql_types::Text;
use futures_util::future::join_all;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use url::Url;

/// A user of the system that owns nothing: PgBouncer does not run as root.
const NOBODY: &str = "nobody";

/// The built-in client.
const CLI: &str = "doorcode-cli";

/// Number of sessions that all servers share.
const SESSIONS: u8 = 3;

/// A running PgBouncer.
struct Bouncer {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Bouncer {
    /// Starts it before the server of a URL.
    fn start(url: &str) -> Self {
        let server = Url::parse(url).unwrap();
        let address = free_address();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={} port={} user={}\n[pgbouncer]\nlisten_addr = {}\n\
             listen_port = {}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = {SESSIONS}\nmax_client_conn = 200\n",
            server.host_str().unwrap(),
            server.port().unwrap_or(5432),
            server.username(),
            address.ip(),
            address.port(),
        );
        std::fs::write(&file, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode;
        std::fs::set_permissions(folder.path(), mode(0o755)).unwrap();
        std::fs::set_permissions(&file, mode(0o644)).unwrap();
        let mut command = Command::new("/usr/sbin/pgbouncer");
        if rustix::process::geteuid().is_root() {
            command.args(["-u", NOBODY]);
        }
        command
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the Debian package pgbouncer");
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        assert!(lines.any(|line| line.contains("process up")));
        // It must be able to log.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address,
            _folder: folder,
        }
    }

    /// The URL of a database through it.
    fn url(&self, url: &str) -> String {
        let mut url = Url::parse(url).unwrap();
        url.set_ip_host(self.address.ip()).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.to_string()
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Migration, commands and two busy servers, with fewer sessions than connections. Each commit is
/// flushed and each wait for a lock limited, and nothing of it stays in a session for others.
#[actix_web::test]
async fn servers_work_behind_pgbouncer_in_transaction_mode() {
    if !Database::is_postgres() {
        return;
    }
    let deployment = Deployment::new();
    let database = deployment.database.clone();
    let name = database.text("SELECT current_database()");
    database.execute(&format!(
        "ALTER DATABASE {name} SET synchronous_commit = off"
    ));
    let bouncer = Bouncer::start(&database.url);
    let url = bouncer.url(&database.url);
    let deployment = deployment
        .set("DOORCODE__DATABASE__URL", &url)
        .set("DOORCODE__DATABASE__POOLER", "transaction")
        .set("DOORCODE__SERVER__TRUSTED_PROXIES", r#"["127.0.0.0/8"]"#)
        .migrate();
    deployment.add_user().run().exited(0);
    database.execute(
        "CREATE TABLE setting (value TEXT);
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO setting VALUES (concat_ws(' ', current_setting('synchronous_commit'),
                 current_setting('lock_timeout') <> '0', current_setting('statement_timeout')));
             RETURN NEW;
         END $$;
         CREATE TRIGGER noted BEFORE INSERT ON device_grant
             FOR EACH ROW EXECUTE FUNCTION note()",
    );
    let _server = deployment.start();
    let other = free_address();
    let mut second = deployment
        .command(&["serve"])
        .env("DOORCODE__SERVER__LISTEN", other.to_string())
        .spawn();
    second.line(crate::support::deployment::READY);
    assert_eq!(deployment.status("/readyz").await, 200);

    let mut browser = deployment.user().await;
    let token = browser.new_token("laptop", &["tokens:read"], "30d").await;
    for round in 0..4 {
        let calls = (0..60).map(|n| {
            let place = match n % 2 {
                0 => deployment.url.clone(),
                _ => format!("http://{other}"),
            };
            let token = token.clone();
            async move {
                let call = match n % 3 {
                    0 => http()
                        .post(format!("{place}/auth/device"))
                        // Each from another source, which has limits of its own.
                        .header("x-forwarded-for", format!("10.{round}.{n}.1"))
                        .form(&[("client_id", CLI)]),
                    _ => http().get(format!("{place}/v1/me")).bearer_auth(token),
                };
                call.send().await.unwrap().status().as_u16()
            }
        });
        let answers = join_all(calls).await;
        assert!(
            answers.iter().all(|status| *status == 200),
            "{round}: {answers:?}"
        );
    }
    deployment.command(&CLIENT).run().exited(0);

    let used = "SELECT string_agg(DISTINCT value, ', ') FROM setting";
    assert_eq!(database.text(used), "on t 4s");
    let mut foreign = PgConnection::establish(&url).unwrap();
    let left = foreign.transaction(|conn| {
        diesel::sql_query("SELECT current_setting('synchronous_commit') AS value")
            .get_result::<Setting>(conn)
    });
    assert_eq!(left.unwrap().value, "off");
    drop(foreign);
    let sessions = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' \
         AND pid <> pg_backend_pid()"
    );
    let sessions: u8 = database.text(&sessions).parse().unwrap();
    assert!((1..=SESSIONS).contains(&sessions), "{sessions}");
}
