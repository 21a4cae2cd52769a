//! The device grant of RFC 8628: its states, and what a poll means in each.

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

/// How much too early a poll may be, since networks do not keep time.
const JITTER: Duration = Duration::milliseconds(500);

/// The longest device name that is kept.
pub const DEVICE_NAME_LENGTH: usize = 100;

/// A new device code. It shares nothing with the user code.
pub fn device_code(seed: &DeviceCodeSeed) -> Secret {
    Secret::from_random(seed)
}

/// What a device calls itself, made safe to show: no control or direction characters, one
/// space between words. `None` if nothing is left; it is too long for more than 100 characters.
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

/// A device's request for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its identifier.
    pub id: GrantId,
    /// The client that asked.
    pub client_id: String,
    /// What it asked for.
    pub scopes: ScopeSet,
    /// What the device calls itself.
    pub device_name: Option<String>,
    /// The address it asked from.
    pub address: IpAddr,
    /// When it asked.
    pub created_at: Instant,
    /// When both codes end.
    pub expires_at: Instant,
    /// What has become of it.
    pub state: State,
    /// When and how fast it may poll.
    pub pace: Pace,
    /// What was suspicious about it, each kind once.
    pub noted: Noted,
}

/// What can be suspicious about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misuse {
    /// A device came again with a code that was used up: a copy may be in other hands.
    Replay,
    /// Another client than the one that it was made for came with its code.
    WrongClient,
}

/// What has been seen and logged already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Noted {
    /// See [`Misuse::Replay`].
    pub replay: bool,
    /// See [`Misuse::WrongClient`].
    pub wrong_client: bool,
}

/// What has become of a request. Moves only forward: pending, then approved or denied, then
/// redeemed; or expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nobody has decided.
    Pending,
    /// A person approved it.
    Approved(Approval),
    /// A person denied it.
    Denied,
    /// The device has its token.
    Redeemed {
        /// The token it got.
        token_id: TokenId,
    },
    /// Its time was over before it led to a token. Stored once it was seen, so that a clock
    /// that is set back revives nothing.
    Expired,
}

/// What a person approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub user_id: UserId,
    /// What of the request was granted.
    pub scopes: ScopeSet,
}

/// How fast a device may poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The least time between polls.
    pub interval: Duration,
    /// The last poll that was not too early. A poll that was told to slow down does not
    /// count, or a device that obeys from then on would be early again.
    pub last_poll_at: Option<Instant>,
}

/// Whether a poll keeps the connection open until there is a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// It asked to wait (`Prefer: wait`), which paces it by itself.
    Held,
    /// It wants its answer at once.
    Immediate,
}

/// What a poll means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// The token can be issued.
    Issue(Approval),
    /// Not decided yet; the pace to remember.
    Pending(Pace),
    /// Too early; the pace to remember.
    SlowDown(Pace),
    /// The person said no.
    Denied,
    /// The codes have ended.
    Expired,
    /// The token was fetched before.
    Redeemed,
}

impl Grant {
    /// What a poll at this moment means. A decision is told even to a poll that comes too
    /// early: `slow_down` means "still pending" and must not hide it.
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

    /// Whether both codes have ended.
    pub fn is_over(&self, now: Instant) -> bool {
        self.state == State::Expired || self.expires_at <= now
    }

    /// Whether a person can still decide.
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
            // A last poll in the future means that the clock was set back: never lock out.
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

    /// Polls at the given seconds and tells which were asked to slow down.
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
        // Set back by an hour, the clock blocks nobody.
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
    fn each_state_means_one_thing_before_and_after_its_time() {
        let redeemed = State::Redeemed {
            token_id: TokenId::new(at(0), [2; 10]),
        };
        for (state, alive, over) in [
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
            assert_eq!(grant.poll(at(599), Waiting::Immediate), alive);
            assert_eq!(grant.poll(at(600), Waiting::Immediate), over);
        }
        assert_eq!(
            grant(State::Pending).poll(at(600), Waiting::Immediate),
            Poll::Expired
        );
    }

    #[test]
    fn a_decision_is_told_to_an_early_poll_too() {
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
