//! The real server in process, with clock and entropy under the control of tests.

pub mod browser;
pub mod canary;
pub mod clock;
pub mod database;
pub mod deployment;
pub mod device;
pub mod exchange;
pub mod ground;
mod http_client;
pub mod imports;
pub mod log;
pub mod machine;
pub mod node;
pub mod program;
pub mod provider;
pub mod raw;
pub mod relay;
pub mod search;
pub mod seed;
pub mod smtp;
pub mod source;
pub mod tenant;
pub mod truth;
pub mod user;

use actix_web::dev::ServerHandle;
use browser::Browser;
use canary::Canaries;
use clock::{ManualClock, SeededEntropy};
use database::{AUDIT, Database, Template};
use doorcode::app::client::{self, Kind};
use doorcode::app::deployment::Secrets;
use doorcode::app::heartbeat::Heart;
use doorcode::app::{App, sweep};
use doorcode::config::Config;
use doorcode::domain::role::Role;
use doorcode::{store::Store, web};
use ground::Ground;
pub use http_client::http;
use search::Leak;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// The user of most tests.
pub const EMAIL: &str = "ada@example.com";
/// Their password.
pub const PASSWORD: &str = "violet kettle marches north";
/// The operator token of the tests.
pub const OPERATOR: &str = "dc_0123456789abcdef0123456789abcdef0123456789abcdef";
/// The token that the sinks and checkpoint receivers of the audit log get.
pub const WEBHOOK: &str = "webhook-4711-of-the-tests";
/// One byte of the secret key, in hexadecimal.
const KEY: &str = "5e";
/// Lowest argon2id cost, which no configuration may set: KiB of memory, and iterations.
const CHEAPEST_HASH: (u32, u32) = (8, 1);
/// Longer than it takes to write the data that is buffered in memory.
const PATIENCE: Duration = Duration::from_secs(3);
/// Settings under which the tests are a trusted proxy.
pub const PROXY: &str = "[server]\ntrusted_proxies = [\"127.0.0.1/32\"]\n";
/// The public client of the tests. It may request every scope.
pub const CLI: &str = "cli";
/// The confidential client of the tests.
pub const API: &str = "api";

/// A server for one test.
pub struct TestApp {
    /// Listen address, as a URL.
    pub url: String,
    /// The application that it serves.
    pub app: App,
    /// Clock, which stands still until it is moved.
    pub clock: Arc<ManualClock>,
    /// Source of random bytes.
    pub entropy: Arc<SeededEntropy>,
    /// Database, for queries of the test.
    pub database: Database,
    /// Known secrets.
    pub canaries: Canaries,
    /// The secret of the client [`API`].
    pub api_secret: String,
    http: reqwest::Client,
    handle: ServerHandle,
    /// Kept while any server uses it, then searched for secrets.
    ground: Arc<Ground>,
}

impl TestApp {
    /// A server with default settings, the user [`EMAIL`] (owner of `Acme`) and the clients
    /// [`CLI`] and [`API`].
    pub async fn start() -> Self {
        Self::with("").await
    }

    /// The same with settings, as TOML. `{url}` stands for the server's own address, and
    /// `{directory}` for the directory of its files. A `public_url` under `[server]`, and a
    /// `checkpoint_to` and a `signing_key_file` under `[audit]`, replace those of the test.
    ///
    /// Unless the settings set the cost of password hashes, it is the lowest of argon2id.
    pub async fn with(settings: &str) -> Self {
        static WITH_OWNER: OnceCell<Template> = OnceCell::const_new();
        let with_owner = async || {
            let test = Self::for_template(1, Some(Self::migrated().await)).await;
            test.add_owner().await;
            test.template("doorcode_test_with_owner").await
        };
        let mut test = if settings.contains(HASH_COST) {
            let test = Self::empty(settings).await;
            test.add_owner().await;
            test
        } else {
            Self::copy_of(WITH_OWNER.get_or_init(with_owner).await, settings).await
        };
        test.canaries.add(PASSWORD);
        // Some scopes are for clients for which the operator lists them.
        let scopes = test.app.config().scopes.names().to_string();
        let scopes: Vec<_> = scopes.split(' ').collect();
        test.add_client(CLI, Kind::Public, &scopes).await;
        test.api_secret = test.add_client(API, Kind::Confidential, &[]).await;
        test
    }

