//! Device code entry, consent page and result.

use super::filters;
use super::{Choice, Chrome, FieldErrors, Moment, ProjectGroup, ScopeChoice, initials};
use askama::Template;
use domain::route::Unscoped;
use domain::scope::Risk;

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
/// (repeated), `organization`, `project` (repeated), `expires`, `expires_on`, `confirm` = `yes`,
/// `decision` = `approve` or `deny`.
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
    /// Whether the browser is certainly in the network of that address.
    pub proximity: Proximity,
    /// When the device grant was created.
    pub requested: Moment,
    /// When the user code expires.
    pub code_expires: Moment,
    /// When the token would expire; `None` if never.
    pub token_ends: Option<Moment>,
    /// Requested scopes that this user can grant, the riskiest first; ticked unless shown again.
    pub scopes: Vec<ScopeChoice>,
    /// Names of requested scopes that this user cannot grant; may be empty.
    pub withheld: Vec<String>,
    /// What the token can use besides.
    pub unscoped: Unscoped,
    /// What the token can be limited to.
    pub limits: LimitFields,
    /// Whether the user must confirm that they started the sign-in, and why.
    pub confirm: Confirm,
    /// The local path to return to after `Use another user`.
    pub return_to: String,
    /// Form errors; fields `confirm`, `organization`, `project`, `expires`, `expires_on`.
    pub errors: FieldErrors,
}

/// The fields that limit the token.
#[derive(Debug)]
pub struct LimitFields {
    /// Whether they are shown at once: the device requested a limit, or one is wrong.
    pub are_open: bool,
    /// The organizations; empty where there is nothing to choose.
    pub organizations: Vec<Choice>,
    /// The projects to select, by organization.
    pub projects: Vec<ProjectGroup>,
    /// The expiries: the default with the empty value, then shorter ones.
    pub expiry: Vec<Choice>,
    /// The typed date.
    pub expires_on: String,
    /// The first and the last possible date.
    pub dates: (String, Option<String>),
    /// An organization or project that the device requested and the user cannot access.
    pub out_of_reach: Option<(&'static str, String)>,
}

/// The page instead of the consent page for a request that a rule forbids. Posts to
/// `/device/decide` the fields `ticket`, `user_code`, `decision` = `deny`.
#[derive(Debug, Template)]
#[template(path = "device_forbidden.html")]
pub struct ForbiddenPage {
    /// The page frame; its user is the one whom the rule concerns.
    pub chrome: Chrome,
    /// Binds the decision to this user, session and device grant.
    pub ticket: String,
    /// The user code as displayed.
    pub user_code: String,
    /// The name of the client.
    pub client: String,
    /// The device's name, as the device states it; unverified.
    pub device_name: Option<String>,
    /// The rule.
    pub rule: ForbiddenBy,
    /// The users who can change it.
    pub owners: Vec<Owner>,
    /// The local path to return to after `Use another account`.
    pub return_to: String,
}

/// An owner of an organization.
#[derive(Debug)]
pub struct Owner {
    /// The name.
    pub name: String,
    /// The email address.
    pub email: String,
}

impl Owner {
    /// One or two letters that stand for the owner.
    fn initials(&self) -> String {
        initials(&self.name)
    }
}

/// The rule that forbids a user to approve a request.
#[derive(Debug)]
pub enum ForbiddenBy {
    /// The policy of an organization: its name, its slug and the user's role.
    PersonalTokens(String, String, &'static str),
    /// Another rule, in words.
    Other(&'static str),
}

/// Whether the browser is in the network that the request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proximity {
    /// The same IPv4 address or IPv6 /64, of a client and not of a proxy.
    SameNetwork,
    /// Not certain.
    Uncertain,
}

/// How many scopes are shown as one list.
const FEW_SCOPES: usize = 6;

impl ConsentPage {
    /// Whether the scopes are shown by risk.
    fn has_many_scopes(&self) -> bool {
        self.scopes.len() > FEW_SCOPES
    }

    /// The scopes of each risk that occurs, the highest first.
    fn by_risk(&self) -> Vec<(Risk, Vec<&ScopeChoice>)> {
        let of = |risk| {
            let choices = self.scopes.iter().filter(|choice| choice.risk == risk);
            (risk, choices.collect::<Vec<_>>())
        };
        let risks = Risk::ALL.into_iter().rev().map(of);
        risks.filter(|(_, choices)| !choices.is_empty()).collect()
    }

    /// The number of scopes with this risk.
    fn count(&self, risk: Risk) -> usize {
        let choices = self.scopes.iter();
        choices.filter(|choice| choice.risk == risk).count()
    }

    /// How dangerous the scopes are: `1 of 4 scopes is high risk`.
    fn risk_words(&self) -> String {
        let (all, high) = (self.scopes.len(), self.count(Risk::High));
        if self.has_many_scopes() {
            let (write, read) = (self.count(Risk::Write), self.count(Risk::Read));
            return format!("{high} high risk, {write} write, {read} read");
        }
        let plural = if all == 1 { "" } else { "s" };
        match high {
            0 => format!("{all} scope{plural}, none high risk"),
            1 => format!("1 of {all} scope{plural} is high risk"),
            high => format!("{high} of {all} scopes are high risk"),
        }
    }

    /// Whether the request came from another network than the browser's.
    fn is_from_other_network(&self) -> bool {
        use Confirm::{ByLinkFromOtherNetwork, OtherNetwork};
        matches!(self.confirm, OtherNetwork(_) | ByLinkFromOtherNetwork(_))
    }

    /// Whether the code came by link.
    fn is_by_link(&self) -> bool {
        use Confirm::{ByLink, ByLinkFromOtherNetwork};
        matches!(self.confirm, ByLink | ByLinkFromOtherNetwork(_))
    }

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

/// Whether `I started this sign-in` must be ticked.
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
        /// The names of what the token is limited to; may be empty.
        limited_to: Vec<String>,
    },
    /// A rule forbids the user to approve it; the device learns the reason.
    Forbidden(&'static str),
    /// It was denied just now.
    Denied,
    /// The code expired before the decision.
    Expired,
    /// It was decided before, perhaps in another tab; nothing changed.
    AlreadyDecided,
}
