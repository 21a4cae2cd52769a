//! Tokens of a user or an organization: list, show once, rotate, revoke.

use super::filters;
use super::org::{EndingToken, OrganizationHead};
use super::{Choice, Chrome, FieldErrors, Moment};
use askama::Template;
use chrono::Duration;
use domain::policy::Violation;

/// The owner of the tokens on a page. It determines the paths and some texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokensOwner {
    /// The signed-in user.
    User,
    /// An organization.
    Organization(OrganizationHead),
}

impl TokensOwner {
    /// The path of the list; the other pages are below it.
    pub(super) fn path(&self) -> String {
        match self {
            Self::User => "/tokens".to_owned(),
            Self::Organization(org) => format!("/o/{}/settings/api-tokens", org.slug),
        }
    }

    /// The organization, if it is the owner.
    pub(super) fn organization(&self) -> Option<&OrganizationHead> {
        match self {
            Self::User => None,
            Self::Organization(org) => Some(org),
        }
    }
}

/// The user's rights to the tokens of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRight {
    /// Create, rotate and revoke.
    Manage,
    /// Revoke only: this rule allows no new token.
    Revoke(Violation),
    /// Read only: the user is neither admin nor owner.
    View,
}

impl TokenRight {
    /// Whether the user can create and rotate tokens.
    pub(super) fn can_manage(self) -> bool {
        self == Self::Manage
    }

    /// Whether the user can revoke tokens.
    pub(super) fn can_revoke(self) -> bool {
        self != Self::View
    }
}

/// A token in the list.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// Its id, for the URL.
    pub id: String,
    /// The token's name.
    pub name: String,
    /// Prefix and last four characters: `dc_…4f2a`.
    pub hint: String,
    /// The names of its scopes, the riskiest first; may be empty.
    pub scopes: Vec<String>,
    /// How many of them have a high risk.
    pub high_risk: usize,
    /// The client and device that requested it: `Doorcode CLI on laptop`.
    pub origin: Option<String>,
    /// Its creator; only for an organization's tokens.
    pub maker: Option<String>,
    /// The token with which it was created.
    pub creator: Option<Creator>,
    /// Names of the organization or the projects that limit it; may be empty.
    pub limits: Vec<String>,
    /// When it was created.
    pub created: Moment,
    /// When it expires; `None` if never.
    pub expires: Option<Moment>,
    /// When and from which address it was last used; `None` if never.
    pub last_used: Option<LastUse>,
    /// Its state.
    pub state: TokenState,
    /// What is not normal about it, the worst first; `None` for one that has ended.
    pub mark: Option<TokenMark>,
}

/// The token with which another was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creator {
    /// Its prefix and last four characters.
    pub hint: String,
    /// Whether it can no longer be used.
    pub has_ended: bool,
}

impl TokenRow {
    /// Whether it is active or can become so again; only such tokens can be revoked.
    pub(super) fn is_live(&self) -> bool {
        matches!(
            self.state,
            TokenState::Live | TokenState::Replaced | TokenState::Refused(_)
        )
    }

    /// The scopes that a row names.
    pub(super) fn named_scopes(&self) -> &[String] {
        match self.scopes.len() {
            0..=4 => &self.scopes[..self.scopes.len().min(2)],
            _ => &[],
        }
    }

    /// The scopes that a row shows on request.
    pub(super) fn other_scopes(&self) -> &[String] {
        &self.scopes[self.named_scopes().len()..]
    }

    /// Whether it expires soon.
    pub(super) fn expires_soon(&self) -> bool {
        self.mark == Some(TokenMark::ExpiresSoon)
    }

    /// Whether it can be rotated.
    pub(super) fn can_rotate(&self) -> bool {
        matches!(self.state, TokenState::Live | TokenState::Refused(_))
    }
}

/// What is not normal about an active token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenMark {
    /// An admin blocked it.
    BlockedByAdmin,
    /// No policy allows it.
    Blocked,
    /// No policy allows it after this time.
    GraceEnds(Moment),
    /// Another token has replaced it.
    Replaced,
    /// It expires soon.
    ExpiresSoon,
    /// It has every scope.
    HoldsEverything,
    /// It was last used at this time, very long ago.
    Forgotten(Moment),
    /// It was last used at this time, long ago.
    Unused(Moment),
    /// It was created a while ago and never used.
    NeverUsed,
}

