//! A deployment of the compiled program, with its own directory, database and address.

use super::browser::Browser;
use super::database::Database;
use super::ground::Ground;
use super::program::{Program, Running};
use super::{EMAIL, PASSWORD, http};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};

/// The last line of the server's start. The server listens by then.
pub const READY: &str = "Press Ctrl-C to stop.";

/// A deployment.
pub struct Deployment {
    /// Listen address.
    pub address: SocketAddr,
    /// The same as a URL.
    pub url: String,
    /// Database, for queries of the test.
    pub database: Database,
    ground: Ground,
    settings: Vec<(String, String)>,
}

impl Deployment {
    /// A deployment without files.
    pub fn new() -> Self {
        let ground = Ground::new(None);
        let address = free_address();
        let database = ground.database.clone();
        let url = format!("http://{address}");
        ground.canaries.serve_at(&url);
        let settings = [
            ("DOORCODE__SERVER__LISTEN", address.to_string()),
            ("DOORCODE__SERVER__PUBLIC_URL", url.clone()),
            ("DOORCODE__SERVER__WORKERS", "1".to_owned()),
            ("DOORCODE__SERVER__DRAIN_FOR", "0s".to_owned()),
            ("DOORCODE__DATABASE__URL", database.url.clone()),
        ];
        Self {
            settings: settings
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            address,
            url,
            database,
            ground,
        }
    }

    /// A deployment with an empty database.
    pub fn migrated() -> Self {
        Self::new().migrate()
    }

    /// Creates the database.
    pub fn migrate(self) -> Self {
        self.command(&["migrate"]).run().exited(0);
        self
    }

    /// A deployment with the user [`EMAIL`], who owns `Acme`.
    pub fn with_user() -> Self {
        let deployment = Self::migrated();
        deployment.add_user().run().exited(0);
        deployment
    }

    /// The command that creates the user [`EMAIL`].
    pub fn add_user(&self) -> Program {
        self.command(&["user", "add", "--email", EMAIL, "--name", "Ada"])
            .args(&["--org", "Acme", "--role", "owner", "--password-stdin"])
            .input(&format!("{PASSWORD}\n"))
    }

    /// The same with TLS of its own: the value of `server.tls`.
    pub fn with_tls(mut self, tls: &str) -> Self {
        self.url = format!("https://{}", self.address);
        self.ground.canaries.serve_at(&self.url);
        let url = self.url.clone();
        self.set("DOORCODE__SERVER__TLS", tls)
            .set("DOORCODE__SERVER__PUBLIC_URL", &url)
    }

    /// Sets an environment variable for all later commands.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Working directory of all commands.
    pub fn directory(&self) -> &Path {
        self.ground.directory.path()
    }

    /// A file of the deployment.
    pub fn path(&self, name: &str) -> PathBuf {
        self.ground.path(name)
    }

    /// Writes a file of the deployment with permissions for its owner alone.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path
    }

    /// A server-side command.
    pub fn command(&self, arguments: &[&str]) -> Program {
        let program = Program::new(self.directory(), arguments).of(&self.ground.canaries);
        self.settings
            .iter()
            .fold(program, |program, set| program.env(&set.0, &set.1))
    }

    /// The names of the environment variables of all commands.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().map(|(name, _)| name.as_str())
    }

    /// Starts the server and waits until it accepts requests.
    pub fn start(&self) -> Running {
        let mut server = self.command(&["serve"]).spawn();
        server.line(READY);
        server
    }

    /// Full URL of a path.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Status code of a GET request.
    pub async fn status(&self, path: &str) -> u16 {
        http()
            .get(self.at(path))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    }

    /// A browser in which [`EMAIL`] is signed in.
    pub async fn user(&self) -> Browser {
        let mut browser = Browser::new(&self.url);
        browser.sign_in(EMAIL, PASSWORD).await;
        browser
    }
}

/// Permissions of a file.
#[track_caller]
pub fn mode(path: &Path) -> u32 {
    let metadata = std::fs::metadata(path).unwrap_or_else(|why| panic!("{path:?}: {why}"));
    metadata.permissions().mode() & 0o777
}

/// An address that no other test uses, even while the server is down. On Linux it is a loopback
/// address of its own, since the kernel may assign every port of 127.0.0.1 to another test.
pub fn free_address() -> SocketAddr {
    static COUNT: AtomicU8 = AtomicU8::new(0);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let ip = match cfg!(target_os = "linux") {
        true => Ipv4Addr::new(
            127,
            64 | (high & 63),
            low,
            2 + COUNT.fetch_add(1, Ordering::Relaxed) % 250,
        ),
        false => Ipv4Addr::LOCALHOST,
    };
    TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap()
}
