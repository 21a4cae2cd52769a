//! TLS to PostgreSQL, with the verification of its certificate.

use super::{ANSWERED, until_ready};
use crate::support::database::Database;
use crate::support::deployment::{Deployment, READY};
use crate::support::http;
use crate::support::relay::{DeadEnd, Relay};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use std::time::{Duration, Instant};
use url::Url;

/// An authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap());
        Self(issuer.unwrap())
    }

    /// The certificate for a host, which is valid until a year, and its key.
    fn issue(&self, host: &str, year: i32) -> (String, String) {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// The settings of the database server, which are those of all tests. A server that speaks TLS
/// accepts connections without it too.
struct Settings<'a>(&'a Database);

impl Settings<'_> {
    /// Lets the server use a certificate, or no TLS, and waits until it does.
    fn use_certificate(&self, pair: Option<&(String, String)>) {
        let file = format!("tls-{}", hex::encode(rand::random::<[u8; 10]>()));
        if let Some((certificate, key)) = pair {
            for (name, text) in [("crt", certificate), ("key", key)] {
                // The file is one of the user of the server, who alone may read a key.
                self.0.execute(&format!(
                    "COPY (SELECT unnest(string_to_array('{}', ';')))
                     TO PROGRAM 'umask 077; cat > {file}.{name}'",
                    text.trim().replace('\n', ";")
                ));
            }
            self.set("ssl_cert_file", &format!("{file}.crt"));
            self.set("ssl_key_file", &format!("{file}.key"));
        }
        self.set("ssl", if pair.is_some() { "on" } else { "off" });
        self.0.execute("SELECT pg_reload_conf()");
        let (setting, expected) = match pair {
            Some(_) => ("ssl_cert_file", format!("{file}.crt")),
            None => ("ssl", "off".to_owned()),
        };
        let deadline = Instant::now() + ANSWERED;
        let current = format!("SELECT current_setting('{setting}')");
        while self.0.text(&current) != expected {
            assert!(Instant::now() < deadline, "the server does not use {file}");
        }
    }

    fn set(&self, name: &str, value: &str) {
        self.0
            .execute(&format!("ALTER SYSTEM SET {name} = '{value}'"));
    }
}

impl Drop for Settings<'_> {
    fn drop(&mut self) {
        for name in ["ssl", "ssl_cert_file", "ssl_key_file"] {
            self.0.execute(&format!("ALTER SYSTEM RESET {name}"));
        }
        self.0.execute("SELECT pg_reload_conf()");
    }
}

/// The URL of a database at these hosts and ports, with the verification by an authority.
fn url(database: &Database, hosts: &str, authority: &str) -> String {
    let url = Url::parse(&database.url).unwrap();
    format!(
        "postgres://{}@{hosts}{}?sslmode=verify-full&connect_timeout=1&sslrootcert={authority}",
        url.username(),
        url.path()
    )
}

/// Waits until the attempts of a process to connect have ended, and have left no folder.
async fn until_no_socket_is_left(process: u32) {
    let prefix = format!("doorcode-{process}-");
    let deadline = Instant::now() + ANSWERED;
    let mut look = tokio::time::interval(Duration::from_millis(20));
    loop {
        look.tick().await;
        let folders = std::fs::read_dir(std::env::temp_dir()).unwrap();
        let names = folders.map(|folder| folder.unwrap().file_name());
        let left: Vec<_> = names
            .filter(|name| name.to_string_lossy().starts_with(&prefix))
            .collect();
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{left:?}");
    }
}

