//! The statements that servers of a test run on SQLite. Connections to PostgreSQL observe their own
//! progress instead.

use crate::support::database::Database;
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use std::collections::BTreeMap;
use std::sync::{Mutex, Once};

/// Statements by the path of the watched database.
static SEEN: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

/// Observes one connection.
#[derive(Default)]
struct Observer {
    path: String,
}

impl Instrumentation for Observer {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                url.clone_into(&mut self.path);
            }
            InstrumentationEvent::StartQuery { query, .. } => {
                let mut seen = SEEN.lock().unwrap();
                if let Some(seen) = seen.get_mut(&self.path) {
                    let text = query.to_string();
                    let sql = text.split(" -- binds:").next().unwrap_or_default();
                    seen.push(sql.to_owned());
                }
            }
            _ => {}
        }
    }
}

/// Observes connections that are opened from now on. Call it before the server of a test starts.
pub fn observe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        set_default_instrumentation(|| Some(Box::<Observer>::default())).unwrap();
    });
}

/// The result of a future, and the statements that run on a database meanwhile.
pub async fn during<T>(database: &Database, work: impl Future<Output = T>) -> (T, Vec<String>) {
    let path = database.url.trim_start_matches("sqlite:").to_owned();
    SEEN.lock().unwrap().insert(path.clone(), Vec::new());
    let value = work.await;
    let seen = SEEN.lock().unwrap().remove(&path).unwrap_or_default();
    (value, seen)
}
