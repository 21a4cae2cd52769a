//! Last uses of tokens, with address, first uses of tokens that devices fetched, last activity of
//! sessions, and polling intervals that `slow_down` raised: buffered in memory and written in batches,
//! outside of requests.

use super::{App, Error};
use chrono::Duration;
use domain::Instant;
use domain::id::{SessionId, TokenId};
use domain::secret::Digest;
use domain::token::Token;
use domain::user::{SEEN_EVERY, Session};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Minimum interval between writes of a token's last use.
const EVERY: Duration = Duration::minutes(1);

/// Rows written in one transaction; small, to keep other writes from waiting.
const BATCH: usize = 500;

/// Most device codes whose raised intervals are buffered.
const INTERVALS: usize = 20_000;

/// Data that is not written yet.
#[derive(Default)]
pub struct Uses {
    tokens: Gathered<TokenId, (Instant, IpAddr)>,
    first: Gathered<TokenId, ()>,
    sessions: Gathered<SessionId, Instant>,
    intervals: Gathered<Digest, Duration>,
}

impl Uses {
    /// Adds a use of a token to the buffer, unless a written one is recent enough.
    pub fn note(&self, token: &Token, now: Instant, address: IpAddr) {
        let last = token.last_use.as_ref().map(|last| last.at);
        if last.is_none_or(|last| last > now || now - last >= EVERY) {
            self.tokens.note(&token.id, (now, address));
        }
    }

    /// Adds the first use of a token that a device fetched to the buffer. Returns whether no other was
    /// waiting to be written.
    pub fn note_first(&self, id: &TokenId) -> bool {
        let mut first = self.first.lock();
        let is_alone = first.is_empty();
        first.insert(id.clone(), ());
        is_alone
    }

    /// Whether a first use of this token waits to be written.
    pub fn is_first_noted(&self, id: &TokenId) -> bool {
        self.first.find(id).is_some()
    }

    /// Last activity of a session, including activity that is not written yet.
    pub fn last_seen(&self, session: &Session) -> Instant {
        let noted = self.sessions.find(&session.id);
        noted.map_or(session.last_seen_at, |at| at.max(session.last_seen_at))
    }

    /// Adds activity of a session to the buffer, unless the written one is recent enough.
    pub fn see(&self, session: &Session, now: Instant) {
        if now - session.last_seen_at >= SEEN_EVERY {
            self.sessions.note(&session.id, now);
        }
    }

    /// Adds the raised interval of a device code to the buffer. Beyond [`INTERVALS`] codes it only
    /// stays in the memory of this server.
    pub fn raise_interval(&self, device_code: &Digest, to: Duration) {
        if self.intervals.lock().len() < INTERVALS {
            self.intervals.note(device_code, to);
        }
    }
}

/// Latest value of each key, until it is written.
struct Gathered<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Gathered<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash + Ord, V: Clone + PartialEq + Ord> Gathered<K, V> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, key: &K, value: V) {
        self.lock().insert(key.clone(), value);
    }

    fn find(&self, key: &K) -> Option<V> {
        self.lock().get(key).cloned()
    }

    /// Sorted, so that two servers that write the same rows do not deadlock.
    fn list(&self) -> Vec<(K, V)> {
        let mut all: Vec<_> = self
            .lock()
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        all.sort();
        all
    }

    fn forget(&self, written: &[(K, V)]) {
        let mut all = self.lock();
        for (key, value) in written {
            if all.get(key) == Some(value) {
                all.remove(key);
            }
        }
    }
}

/// Writes the buffered values. After an error they stay buffered for the next flush.
pub async fn flush(app: &App) -> Result<(), Error> {
    write(app, &app.uses().tokens, |conn, id, (at, address)| {
        store::token::update_last_use(conn, id, *at, *address)
    })
    .await?;
    flush_first(app).await?;
    write(app, &app.uses().sessions, |conn, id, at| {
        store::session::update_last_seen(conn, id, *at)
    })
    .await?;
    write(app, &app.uses().intervals, |conn, device_code, to| {
        store::device::raise_interval(conn, device_code, *to)
    })
    .await
}

/// Deletes the answers whose tokens were used.
pub async fn flush_first(app: &App) -> Result<(), Error> {
    write(app, &app.uses().first, |conn, id, ()| {
        store::device::delete_answer(conn, id).map(drop)
    })
    .await
}

async fn write<K, V>(
    app: &App,
    gathered: &Gathered<K, V>,
    update: fn(&mut store::Conn, &K, &V) -> Result<(), store::Error>,
) -> Result<(), Error>
where
    K: Clone + Eq + Hash + Ord + Send + 'static,
    V: Clone + PartialEq + Ord + Send + 'static,
{
    for batch in gathered.list().chunks(BATCH) {
        let rows = batch.to_vec();
        app.store()
            .write(move |conn| {
                for (key, value) in &rows {
                    update(conn, key, value)?;
                }
                Ok::<(), Error>(())
            })
            .await?;
        gathered.forget(batch);
    }
    Ok(())
}
