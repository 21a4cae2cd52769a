//! Tokens, a person's or an organization's: the list, creating, rotating, revoking.

use super::org::{EndingToken, OrganizationHead};
use super::{Choice, Chrome, FieldErrors, Moment, ScopeGroup};
use askama::Template;

/// Whose tokens a page is about. It decides the addresses and some of the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokensOwner {
    /// The person's own.
    User,
    /// An organization's.
    Organization(OrganizationHead),
}

impl TokensOwner {
    /// Where the list is; the other pages lie below it.
    pub(super) fn path(&self) -> String {
        match self {
            Self::User => "/tokens".to_owned(),
            Self::Organization(org) => format!("/o/{}/settings/api-tokens", org.slug),
        }
    }

    /// The organization, if it is one.
    pub(super) fn organization(&self) -> Option<&OrganizationHead> {
        match self {
            Self::User => None,
            Self::Organization(org) => Some(org),
        }
    }
}

/// `/tokens`, or `/o/{org}/settings/api-tokens`.
#[derive(Debug, Template)]
#[template(path = "tokens.html")]
pub struct TokensPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// Whose tokens they are.
    pub loaded_owner: TokensOwner,
    /// What the person may do here; everything with their own.
    pub right: TokenRight,
    /// The tokens of the holder, the newest first, with those that have ended.
    pub tokens: Vec<TokenRow>,
    /// Where the list goes on, if it does.
    pub next: Option<String>,
    /// What was just done, if anything.
    pub notice: Option<TokensNotice>,
}

impl TokensPage {
    /// Whether there is anything left to revoke, and the right to do so.
    fn can_revoke(&self) -> bool {
        self.right.can_revoke()
            && (self.next.is_some() || self.tokens.iter().any(TokenRow::is_live))
    }
}

/// What the person may do with the tokens of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRight {
    /// Make, rotate and revoke them.
    Manage,
    /// Only revoke them: the organization's plan has no tokens of its own.
    Revoke,
    /// Only look: the person is neither admin nor owner.
    View,
}

impl TokenRight {
    /// Whether tokens can be made and rotated.
    pub(super) fn can_manage(self) -> bool {
        self == Self::Manage
    }

    /// Whether tokens can be revoked.
    pub(super) fn can_revoke(self) -> bool {
        self != Self::View
    }
}

/// What was just done to the tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokensNotice {
    /// The token with this name was revoked.
    Revoked(String),
    /// This many tokens were revoked.
    RevokedAll(usize),
}

/// A token in the list.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// Its id, for the URL.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// Prefix and last four characters: `dc_…4f2a`.
    pub hint: String,
    /// The names of its scopes; may be empty.
    pub scopes: Vec<String>,
    /// The application and device that asked for it: `Doorcode CLI on laptop`.
    pub origin: Option<String>,
    /// Who made it; said of an organization's tokens.
    pub maker: Option<String>,
    /// The names of the organization or the projects that it is limited to; may be empty.
    pub limits: Vec<String>,
    /// When it was created.
    pub created: Moment,
    /// When it ends; `None` if it never does.
    pub expires: Option<Moment>,
    /// When and from which address it was last used; `None` if never.
    pub last_used: Option<LastUse>,
    /// Whether it still works.
    pub state: TokenState,
    /// What could be better about it; empty for one that has ended.
    pub advice: Vec<TokenAdvice>,
}

impl TokenRow {
    /// Whether it can be used, or could be again, and so be revoked.
    pub(super) fn is_live(&self) -> bool {
        matches!(
            self.state,
            TokenState::Live | TokenState::Replaced | TokenState::Refused(_)
        )
    }

    /// Whether another can take its place.
    pub(super) fn can_rotate(&self) -> bool {
        matches!(self.state, TokenState::Live | TokenState::Refused(_))
    }
}

/// What could be better about a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenAdvice {
    /// It was made a while ago and never used.
    NeverUsed,
    /// It was last used this long ago.
    Unused(Moment),
    /// It ends soon.
    ExpiresSoon(Moment),
    /// No policy admits it after this time.
    GraceEnds(Moment),
    /// It has no end.
    NeverExpires,
    /// It holds every scope there is.
    HoldsEverything,
}

/// The last use of a token.
#[derive(Debug, Clone)]
pub struct LastUse {
    /// When.
    pub at: Moment,
    /// From which network address, if it is known.
    pub address: Option<String>,
}

/// Whether a token still works.
#[derive(Debug, Clone)]
pub enum TokenState {
    /// It works.
    Live,
    /// It works until it ends by itself; another has taken its place.
    Replaced,
    /// No policy admits it, for this reason. It works again if one is loosened.
    Refused(String),
    /// Its time has passed.
    Expired,
    /// It was revoked at this time.
    Revoked(Moment),
}

