//! The last polls of pending device grants, in memory: whether a poll is too early need not survive
//! a restart, and each server keeps its own. Only a raised interval is stored, by
//! [`uses::flush`](crate::uses::flush).

use crate::App;
use domain::device::LastPoll;
use domain::secret::Digest;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Device codes in each of the two generations. A code that is in neither any more counts as not
/// polled before.
const PER_GENERATION: usize = 50_000;

/// The last poll of each device code, for up to 100,000 codes. The longest unused are dropped
/// first: when the young generation is full it becomes the old one, which is dropped.
#[derive(Default)]
pub struct Paces(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<u128, LastPoll>,
    old: HashMap<u128, LastPoll>,
}

/// The first 128 bits of a digest: half of it, to save memory.
fn key(device_code: &Digest) -> u128 {
    let first = device_code.as_str().get(..32).unwrap_or_default();
    u128::from_str_radix(first, 16).unwrap_or_default()
}

impl Paces {
    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares a poll with the last one of its device code. Concurrent ones follow each other.
    pub fn poll<T>(
        &self,
        device_code: &Digest,
        compare: impl FnOnce(&mut Option<LastPoll>) -> T,
    ) -> T {
        let key = key(device_code);
        let mut generations = self.lock();
        let known = generations.young.get(&key).copied();
        let mut last = known.or_else(|| generations.old.remove(&key));
        let result = compare(&mut last);
        if let Some(last) = last {
            if known.is_none() && generations.young.len() >= PER_GENERATION {
                generations.old = std::mem::take(&mut generations.young);
            }
            generations.young.insert(key, last);
        }
        result
    }
}

impl App {
    /// The last polls of pending device grants.
    pub(super) fn paces(&self) -> &Paces {
        &self.0.paces
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Instant;
    use domain::secret::Secret;

    fn code(n: usize) -> Digest {
        Secret::new(n.to_string()).digest()
    }

    /// Polls a code; returns whether it was known.
    fn poll(paces: &Paces, n: usize) -> bool {
        paces.poll(&code(n), |last| {
            last.replace(LastPoll {
                at: Instant::UNIX_EPOCH,
                is_probed: false,
                interval: chrono::Duration::zero(),
            })
            .is_some()
        })
    }

    #[test]
    fn memory_is_bounded_and_codes_in_use_stay() {
        let paces = Paces::default();
        for n in 0..3 * PER_GENERATION {
            assert!(!poll(&paces, n));
            // A device that polls regularly is never dropped.
            assert!(poll(&paces, 0), "{n}");
        }
        let generations = paces.lock();
        let all = generations.young.len() + generations.old.len();
        assert!(all <= 2 * PER_GENERATION, "{all}");
        drop(generations);
        assert!(!poll(&paces, 1), "the longest unused is dropped");
        assert!(poll(&paces, 3 * PER_GENERATION - 1));
    }
}
