//! A database that a bench fills before a server works on it.

use doorcode::config::{Config, DatabaseUrl};
use doorcode::domain::Instant;
use doorcode::store::Store;

/// Reads the address of a database as the configuration does.
pub fn database(url: &str) -> Result<DatabaseUrl, String> {
    let variable = ("DOORCODE__DATABASE__URL".to_owned(), url.to_owned());
    let config = Config::load(None, vec![variable]);
    config
        .map(|config| config.database.url)
        .map_err(|error| error.to_string())
}

/// Opens a database and brings it up to date.
pub fn open(url: &DatabaseUrl) -> Store {
    let store = Store::open(url).unwrap();
    store.migrate().unwrap();
    store
}

/// The present moment, as exactly as the database keeps it.
#[expect(
    clippy::disallowed_methods,
    reason = "the server that is measured tells its time by the same clock"
)]
pub fn now() -> Instant {
    let now = chrono::Utc::now();
    chrono::DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap()
}
