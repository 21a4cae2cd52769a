//! One use of a token: a leaf of the Merkle tree of its usage batch.

use super::canonical::{self, moment};
use super::hash::Hash;
use super::merkle;
use super::note::VerifierKey;
use super::origin::Origin;
use super::record::Record;
use super::statement::{Claim, NOTE, Statement};
use crate::Instant;
use ring::signature::Ed25519KeyPair;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The action of a record of uses, which has the root of their Merkle tree.
pub const RECORDED: &str = "token.uses_recorded";

/// The action of a record of pruned uses.
pub const FORGOTTEN: &str = "token.uses_forgotten";

/// [`Use::decision`] of an allowed use.
pub const ALLOWED: &str = "allowed";

/// [`Use::token_id`] of the operator token, which has no id of its own.
pub const OPERATOR: &str = "operator";

/// Equal uses of an inactive token that are counted as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// The number of uses, including the first.
    pub count: u64,
    /// The time of the last use.
    #[serde(with = "moment")]
    pub last_at: Instant,
}

/// One use of a token, or several equal ones of an inactive token.
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
    /// The user for whom the operator acted; left out if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The number of equal uses and the last of them; left out for a single use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<Repeated>,
}

/// A [`Use`] with its members in the order of the canonical form.
#[derive(Serialize)]
struct Sorted<'a> {
    address: Option<&'a str>,
    #[serde(with = "moment")]
    at: Instant,
    decision: &'a str,
    organization_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeated: Option<&'a Repeated>,
    request_id: &'a str,
    route: Option<&'a str>,
    scope: Option<&'a str>,
    token_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

impl Use {
    /// The number of uses.
    pub fn count(&self) -> u64 {
        self.repeated.as_ref().map_or(1, |repeated| repeated.count)
    }

    /// The time of the last use.
    pub fn last_at(&self) -> Instant {
        let repeated = self.repeated.as_ref();
        repeated.map_or(self.at, |repeated| repeated.last_at)
    }

    /// The canonical form, whose bytes are the leaf. The server writes it for each use, so it is
    /// serialized without the way through a [`Value`].
    pub fn canonical(&self) -> String {
        let sorted = Sorted {
            address: self.address.as_deref(),
            at: self.at,
            decision: &self.decision,
            organization_id: self.organization_id.as_deref(),
            repeated: self.repeated.as_ref(),
            request_id: &self.request_id,
            route: self.route.as_deref(),
            scope: self.scope.as_deref(),
            token_id: &self.token_id,
            user_id: self.user_id.as_deref(),
        };
        serde_json::to_string(&sorted).unwrap_or_else(|_| canonical::write(self))
    }

    /// The hash of its leaf.
    pub fn leaf(&self) -> Hash {
        merkle::leaf(self.canonical().as_bytes())
    }
}

/// Key of the detail of a record of pruned uses: the time before which they were recorded.
const BEFORE: &str = "before";

/// Details of a record of pruned uses: the time before which their batches were recorded, and the
/// signed [`Claim::Forgotten`]. Write access to the database alone must not suffice to remove uses.
pub fn forgotten(origin: &Origin, before: Instant, pair: &Ed25519KeyPair) -> Value {
    let origin = origin.clone();
    let claim = Claim::Forgotten { before };
    let note = Statement { origin, claim }.sign(pair);
    json!({ BEFORE: moment::write(before), NOTE: note })
}

/// The time before which uses were pruned, if this record of the log says so, and one of the keys
/// has signed it.
pub fn forgotten_before(record: &Record, origin: &Origin, keys: &[VerifierKey]) -> Option<Instant> {
    if record.action != FORGOTTEN {
        return None;
    }
    let statement = Statement::of_record(record, keys)?;
    let Claim::Forgotten { before } = statement.claim else {
        return None;
    };
    let told = record.detail.get(BEFORE).and_then(Value::as_str)?;
    (statement.origin == *origin && moment::write(before) == told).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// The members are sorted, and the texts escaped, as in any other document.
        #[test]
        fn canonical_form_is_that_of_other_documents(
            texts: [String; 3],
            optional: [Option<String>; 5],
            millis in 0..4_000_000_000_000_i64,
            count: Option<u64>,
        ) {
            let [token_id, request_id, decision] = texts;
            let [address, scope, route, organization_id, user_id] = optional;
            let at = Instant::from_timestamp_millis(millis).unwrap();
            let repeated = count.map(|count| Repeated { count, last_at: at });
            let one = Use {
                at,
                token_id,
                request_id,
                address,
                decision,
                scope,
                route,
                organization_id,
                user_id,
                repeated,
            };
            proptest::prop_assert_eq!(one.canonical(), canonical::write(&one));
        }
    }
}