    /// A server without users, with the built-in client alone.
    pub async fn empty(settings: &str) -> Self {
        Self::copy_of(Self::migrated().await, settings).await
    }

    /// Template with the tables and the built-in client.
    async fn migrated() -> &'static Template {
        static MIGRATED: OnceCell<Template> = OnceCell::const_new();
        let migrated = async || {
            let test = Self::for_template(0, None).await;
            test.template("doorcode_test_migrated").await
        };
        MIGRATED.get_or_init(migrated).await
    }

    /// A server on a copy of a template.
    async fn copy_of(template: &Template, settings: &str) -> Self {
        let clock = (Arc::default(), Arc::default());
        Self::launch(settings, Arc::new(Ground::new(Some(template))), clock).await
    }

    /// A server that creates a template. Its random bytes differ from those of servers on copies,
    /// so that no id is drawn twice.
    async fn for_template(seed: u64, template: Option<&Template>) -> Self {
        let clock = (Arc::default(), Arc::new(SeededEntropy::with_seed(seed)));
        Self::launch("", Arc::new(Ground::new(template)), clock).await
    }

    /// Stops the server and creates a template of its database.
    async fn template(self, name: &str) -> Template {
        self.handle.stop(true).await;
        self.app.stop().await;
        self.database.template(name)
    }

    async fn add_owner(&self) {
        self.add_user(EMAIL, PASSWORD, Some(("Acme", Role::Owner)))
            .await;
    }

    /// Another server on the same database, with the same keys, clock and random bytes.
    pub async fn second_server(&self, settings: &str) -> Self {
        let clock = (self.clock.clone(), self.entropy.clone());
        let mut second_server = Self::launch(settings, self.ground.clone(), clock).await;
        second_server.api_secret.clone_from(&self.api_secret);
        second_server
    }

    async fn launch(
        settings: &str,
        ground: Arc<Ground>,
        (clock, entropy): (Arc<ManualClock>, Arc<SeededEntropy>),
    ) -> Self {
        log::capture();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        ground.canaries.serve_at(&url);
        for secret in [OPERATOR, WEBHOOK, &KEY.repeat(32)] {
            ground.canaries.add(secret);
        }
        let database = ground.database.clone();
        let file = ground.path("doorcode.toml");
        let settings = settings.replace("{url}", &url);
        let settings = settings.replace(
            "{directory}",
            &ground.directory.path().display().to_string(),
        );
        std::fs::write(&file, &settings).unwrap();
        let path = |name| ground.path(name).display().to_string();
        let env = [("DOORCODE__DATABASE__URL", database.url.clone())];
        let mut env: Vec<_> = env.map(|(name, value)| (name.to_owned(), value)).into();
        for (name, variable, value) in [
            ("public_url", "DOORCODE__SERVER__PUBLIC_URL", url.clone()),
            (
                "checkpoint_to",
                "DOORCODE__AUDIT__CHECKPOINT_TO",
                path("audit_checkpoints"),
            ),
            (
                "signing_key_file",
                "DOORCODE__AUDIT__SIGNING_KEY_FILE",
                path("audit_key"),
            ),
        ] {
            if !settings.contains(name) {
                env.push((variable.to_owned(), value));
            }
        }
        let mut config = Config::load(Some(&file), env).unwrap();
        if !settings.contains(HASH_COST) {
            (
                config.sign_in.argon2_memory_kib,
                config.sign_in.argon2_iterations,
            ) = CHEAPEST_HASH;
        }

        let (app, handle) = serve(config, listener, clock.clone(), entropy.clone()).await;
        Self {
            url,
            app,
            clock,
            entropy,
            database,
            canaries: ground.canaries.clone(),
            api_secret: String::new(),
            http: http(),
            handle,
            ground,
        }
    }

    /// A file of the server.
    pub fn path(&self, name: &str) -> PathBuf {
        self.ground.path(name)
    }

    /// Full URL of a path.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// An anonymous client without cookies. It follows no redirects.
    pub fn anon(&self) -> reqwest::Client {
        self.http.clone()
    }

    /// A browser without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// A browser in which [`EMAIL`] is signed in.
    pub async fn user(&self) -> Browser {
        let mut browser = self.browser();
        browser.sign_in(EMAIL, PASSWORD).await;
        browser
    }

    /// Sends `GET /v1/me` with a token.
    pub async fn me(&self, token: &str) -> reqwest::Response {
        let request = self.anon().get(self.at("/v1/me")).bearer_auth(token);
        request.send().await.unwrap()
    }

    /// Introspects a token as the client [`API`].
    pub async fn introspect(&self, token: &str) -> serde_json::Value {
        let response = self
            .anon()
            .post(self.at("/auth/introspect"))
            .basic_auth(API, Some(&self.api_secret))
            .form(&[("token", token)])
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    /// Number of rows of a table that meet a condition.
    pub fn count(&self, table: &str, condition: &str) -> i64 {
        self.database.count(table, condition)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // The workers receive the stop even if the future is not awaited.
        drop(self.handle.stop(false));
        if !std::thread::panicking() {
            self.write_gathered();
        }
    }
}

