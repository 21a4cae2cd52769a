use super::super::Store;
use super::super::conn::Purpose;
use super::*;
use config::DatabaseUrl;
use diesel::connection::SimpleConnection;
use std::cell::{Cell, RefCell};
use std::sync::mpsc::{Receiver, Sender, channel};
use tempfile::TempDir;

const IDS: [&str; 3] = ["a", "b", "c"];

thread_local! {
    /// Statements of this thread that looked for a name.
    static STATEMENTS: Cell<usize> = const { Cell::new(0) };
    /// Runs once, between the next such statement and the end of its look-up.
    static AFTER_READ: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// The name of a client.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Lookup for Name {
    type Key = String;

    const MOST: usize = 2;

    fn find(conn: &mut Conn, id: &String) -> Result<Option<Self>, Error> {
        STATEMENTS.set(STATEMENTS.get() + 1);
        let found = diesel::sql_query("SELECT name FROM client WHERE id = $1")
            .bind::<Text, _>(id)
            .get_result(conn)
            .optional()?;
        if let Some(run) = AFTER_READ.take() {
            run();
        }
        Ok(found)
    }
}

/// A database, and its directory.
struct Database(TempDir);

impl Database {
    /// A migrated database whose clients have the names `0`.
    fn new() -> Self {
        let own = Self(tempfile::tempdir().unwrap());
        own.store().migrate().unwrap();
        let insert = IDS.map(|id| {
            format!(
                "INSERT INTO client (id, name, scopes, default_scopes, state, created_at, \
                 follows_settings) VALUES ('{id}', '0', '', '', 'active', '2030-01-01', 0);"
            )
        });
        own.commit(&insert.concat());
        own
    }

    fn url(&self) -> DatabaseUrl {
        DatabaseUrl::Sqlite(self.0.path().join("doorcode.db"))
    }

    fn store(&self) -> Store {
        Store::open(&self.url()).unwrap()
    }

