//! Tokens: their format, attributes and state.

mod terminal;

pub use terminal::Terminal;

use super::id::{OrganizationId, ProjectId, TokenId, UserId};
use super::scope::ScopeSet;
use super::secret::Secret;
use super::{Fault, Instant};
use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

/// Random bytes in a token: 160 bits (RFC 6749 section 10.10).
pub type TokenSeed = [u8; 20];

/// Formats a new token: `<prefix>_`, 40 random hexadecimal digits, and 8 of CRC-32 over all that
/// precedes them. The checksum grants nothing; secret scanners and this server use it to
/// recognize a token.
pub fn write(prefix: &str, seed: &TokenSeed) -> Secret {
    let body = format!("{prefix}_{}", hex::encode(seed));
    let checksum = crc32fast::hash(body.as_bytes());
    Secret::new(format!("{body}{checksum:08x}"))
}

/// Whether a text has the format and checksum of a token. Any other text is not a token of this
/// server and needs no look-up.
pub fn is_well_formed(prefix: &str, text: &str) -> bool {
    let Some(digits) = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
    else {
        return false;
    };
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if digits.len() != 48 || !digits.bytes().all(is_hex) {
        return false;
    }
    let (body, checksum) = text.split_at(text.len() - 8);
    u32::from_str_radix(checksum, 16) == Ok(crc32fast::hash(body.as_bytes()))
}

/// The form of a token in lists: the prefix and the last four characters.
pub fn hint(prefix: &str, token: &Secret) -> String {
    let text = token.expose();
    format!("{prefix}_…{}", &text[text.len().saturating_sub(4)..])
}

/// The owner of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenOwner {
    /// A user: a personal access token.
    User(UserId),
    /// An organization. Its token contains no personal data and stays active when its creator
    /// leaves.
    Organization(OrganizationId),
}

impl TokenOwner {
    /// The token's kind, as the API writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "personal",
            Self::Organization(_) => "organization",
        }
    }

    /// The organization, if it is the owner.
    pub fn organization(&self) -> Option<&OrganizationId> {
        match self {
            Self::User(_) => None,
            Self::Organization(id) => Some(id),
        }
    }

    /// The owner's id.
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Organization(id) => id.as_str(),
        }
    }
}

/// The limits of a token, besides its scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// The only organization that it reaches; `None` for all organizations of its owner.
    pub organization: Option<OrganizationId>,
    /// The projects that it reaches, all in the organization that it is limited to; `None` for
    /// all that its owner reaches. A deleted project stays in the set, so that the limit remains.
    pub projects: Option<BTreeSet<ProjectId>>,
}

impl Limits {
    /// Whether the token reaches an organization as a whole, not only some of its projects.
    pub fn allow_organization(&self, id: &OrganizationId) -> bool {
        self.organization.as_ref().is_none_or(|limit| limit == id) && self.projects.is_none()
    }

    /// Whether the token reaches a project of an organization.
    pub fn allow_project(&self, organization_id: &OrganizationId, id: &ProjectId) -> bool {
        self.organization
            .as_ref()
            .is_none_or(|limit| limit == organization_id)
            && self
                .projects
                .as_ref()
                .is_none_or(|limits| limits.contains(id))
    }

    /// The ids of the organization and the projects.
    pub fn ids(&self) -> Vec<&str> {
        let organization = self.organization.iter().map(OrganizationId::as_str);
        let projects = self.projects.iter().flatten().map(ProjectId::as_str);
        organization.chain(projects).collect()
    }

    /// Whether the others allow everything that these limits allow.
    pub fn is_within(&self, others: &Self) -> bool {
        let organization = match (&self.organization, &others.organization) {
            (_, None) => true,
            (Some(own), Some(other)) => own == other,
            (None, Some(_)) => false,
        };
        let projects = match (&self.projects, &others.projects) {
            (_, None) => true,
            (Some(own), Some(other)) => own.is_subset(other),
            (None, Some(_)) => false,
        };
        organization && projects
    }
}

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its identifier.
    pub id: TokenId,
    /// Its owner.
    pub owner: TokenOwner,
    /// The name that its creator gave it.
    pub name: String,
    /// The scopes that it was granted. The owner's role can restrict them further.
    pub scopes: ScopeSet,
    /// Its limits, besides its scopes.
    pub limits: Limits,
    /// The prefix and the last four characters.
    pub hint: String,
    /// The client that requested it, if it was issued for a device grant.
    pub client_id: Option<String>,
    /// The name of the device that requested it, as sent by the device and not verified.
    pub device_name: Option<String>,
    /// Its creator, as an actor of the audit log.
    pub created_by: String,
    /// When it was created.
    pub created_at: Instant,
    /// When it expires; `None` if never.
    pub expires_at: Option<Instant>,
    /// The token that it replaces.
    pub replaces: Option<TokenId>,
    /// The token with which it was created; `None` if a user in a browser or the operator created
    /// it. After a rotation of that token, its successor.
    pub made_by_token: Option<TokenId>,
    /// When its owner last proved who they are, for its creation or afterwards; `None` for a token
    /// that no user in a browser created or approved.
    pub confirmed_at: Option<Instant>,
    /// The organizations that blocked it. They are its own or its owner's, or once were.
    pub blocked_in: BTreeSet<OrganizationId>,
    /// Its last recorded use.
    pub last_use: Option<LastUse>,
    /// Its revocation, if it was revoked.
    pub revocation: Option<Revocation>,
}

