//! Bounds on what a flood of events leaves: how many kinds are kept apart, and which values are
//! named for the rest.

use chrono::Duration;
use domain::Instant;
use serde_json::{Map, Value};

/// Kinds kept apart at once.
const KINDS: i32 = 50;

/// Time in which one more kind is kept apart. One kind that never ends is kept apart in every
/// interval of writing.
const KIND_EVERY: Duration = Duration::seconds(5);

/// Values named for events that are counted together.
const NAMED: usize = 5;

/// Limits the kinds kept apart: 50 at once, and one more every five seconds (a leaky bucket).
#[derive(Default)]
pub(in crate::audit) struct KindLimit {
    /// When all of them are free again.
    full_at: Option<Instant>,
}

impl KindLimit {
    /// Takes one, if one is left.
    pub(in crate::audit) fn take(&mut self, now: Instant) -> bool {
        let latest = now + KIND_EVERY * KINDS;
        // Within these bounds also after the clock was set back.
        let full_at = self.full_at.map_or(now, |at| at.clamp(now, latest)) + KIND_EVERY;
        let is_left = full_at <= latest;
        if is_left {
            self.full_at = Some(full_at);
        }
        is_left
    }
}

/// The most frequent of many values, in bounded memory (Misra and Gries). Each count is a lower
/// bound; a value that makes up more than a sixth of all is always named.
#[derive(Default)]
pub(super) struct Frequent(Vec<(String, u64)>);

impl Frequent {
    /// Counts a value.
    pub(super) fn add(&mut self, value: String, mut count: u64) {
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| *known == value) {
            *known += count;
            return;
        }
        if self.0.len() == NAMED {
            let least = self.0.iter().map(|(_, count)| *count).min().unwrap_or(0);
            let taken = least.min(count);
            count -= taken;
            for (_, known) in &mut self.0 {
                *known -= taken;
            }
            self.0.retain(|(_, known)| *known > 0);
        }
        if count > 0 {
            self.0.push((value, count));
        }
    }

    /// The values with their counts.
    pub(super) fn into_iter(self) -> impl Iterator<Item = (String, u64)> {
        self.0.into_iter()
    }

    /// The same as an object; `None` if there are none.
    pub(super) fn to_json(&self) -> Option<Value> {
        let named = self.0.iter();
        let named: Map<_, _> = named
            .map(|(value, count)| (value.clone(), Value::from(*count)))
            .collect();
        (!named.is_empty()).then_some(Value::Object(named))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_limited_at_once_and_over_time() {
        let mut limit = KindLimit::default();
        let start = Instant::UNIX_EPOCH;
        let mut taken = |now: Instant, count| (0..count).filter(|_| limit.take(now)).count();
        assert_eq!(taken(start, 60), 50);
        assert_eq!(taken(start + Duration::seconds(4), 60), 0);
        assert_eq!(taken(start + Duration::seconds(15), 60), 3);
        assert_eq!(taken(start - Duration::days(1), 60), 0);
        assert_eq!(taken(start + Duration::days(1), 60), 50);
    }

    #[test]
    fn frequent_values_survive_a_flood_of_others() {
        let mut frequent = Frequent::default();
        for n in 0..1_000 {
            frequent.add(format!("other {n}"), 1);
            frequent.add("heavy".to_owned(), 1);
        }
        let named: Vec<_> = frequent.into_iter().collect();
        let heavy = named.iter().find(|(value, _)| value == "heavy").unwrap();
        assert!((600..=1_000).contains(&heavy.1), "{named:?}");
        assert!(named.len() <= NAMED);
        assert_eq!(Frequent::default().to_json(), None);
    }
}
