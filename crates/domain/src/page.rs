//! Lists in pages, the newest first. A page begins after a position and not at a number, so
//! that what is added meanwhile neither hides nor repeats an item.

use super::Instant;

/// Where an item stands in its list: when it was made, and its id, which tells items of the
/// same moment apart.
pub type Position = (Instant, String);

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many items at the most.
    pub limit: u16,
    /// The position of the last item that the caller has; `None` at the beginning.
    pub after: Option<Position>,
}

impl Page {
    /// The first part of a list.
    pub fn first(limit: u16) -> Self {
        Self { limit, after: None }
    }

    /// The position after which the page begins, as queries take it.
    pub fn after(&self) -> Option<(Instant, &str)> {
        let after = self.after.as_ref();
        after.map(|(at, id)| (*at, id.as_str()))
    }

    /// How many items to look for: one more than are shown tells whether the list goes on.
    pub fn look_for(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Cuts what was found down to the page; tells whether the list goes on.
    pub fn cut<T>(&self, found: &mut Vec<T>) -> bool {
        let limit = usize::from(self.limit);
        let goes_on = found.len() > limit;
        found.truncate(limit);
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_item_too_many_tells_that_the_list_goes_on() {
        let page = Page {
            limit: 2,
            after: None,
        };
        assert_eq!(page.look_for(), 3);
        for (found, shown, goes_on) in [(0, 0, false), (1, 1, false), (2, 2, false), (3, 2, true)] {
            let mut items: Vec<_> = (0..found).collect();
            assert_eq!(page.cut(&mut items), goes_on);
            assert_eq!(items.len(), shown);
        }
    }
}
