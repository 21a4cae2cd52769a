//! A second server, beside the one of the test.

use super::TestApp;
use doorcode::app::App;
use doorcode::app::deployment::Secrets;
use doorcode::app::heartbeat::Heart;
use doorcode::config::Config;
use doorcode::store::Store;
use doorcode::web;
use std::net::TcpListener;

/// A server that shares the clock and the secrets of a test's first one.
pub struct Node {
    /// Listen address, as a URL.
    pub url: String,
    /// Its application.
    pub app: App,
    handle: actix_web::dev::ServerHandle,
}

impl TestApp {
    /// Starts another server on the given database, which may be unreachable.
    pub fn node(&self, database_url: &str) -> Node {
        self.node_with("", database_url)
    }

    /// The same with settings, as TOML.
    pub fn node_with(&self, settings: &str, database_url: &str) -> Node {
        let audit_key = self.path("audit_key").display().to_string();
        let env = [
            ("DOORCODE__DATABASE__URL", database_url),
            ("DOORCODE__SERVER__PUBLIC_URL", &self.url),
            ("DOORCODE__AUDIT__SIGNING_KEY_FILE", &audit_key),
            ("DOORCODE__AUDIT__CHECKPOINT_TO", "off"),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), settings).unwrap();
        let config = Config::load(Some(file.path()), env).unwrap();
        let secrets = Secrets::load(&config, self.entropy.as_ref(), super::secrets).unwrap();
        let store = Store::open(&config.database.url).unwrap();
        let app = App::new(
            config,
            store,
            secrets,
            self.clock.clone(),
            self.entropy.clone(),
        )
        .unwrap();
        let heart = Heart::new(&app);
        actix_web::rt::spawn(async move { heart.run().await });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        self.canaries.serve_at(&url);
        let listener = web::Listener::plain(listener, 1);
        let server = web::server(app.clone(), web::Metrics::default(), listener).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Node { url, app, handle }
    }
}

impl Node {
    /// Full URL of a path.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}
