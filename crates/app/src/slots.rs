//! Slots of a bounded resource, of which each key can take only a few.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The slots that are taken, by key.
pub(crate) struct Slots {
    total: usize,
    taken: Mutex<HashMap<String, usize>>,
}

/// A slot, which is free again when dropped.
pub(crate) struct Slot {
    key: String,
    slots: Arc<Slots>,
}

impl Slots {
    /// So many free slots.
    pub(crate) fn new(total: usize) -> Arc<Self> {
        Arc::new(Self {
            total,
            taken: Mutex::default(),
        })
    }

    /// Takes a slot for a key. `None` if all are taken, or if the key has `per_key`.
    pub(crate) fn take(self: &Arc<Self>, key: &str, per_key: usize) -> Option<Slot> {
        let mut taken = self.lock();
        let own = taken.get(key).copied().unwrap_or(0);
        if own >= per_key || taken.values().sum::<usize>() >= self.total {
            return None;
        }
        taken.insert(key.to_owned(), own + 1);
        Some(Slot {
            key: key.to_owned(),
            slots: self.clone(),
        })
    }

    /// Number of slots that are taken.
    pub(crate) fn count(&self) -> usize {
        self.lock().values().sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// The key that has it.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_bounded_by_key_and_in_total() {
        let slots = Slots::new(3);
        let first = slots.take("a", 2).unwrap();
        let second = slots.take("a", 2).unwrap();
        assert_eq!(second.key(), "a");
        assert!(slots.take("a", 2).is_none());
        let other = slots.take("b", 2).unwrap();
        assert!(slots.take("c", 2).is_none());
        drop(first);
        assert!(slots.take("c", 2).is_some());
        drop((second, other));
        assert!(slots.lock().is_empty());
    }
}
