//! Uses of inactive tokens, counted. They are as cheap as any refused request and never end: a
//! program may keep a revoked token for years, and so may an attacker. One use with a count covers
//! equal uses for a short time, and the number of kinds that are kept apart is bounded.

use crate::audit::tally::KindLimit;
use domain::Instant;
use domain::audit::token_use::{Repeated, Use};
use std::collections::HashMap;

/// What equal uses have in common.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    token_id: String,
    decision: String,
    /// Address, scope, route and organization; `None` for uses that are counted by token alone.
    place: Option<[Option<String>; 4]>,
}

/// Uses of inactive tokens that are not written yet.
#[derive(Default)]
pub(super) struct InactiveUses {
    uses: HashMap<Kind, Use>,
    apart: KindLimit,
    by_token: KindLimit,
}

impl InactiveUses {
    /// Counts a use; `false` if too many kinds are waiting.
    pub(super) fn add(&mut self, used: &Use, now: Instant) -> bool {
        let apart = Kind {
            token_id: used.token_id.clone(),
            decision: used.decision.clone(),
            place: Some([
                used.address.clone(),
                used.scope.clone(),
                used.route.clone(),
                used.organization_id.clone(),
            ]),
        };
        let by_token = Kind {
            place: None,
            ..apart.clone()
        };
        if self.merge(&apart, used) {
            return true;
        }
        if self.apart.take(now) {
            self.uses.insert(apart, used.clone());
            return true;
        }
        if self.merge(&by_token, used) {
            return true;
        }
        let is_counted = self.by_token.take(now);
        if is_counted {
            let reduced = Use {
                address: None,
                scope: None,
                route: None,
                organization_id: None,
                ..used.clone()
            };
            self.uses.insert(by_token, reduced);
        }
        is_counted
    }

    /// Adds a use to a kind; `false` if no use of the kind is waiting.
    fn merge(&mut self, kind: &Kind, used: &Use) -> bool {
        let Some(known) = self.uses.get_mut(kind) else {
            return false;
        };
        known.repeated = Some(Repeated {
            count: known.count() + 1,
            last_at: used.at.max(known.last_at()),
        });
        true
    }

    /// Takes the counted uses.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Use> {
        std::mem::take(&mut self.uses).into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    fn used(token: u32, route: &str, at: Instant) -> Use {
        Use {
            at,
            token_id: format!("tok_{token}"),
            request_id: "req".to_owned(),
            address: Some("192.0.2.1".to_owned()),
            decision: "revoked".to_owned(),
            scope: None,
            route: Some(route.to_owned()),
            organization_id: None,
            user_id: None,
            repeated: None,
        }
    }

    #[test]
    fn equal_uses_are_one_and_the_kinds_are_bounded() {
        let mut inactive = InactiveUses::default();
        let now = Instant::UNIX_EPOCH;
        for second in 0..3 {
            assert!(inactive.add(&used(0, "GET /a", now + Duration::seconds(second)), now));
        }
        let all: Vec<_> = inactive.take().collect();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].at, all[0].count()), (now, 3));
        assert_eq!(all[0].last_at(), now + Duration::seconds(2));

        // Behind the kinds that are kept apart, each token has one use without its place; behind
        // those, uses are only counted.
        let kept: Vec<_> = (0..200)
            .map(|n| inactive.add(&used(n, "GET /b", now), now))
            .collect();
        assert_eq!(kept.iter().filter(|is_kept| **is_kept).count(), 49 + 50);
        assert!(inactive.add(&used(60, "GET /c", now), now));
        let mut all: Vec<_> = inactive.take().collect();
        all.sort_by_key(|used| used.count());
        assert_eq!(all.len(), 99);
        let last = &all[98];
        assert_eq!((last.token_id.as_str(), last.count()), ("tok_60", 2));
        assert_eq!((&last.address, &last.route), (&None, &None));
    }
}