    /// Executes statements on a connection of their own, as another process does.
    fn commit(&self, statements: &str) {
        let mut conn = Conn::open(&self.url(), Purpose::Write).unwrap();
        conn.batch_execute(statements).unwrap();
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().build().unwrap().block_on(future)
}

fn find(store: &Store, id: &str) -> Option<String> {
    let found = wait(store.find::<Name>(id.to_owned())).unwrap();
    found.map(|found| found.name)
}

fn rename(id: &str, name: usize) -> String {
    format!("UPDATE client SET name = '{name}' WHERE id = '{id}'")
}

/// Changes through the writer; the transaction ends as told.
fn write(store: &Store, statement: String, is_committed: bool) {
    let written = wait(store.write(move |conn| {
        conn.batch_execute(&statement)?;
        match is_committed {
            true => Ok(()),
            false => Err(Error::Busy),
        }
    }));
    assert_eq!(written.is_ok(), is_committed);
}

/// Statements that a look-up of a client with this name needs.
fn statements(store: &Store, id: &str, name: &str) -> usize {
    let before = STATEMENTS.get();
    assert_eq!(find(store, id).as_deref(), Some(name));
    STATEMENTS.get() - before
}

#[test]
fn value_comes_from_memory_until_something_is_committed() {
    let database = Database::new();
    let store = database.store();
    assert_eq!(statements(&store, "a", "0"), 1);
    assert_eq!(statements(&store, "a", "0"), 0);
    // By the writer.
    write(&store, rename("a", 1), true);
    assert_eq!(statements(&store, "a", "1"), 1);
    assert_eq!(statements(&store, "a", "1"), 0);
    // By another connection.
    database.commit(&rename("a", 2));
    assert_eq!(statements(&store, "a", "2"), 1);
    // To another row.
    database.commit(&rename("b", 1));
    assert_eq!(statements(&store, "a", "2"), 1);
    // A checkpoint changes nothing; the commit after it begins the log anew.
    wait(store.wipe()).unwrap();
    assert_eq!(find(&store, "a").as_deref(), Some("2"));
    database.commit(&rename("a", 3));
    assert_eq!(statements(&store, "a", "3"), 1);
}

#[test]
fn uncommitted_change_is_not_seen() {
    let database = Database::new();
    let store = database.store();
    let mut other = Conn::open(&database.url(), Purpose::Write).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    other.batch_execute(&rename("a", 1)).unwrap();
    assert_eq!(statements(&store, "a", "0"), 1);
    assert_eq!(statements(&store, "a", "0"), 0);
    other.batch_execute("COMMIT").unwrap();
    assert_eq!(statements(&store, "a", "1"), 1);
}

/// The value that a look-up read before the commit must not be found by the next one.
#[test]
fn commit_between_read_and_cache_is_seen() {
    let database = Database::new();
    let store = database.store();
    let statement = rename("a", 1);
    let url = database.url();
    AFTER_READ.set(Some(Box::new(move || {
        let mut conn = Conn::open(&url, Purpose::Write).unwrap();
        conn.batch_execute(&statement).unwrap();
    })));
    // It began before the commit.
    assert_eq!(find(&store, "a").as_deref(), Some("0"));
    assert_eq!(find(&store, "a").as_deref(), Some("1"));
}

#[test]
fn absent_values_are_not_cached_and_present_ones_are_limited() {
    let database = Database::new();
    let store = database.store();
    for _ in 0..2 {
        let before = STATEMENTS.get();
        assert_eq!(find(&store, "none"), None);
        assert_eq!(STATEMENTS.get() - before, 1);
    }
    for id in IDS {
        assert_eq!(statements(&store, id, "0"), 1);
    }
    // The third started the cache again.
    assert_eq!(statements(&store, "c", "0"), 0);
    assert_eq!(statements(&store, "a", "0"), 1);
}

/// A thread that looks up clients.
struct Thread(Sender<&'static str>, Receiver<Option<String>>);

impl Thread {
    fn start(store: &Store) -> Self {
        let (ids, asked) = channel();
        let (sender, found) = channel();
        let store = store.clone();
        std::thread::spawn(move || {
            while let Ok(id) = asked.recv() {
                sender.send(find(&store, id)).unwrap();
            }
        });
        Self(ids, found)
    }

    fn find(&self, id: &'static str) -> Option<String> {
        self.0.send(id).unwrap();
        self.1.recv().unwrap()
    }
}

/// A change is followed by a look-up in each thread of two servers, 1,000 times.
#[test]
fn no_look_up_after_a_change_is_stale() {
    let database = Database::new();
    let stores = [database.store(), database.store()];
    let threads: Vec<_> = (0..4).map(|n| Thread::start(&stores[n % 2])).collect();
    for round in 1..=1_000 {
        write(&stores[round % 2], rename("a", round), true);
        for thread in &threads {
            assert_eq!(thread.find("a"), Some(round.to_string()));
        }
    }
}

/// Random steps against a model: what is found is always what was committed last.
#[test]
fn look_ups_agree_with_a_model() {
    for seed in 0..20 {
        let database = Database::new();
        let store = database.store();
        let threads = [Thread::start(&store), Thread::start(&store)];
        let mut model = [0; IDS.len()].map(Some);
        let mut state: u64 = seed;
        let mut draw = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        for step in 1..150 {
            let at = draw(IDS.len());
            let id = IDS[at];
            match draw(10) {
                0 => {
                    write(&store, rename(id, step), true);
                    model[at] = model[at].map(|_| step);
                }
                1 => write(&store, rename(id, step), false),
                2 => {
                    database.commit(&rename(id, step));
                    model[at] = model[at].map(|_| step);
                }
                3 => database.commit(&format!("BEGIN; {}; ROLLBACK", rename(id, step))),
                4 => {
                    database.commit(&format!("DELETE FROM client WHERE id = '{id}'"));
                    model[at] = None;
                }
                5 => {
                    let restored = format!(
                        "INSERT OR REPLACE INTO client (id, name, scopes, default_scopes, state, \
                         created_at, follows_settings) \
                         VALUES ('{id}', '{step}', '', '', 'active', '2030-01-01', 0)"
                    );
                    write(&store, restored, true);
                    model[at] = Some(step);
                }
                6 => wait(store.wipe()).unwrap(),
                _ => {}
            }
            let expected = model[at].map(|name| name.to_string());
            assert_eq!(threads[draw(2)].find(id), expected, "{seed} {step}");
        }
    }
}
