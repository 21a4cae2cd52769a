//! Records of the audit log.

use super::canonical::{self, moment};
use super::salt::Salt;
use crate::Instant;
use crate::words;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A record: the event, its actor, and how the actor was authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its position in the log, without gaps; the first is 1.
    pub sequence: u64,
    /// Its identifier, assigned before its sequence.
    pub id: String,
    /// When it happened. The log is ordered by `sequence`, not by time.
    #[serde(with = "moment")]
    pub at: Instant,
    /// The action. A text, since a log outlives the actions that a version knows.
    pub action: String,
    /// The kind of actor.
    pub actor_kind: String,
    /// The actor's id, if its kind does not identify it.
    pub actor_id: Option<String>,
    /// The user who is the actor, or on whose behalf it acts.
    pub user_id: Option<String>,
    /// The token that authenticated the actor.
    pub token_id: Option<String>,
    /// The registered client that is the actor, or that the actor used.
    pub client_id: Option<String>,
    /// The organization it belongs to.
    pub organization_id: Option<String>,
    /// The id of the object of the action.
    pub target: Option<String>,
    /// The outcome.
    pub outcome: Outcome,
    /// How the actor was authenticated.
    pub method: Method,
    /// The request that caused it; `-` outside of requests.
    pub request_id: String,
    /// The network address of the client.
    pub address: Option<String>,
    /// The client's user agent; see [`agent`].
    pub agent: Option<String>,
    /// Further details, never a secret.
    pub detail: Detail,
    /// Hides personal data from the hash; see [`super::personal`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Salt>,
}

impl Record {
    /// A record of the system itself, which succeeded, without further data. Complete it with
    /// struct update syntax.
    pub fn new(id: &str, at: Instant, action: &str) -> Self {
        Self {
            sequence: 0,
            id: id.to_owned(),
            at,
            action: action.to_owned(),
            actor_kind: "system".to_owned(),
            actor_id: None,
            user_id: None,
            token_id: None,
            client_id: None,
            organization_id: None,
            target: None,
            outcome: Outcome::Done,
            method: Method::None,
            request_id: "-".to_owned(),
            address: None,
            agent: None,
            detail: Detail::default(),
            salt: None,
        }
    }

    /// Whether the user with this id may see the address and agent. A user's log also has what others did to
    /// them: the origin of those is hidden, unless the actor is unknown, since that may have been
    /// a thief.
    pub fn tells_origin_to(&self, user: impl AsRef<str>) -> bool {
        match self.actor_kind.as_str() {
            "anonymous" | "client" => true,
            "operator" => false,
            _ => self.user_id.as_deref() == Some(user.as_ref()),
        }
    }

    /// The canonical form, which the hash covers: pseudonyms replace personal data.
    pub fn canonical(&self) -> String {
        match self.salt {
            None => canonical::write(self),
            Some(_) => canonical::write(&self.erased()),
        }
    }
}

words! {
    /// The outcome of an action.
    Outcome {
        /// It succeeded.
        Done = "done",
        /// It was refused.
        Refused = "refused",
    }
}

words! {
    /// How an actor was authenticated.
    Method {
        /// By a browser session.
        Session = "session",
        /// By a token.
        Token = "token",
        /// By a client id, and the client's secret if it has one.
        Client = "client",
        /// By the operator token.
        OperatorToken = "operator_token",
        /// By access to the command line of the server.
        Command = "command",
        /// No authentication.
        None = "none",
    }
}

/// The deepest nesting of a detail; far above any use, far below the limits of JSON parsers.
const DEPTH: usize = 16;
/// The largest integer that every JSON parser keeps exactly (RFC 7493).
const LARGEST: u64 = (1 << 53) - 1;

/// Details of a record: an object of texts, booleans, nulls, integers, lists and objects with
/// ASCII keys. Those have one canonical form in every language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct Detail(Map<String, Value>);

impl Detail {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Its texts with one of these keys, at any depth.
    pub(super) fn collect_texts<'a>(&'a self, keys: &[&str], texts: &mut Vec<&'a str>) {
        collect_of(&self.0, keys, texts);
    }

    /// The same, to replace them.
    pub(super) fn collect_texts_mut<'a>(
        &'a mut self,
        keys: &[&str],
        texts: &mut Vec<&'a mut String>,
    ) {
        collect_of_mut(&mut self.0, keys, texts);
    }
}

fn collect_of<'a>(map: &'a Map<String, Value>, keys: &[&str], texts: &mut Vec<&'a str>) {
    for (key, value) in map {
        match value {
            Value::String(text) if keys.contains(&key.as_str()) => texts.push(text),
            Value::Object(map) => collect_of(map, keys, texts),
            Value::Array(items) => {
                for map in items.iter().filter_map(Value::as_object) {
                    collect_of(map, keys, texts);
                }
            }
            _ => {}
        }
    }
}

fn collect_of_mut<'a>(
    map: &'a mut Map<String, Value>,
    keys: &[&str],
    texts: &mut Vec<&'a mut String>,
) {
    for (key, value) in map {
        match value {
            Value::String(text) if keys.contains(&key.as_str()) => texts.push(text),
            Value::Object(map) => collect_of_mut(map, keys, texts),
            Value::Array(items) => {
                for map in items.iter_mut().filter_map(Value::as_object_mut) {
                    collect_of_mut(map, keys, texts);
                }
            }
            _ => {}
        }
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

/// Whether every language writes it alike: ASCII keys, which sort alike, and integers.
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

/// The first 200 characters of a user agent, as a record keeps them.
pub fn agent(text: &str) -> String {
    text.chars().take(200).collect()
}
