//! One use of a token: a leaf of the Merkle tree of its usage batch.

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

/// [`Use::decision`] of an allowed use.
pub const ALLOWED: &str = "allowed";

/// [`Use::token_id`] of the operator token, which has no id of its own.
pub const OPERATOR: &str = "operator";

/// One use of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// The time of the use.
    #[serde(with = "moment")]
    pub at: Instant,
    /// The token's id, or [`OPERATOR`].
    pub token_id: String,
    /// The id of the request.
    pub request_id: String,
    /// The network address of the client.
    pub address: Option<String>,
    /// [`ALLOWED`], or the code of the denial.
    pub decision: String,
    /// The requested scope.
    pub scope: Option<String>,
    /// Method and path pattern, or the endpoint that checked the token.
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

/// Keys of the details of a pruning record: the time before which uses were pruned, and the
/// signed note.
const BEFORE: &str = "before";
const NOTE: &str = "note";

/// Details of a record of pruned uses: the time before which their batches were created, and a
/// signed note. Write access to the database alone must not suffice to remove uses.
pub fn forgotten(origin: &Origin, before: Instant, pair: &Ed25519KeyPair) -> Value {
    let before = moment::write(before);
    let note = Note::sign(text(origin, &before), origin, pair).to_string();
    json!({ BEFORE: before, NOTE: note })
}

/// The text of the note. The last line distinguishes it from other notes.
fn text(origin: &Origin, before: &str) -> String {
    format!("{origin}\n{before}\nforgotten\n")
}

/// The time before which this record's uses were pruned, if one of the keys has signed that.
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
