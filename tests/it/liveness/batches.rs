//! Work that shares a commit.

use crate::support::TestApp;
use crate::support::database::Database;
use diesel::prelude::*;
use doorcode::store::{Conn, Error, Heartbeat, Store, deadline};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, join_all};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::time::Duration;

type Written = LocalBoxFuture<'static, Result<(), Error>>;

/// Queues work.
fn queue(mut written: Written) -> Written {
    assert!((&mut written).now_or_never().is_none());
    written
}

fn write(
    store: &Store,
    mut work: impl FnMut(&mut Conn) -> Result<(), Error> + Send + 'static,
) -> Written {
    let store = store.clone();
    async move { store.write(move |conn| work(conn)).await }.boxed_local()
}

/// Work that waits until a channel is closed.
fn wait(store: &Store, until: Receiver<()>) -> Written {
    write(store, move |_| {
        let _ = until.recv();
        Ok(())
    })
}

/// Keeps the writer busy until the sender is dropped: work that is queued meanwhile shares a commit.
fn occupy(store: &Store) -> (Written, Sender<()>) {
    let (begun, has_begun) = channel();
    let (end, ended) = channel::<()>();
    let written = queue(write(store, move |_| {
        let _ = begun.send(());
        let _ = ended.recv();
        Ok(())
    }));
    has_begun.recv().unwrap();
    (written, end)
}

fn count(conn: &mut Conn, row: &str) -> Result<(), Error> {
    diesel::sql_query(format!(
        "INSERT INTO throttle (key, tag, attempts, since, expires_at)
         VALUES ('{row}', '', 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')
         ON CONFLICT (key) DO UPDATE SET attempts = throttle.attempts + 1"
    ))
    .execute(conn)?;
    Ok(())
}

/// Work behind or before slow work of its batch that is not committed when its caller stops waiting:
/// the caller was told that it failed, and it is not done.
#[actix_web::test]
async fn work_is_not_done_after_its_caller_was_told_that_it_failed() {
    let test = TestApp::start().await;
    let store = Store::open(&test.app.config().database.url).unwrap();
    for is_first in [true, false] {
        let (occupied, release) = occupy(&store);
        let (end, ended) = channel();
        let late = || {
            let late = write(&store, |conn| count(conn, "late"));
            queue(deadline::within(Duration::from_secs(1), late).boxed_local())
        };
        let mut lates = Vec::new();
        if is_first {
            lates.push(late());
        }
        let slow = queue(wait(&store, ended));
        let other = queue(write(&store, |conn| count(conn, "other")));
        if !is_first {
            lates.push(late());
        }
        drop(release);
        for failed in join_all(lates).await {
            assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
        }
        drop(end);
        for done in join_all([occupied, slow, other]).await {
            done.unwrap();
        }
        assert_eq!(test.count("throttle", "key = 'late'"), 0, "{is_first}");
    }
    assert_eq!(test.count("throttle", "key = 'other' AND attempts = 2"), 1);
}

/// Two servers whose batches lock the same rows in opposite order: neither loses its batch, and both
/// stay ready.
#[actix_web::test]
async fn batches_of_two_servers_do_not_deadlock() {
    if !Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    let stores: [Store; 2] =
        std::array::from_fn(|_| Store::open(&test.app.config().database.url).unwrap());
    let both_hold = Arc::new(Barrier::new(2));
    let runs: [Arc<AtomicU32>; 2] = Default::default();
    let rows = ["a", "b"];
    let mut all = Vec::new();
    for (n, store) in stores.iter().enumerate() {
        let beat = Heartbeat {
            server: format!("0{n}"),
            at: 0,
        };
        store.beat(beat).await.unwrap();
        let (occupied, release) = occupy(store);
        let (both_hold, run) = (both_hold.clone(), runs[n].clone());
        let first = write(store, move |conn| {
            count(conn, rows[n])?;
            if run.fetch_add(1, Ordering::SeqCst) == 0 {
                both_hold.wait();
            }
            Ok(())
        });
        let second = write(store, move |conn| count(conn, rows[1 - n]));
        all.extend([occupied, queue(first), queue(second)]);
        drop(release);
    }
    for done in join_all(all).await {
        done.unwrap();
    }
    assert_eq!(runs.map(|run| run.load(Ordering::SeqCst)), [1, 1]);
    assert_eq!(
        test.count("throttle", "key IN ('a', 'b') AND attempts = 2"),
        2
    );
    for store in &stores {
        assert_eq!(store.check_writable(), Ok(()));
    }
}
