//! Advice on tokens, shown to their owner and never enforced.

use super::Instant;
use super::policy::PolicyDecision;
use super::scope::ScopeSet;
use super::token::{State, Token};
use chrono::Duration;

/// A possible improvement of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// It was created a while ago and never used.
    NeverUsed,
    /// It was last used at this moment, long ago.
    Unused(Instant),
    /// It expires soon, at this moment.
    ExpiresSoon(Instant),
    /// No policy allows it after this moment, the end of its grace period.
    GraceEnds(Instant),
    /// It never expires.
    NeverExpires,
    /// It has every scope of the catalogue.
    HoldsEverything,
}

impl Advice {
    /// Whether the owner should look at the token soon. The rest is only worth knowing.
    pub fn needs_attention(self, now: Instant) -> bool {
        match self {
            Self::ExpiresSoon(_) | Self::GraceEnds(_) | Self::HoldsEverything => true,
            Self::Unused(at) => now - at >= FORGOTTEN,
            Self::NeverUsed | Self::NeverExpires => false,
        }
    }
}

/// The time without use after which a token is likely forgotten.
const FORGOTTEN: Duration = Duration::days(90);

/// The time without use after which a token is likely not needed.
const UNUSED: Duration = Duration::days(30);

/// How long before the expiry of a token its owner should act.
const SOON: Duration = Duration::days(7);

/// The advice on a token at this moment; empty for an inactive token. `catalogue` is the set of
/// all scopes.
pub fn advise(
    token: &Token,
    policy_decision: PolicyDecision,
    catalogue: &ScopeSet,
    now: Instant,
) -> Vec<Advice> {
    if token.state(now) != State::Live {
        return Vec::new();
    }
    let last_use = token.last_use.as_ref().map(|last| last.at);
    let use_advice = match last_use {
        None if now - token.created_at >= UNUSED => Some(Advice::NeverUsed),
        Some(at) if now - at >= UNUSED => Some(Advice::Unused(at)),
        _ => None,
    };
    let end_advice = match (token.expires_at, policy_decision) {
        (end, Ok(Some(grace))) if end.is_none_or(|end| grace < end) => {
            Some(Advice::GraceEnds(grace))
        }
        (None, _) => Some(Advice::NeverExpires),
        (Some(end), _) if end - now <= SOON => Some(Advice::ExpiresSoon(end)),
        (Some(_), _) => None,
    };
    let holds_everything = !catalogue.is_empty() && catalogue.is_subset(&token.scopes);
    let scope_advice = holds_everything.then_some(Advice::HoldsEverything);
    [use_advice, end_advice, scope_advice]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{TokenId, UserId};
    use crate::token::{LastUse, Limits, TokenOwner};
    use std::collections::BTreeSet;

    fn token(age: i64, used: Option<i64>, left: Option<i64>, scopes: &str, now: Instant) -> Token {
        Token {
            id: TokenId::new(now, [0; 10]),
            owner: TokenOwner::User(UserId::new(now, [0; 10])),
            name: "x".into(),
            scopes: ScopeSet::parse(scopes).unwrap(),
            limits: Limits::default(),
            hint: String::new(),
            client_id: None,
            device_name: None,
            created_by: String::new(),
            created_at: now - Duration::days(age),
            expires_at: left.map(|days| now + Duration::days(days)),
            replaces: None,
            made_by_token: None,
            confirmed_at: None,
            blocked_in: BTreeSet::new(),
            last_use: used.map(|days| LastUse {
                at: now - Duration::days(days),
                address: [127, 0, 0, 1].into(),
            }),
            revocation: None,
        }
    }

    #[test]
    fn advice_depends_on_use_expiry_and_scopes() {
        let now: Instant = "2026-11-22T12:00:00Z".parse().unwrap();
        let catalogue = ScopeSet::parse("a b").unwrap();
        let ago = |days| now - Duration::days(days);
        for (age, used, left, scopes, expected) in [
            (0, None, Some(90), "a", vec![]),
            (29, None, Some(90), "a", vec![]),
            (30, None, Some(90), "a", vec![Advice::NeverUsed]),
            (90, Some(29), Some(90), "a", vec![]),
            (90, Some(30), Some(90), "a", vec![Advice::Unused(ago(30))]),
            (0, None, Some(8), "a", vec![]),
            (0, None, Some(7), "a", vec![Advice::ExpiresSoon(ago(-7))]),
            (0, None, None, "a", vec![Advice::NeverExpires]),
            (0, None, Some(90), "a b", vec![Advice::HoldsEverything]),
            (
                30,
                None,
                None,
                "a b",
                vec![
                    Advice::NeverUsed,
                    Advice::NeverExpires,
                    Advice::HoldsEverything,
                ],
            ),
            (90, None, Some(0), "a b", vec![]),
        ] {
            let token = token(age, used, left, scopes, now);
            let advice = advise(&token, Ok(None), &catalogue, now);
            assert_eq!(advice, expected, "{age} {used:?} {left:?} {scopes}");
        }
        for (advice, is_urgent) in [
            (Advice::ExpiresSoon(ago(-7)), true),
            (Advice::HoldsEverything, true),
            (Advice::Unused(ago(90)), true),
            (Advice::Unused(ago(89)), false),
            (Advice::NeverUsed, false),
            (Advice::NeverExpires, false),
        ] {
            assert_eq!(advice.needs_attention(now), is_urgent, "{advice:?}");
        }
        for (left, grace, expected) in [
            (None, 20, Advice::GraceEnds(ago(-20))),
            (Some(90), 20, Advice::GraceEnds(ago(-20))),
            (Some(5), 20, Advice::ExpiresSoon(ago(-5))),
        ] {
            let token = token(0, None, left, "a", now);
            let advice = advise(&token, Ok(Some(ago(-grace))), &catalogue, now);
            assert_eq!(advice, [expected]);
        }
    }
}
