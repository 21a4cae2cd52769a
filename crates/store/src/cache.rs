//! Rows that requests look up over and over, in memory.
//!
//! Invariant: a value comes from memory only if nothing was committed to the database, by any
//! process, since before the read that found it began. A revocation therefore counts for the next
//! request. Whether a value has expired is decided at each use.
//!
//! Each reading thread has a cache beside its connection. It asks the [WAL index](WalIndex) at each
//! look-up, and drops everything after a commit. Several servers may share PostgreSQL, which has no
//! such index: there each look-up is a query.

use super::wal_index::{Version, WalIndex};
use super::{Conn, Error};
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;

/// A row, or several that are read together, with the key to find them by.
pub trait Lookup: Clone + Send + Sized + 'static {
    /// The key.
    type Key: Clone + Eq + Hash + Send + 'static;

    /// The most values in the cache of one thread. When it is full, it starts again empty.
    const MOST: usize;

    /// Finds the value in one statement, which is a snapshot by itself.
    fn find(conn: &mut Conn, key: &Self::Key) -> Result<Option<Self>, Error>;
}

/// The cached values of each type: a map from their keys.
#[derive(Default)]
struct Values(HashMap<TypeId, Box<dyn Any + Send>>);

impl Values {
    fn of<L: Lookup>(&mut self) -> Option<&mut HashMap<L::Key, L>> {
        let map = self.0.entry(TypeId::of::<L>());
        map.or_insert_with(|| Box::new(HashMap::<L::Key, L>::new()))
            .downcast_mut()
    }
}

/// The cache of one connection.
pub struct Cache {
    index: WalIndex,
    /// The state of the database that the values are from.
    version: Option<Version>,
    values: Values,
}

/// One text.
#[derive(QueryableByName)]
struct Mode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

impl Cache {
    /// The cache of a connection to this file; `None` without a WAL. Reads, so that the index is
    /// there.
    pub fn of(conn: &mut Conn, file: &Path) -> Option<Self> {
        let mode: Mode = diesel::sql_query("PRAGMA journal_mode")
            .get_result(conn)
            .ok()?;
        let read = diesel::sql_query("SELECT count(*) FROM sqlite_schema").execute(conn);
        if mode.journal_mode != "wal" || read.is_err() {
            return None;
        }
        match WalIndex::open(file) {
            Ok(index) => Some(Self {
                index,
                version: None,
                values: Values::default(),
            }),
            Err(error) => {
                tracing::warn!(%error, "look-ups are slower: the WAL index cannot be read");
                None
            }
        }
    }

    /// Finds a value in memory or in the database.
    pub fn find<L: Lookup>(&mut self, conn: &mut Conn, key: L::Key) -> Result<Option<L>, Error> {
        // Before the read below: after a commit between both, the value that it finds is dropped
        // at the next look-up.
        let version = self.index.version();
        if version.is_none() || version != self.version {
            self.values = Values::default();
            self.version = version;
        }
        let mut cached = match version {
            Some(_) => self.values.of::<L>(),
            None => None,
        };
        if let Some(value) = cached.as_ref().and_then(|cached| cached.get(&key)) {
            return Ok(Some(value.clone()));
        }
        // Absent values are not cached: strangers can ask for any number of them.
        let found = L::find(conn, &key)?;
        if let (Some(cached), Some(value)) = (&mut cached, &found) {
            if cached.len() >= L::MOST {
                cached.clear();
            }
            cached.insert(key, value.clone());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod cache_tests;
