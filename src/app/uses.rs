//! When and from where tokens were last used, gathered in memory and written in batches,
//! off the path of requests.

use super::{App, Error};
use crate::domain::Instant;
use crate::domain::id::TokenId;
use crate::domain::token::Token;
use crate::store;
use chrono::Duration;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// A token's last use is written at most this often.
const EVERY: Duration = Duration::minutes(1);

/// Rows written in one transaction, so that other writes do not wait long.
const BATCH: usize = 500;

/// Uses that are not written yet.
#[derive(Default)]
pub struct Uses(Mutex<HashMap<TokenId, (Instant, IpAddr)>>);

impl Uses {
    /// Notes a use, if the last one that was written is old enough.
    pub fn note(&self, token: &Token, now: Instant, address: IpAddr) {
        let is_recent = token
            .last_use
            .as_ref()
            .is_some_and(|last| last.at <= now && now - last.at < EVERY);
        if !is_recent {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(token.id.clone())
                .or_insert((now, address));
        }
    }

    fn take(&self) -> Vec<(TokenId, (Instant, IpAddr))> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
            .into_iter()
            .collect()
    }
}

/// Writes what was gathered. Uses that cannot be written are dropped: the next one is
/// written instead.
pub async fn flush(app: &App) -> Result<(), Error> {
    let mut uses = app.uses().take();
    // In one order everywhere, so that two servers that write the same rows do not block
    // each other.
    uses.sort();
    for batch in uses.chunks(BATCH) {
        let batch = batch.to_vec();
        app.store()
            .write(move |conn| {
                for (id, (at, address)) in &batch {
                    store::token::update_last_use(conn, id, *at, *address)?;
                }
                Ok::<(), Error>(())
            })
            .await?;
    }
    Ok(())
}
