//! The activity of a token.

use super::audit::{EventRow, Part};
use super::chart::UseChart;
use super::filters;
use super::moment::by_day;
use super::token::{TokenMark, TokenRight, TokenRow, TokenState, TokensOwner};
use super::{Chrome, FieldErrors, Moment};
use askama::Template;

/// `GET /tokens/{id}`, or the organization's.
#[derive(Debug, Template)]
#[template(path = "token.html")]
pub struct TokenPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The owner of the token.
    pub owner: TokensOwner,
    /// The user's rights.
    pub right: TokenRight,
    /// The token.
    pub token: TokenRow,
    /// Who ended it and why, if it was revoked.
    pub ending: Option<Ending>,
    /// The organizations that block it, by name.
    pub blocked_in: Vec<String>,
    /// The requests to rotate it.
    pub rotation_requests: Vec<RotationNote>,
    /// The token that replaced it.
    pub successor: Option<Relative>,
    /// The token that it replaced.
    pub predecessor: Option<Relative>,
    /// The tokens that were created with it, newest first.
    pub children: Vec<Child>,
    /// Its uses, if recorded.
    pub record: UseRecord,
    /// URL of the next page of uses.
    pub next: Option<String>,
    /// Its creation, changes and end, newest first.
    pub events: Vec<EventRow>,
    /// Whether it was renamed just now.
    pub is_renamed: bool,
    /// The name in the form: the token's, or the typed one.
    pub name: String,
    /// Form errors; field `name`.
    pub errors: FieldErrors,
}

impl TokenPage {
    /// Names are not links on this page.
    fn about(&self, _: &str) -> Option<String> {
        None
    }

    /// The URL of the organization's log, filtered by the token.
    fn log(&self) -> Option<String> {
        let org = self.owner.organization()?;
        Some(format!("/o/{}/audit?token={}", org.slug, self.token.id))
    }
}

/// Who ended a token, and why.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The user or the operator, by name.
    pub by: String,
    /// The reason as the rest of the sentence; empty if it is obvious.
    pub why: &'static str,
}

/// A request to rotate the token.
#[derive(Debug, Clone)]
pub struct RotationNote {
    /// The name of the admin.
    pub by: String,
    /// The name of the organization.
    pub organization: String,
    /// When the admin asked.
    pub at: Moment,
}

/// A token that was created with another.
#[derive(Debug, Clone)]
pub struct Child {
    /// Its id, for the URL.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its prefix and last four characters.
    pub hint: String,
    /// Its state, and whether it belongs to an organization.
    pub about: &'static str,
    /// Whether it is in the same list of tokens.
    pub is_linked: bool,
}

/// Another token in a chain of rotations.
#[derive(Debug, Clone)]
pub struct Relative {
    /// Its id, for the URL.
    pub id: String,
    /// Prefix and last four characters: `dc_…4f2a`.
    pub hint: String,
    /// When the later of the two was created.
    pub at: Moment,
    /// The last use of the earlier one, if it was after that.
    pub straggler: Option<Moment>,
}

/// The recorded uses of a token.
#[derive(Debug, Clone)]
pub enum UseRecord {
    /// Recording is off.
    Off,
    /// Recording is on.
    On {
        /// The uses of the last days.
        chart: UseChart,
        /// The uses, newest first.
        uses: Vec<UseRow>,
    },
}

/// A use of a token.
#[derive(Debug, Clone)]
pub struct UseRow {
    /// The time.
    pub at: Moment,
    /// The network address, if known.
    pub address: Option<String>,
    /// The method and path pattern, or the endpoint.
    pub route: Option<String>,
    /// The requested scope.
    pub scope: Option<String>,
    /// Why it was refused; `None` if allowed.
    pub refusal: Option<String>,
    /// The number of equal uses that this row stands for, and the last of them; `None` for one.
    pub repeated: Option<(u64, Moment)>,
}

impl UseRow {
    /// The uses by day, in their order.
    fn by_day(uses: &[Self]) -> Vec<(&str, &[Self])> {
        by_day(uses, |used| &used.at)
    }
}
