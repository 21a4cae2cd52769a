//! The statements that servers of a test run on SQLite. Connections to PostgreSQL observe their own
//! progress instead.

use crate::support::database::Database;
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How long a test waits for a statement, or for other work beside a held one.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Statements by the path of the watched database.
static SEEN: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

/// Statements that wait, by the path of their database.
static HELD: Mutex<BTreeMap<String, Waiting>> = Mutex::new(BTreeMap::new());

/// How the first statement with a text waits.
struct Waiting {
    text: &'static str,
    reached: UnboundedSender<()>,
    released: Arc<Mutex<Receiver<()>>>,
}

/// Holds the first statement with a text; see [`hold`].
pub struct Hold {
    reached: UnboundedReceiver<()>,
    release: Sender<()>,
}

impl Hold {
    /// Waits until a connection begins the statement. Fails if none does.
    pub async fn reached(&mut self) {
        let reached = tokio::time::timeout(PATIENCE, self.reached.recv()).await;
        reached.expect("no such statement").unwrap();
    }

    /// Lets it continue.
    pub fn release(self) {
        drop(self.release);
    }
}

/// Holds the first statement with this text on a database, in the thread that runs it.
pub fn hold(database: &Database, text: &'static str) -> Hold {
    let (reached, is_reached) = unbounded_channel();
    let (release, released) = channel();
    let waiting = Waiting {
        text,
        reached,
        released: Arc::new(Mutex::new(released)),
    };
    let path = database.url.trim_start_matches("sqlite:").to_owned();
    HELD.lock().unwrap().insert(path, waiting);
    Hold {
        reached: is_reached,
        release,
    }
}

/// Waits if the statement is held.
fn wait(path: &str, sql: &str) {
    let released = {
        let mut held = HELD.lock().unwrap();
        match held.get(path) {
            Some(waiting) if sql.contains(waiting.text) => {}
            _ => return,
        }
        let waiting = held.remove(path).unwrap();
        waiting.reached.send(()).unwrap();
        waiting.released
    };
    // Until the sender is gone.
    let _ = released.lock().unwrap().recv();
}

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
                wait(&self.path, &query.to_string());
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