impl TestApp {
    /// Stops the server and starts it again at the same address, with only its database and its
    /// secrets.
    pub async fn restart(&mut self) {
        self.handle.stop(true).await;
        self.app.stop().await;
        let address = self.url.strip_prefix("http://").unwrap();
        let listener = TcpListener::bind(address).unwrap();
        let config = self.app.config().clone();
        let clock = (self.clock.clone(), self.entropy.clone());
        (self.app, self.handle) = serve(config, listener, clock.0, clock.1).await;
    }

    /// Writes the data that is buffered in memory and seals committed records, as the server does
    /// every second.
    pub async fn settle(&self) {
        let failed = sweep::settle(&self.app).await;
        assert!(failed.is_empty(), "{failed:?}");
    }

    /// Writes the data that is buffered in memory, so that it is searched too. It runs on its own
    /// thread, since `drop` cannot await a future.
    fn write_gathered(&self) {
        let work = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let written = sweep::write_gathered(&self.app);
                // Data that a test has broken is not written, and so cannot leak.
                let _ = tokio::time::timeout(PATIENCE, written).await;
            });
        };
        std::thread::scope(|scope| scope.spawn(work).join()).unwrap();
    }

    /// All content except audit records of reads of the audit log, which every such read adds.
    pub fn unread(&self) -> (Vec<String>, i64) {
        let mut content = self.database.content();
        content.retain(|line| !line.starts_with("audit_"));
        (content, self.count(AUDIT, "action NOT LIKE 'audit.%'"))
    }

    /// Secrets of this server found outside the permitted files so far.
    pub fn leaks(&self) -> Vec<Leak> {
        self.write_gathered();
        self.ground.search().leaks
    }

    /// Number of audit records of an action.
    pub fn events(&self, action: &str) -> i64 {
        self.count(AUDIT, &format!("action = '{action}'"))
    }
}

/// Opens the database, migrates it and serves.
async fn serve(
    config: Config,
    socket: TcpListener,
    clock: Arc<ManualClock>,
    entropy: Arc<SeededEntropy>,
) -> (App, ServerHandle) {
    let secrets = Secrets::load(&config, entropy.as_ref(), secrets).unwrap();
    let store = Store::open(&config.database.url).unwrap();
    store.migrate().unwrap();
    let app = App::new(config, store, secrets, clock, entropy).unwrap();
    client::ensure_cli(&app).await.unwrap();
    let heart = Heart::new(&app);
    heart.beat().await;
    actix_web::rt::spawn(async move { heart.run().await });
    let (listener, metrics) = (web::Listener::plain(socket, 1), web::Metrics::default());
    let server = web::server(app.clone(), metrics, listener).unwrap();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (app, handle)
}

/// Part of the names of the settings of the cost of password hashes.
const HASH_COST: &str = "argon2";

/// Secrets of the environment.
fn secrets(name: &str) -> Option<String> {
    match name {
        "DOORCODE_OPERATOR_TOKEN" => Some(OPERATOR.to_owned()),
        "DOORCODE_SECRET_KEY" => Some(KEY.repeat(32)),
        "DOORCODE_AUDIT_WEBHOOK_TOKEN" => Some(WEBHOOK.to_owned()),
        _ => None,
    }
}
