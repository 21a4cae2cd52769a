//! Opens a database that a benchmark fills before the server starts.

use doorcode::config::{Config, DatabaseUrl};
use doorcode::domain::Instant;
use doorcode::store::Store;

/// Parses a database URL as the configuration does.
pub fn database(url: &str) -> Result<DatabaseUrl, String> {
    let variable = ("DOORCODE__DATABASE__URL".to_owned(), url.to_owned());
    let config = Config::load(None, vec![variable]);
    config
        .map(|config| config.database.url)
        .map_err(|error| error.to_string())
}

/// Opens a database and migrates it.
pub fn open(url: &DatabaseUrl) -> Store {
    let store = Store::open(url).unwrap();
    store.migrate().unwrap();
    store
}

/// The current time, in the precision of the database.
#[expect(
    clippy::disallowed_methods,
    reason = "the measured server uses the same clock"
)]
pub fn now() -> Instant {
    let now = chrono::Utc::now();
    chrono::DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap()
}
