//! The counters of an attempt.

use super::SharedLimit;
use crate::Error;
use domain::Instant;
use domain::throttle::{Count, Rule, SharedRule, Wait};
use store::throttle::{self as counts, Change, Key};
use store::{Conn, Store};

/// The counters of one kind of guess. A key that contains user input is a digest. The most shared
/// key comes first, so that concurrent servers conflict there and not halfway.
#[derive(Clone, Default)]
pub struct Guess {
    shared: Vec<(SharedLimit, Key, SharedRule)>,
    own: Vec<(Key, Rule)>,
    tightened: Option<u32>,
}

/// How an attempt is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As usual.
    Usual,
    /// Slower: a shared limit is reached, and the caller had failures of its own.
    Slowed,
}

/// An attempt that was counted.
pub struct Counted {
    /// The shared limits that it exceeds.
    pub reached: Vec<SharedLimit>,
    /// How to handle it.
    pub pace: Pace,
}

impl Guess {
    /// Adds a counter that the caller shares with strangers. It never refuses.
    pub fn shared(mut self, limit: SharedLimit, key: impl Into<String>, rule: SharedRule) -> Self {
        self.shared.push((limit, Key::from(key.into()), rule));
        self
    }

    /// Adds a counter of the caller's own attempts. It refuses beyond its limit.
    pub fn own(mut self, key: impl Into<Key>, rule: Rule) -> Self {
        self.own.push((key.into(), rule));
        self
    }

    /// Limits the caller's own attempts in each window to this number while a shared limit is
    /// reached. At least 1, so that a caller without failures passes.
    pub fn tightened(mut self, allowed: u32) -> Self {
        self.tightened = Some(allowed);
        self
    }

    /// The rule of an own counter.
    fn rule(&self, rule: Rule, is_reached: bool) -> Rule {
        match (rule, self.tightened) {
            (Rule::Window { window, .. }, Some(allowed)) if is_reached => {
                Rule::Window { allowed, window }
            }
            _ => rule,
        }
    }

    /// Fails with [`Error::Throttled`] if an attempt would exceed an own limit. Counts nothing.
    pub fn check(&self, conn: &mut Conn, now: Instant) -> Result<(), Error> {
        let found = self.keys().map(|key| counts::find_count(conn, key));
        let found: Vec<_> = found.collect::<Result<_, _>>()?;
        self.judge(&found, now)
    }

    /// The same outside of a transaction.
    pub async fn check_alone(&self, store: &Store, now: Instant) -> Result<(), Error> {
        let mut found = Vec::new();
        for key in self.keys() {
            found.push(store.find::<Count>(key.clone()).await?);
        }
        self.judge(&found, now)
    }

    /// The keys of all counters, the shared ones first.
    fn keys(&self) -> impl Iterator<Item = &Key> {
        let shared = self.shared.iter().map(|(_, key, _)| key);
        shared.chain(self.own.iter().map(|(key, _)| key))
    }

    fn judge(&self, counts: &[Option<Count>], now: Instant) -> Result<(), Error> {
        let (shared, own) = counts.split_at(self.shared.len());
        let is_reached = self
            .shared
            .iter()
            .zip(shared)
            .any(|((_, _, rule), old)| rule.is_exceeded(rule.attempt(*old, now)));
        for ((_, rule), old) in self.own.iter().zip(own) {
            attempt(self.rule(*rule, is_reached), *old, now)?;
        }
        Ok(())
    }

    /// Counts an attempt before it is made, so that concurrent attempts cannot exceed the limit.
    /// Fails with [`Error::Throttled`], then nothing is counted.
    pub fn count(&self, conn: &mut Conn, now: Instant) -> Result<Counted, Error> {
        let mut reached = Vec::new();
        for (limit, key, rule) in &self.shared {
            let (_, new) = swap(conn, key, |old| {
                let new = rule.attempt(old, now);
                Ok((new, rule.forgotten_at(new)))
            })?;
            if rule.is_exceeded(new) {
                reached.push(*limit);
            }
        }
        let mut has_earlier = false;
        for (key, rule) in &self.own {
            let rule = self.rule(*rule, !reached.is_empty());
            let (old, _) = swap(conn, key, |old| {
                let new = attempt(rule, old, now)?;
                Ok((new, rule.forgotten_at(new)))
            })?;
            has_earlier |= rule.has_earlier(old, now);
        }
        let pace = match has_earlier && !reached.is_empty() {
            true => Pace::Slowed,
            false => Pace::Usual,
        };
        Ok(Counted { reached, pace })
    }

    /// Clears consecutive failures after a right attempt, and uncounts it in windows, which keep
    /// earlier failures.
    pub fn succeed(&self, conn: &mut Conn) -> Result<(), Error> {
        for (_, key, _) in &self.shared {
            counts::decrement(conn, key)?;
        }
        for (key, rule) in &self.own {
            match rule {
                Rule::Window { .. } => counts::decrement(conn, key)?,
                Rule::Rising { .. } => counts::delete_count(conn, key)?,
            }
        }
        Ok(())
    }

    /// Uncounts an attempt that was not made, or left nothing.
    pub fn undo(&self, conn: &mut Conn) -> Result<(), Error> {
        for key in self.keys() {
            counts::decrement(conn, key)?;
        }
        Ok(())
    }
}

fn attempt(rule: Rule, old: Option<Count>, now: Instant) -> Result<Count, Error> {
    rule.attempt(old, now)
        .map_err(|Wait(wait)| Error::Throttled(wait))
}

/// Replaces a count by a new one with its expiry; returns both counts.
fn swap(
    conn: &mut Conn,
    key: &Key,
    next: impl Fn(Option<Count>) -> Result<(Count, Instant), Error>,
) -> Result<(Option<Count>, Count), Error> {
    loop {
        let old = counts::find_count(conn, key)?;
        let (new, expires_at) = next(old)?;
        let change = Change {
            old,
            new,
            expires_at,
        };
        if counts::swap_count(conn, key, change)? {
            return Ok((old, new));
        }
    }
}
