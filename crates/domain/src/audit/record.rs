//! What a line of the log says.

use super::canonical::{self, moment};
use super::personal::Salt;
use super::words::words;
use crate::Instant;
use crate::id::UserId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A record: what happened, who caused it, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its place in the log: the first is 1, and none is left out.
    pub sequence: u64,
    /// Its identifier, known before it has a place.
    pub id: String,
    /// When it happened. The order of the log is that of `sequence`, not of clocks.
    #[serde(with = "moment")]
    pub at: Instant,
    /// What happened. A text, since a log outlives the actions that a version knows.
    pub action: String,
    /// What kind of actor caused it.
    pub actor_kind: String,
    /// Which one, where the kind alone does not tell.
    pub actor_id: Option<String>,
    /// The person who is, or stands behind, the actor.
    pub user_id: Option<String>,
    /// The token that the actor came with.
    pub token_id: Option<String>,
    /// The registered client that the actor came with, or is.
    pub client_id: Option<String>,
    /// The organization it belongs to.
    pub organization_id: Option<String>,
    /// What it happened to.
    pub target: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// How the actor showed who it is.
    pub method: Method,
    /// The request that caused it; `-` outside of requests.
    pub request_id: String,
    /// The network address it came from.
    pub address: Option<String>,
    /// The program it came from, as that names itself; see [`agent`].
    pub agent: Option<String>,
    /// What else is worth knowing, never a secret.
    pub detail: Detail,
    /// What hides the texts that tell of a person from the hash; see [`super::personal`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Salt>,
}

impl Record {
    /// Whether a person may know from where it came. In their own log stands also what others
    /// did to them; from where is not theirs to know, unless it was nobody known: that may have
    /// been a thief.
    pub fn tells_origin_to(&self, user: &UserId) -> bool {
        match self.actor_kind.as_str() {
            "anonymous" | "client" => true,
            "operator" => false,
            _ => self.user_id.as_deref() == Some(user.as_str()),
        }
    }

    /// The canonical form, which the hash covers: it has pseudonyms for what can be erased.
    pub fn canonical(&self) -> String {
        match self.salt {
            None => canonical::write(self),
            Some(_) => canonical::write(&self.erased()),
        }
    }
}

words! {
    /// How what a record tells of has ended.
    Outcome {
        /// It was done.
        Done = "done",
        /// It was refused.
        Refused = "refused",
    }
}

words! {
    /// How an actor showed who it is.
    Method {
        /// By a browser's session.
        Session = "session",
        /// By a token.
        Token = "token",
        /// By the name of a client, and its secret if it has one.
        Client = "client",
        /// By the operator token.
        OperatorToken = "operator_token",
        /// By being able to run a command on the server.
        Command = "command",
        /// Not at all.
        None = "none",
    }
}

/// How deep a detail may be nested; far above any use, far below what readers of JSON refuse.
const DEPTH: usize = 16;
/// The largest integer that every reader of JSON keeps exactly (RFC 7493).
const LARGEST: u64 = (1 << 53) - 1;

/// What else a record says: an object of texts, booleans, nulls, integers, lists and objects,
/// of which the keys are ASCII. Those have one canonical form in every language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct Detail(Map<String, Value>);

impl Detail {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Its texts, by their keys.
    pub(super) fn texts_mut(&mut self) -> impl Iterator<Item = (&str, &mut String)> {
        self.0.iter_mut().filter_map(|(key, value)| match value {
            Value::String(text) => Some((key.as_str(), text)),
            _ => None,
        })
    }
}

impl TryFrom<Value> for Detail {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        match value {
            Value::Object(map) if map.iter().all(|(key, value)| is_plain(key, value, DEPTH)) => {
                Ok(Self(map))
            }
            _ => Err("a detail is an object with ASCII keys, without fractions"),
        }
    }
}

impl From<Detail> for Value {
    fn from(detail: Detail) -> Self {
        Self::Object(detail.0)
    }
}

/// Whether it is written alike everywhere: keys that sort alike, numbers that are integers.
fn is_plain(key: &str, value: &Value, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    key.is_ascii()
        && match value {
            Value::Null | Value::Bool(_) | Value::String(_) => true,
            Value::Number(number) => number
                .as_i64()
                .map(i64::unsigned_abs)
                .or(number.as_u64())
                .is_some_and(|size| size <= LARGEST),
            Value::Array(list) => list.iter().all(|value| is_plain("", value, depth)),
            Value::Object(map) => map.iter().all(|(key, value)| is_plain(key, value, depth)),
        }
}

/// The beginning of what a program says of itself, as a record keeps it: 200 characters.
pub fn agent(text: &str) -> String {
    text.chars().take(200).collect()
}
