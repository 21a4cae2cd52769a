//! The audit log.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Which records are looked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the query, which is read elsewhere")]
pub struct AuditParameters {
    /// Those of this organization, by id or address, for its admins. Left out, the operator
    /// sees everything, an organization's token its organization, and a person what they did
    /// and what happened to their account and their tokens.
    organization: Option<String>,
    /// What this one did: the id of a user, a token or a client, or a kind of actor.
    actor: Option<String>,
    /// An action, or its first part, such as `token`.
    action: Option<String>,
    /// What this token did, or what happened to it, by its id.
    token: Option<String>,
    /// Not before this moment (RFC 3339).
    since: Option<String>,
    /// Before this moment (RFC 3339).
    until: Option<String>,
}

/// In which form an export comes.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the query, which is read elsewhere")]
pub struct FormatParameters {
    /// Lines of JSON that prove themselves, or a table; `ndjson` if it is left out.
    format: Option<String>,
}

/// Which uses of tokens are looked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the query, which is read elsewhere")]
pub struct UseParameters {
    /// Those of this organization's tokens and those in it, by its id or address, for its
    /// admins. Left out, the operator sees all uses, an organization's token those of its
    /// organization, and a person those of their own tokens.
    organization: Option<String>,
    /// Those of this token, by its id; `operator` for the operator token.
    token: Option<String>,
    /// Not before this moment (RFC 3339).
    since: Option<String>,
    /// Before this moment (RFC 3339).
    until: Option<String>,
}

/// A record of the log. What is `null` is not known, or means nothing for this action.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditRecord {
    /// Its place: the first is 1, and none is left out.
    pub sequence: u64,
    /// The hash over the record and the hash before it.
    pub hash: String,
    /// The id, `evt_…`.
    pub id: String,
    /// When it happened, to the millisecond.
    pub at: String,
    /// What happened.
    pub action: String,
    /// How it ended.
    pub outcome: String,
    /// What kind of actor caused it.
    pub actor_kind: String,
    /// Which one, where the kind alone does not tell.
    pub actor_id: Option<String>,
    /// How the actor showed who it is.
    pub method: String,
    /// The person who is, or stands behind, the actor.
    pub user_id: Option<String>,
    /// The token that the actor came with.
    pub token_id: Option<String>,
    /// The client that the actor came with, or is.
    pub client_id: Option<String>,
    /// The organization it belongs to.
    pub organization_id: Option<String>,
    /// What it happened to.
    pub target: Option<String>,
    /// The request that caused it; `-` outside of requests.
    pub request_id: String,
    /// The address it came from. Where it was erased, `sha256:` and a hash that tells nothing.
    pub address: Option<String>,
    /// The program it came from, as that names itself.
    pub agent: Option<String>,
    /// What else is worth knowing of this action.
    #[schema(value_type = Object)]
    pub detail: Value,
}

/// What came out of a check of the whole log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditVerification {
    /// Whether everything fits.
    pub valid: bool,
    /// How many records there are.
    pub records: u64,
    /// How many were taken out before them, since they were older than the settings say.
    pub pruned: u64,
    /// How many uses of tokens are kept and fit.
    pub uses: u64,
    /// The end of what fits.
    pub head: AuditHead,
    /// How many signed checkpoints agree.
    pub checkpoints: u64,
    /// When the check ended. Whoever asks within ten seconds is answered the same.
    pub checked_at: String,
    /// The first thing that does not fit; `null` if there is none.
    pub first_discrepancy: Option<Discrepancy>,
}

/// A place in the log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditHead {
    /// The number of the record.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
}

/// What does not fit.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Discrepancy {
    /// The place. Whatever stands before it fits.
    pub sequence: u64,
    /// What was done there, as far as it can be told.
    pub kind: String,
    /// Why, in a sentence.
    pub says: String,
}

/// A use of a token.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenUse {
    /// Names the use: the record that stands for its batch, and its place there.
    pub id: String,
    /// When, to the millisecond.
    pub at: String,
    /// Which token.
    pub token_id: String,
    /// The request it came with.
    pub request_id: String,
    /// The address it came from.
    pub address: Option<String>,
    /// `allowed`, or the code of the refusal.
    pub decision: String,
    /// The scope that was asked for.
    pub scope: Option<String>,
    /// Where it was used: method and pattern of the address, or the endpoint that was asked.
    pub route: Option<String>,
    /// The organization in which it was used.
    pub organization_id: Option<String>,
}

/// A use of a token with what proves it: the leaf that its canonical form gives leads to the
/// root, which is in the log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ProvenUse {
    /// The use. Its canonical form is that of all its members but `id`.
    #[serde(rename = "use")]
    pub used: TokenUse,
    /// The way from the leaf to the root (RFC 6962, section 2.1.1).
    pub proof: UseProof,
    /// The root, as the record says it.
    pub root: String,
    /// The record whose detail holds the root.
    pub sequence: u64,
}

/// The way from a leaf to the root.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UseProof {
    /// The leaf's place; the first is 0.
    pub index: u64,
    /// How many leaves there are.
    pub size: u64,
    /// The hashes that are joined on the way, from the leaf up.
    pub path: Vec<String>,
}
