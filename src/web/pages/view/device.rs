//! Entering a device code, consent, and its result.

use super::{Chrome, FieldErrors, Moment, ScopeChoice};
use askama::Template;

/// `/device`. Posts to `/device` the fields `user_code`, `via`.
#[derive(Debug, Template)]
#[template(path = "device_code.html")]
pub struct CodePage {
    /// What is around the content.
    pub chrome: Chrome,
    /// What is in the field: from the link, or as typed before an error.
    pub code: String,
    /// How the code came here.
    pub via: Via,
    /// What is wrong; field `user_code`.
    pub errors: FieldErrors,
}

/// How a code reached the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The person typed it.
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
    /// What is around the content; its account is the one that approves.
    pub chrome: Chrome,
    /// Binds the decision to this account, session and request.
    pub ticket: String,
    /// The code as it is shown: `WDJB-MJHT`.
    pub user_code: String,
    /// The application that asks.
    pub client: ClientCard,
    /// What the device calls itself; nobody has checked it.
    pub device_name: Option<String>,
    /// The network address the request came from.
    pub address: String,
    /// When the request was made.
    pub requested: Moment,
    /// When the code can no longer be approved.
    pub code_expires: Moment,
    /// When the token would end; `None` if it never does.
    pub token_ends: Option<Moment>,
    /// What the application asks for and this account can give; ticked unless re-shown.
    pub scopes: Vec<ScopeChoice>,
    /// Names of scopes it asks for that this account cannot give; may be empty.
    pub withheld: Vec<String>,
    /// Whether the person must say that they started this, and why.
    pub confirm: Confirm,
    /// The local path to come back to after `Use another user`.
    pub return_to: String,
    /// What is wrong; field `confirm`.
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

/// The application that asks.
#[derive(Debug, Clone)]
pub struct ClientCard {
    /// The name it was registered with.
    pub name: String,
    /// Its `client_id`.
    pub id: String,
    /// What is known about it.
    pub trust: ClientTrust,
}

/// What is known about an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientTrust {
    /// A public client: anyone can use its id.
    Unverified,
    /// A confidential client: it has shown its secret.
    Registered,
}

/// Whether `I started this sign-in myself` must be ticked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirm {
    /// Not shown.
    NotAsked,
    /// The code came by link.
    ByLink,
    /// The request came from another network than the browser, whose address this is.
    OtherNetwork(String),
    /// Both; the address is the browser's.
    ByLinkFromOtherNetwork(String),
}

/// The plain result, after the decision or instead of it.
#[derive(Debug, Template)]
#[template(path = "device_result.html")]
pub struct ResultPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The name of the application that asked.
    pub client: String,
    /// What happened.
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was approved just now.
    Approved {
        /// The names of the scopes the token gets; may be empty.
        scopes: Vec<String>,
        /// When the token ends; `None` if it never does.
        token_ends: Option<Moment>,
    },
    /// It was denied just now.
    Denied,
    /// The code expired between the page and the press.
    Expired,
    /// It was decided before, perhaps in another tab; nothing changed.
    AlreadyDecided,
}
