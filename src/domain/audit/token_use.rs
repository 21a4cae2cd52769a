//! One use of a token: a leaf of the tree that its batch is.

use super::canonical::{self, moment};
use super::hash::Hash;
use super::merkle;
use crate::domain::Instant;
use serde::{Deserialize, Serialize};

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