/// The right authority passes. Everything else stops the start with one line that says what and how
/// to mend it: another authority, name or time, no TLS, and files that cannot be used.
#[actix_web::test]
async fn certificate_of_the_database_is_verified() {
    if !Database::is_postgres() {
        return;
    }
    let deployment = Deployment::new();
    let database = deployment.database.clone();
    let settings = Settings(&database);
    let port = Url::parse(&database.url).unwrap().port().unwrap_or(5432);
    let here = format!("127.0.0.1:{port}");
    let (own, foreign) = (Authority::new(), Authority::new());
    deployment.write("own.pem", &own.0.pem());
    deployment.write("foreign.pem", &foreign.0.pem());
    deployment.write("empty.pem", "");
    let migrate = |hosts: &str, authority: &str| {
        let url = url(&database, hosts, authority);
        let command = deployment.command(&["migrate"]);
        command.env("DOORCODE__DATABASE__URL", url).run()
    };
    let refuse = |hosts: &str, authority: &str, pieces: &[&str]| {
        let refused = migrate(hosts, authority).exited(1).complains(pieces);
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
        assert!(!refused.stderr.contains(".s.PGSQL"), "{}", refused.stderr);
    };

    settings.use_certificate(None);
    let place = format!("at {here} failed: ");
    refuse(&here, "own.pem", &[&place, "it offers no TLS", "ssl = on"]);
    settings.use_certificate(Some(&own.issue("127.0.0.1", 2020)));
    refuse(&here, "own.pem", &[&place, "its certificate has expired"]);
    settings.use_certificate(Some(&own.issue("db.example.com", 2100)));
    refuse(
        &here,
        "own.pem",
        &[&place, "not for 127.0.0.1", "subjectAltName"],
    );
    settings.use_certificate(Some(&own.issue("127.0.0.1", 2100)));
    refuse(
        &here,
        "foreign.pem",
        &[
            &place,
            "an authority that is not trusted",
            "sslrootcert=FILE",
        ],
    );
    refuse(
        &here,
        "system",
        &[&place, "an authority that is not trusted"],
    );
    refuse(
        &here,
        "none.pem",
        &["none.pem: No such file", "Correct sslrootcert"],
    );
    refuse(
        &here,
        "empty.pem",
        &["empty.pem: it has no certificate", "Correct sslrootcert"],
    );
    refuse(
        "127.0.0.1:1",
        "own.pem",
        &["at 127.0.0.1:1 failed: ", "refused"],
    );
    let client = deployment.write("client.key", "");
    std::fs::set_permissions(&client, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let with_client = "own.pem&sslcert=own.pem&sslkey=client.key";
    refuse(
        &here,
        with_client,
        &["client.key: other users can read it", "chmod 600"],
    );

    // Without a word about verification.
    let unverified = url(&database, &here, "own.pem").replace("verify-full", "require");
    let refused = deployment.command(&["migrate"]);
    let refused = refused.env("DOORCODE__DATABASE__URL", unverified).run();
    refused
        .exited(1)
        .complains(&["sslmode=require", "write sslmode=verify-full"]);

    // Hosts that are gone, silent or not trusted come before the right one.
    migrate(&here, "own.pem").exited(0);
    let silent = DeadEnd::start();
    let hosts = format!("127.0.0.1:1,{},localhost:{port},{here}", silent.address);
    let url = url(&database, &hosts, "own.pem");
    let deployment = deployment.set("DOORCODE__DATABASE__URL", &url);
    deployment.add_user().run().exited(0);
    let mut server = deployment.command(&["serve"]).spawn();
    server.line(READY);
    until_ready(&deployment.url, 200, "ready", ANSWERED).await;
    let mut browser = deployment.user().await;
    browser.new_token("laptop", &["tokens:read"], "30d").await;
    let encrypted = "SELECT string_agg(DISTINCT s.ssl::text, ' ') FROM pg_stat_ssl s \
                     JOIN pg_stat_activity a USING (pid) \
                     WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()";
    assert_eq!(database.text(encrypted), "true");
    assert!(silent.accepted() > 0);

    // A certificate that is replaced counts for the next connection.
    settings.use_certificate(Some(&own.issue("127.0.0.1", 2090)));
    database.cut_connections();
    until_ready(&deployment.url, 200, "ready", ANSWERED).await;

    // A path that takes bytes and answers nothing heals, too.
    server.signal("TERM");
    server.finish().exited(0);
    let relay = Relay::to(&database.url);
    let relayed = Url::parse(&relay.url(&database.url)).unwrap();
    let relayed = format!("127.0.0.1:{}", relayed.port().unwrap());
    let mut server = deployment
        .command(&["serve"])
        .env(
            "DOORCODE__DATABASE__URL",
            self::url(&database, &relayed, "own.pem"),
        )
        .spawn();
    server.line(READY);
    until_ready(&deployment.url, 200, "ready", ANSWERED).await;
    until_no_socket_is_left(server.id()).await;
    assert!(relay.silence() > 0);
    let started = Instant::now();
    until_ready(&deployment.url, 503, "database", ANSWERED).await;
    until_ready(&deployment.url, 200, "ready", ANSWERED).await;
    let write = http().post(deployment.at("/auth/device"));
    let write = write.form(&[("client_id", "doorcode-cli")]).send().await;
    assert_eq!(write.unwrap().status(), 200);
    assert!(started.elapsed() < ANSWERED, "{:?}", started.elapsed());
    // Before its database is gone.
    drop(settings);
}
