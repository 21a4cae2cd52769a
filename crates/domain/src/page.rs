//! Pagination, newest first. A page begins after a position, not at a number, so that items added
//! meanwhile neither hide nor repeat others.

use super::Instant;

/// The position of an item in its list: its creation time, and its id, which separates items of
/// the same moment.
pub type Position = (Instant, String);

/// A request for one page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The maximum number of items.
    pub limit: u16,
    /// The position of the last item that the caller has; `None` for the first page.
    pub after: Option<Position>,
}

impl Page {
    /// The first page of a list.
    pub fn first(limit: u16) -> Self {
        Self { limit, after: None }
    }

    /// The position after which the page begins, in the form that queries bind.
    pub fn after(&self) -> Option<(Instant, &str)> {
        let after = self.after.as_ref();
        after.map(|(at, id)| (*at, id.as_str()))
    }

    /// The number of items to fetch: one more than the page shows, to detect a next page.
    pub fn look_for(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Truncates the items to one page; returns whether there is a next page.
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
    fn an_extra_item_means_that_there_is_a_next_page() {
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
