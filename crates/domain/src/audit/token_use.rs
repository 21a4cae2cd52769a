//! One use of a token: a leaf of the tree that its batch is.

use super::Action;
use super::canonical::{self, moment};
use super::hash::Hash;
use super::merkle;
use super::note::{self, Note, VerifierKey};
use super::origin::Origin;
use super::record::Record;
use crate::Instant;
use ring::signature::Ed25519KeyPair;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What [`Use::decision`] says of a use that was allowed.
pub const ALLOWED: &str = "allowed";

/// What [`Use::token_id`] says of the operator token, which has no id of its own.
pub const OPERATOR: &str = "operator";

/// One use of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// When.
    #[serde(with = "moment")]
    pub at: Instant,
    /// Which token: its id, or [`OPERATOR`].
    pub token_id: String,
    /// The request it came with.
    pub request_id: String,
    /// The network address it came from.
    pub address: Option<String>,
    /// [`ALLOWED`], or the code of the refusal.
    pub decision: String,
    /// The scope that was asked for.
    pub scope: Option<String>,
    /// Where it was used: method and path pattern, or the endpoint that was asked.
    pub route: Option<String>,
    /// The organization in which it was used.
    pub organization_id: Option<String>,
}

impl Use {
    /// The canonical form, whose bytes are the leaf.
    pub fn canonical(&self) -> String {
        canonical::write(self)
    }

    /// The hash of its leaf.
    pub fn leaf(&self) -> Hash {
        merkle::leaf(self.canonical().as_bytes())
    }
}

/// Under which keys a record says before when uses were forgotten, and holds the note that is
/// signed of that.
const BEFORE: &str = "before";
const NOTE: &str = "note";

/// What a record says that tells of forgotten uses: before when their batches were made, and a
/// signed note of that. Who can write the database alone must not be able to take uses away.
pub fn forgotten(origin: &Origin, before: Instant, pair: &Ed25519KeyPair) -> Value {
    let before = moment::write(before);
    let note = Note::sign(text(origin, &before), origin, pair).to_string();
    json!({ BEFORE: before, NOTE: note })
}

/// The text of the note, which by its last line passes for no other.
fn text(origin: &Origin, before: &str) -> String {
    format!("{origin}\n{before}\nforgotten\n")
}

/// Before when uses were forgotten by this record, if one of the keys has signed that they were.
pub fn forgotten_before(record: &Record, keys: &[VerifierKey]) -> Option<Instant> {
    if record.action != Action::TokenUsesForgotten.as_str() {
        return None;
    }
    let says = |key: &str| record.detail.get(key).and_then(Value::as_str);
    let (before, note) = (says(BEFORE)?, says(NOTE)?);
    note::is_signed(note, keys, |origin| text(origin, before))
        .then(|| moment::read(before))
        .flatten()
}
