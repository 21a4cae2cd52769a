//! Device code entry, consent page and result.

use super::{Chrome, FieldErrors, Moment, ScopeChoice};
use askama::Template;

/// `/device`. Posts to `/device` the fields `user_code`, `via`.
#[derive(Debug, Template)]
#[template(path = "device_code.html")]
pub struct CodePage {
    /// The page frame.
    pub chrome: Chrome,
    /// The value of the field: from the link, or as typed before an error.
    pub code: String,
    /// How the code reached the page.
    pub via: Via,
    /// Form errors; field `user_code`.
    pub errors: FieldErrors,
}

/// How a code reached the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The user typed it.
    Keyboard,
    /// It was in the link.
    Link,
}

impl Via {
    /// The value of the form field `via`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyboard => "keyboard",
            Self::Link => "link",
        }
    }
}

/// The consent page. Posts to `/device/decide` the fields `ticket`, `user_code`, `scope`
/// (repeated), `confirm` = `yes`, `decision` = `approve` or `deny`.
#[derive(Debug, Template)]
#[template(path = "device_consent.html")]
pub struct ConsentPage {
    /// The page frame; its user is the one who decides.
    pub chrome: Chrome,
    /// Binds the decision to this user, session and device grant.
    pub ticket: String,
    /// The user code as displayed: `WDJB-MJHT`.
    pub user_code: String,
    /// The client that requests access.
    pub client: ClientCard,
    /// The device's name, as the device states it; unverified.
    pub device_name: Option<String>,
    /// The network address that created the device grant.
    pub address: String,
    /// When the device grant was created.
    pub requested: Moment,
    /// When the user code expires.
    pub code_expires: Moment,
    /// When the token would expire; `None` if never.
    pub token_ends: Option<Moment>,
    /// Requested scopes that this user can grant; ticked unless shown again.
    pub scopes: Vec<ScopeChoice>,
    /// Names of requested scopes that this user cannot grant; may be empty.
    pub withheld: Vec<String>,
    /// Whether the user must confirm that they started the sign-in, and why.
    pub confirm: Confirm,
    /// The local path to return to after `Use another user`.
    pub return_to: String,
    /// Form errors; field `confirm`.
    pub errors: FieldErrors,
}

impl ConsentPage {
    /// The code for a screen reader, letter by letter: `W D J B, M J H T`.
    fn spoken_code(&self) -> String {
        let halves = self.user_code.split('-').map(|half| {
            let letters: Vec<String> = half.chars().map(String::from).collect();
            letters.join(" ")
        });
        halves.collect::<Vec<_>>().join(", ")
    }
}

/// The client that requests access.
#[derive(Debug, Clone)]
pub struct ClientCard {
    /// Its registered name.
    pub name: String,
    /// Its `client_id`.
    pub id: String,
    /// Whether it is verified.
    pub trust: ClientTrust,
}

/// Whether a client is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientTrust {
    /// A public client: any program can use its id.
    Unverified,
    /// A confidential client: it has authenticated with its secret.
    Registered,
}

/// Whether `I started this sign-in myself` must be ticked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirm {
    /// Not shown.
    NotAsked,
    /// The code came by link.
    ByLink,
    /// The device grant comes from another network than the browser, which has this address.
    OtherNetwork(String),
    /// Both; the address is the browser's.
    ByLinkFromOtherNetwork(String),
}

/// The result, after the decision or instead of it.
#[derive(Debug, Template)]
#[template(path = "device_result.html")]
pub struct ResultPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The name of the client.
    pub client: String,
    /// The outcome.
    pub outcome: Outcome,
}

/// The outcome of a device grant.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was approved just now.
    Approved {
        /// The names of the token's scopes; may be empty.
        scopes: Vec<String>,
        /// When the token expires; `None` if never.
        token_ends: Option<Moment>,
    },
    /// It was denied just now.
    Denied,
    /// The code expired before the decision.
    Expired,
    /// It was decided before, perhaps in another tab; nothing changed.
    AlreadyDecided,
}
