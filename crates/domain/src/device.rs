//! The device grant of RFC 8628: its states, and the result of a poll in each.

use super::Instant;
use super::id::{GrantId, TokenId, UserId};
use super::scope::ScopeSet;
use super::secret::Secret;
use chrono::Duration;
use std::net::IpAddr;

/// Random bytes in a device code: 256 bits (RFC 8628 section 5.2).
pub type DeviceCodeSeed = [u8; 32];

/// How much the interval grows with each `slow_down` (RFC 8628 section 3.5).
pub const SLOW_DOWN: Duration = Duration::seconds(5);

/// The tolerance for early polls, since network latency varies.
const JITTER: Duration = Duration::milliseconds(500);

/// The maximum length of a device name in characters.
pub const DEVICE_NAME_LENGTH: usize = 100;

/// A new device code, independent of the user code.
pub fn device_code(seed: &DeviceCodeSeed) -> Secret {
    Secret::from_random(seed)
}

/// The name that a device sends, sanitized for display: no control or direction characters, one
/// space between words. `None` if nothing is left; an error beyond 100 characters.
pub fn device_name(text: &str) -> Result<Option<String>, TooLong> {
    let visible: String = text
        .chars()
        .filter(|c| !super::is_disguise(*c) || *c == '\t')
        .collect();
    let name = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.chars().count() > DEVICE_NAME_LENGTH {
        return Err(TooLong);
    }
    Ok((!name.is_empty()).then_some(name))
}

/// A device name of more than [`DEVICE_NAME_LENGTH`] characters.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

/// A device grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its identifier.
    pub id: GrantId,
    /// The client that requested it.
    pub client_id: String,
    /// The requested scopes.
    pub scopes: ScopeSet,
    /// The name that the device sent.
    pub device_name: Option<String>,
    /// The IP address of the device.
    pub address: IpAddr,
    /// When it was created.
    pub created_at: Instant,
    /// When both codes expire.
    pub expires_at: Instant,
    /// Its state.
    pub state: State,
    /// Its last poll and polling interval.
    pub pace: Pace,
    /// The kinds of misuse that are already logged.
    pub noted: Noted,
}

/// A suspicious use of a device grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misuse {
    /// A used device code was presented again: an attacker may have a copy.
    Replay,
    /// A client presented the device code of another client.
    WrongClient,
}

/// The kinds of misuse that are already logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Noted {
    /// See [`Misuse::Replay`].
    pub replay: bool,
    /// See [`Misuse::WrongClient`].
    pub wrong_client: bool,
}

/// The state of a device grant. It moves only forward: pending, then approved or denied, then
/// redeemed; or expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Not decided yet.
    Pending,
    /// A user approved it.
    Approved(Approval),
    /// A user denied it.
    Denied,
    /// The device has its token.
    Redeemed {
        /// The issued token.
        token_id: TokenId,
    },
    /// It expired before a token was issued. The state is stored once observed, so that setting
    /// the clock back revives no grant.
    Expired,
}

/// The approval by a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The user.
    pub user_id: UserId,
    /// The granted part of the requested scopes.
    pub scopes: ScopeSet,
}

/// How fast a device may poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The minimum time between polls.
    pub interval: Duration,
    /// The last poll that was not too early. A poll that got `slow_down` does not count, or a
    /// device that then obeys would be early again.
    pub last_poll_at: Option<Instant>,
}

/// Whether a poll keeps the connection open until there is a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The device requested to wait (`Prefer: wait`), which limits its pace.
    Held,
    /// The device expects an immediate response.
    Immediate,
}

/// The result of a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// The token can be issued.
    Issue(Approval),
    /// Not decided yet; the pace to store.
    Pending(Pace),
    /// Too early; the pace to store.
    SlowDown(Pace),
    /// The user denied the grant.
    Denied,
    /// The codes have expired.
    Expired,
    /// The token was already issued.
    Redeemed,
}

impl Grant {
    /// The result of a poll at this moment. An early poll still gets a decision: `slow_down`
    /// means "still pending" and must not hide it.
    pub fn poll(&self, now: Instant, waiting: Waiting) -> Poll {
        match &self.state {
            State::Redeemed { .. } => Poll::Redeemed,
            State::Expired => Poll::Expired,
            State::Denied => Poll::Denied,
            _ if self.is_over(now) => Poll::Expired,
            State::Approved(approval) => Poll::Issue(approval.clone()),
            State::Pending => match self.pace.poll(now, waiting) {
                (Early::No, pace) => Poll::Pending(pace),
                (Early::Yes, pace) => Poll::SlowDown(pace),
            },
        }
    }