/// `/tokens/new`, or the organization's. Posts to the same path the fields `name`, `scope`
/// (repeated), `organization`, `project` (repeated), `expires`, `expires_on`, `form_nonce`.
#[derive(Debug, Template)]
#[template(path = "token_new.html")]
pub struct NewTokenPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// Whose token it would be.
    pub loaded_owner: TokensOwner,
    /// What was typed as the name.
    pub name: String,
    /// The scopes to choose from; none ticked unless re-shown after an error.
    pub scopes: Vec<ScopeGroup>,
    /// What it can be limited to.
    pub limits: LimitChoices,
    /// The entries of `Expires`, one of them selected.
    pub expiry: Vec<Choice>,
    /// What was typed as the custom date: `2027-02-20`, or empty.
    pub expires_on: String,
    /// The first date that can be chosen: `2026-11-22`.
    pub earliest: String,
    /// The last date that can be chosen, if lifetimes are limited.
    pub latest: Option<String>,
    /// Sent back by the form, so that it makes one token however often it is sent.
    pub form_nonce: String,
    /// What is wrong; fields `name`, `scope`, `organization`, `project`, `expires`,
    /// `expires_on`.
    pub errors: FieldErrors,
}

impl NewTokenPage {
    /// Whether there are so many scopes that a search helps.
    fn has_many_scopes(&self) -> bool {
        self.scopes
            .iter()
            .map(|group| group.scopes.len())
            .sum::<usize>()
            > 8
    }
}

/// What a new token can be limited to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitChoices {
    /// All of the person's organizations, with the value ``, then each with its id; empty
    /// where there is nothing to choose.
    pub organizations: Vec<Choice>,
    /// The projects to tick, by organization; those without any are left out.
    pub projects: Vec<ProjectGroup>,
    /// The organizations that the token may not reach.
    pub caveats: Vec<Caveat>,
}

/// The projects of an organization that can be ticked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectGroup {
    /// The organization's id, as in the list of organizations.
    pub organization_id: String,
    /// The organization's name.
    pub organization: String,
    /// Its projects; the value is their id, and those selected are ticked.
    pub projects: Vec<Choice>,
}

/// An organization whose policy stands between it and some personal tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caveat {
    /// The organization's name.
    pub organization: String,
    /// What its policy asks for.
    pub required: RequiredScope,
}

/// What a policy asks of a personal token, or of its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequiredScope {
    /// To be an admin or owner, which this person is not.
    AdminsOnly,
    /// To expire within this time: `90 days`.
    ExpiresWithin(String),
    /// To expire at all.
    Expires,
}

/// The one page that shows a token, right after it was created or rotated.
#[derive(Template)]
#[template(path = "token_created.html")]
pub struct TokenCreatedPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// Whose token it is.
    pub loaded_owner: TokensOwner,
    /// What its owner calls it.
    pub name: String,
    /// The token itself.
    pub token: String,
    /// The names of its scopes; may be empty.
    pub scopes: Vec<String>,
    /// When it ends; `None` if it never does.
    pub expires: Option<Moment>,
    /// The token that it replaces, if it was made by rotation.
    pub replaced: Option<ReplacedToken>,
    /// The absolute URL of `/v1/me`, for the example.
    pub me_url: String,
}

/// A token whose place another has taken.
#[derive(Debug, Clone)]
pub struct ReplacedToken {
    /// Prefix and last four characters: `dc_…4f2a`.
    pub hint: String,
    /// Until when it goes on working; `None` if it was stopped at once.
    pub works_until: Option<Moment>,
}

/// `GET /tokens/{id}/rotate`, or the organization's. Posts to the same path the field
/// `overlap`.
#[derive(Debug, Template)]
#[template(path = "token_rotate.html")]
pub struct RotatePage {
    /// What is around the content.
    pub chrome: Chrome,
    /// Whose token it is.
    pub loaded_owner: TokensOwner,
    /// The token that would be replaced.
    pub token: TokenRow,
    /// How long it goes on; see [`overlaps`].
    pub overlap: Vec<Choice>,
    /// What is wrong; field `overlap`.
    pub errors: FieldErrors,
}

/// How long a token goes on working that another replaces.
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

/// `GET /tokens/{id}/revoke`, or the organization's. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "token_revoke.html")]
pub struct RevokePage {
    /// What is around the content.
    pub chrome: Chrome,
    /// Whose token it is.
    pub loaded_owner: TokensOwner,
    /// The token that would be revoked.
    pub token: TokenRow,
}

/// `GET /tokens/revoke-all`, or the organization's. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "token_revoke_all.html")]
pub struct RevokeAllPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// Whose tokens they are.
    pub loaded_owner: TokensOwner,
    /// The tokens that would be revoked; those that still work.
    pub tokens: Vec<EndingToken>,
}
