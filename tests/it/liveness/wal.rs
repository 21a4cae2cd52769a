//! The write-ahead log of SQLite stays short, whatever reads.

use doorcode::config::DatabaseUrl;
use doorcode::domain::Instant;
use doorcode::domain::secret::Secret;
use doorcode::store::sealed_text::{self, SealedText};
use doorcode::store::{Conn, Error, Store};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// The length that the log must not exceed: the limit of 32 MiB, and what one batch of writes adds.
const BOUND: u64 = 40 << 20;

/// Size of a written row.
const ROW: usize = 1 << 20;

/// Replaces one of a few rows and returns the length of the log.
async fn write(store: &Store, path: &Path, n: u32) -> u64 {
    let text = SealedText {
        id: Secret::new((n % 4).to_string()).digest(),
        salt: String::new(),
        text: "x".repeat(ROW),
        expires_at: Instant::UNIX_EPOCH,
        slot: None,
    };
    let insert = move |conn: &mut Conn| {
        sealed_text::delete_text(conn, &text.id)?;
        sealed_text::insert_text(conn, &text)
    };
    store.write(insert).await.unwrap();
    let log = format!("{}-wal", path.display());
    std::fs::metadata(log).map_or(0, |file| file.len())
}

fn open(path: &Path) -> Store {
    let store = Store::open(&DatabaseUrl::Sqlite(path.to_owned())).unwrap();
    store.migrate().unwrap();
    store
}

/// While a snapshot is open, the log has what was written since. Afterwards it shrinks again, and no
/// write waits for the reader.
#[actix_web::test]
async fn log_is_short_again_after_a_long_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doorcode.db");
    let store = open(&path);
    let (read, mut reading) = tokio::sync::mpsc::unbounded_channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let reader = store.clone();
    let ended = std::sync::Mutex::new(ended);
    let reader = actix_web::rt::spawn(async move {
        let hold = move |conn: &mut Conn| {
            let found =
                sealed_text::find_text(conn, &Secret::new("").digest(), Instant::UNIX_EPOCH);
            read.send(found?.is_none()).unwrap();
            // Until the sender is gone.
            let _ = ended.lock().unwrap().recv();
            Ok::<_, Error>(())
        };
        reader.read_long(hold).await.unwrap();
    });
    assert!(reading.recv().await.unwrap());
    let mut longest = 0;
    for n in 0..80 {
        longest = write(&store, &path, n).await;
    }
    assert!(longest > BOUND, "nothing held the log: {longest}");
    drop(end);
    reader.await.unwrap();
    let mut length = longest;
    for n in 0..100 {
        length = write(&store, &path, n).await;
        if length <= BOUND {
            break;
        }
    }
    assert!(length <= BOUND, "{length}");
    store.stop();
}

/// Many short reads, of which one is always at work, do not keep the log from starting anew.
#[actix_web::test]
async fn log_is_short_beside_many_short_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doorcode.db");
    let store = open(&path);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                actix_web::rt::System::new().block_on(async {
                    while !is_over.load(Ordering::Relaxed) {
                        let read = |conn: &mut Conn| sealed_text::list_bucket(conn, 0);
                        store.read(read).await.unwrap();
                    }
                });
            });
        }
        let (store, path, is_over) = (store.clone(), path.clone(), &is_over);
        scope.spawn(move || {
            actix_web::rt::System::new().block_on(async {
                for n in 0..120 {
                    let length = write(&store, &path, n).await;
                    assert!(length <= BOUND, "{n}: {length}");
                }
            });
            is_over.store(true, Ordering::Relaxed);
        });
    });
    store.stop();
}
