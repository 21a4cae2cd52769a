//! The device grant of RFC 8628: its states, and the result of a poll in each.

use super::Instant;
use super::id::{GrantId, ProjectId, TokenId, UserId};
use super::name::{Flaw, NameRules};
use super::policy::Violation;
use super::scope::ScopeSet;
use super::secret::Secret;
use super::token::Limits;
use chrono::Duration;
use std::net::IpAddr;

/// Random bytes in a device code: 256 bits (RFC 8628 section 5.2).
pub type DeviceCodeSeed = [u8; 32];

/// How much the interval grows with each `slow_down` (RFC 8628 section 3.5).
pub const SLOW_DOWN: Duration = Duration::seconds(5);

/// How long a device that lost the answer with its token can get it again.
pub const ANSWER_KEPT: Duration = Duration::seconds(30);

/// The tolerance for early polls, since network latency varies.
const JITTER: Duration = Duration::milliseconds(500);

/// A new device code, independent of the user code.
pub fn device_code(seed: &DeviceCodeSeed) -> Secret {
    Secret::from_random(seed)
}

/// Checks the name that a device sends, with one space between words. `None` if it is empty.
pub fn device_name(rules: &NameRules, text: &str) -> Result<Option<String>, Flaw> {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    match rules.read(&words.join(" ")) {
        Ok(name) => Ok(Some(name)),
        Err(Flaw::Empty) => Ok(None),
        Err(flaw) => Err(flaw),
    }
}

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
    /// The organization that the device requested as a limit, by its slug or id; unchecked.
    pub organization: Option<String>,
    /// The project that the device requested as a limit; unchecked.
    pub project: Option<ProjectId>,
    /// The IP address of the device.
    pub address: IpAddr,
    /// When it was created.
    pub created_at: Instant,
    /// When both codes expire.
    pub expires_at: Instant,
    /// Its state.
    pub state: State,
    /// The minimum time between polls.
    pub interval: Duration,
    /// Whether its request has an audit record of its own; otherwise it was counted.
    pub is_recorded: bool,
    /// Whether a user has looked at it.
    pub is_shown: bool,
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
    /// A user denied it, or may not approve it.
    Denied(DeniedBecause),
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
    /// The limits that the user set.
    pub limits: Limits,
    /// The expiry that the user set, if it is earlier than the default.
    pub expires_at: Option<Instant>,
    /// When the user had last proved who they are.
    pub confirmed_at: Option<Instant>,
}

/// Why a device gets no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeniedBecause {
    /// The user denied the request.
    User,
    /// The organization's policy allows personal tokens of admins and owners only.
    PersonalTokens,
    /// The organization's policy does not allow the token.
    Policy,
    /// The user is in no organization that allows such a token.
    NoOrganization,
    /// The user lost the right to what was approved.
    Rights,
}

impl DeniedBecause {
    /// All reasons.
    pub const ALL: [Self; 5] = [
        Self::User,
        Self::PersonalTokens,
        Self::Policy,
        Self::NoOrganization,
        Self::Rights,
    ];

    /// The reason as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::PersonalTokens => "personal_tokens",
            Self::Policy => "policy",
            Self::NoOrganization => "no_organization",
            Self::Rights => "rights",
        }
    }

    /// Parses a reason.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// The reason of a policy.
    pub fn of(violation: Violation) -> Self {
        match violation {
            Violation::Role | Violation::Creator => Self::PersonalTokens,
            Violation::Plan | Violation::Never | Violation::TooLong(_) | Violation::Blocked => {
                Self::Policy
            }
        }
    }

    /// Message to the user of the device: the reason, and what to do next.
    pub fn explain(self) -> &'static str {
        match self {
            Self::User => "The sign-in was denied in the browser.",
            Self::PersonalTokens => {
                "The policy of the organization lets only admins and owners use personal tokens. \
                 Ask an owner to change your role or the policy, then sign in again."
            }
            Self::Policy => {
                "The policy of the organization does not allow this token. Ask an owner to change \
                 it, then sign in again."
            }
            Self::NoOrganization => {
                "You belong to no organization that allows this token. Ask to be \
                 invited to one, then sign in again."
            }
            Self::Rights => {
                "You no longer have the permissions that were approved. Sign in again, \
                 or ask an admin of the organization."
            }
        }
    }
}

/// How fast a device may poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The minimum time between polls.
    pub interval: Duration,
    /// When the codes expire.
    pub expires_at: Instant,
}

/// The last poll that was not too early. A poll that got `slow_down` does not count, or a device
/// that then obeys would be early again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastPoll {
    /// When it came.
    pub at: Instant,
    /// Whether it was a [`Waiting::Probe`], whose repetition is not too early.
    pub is_probed: bool,
    /// The interval since then, which may be longer than the stored one.
    pub interval: Duration,
}

/// Whether a poll of a pending grant came too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// It was on time.
    OnTime,
    /// It was too early. Holds the interval from now on if it grows: one that outlasts the codes
    /// does not.
    Early(Option<Duration>),
}

/// Whether a poll keeps the connection open until there is a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The device requested to wait (`Prefer: wait`), which limits its pace.
    Held,
    /// The device expects an immediate response.
    Immediate,
    /// The same, with an empty client secret in the header. Libraries that find out how a server
    /// authenticates clients take any error for a refusal of the header, so they repeat each poll
    /// immediately with the client id in the body. Both count as one poll.
    Probe,
}

/// The result of a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// The token can be issued.
    Issue(Approval),
    /// Not decided yet. An early poll gets `slow_down`; see [`Pace::poll`].
    Pending(Pace),
    /// The grant was denied.
    Denied(DeniedBecause),
    /// The codes have expired.
    Expired,
    /// The token was already issued.
    Redeemed,
}

impl Grant {
    /// The result of a poll at this moment. An early poll still gets a decision: `slow_down`
    /// means "still pending" and must not hide it.
    pub fn poll(&self, now: Instant) -> Poll {
        match &self.state {
            State::Redeemed { .. } => Poll::Redeemed,
            State::Expired => Poll::Expired,
            State::Denied(because) => Poll::Denied(*because),
            _ if self.is_over(now) => Poll::Expired,
            State::Approved(approval) => Poll::Issue(approval.clone()),
            State::Pending => Poll::Pending(Pace {
                interval: self.interval,
                expires_at: self.expires_at,
            }),
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

impl Pace {
    /// Compares a poll with the last one, which it replaces unless it is too early.
    pub fn poll(self, last: &mut Option<LastPoll>, now: Instant, waiting: Waiting) -> Timing {
        let is_probe = waiting == Waiting::Probe;
        let known = last.map_or(self.interval, |last| last.interval);
        let interval = known.max(self.interval);
        // A last poll in the future means that the clock was set back: this must not lock out.
        let recent = last.as_mut().filter(|last| {
            let due = last.at + interval - JITTER;
            waiting != Waiting::Held && last.at <= now && now < due
        });
        match recent {
            Some(last) if is_probe || last.is_probed => {
                let timing = match is_probe {
                    // The repetition adds to the interval.
                    true => Timing::Early(None),
                    false => Timing::OnTime,
                };
                last.is_probed = false;
                timing
            }
            Some(last) => {
                let is_useful = last.at + interval - JITTER < self.expires_at;
                let raised = is_useful.then_some(interval + SLOW_DOWN);
                last.interval = raised.unwrap_or(interval);
                Timing::Early(raised)
            }
            None => {
                *last = Some(LastPoll {
                    at: now,
                    is_probed: is_probe,
                    interval,
                });
                Timing::OnTime
            }
        }
    }
}

#[cfg(test)]
mod tests;