/// The last use of a token.
#[derive(Debug, Clone)]
pub struct LastUse {
    /// The time.
    pub at: Moment,
    /// The network address, if known.
    pub address: Option<String>,
}

/// The state of a token.
#[derive(Debug, Clone)]
pub enum TokenState {
    /// It is active.
    Live,
    /// It is active until it expires; another token has replaced it.
    Replaced,
    /// No policy allows it, for this reason. A relaxed policy makes it active again.
    Refused(String),
    /// It has expired.
    Expired,
    /// It was revoked at this time.
    Revoked(Moment),
}

/// The one page that shows a token, right after it was created or rotated.
#[derive(Template)]
#[template(path = "token_created.html")]
pub struct TokenCreatedPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The owner of the token.
    pub owner: TokensOwner,
    /// The token's id.
    pub id: String,
    /// The token's name.
    pub name: String,
    /// The token itself; `None` if it was shown before.
    pub secret: Option<String>,
    /// The names of its scopes; may be empty.
    pub scopes: Vec<String>,
    /// Names of the organization or the projects that limit it; may be empty.
    pub limits: Vec<String>,
    /// When it expires; `None` if never.
    pub expires: Option<Moment>,
    /// The token that it replaces, if it was created by rotation.
    pub replaced: Option<ReplacedToken>,
    /// The absolute URL of `/v1/me`, for the example.
    pub me_url: String,
}

/// A replaced token.
#[derive(Debug, Clone)]
pub struct ReplacedToken {
    /// Prefix and last four characters: `dc_…4f2a`.
    pub hint: String,
    /// When it becomes inactive; `None` if it did so immediately.
    pub works_until: Option<Moment>,
}

/// `GET /tokens/{id}/rotate`, or the organization's. Posts to the same path the field
/// `overlap`.
#[derive(Debug, Template)]
#[template(path = "token_rotate.html")]
pub struct RotatePage {
    /// The page frame.
    pub chrome: Chrome,
    /// The owner of the token.
    pub owner: TokensOwner,
    /// The token to be replaced.
    pub token: TokenRow,
    /// The overlaps; see [`overlaps`].
    pub overlap: Vec<Choice>,
    /// Form errors; field `overlap`.
    pub errors: FieldErrors,
}

/// How long a replaced token stays active.
pub fn overlaps(selected: &str) -> Vec<Choice> {
    Choice::of(
        &[
            ("none", "Stop the old one at once"),
            ("1h", "1 hour"),
            ("24h", "24 hours"),
            ("7d", "7 days"),
        ],
        selected,
    )
}

/// The overlap with this value of [`overlaps`].
pub fn read_overlap(value: &str) -> Option<Duration> {
    match value {
        "none" => Some(Duration::zero()),
        "1h" => Some(Duration::hours(1)),
        "24h" => Some(Duration::hours(24)),
        "7d" => Some(Duration::days(7)),
        _ => None,
    }
}

/// `GET /tokens/{id}/revoke`, or the organization's. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "token_revoke.html")]
pub struct RevokePage {
    /// The page frame.
    pub chrome: Chrome,
    /// The owner of the token.
    pub owner: TokensOwner,
    /// The token to be revoked.
    pub token: TokenRow,
    /// Number of active tokens that end with it.
    pub descendants: usize,
    /// Whether the token that replaced it stays active.
    pub has_successor: bool,
    /// Its uses in the last 24 hours, if recorded.
    pub recent: Option<RecentUses>,
}

/// The uses of a token in the last 24 hours.
#[derive(Debug, Default)]
pub struct RecentUses {
    /// Their number.
    pub total: u64,
    /// Whether there may be more.
    pub is_cut: bool,
    /// The number of addresses.
    pub sources: usize,
    /// The most frequent addresses, with the number of uses.
    pub addresses: Vec<(Option<String>, u64)>,
    /// The number of further addresses.
    pub more: usize,
}

/// `GET /tokens/revoke-all`, or the organization's. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "token_revoke_all.html")]
pub struct RevokeAllPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The owner of the tokens.
    pub owner: TokensOwner,
    /// The tokens to be revoked; those that still work.
    pub tokens: Vec<EndingToken>,
}
