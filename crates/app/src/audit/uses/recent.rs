//! Recent uses of a token by address: what a revocation would stop.

use super::read::collect;
use crate::audit::record::Target;
use crate::{Error, Request};
use chrono::TimeDelta;
use config::TokenUse;
use domain::audit::Action;
use domain::audit::token_use::Use;
use domain::token::Token;
use serde_json::json;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use store::audit::UseFilter;

/// The period.
const PERIOD: TimeDelta = TimeDelta::hours(24);

/// Maximum number of uses that are read, the latest first.
const MOST_READ: usize = 1000;

/// Maximum number of addresses that are named.
const NAMED: usize = 5;

/// The uses of a token in the last 24 hours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecentUses {
    /// Their number.
    pub total: u64,
    /// Whether there may be more of them than were read.
    pub is_cut: bool,
    /// The number of addresses.
    pub sources: usize,
    /// The most frequent addresses, each with its number of uses; `None` if it is not known.
    pub addresses: Vec<(Option<String>, u64)>,
}

/// Returns the uses of a token that the caller found, in the last 24 hours, and records the access;
/// `None` if uses are not recorded.
pub async fn of_token(req: &Request, token: &Token) -> Result<Option<RecentUses>, Error> {
    if req.app.config().audit.token_use == TokenUse::Off {
        return Ok(None);
    }
    let target = token.clone();
    req.change(Action::AuditRead, move |tx| {
        let organization = target.owner.organization();
        tx.record(
            Target::of(organization, Some(target.id.as_str())),
            json!({}),
        )
    })
    .await?;
    let token_id = token.id.to_string();
    req.read(move |tx| {
        let filter = UseFilter {
            token_id: Some(token_id.clone()),
            since: Some(tx.now - PERIOD),
            ..UseFilter::default()
        };
        let uses = collect(tx.conn, &filter, None, MOST_READ + 1)?;
        Ok(Some(count(uses.into_iter().map(|named| named.used))))
    })
    .await
}

fn count(uses: impl ExactSizeIterator<Item = Use>) -> RecentUses {
    let is_cut = uses.len() > MOST_READ;
    let mut counts: BTreeMap<Option<String>, u64> = BTreeMap::new();
    for used in uses.take(MOST_READ) {
        *counts.entry(used.address.clone()).or_default() += used.count();
    }
    let mut addresses: Vec<_> = counts.into_iter().collect();
    addresses.sort_by_key(|(_, count)| Reverse(*count));
    RecentUses {
        total: addresses.iter().map(|(_, count)| count).sum(),
        is_cut,
        sources: addresses.len(),
        addresses: addresses.into_iter().take(NAMED).collect(),
    }
}
