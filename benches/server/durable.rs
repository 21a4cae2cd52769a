//! S1: SQLite with `synchronous=FULL`, one insert a commit, of the same rows into the same tables
//! and indexes.

use crate::seeds;
use crate::support::open::now;
use diesel::Connection;
use diesel::connection::SimpleConnection;
use doorcode::config::DatabaseUrl;
use doorcode::store::{self, Conn};
use std::time::{Duration, Instant};

/// Inserts for this time in a migrated database; returns inserts a second.
pub fn rate(url: &DatabaseUrl, time: Duration, what: &str) -> f64 {
    let mut conn = Conn::open_existing(url).unwrap();
    conn.batch_execute(
        "PRAGMA query_only = OFF; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; \
         PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; \
         PRAGMA foreign_keys = OFF",
    )
    .unwrap();
    let began = Instant::now();
    let mut done = 0;
    while began.elapsed() < time {
        let inserted = conn.transaction(|conn| -> Result<(), store::Error> {
            match what {
                "device" => seeds::insert_grant(conn, 1_000_000 + done, now()),
                _ => {
                    let (token, digest) = seeds::new_token(done);
                    store::token::insert_token(conn, &token, &digest)
                }
            }
        });
        inserted.unwrap();
        done += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    {
        done as f64 / began.elapsed().as_secs_f64()
    }
}