/// When and from where a token was last used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUse {
    /// The moment; written at most once a minute.
    pub at: Instant,
    /// The IP address of the caller.
    pub address: IpAddr,
}

/// The revocation of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The moment.
    pub at: Instant,
    /// The actor of the audit log who revoked it.
    pub by: String,
    /// The reason, as [`RevocationReason`] writes it.
    pub reason: String,
}

impl Revocation {
    /// A revocation at this moment, by this actor, for this reason.
    pub fn new(at: Instant, by: &str, reason: RevocationReason) -> Self {
        Self {
            at,
            by: by.to_owned(),
            reason: reason.as_str().to_owned(),
        }
    }
}

/// Why a token was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationReason {
    /// The owner pressed Revoke.
    Owner,
    /// The owner pressed Revoke all.
    RevokeAll,
    /// The client revoked it (RFC 7009).
    Client,
    /// The owner was deactivated.
    Deactivated,
    /// The owner left the organization that it was limited to, or the last one.
    LeftOrganization,
    /// The organization was deleted.
    OrganizationDeleted,
    /// An operator revoked it.
    Operator,
    /// The token with which it was created was revoked.
    Creator,
    /// The owner, whose address was unverified, was recovered.
    Recovered,
    /// The owner signed the device out that has it.
    SignedOut,
    /// The identity provider of the owner signed the owner out, or refuses the owner.
    IdentityEnded,
    /// The device sent its code again, and the token was not used: the answer with it was lost.
    AnswerLost,
}

impl RevocationReason {
    /// The reason as it is stored and shown in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "revoked_by_owner",
            Self::RevokeAll => "revoke_all",
            Self::Client => "revoked_by_client",
            Self::Deactivated => "user_deactivated",
            Self::LeftOrganization => "left_organization",
            Self::OrganizationDeleted => "organization_deleted",
            Self::Operator => "revoked_by_operator",
            Self::Creator => "creator_revoked",
            Self::Recovered => "account_recovered",
            Self::SignedOut => "signed_out",
            Self::IdentityEnded => "identity_ended",
            Self::AnswerLost => "answer_lost",
        }
    }
}

/// The state of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It can be used.
    Live,
    /// It has expired.
    Expired,
    /// It was revoked.
    Revoked,
}

impl Token {
    /// Whether its owner proved who they are at most this time ago.
    pub fn is_confirmed(&self, now: Instant, max_age: Duration) -> bool {
        let max_age = TimeDelta::from_std(max_age).unwrap_or(TimeDelta::MAX);
        self.confirmed_at
            .is_some_and(|at| (now - at).abs() <= max_age)
    }

    /// The organization of the token: its owner, or the one that it is limited to.
    pub fn organization(&self) -> Option<&OrganizationId> {
        let owner = self.owner.organization();
        owner.or(self.limits.organization.as_ref())
    }

    /// The token's state at a moment. A token expires at the exact instant of its expiry.
    pub fn state(&self, now: Instant) -> State {
        if self.revocation.is_some() {
            State::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            State::Expired
        } else {
            State::Live
        }
    }
}

/// Parses the field `Expires`: a preset, a date, or `custom` with the date in `custom`. The token
/// expires at the end of that date (UTC). `latest` is the latest expiry that the configuration
/// allows, `None` if tokens may be valid without end.
pub fn expiry(
    choice: &str,
    custom: Option<&str>,
    now: Instant,
    latest: Option<Instant>,
) -> Result<Option<Instant>, Fault> {
    let in_days = |days| now.checked_add_days(Days::new(days));
    let end = match choice {
        "never" => None,
        "30d" => in_days(30),
        "90d" => in_days(90),
        "1y" => in_days(365),
        "custom" => Some(end_of_day(custom.unwrap_or_default(), now)?),
        date => Some(end_of_day(date, now).map_err(|fault| Fault::new(
            "expires",
            match NaiveDate::parse_from_str(date, DATE) {
                Ok(_) => fault.message,
                Err(_) => "Choose when the token ends. Write never, 30d, 90d, 1y, or a date such as 2030-01-31.".to_owned(),
            },
        ))?),
    };
    match (end, latest) {
        (None, Some(_)) => Err(Fault::new(
            "expires",
            "Tokens must end here: choose a date.",
        )),
        (Some(end), Some(latest)) if end > latest => {
            let field = if choice == "custom" {
                "expires_on"
            } else {
                "expires"
            };
            Err(Fault::new(
                field,
                format!("Choose a date up to {}.", latest.format("%Y-%m-%d")),
            ))
        }
        _ => Ok(end),
    }
}

/// The format of dates.
const DATE: &str = "%Y-%m-%d";

fn end_of_day(date: &str, now: Instant) -> Result<Instant, Fault> {
    let fault = |message| Fault::new("expires_on", message);
    let date = NaiveDate::parse_from_str(date, DATE)
        .map_err(|_| fault("Enter a date as year-month-day, such as 2030-01-31."))?;
    let end = date
        .checked_add_days(Days::new(1))
        .map(|day| day.and_time(NaiveTime::MIN).and_utc())
        .filter(|end| end.timestamp() < 253_402_300_800)
        .ok_or_else(|| fault("Choose a date before the year 10000, or `never`."))?;
    if end <= now {
        return Err(fault("Choose a date that is not in the past."));
    }
    Ok(end)
}

#[cfg(test)]
mod tests;
