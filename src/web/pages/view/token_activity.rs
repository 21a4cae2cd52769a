//! What became of a token.

use super::audit::{EventRow, Part};
use super::chart::UseChart;
use super::token::{TokenRight, TokenRow, TokenState, TokensOwner};
use super::{Chrome, Moment};
use askama::Template;

/// `GET /tokens/{id}`, or the organization's.
#[derive(Debug, Template)]
#[template(path = "token.html")]
pub struct TokenPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// Whose token it is.
    pub loaded_owner: TokensOwner,
    /// What the person may do with it.
    pub right: TokenRight,
    /// The token.
    pub token: TokenRow,
    /// Who ended it and why, if somebody did.
    pub ending: Option<String>,
    /// The token that came in its place.
    pub successor: Option<Relative>,
    /// The token in whose place it came.
    pub predecessor: Option<Relative>,
    /// What can be said of its uses.
    pub record: UseRecord,
    /// Where the uses go on, if they do.
    pub next: Option<String>,
    /// How it was made, rotated and ended, the latest first.
    pub events: Vec<EventRow>,
}

impl TokenPage {
    /// Names lead nowhere from here.
    fn about(&self, _: &str) -> Option<String> {
        None
    }

    /// The organization's log, searched for the token.
    fn log(&self) -> Option<String> {
        let org = self.loaded_owner.organization()?;
        Some(format!("/o/{}/audit?token={}", org.slug, self.token.id))
    }
}

/// Another token in a chain of rotations.
#[derive(Debug, Clone)]
pub struct Relative {
    /// Its id, for the URL.
    pub id: String,
    /// Prefix and last four characters: `dc_…4f2a`.
    pub hint: String,
    /// When the later of the two was made.
    pub at: Moment,
    /// The last use of the earlier one, if it was after that.
    pub straggler: Option<Moment>,
}

/// What is known of the uses of a token.
#[derive(Debug, Clone)]
pub enum UseRecord {
    /// They are not recorded.
    Off,
    /// They are.
    On {
        /// The last days.
        chart: UseChart,
        /// Uses, the latest first.
        uses: Vec<UseRow>,
    },
}

/// A use of a token.
#[derive(Debug, Clone)]
pub struct UseRow {
    /// When.
    pub at: Moment,
    /// From which network address, if it is known.
    pub address: Option<String>,
    /// The method and address pattern, or the endpoint.
    pub route: Option<String>,
    /// The scope that was asked for.
    pub scope: Option<String>,
    /// Why it was refused; `None` if it was not.
    pub refusal: Option<String>,
}