    /// Whether both codes have expired.
    pub fn is_over(&self, now: Instant) -> bool {
        self.state == State::Expired || self.expires_at <= now
    }

    /// Whether a user can still decide.
    pub fn is_open(&self, now: Instant) -> bool {
        self.state == State::Pending && !self.is_over(now)
    }
}

enum Early {
    Yes,
    No,
}

impl Pace {
    fn poll(self, now: Instant, waiting: Waiting) -> (Early, Self) {
        let accepted = Self {
            last_poll_at: Some(now),
            ..self
        };
        let due = self.last_poll_at.map(|last| last + self.interval - JITTER);
        match (waiting, self.last_poll_at, due) {
            // A last poll in the future means that the clock was set back: this must not lock
            // out.
            (Waiting::Immediate, Some(last), Some(due)) if last <= now && now < due => (
                Early::Yes,
                Self {
                    interval: self.interval + SLOW_DOWN,
                    ..self
                },
            ),
            _ => (Early::No, accepted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn grant(state: State) -> Grant {
        Grant {
            id: GrantId::new(at(0), [0; 10]),
            client_id: "cli".into(),
            scopes: ScopeSet::default(),
            device_name: None,
            address: [127, 0, 0, 1].into(),
            created_at: at(0),
            expires_at: at(600),
            state,
            pace: Pace {
                interval: Duration::seconds(5),
                last_poll_at: None,
            },
            noted: Noted::default(),
        }
    }

    fn approval() -> Approval {
        Approval {
            user_id: UserId::new(at(0), [1; 10]),
            scopes: ScopeSet::parse("a").unwrap(),
        }
    }

    /// Polls at the given seconds; returns which polls got `slow_down`.
    fn slowed(seconds: &[i64]) -> Vec<bool> {
        let mut grant = grant(State::Pending);
        seconds
            .iter()
            .map(|second| match grant.poll(at(*second), Waiting::Immediate) {
                Poll::Pending(pace) => {
                    grant.pace = pace;
                    false
                }
                Poll::SlowDown(pace) => {
                    grant.pace = pace;
                    true
                }
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn early_polls_slow_down_for_good_and_obedient_ones_are_never_locked_out() {
        assert_eq!(slowed(&[0, 5, 10]), [false, false, false]);
        assert_eq!(slowed(&[0, 1, 7, 23]), [false, true, true, false]);
        // After one early poll the interval is 10 s from the last good poll, and stays so.
        assert_eq!(
            slowed(&[0, 1, 11, 20, 26]),
            [false, true, false, true, false]
        );
        // A clock set back by an hour causes no lockout.
        assert_eq!(slowed(&[0, -3600, -3595]), [false, false, false]);
    }

    #[test]
    fn a_poll_that_waits_is_not_told_to_slow_down() {
        let mut grant = grant(State::Pending);
        for second in [0, 0, 1] {
            let Poll::Pending(pace) = grant.poll(at(second), Waiting::Held) else {
                panic!("slowed down");
            };
            grant.pace = pace;
        }
        assert_eq!(grant.pace.interval, Duration::seconds(5));
    }

    #[test]
    fn each_state_has_one_result_before_and_after_expiry() {
        let redeemed = State::Redeemed {
            token_id: TokenId::new(at(0), [2; 10]),
        };
        for (state, open, over) in [
            (
                State::Approved(approval()),
                Poll::Issue(approval()),
                Poll::Expired,
            ),
            (State::Denied, Poll::Denied, Poll::Denied),
            (redeemed, Poll::Redeemed, Poll::Redeemed),
            (State::Expired, Poll::Expired, Poll::Expired),
        ] {
            let grant = grant(state);
            assert_eq!(grant.poll(at(599), Waiting::Immediate), open);
            assert_eq!(grant.poll(at(600), Waiting::Immediate), over);
        }
        assert_eq!(
            grant(State::Pending).poll(at(600), Waiting::Immediate),
            Poll::Expired
        );
    }

    #[test]
    fn an_early_poll_still_gets_the_decision() {
        let mut grant = grant(State::Approved(approval()));
        grant.pace.last_poll_at = Some(at(10));
        assert_eq!(
            grant.poll(at(11), Waiting::Immediate),
            Poll::Issue(approval())
        );
    }

    #[test]
    fn device_names_are_made_safe() {
        assert_eq!(
            device_name(" ada's\u{202e}  laptop\n ").unwrap().as_deref(),
            Some("ada's laptop")
        );
        assert_eq!(device_name("\u{200b}\n").unwrap(), None);
        assert_eq!(
            device_name(&"x".repeat(100)).unwrap().map(|n| n.len()),
            Some(100)
        );
        assert_eq!(device_name(&"x".repeat(101)), Err(TooLong));
    }
}
