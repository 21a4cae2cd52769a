//! The audit log.

use super::values::ExportFormat;
#[cfg(feature = "openapi")]
use super::values::{ActorKind, AuditOutcome, AuthenticationMethod, DiscrepancyKind};
use crate::json::rules;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Filters of audit records.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct AuditParameters {
    /// ID or slug of an organization, for its admins: returns its records. Default: all records
    /// for the operator, those of its organization for an organization token, and for a user those
    /// of their actions and of changes to the user and their tokens.
    pub organization: Option<String>,
    /// Actor: the ID of a user, token or client, or a kind of actor.
    pub actor: Option<String>,
    /// Action or its first part, such as `token`.
    pub action: Option<String>,
    /// ID of a token: returns records of its actions and of changes to it.
    pub token: Option<String>,
    /// Earliest time, inclusive (RFC 3339).
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    #[serde(default, deserialize_with = "rules::time")]
    pub since: Option<DateTime<Utc>>,
    /// Latest time, exclusive (RFC 3339).
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    #[serde(default, deserialize_with = "rules::time")]
    pub until: Option<DateTime<Utc>>,
}

/// Format of an export.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct FormatParameters {
    /// `ndjson` for verifiable lines of JSON, or `csv` for a table. Default: `ndjson`.
    #[cfg_attr(feature = "openapi", param(inline))]
    pub format: Option<ExportFormat>,
}

/// Filters of token uses.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct UseParameters {
    /// ID or slug of an organization, for its admins: returns uses of its tokens and uses in it.
    /// Default: all uses for the operator, those of its organization for an organization token,
    /// and those of their own tokens for a user.
    pub organization: Option<String>,
    /// ID of a token, or `operator` for the operator token.
    pub token: Option<String>,
    /// Earliest time, inclusive (RFC 3339).
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    #[serde(default, deserialize_with = "rules::time")]
    pub since: Option<DateTime<Utc>>,
    /// Latest time, exclusive (RFC 3339).
    #[cfg_attr(feature = "openapi", param(value_type = Option<String>))]
    #[serde(default, deserialize_with = "rules::time")]
    pub until: Option<DateTime<Utc>>,
}

/// A record of the audit log. `null` values are unknown or do not apply to the action.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditRecord {
    /// Sequence number in the log: from 1, without gaps.
    pub sequence: u64,
    /// Hash over the record and the previous hash.
    pub hash: String,
    /// ID, `evt_…`.
    pub id: String,
    /// Time of the event, to the millisecond.
    pub at: String,
    /// Action, such as `token.created`.
    pub action: String,
    /// Outcome of the action.
    #[cfg_attr(feature = "openapi", schema(value_type = AuditOutcome))]
    pub outcome: String,
    /// Kind of the actor.
    #[cfg_attr(feature = "openapi", schema(value_type = ActorKind))]
    pub actor_kind: String,
    /// ID of the actor. `null` if the kind identifies it.
    pub actor_id: Option<String>,
    /// Authentication method of the actor.
    #[cfg_attr(feature = "openapi", schema(value_type = AuthenticationMethod))]
    pub method: String,
    /// ID of the user who is the actor or owns or uses it.
    pub user_id: Option<String>,
    /// ID of the token that the actor used.
    pub token_id: Option<String>,
    /// ID of the client that the actor is or used.
    pub client_id: Option<String>,
    /// ID of the organization of the record.
    pub organization_id: Option<String>,
    /// ID of the object of the action.
    pub target: Option<String>,
    /// ID of the request that caused the event; `-` without a request.
    pub request_id: String,
    /// IP address of the request. If erased, `sha256:` and a hash that reveals nothing.
    pub address: Option<String>,
    /// User agent of the request, as sent.
    pub agent: Option<String>,
    /// Further data of the action.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub detail: Value,
}

/// Result of a verification of the whole log.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditVerification {
    /// Whether the log has no discrepancy.
    pub valid: bool,
    /// Number of stored records.
    pub records: u64,
    /// Number of records pruned because they exceeded the retention period.
    pub pruned: u64,
    /// Number of stored token uses that verify.
    pub uses: u64,
    /// Last record that verifies.
    pub head: AuditHead,
    /// Number of signed checkpoints that agree with the log.
    pub checkpoints: u64,
    /// End time of the verification. The server reuses a result for ten seconds.
    pub checked_at: String,
    /// First discrepancy. `null` if there is none.
    pub first_discrepancy: Option<Discrepancy>,
}

/// Position in the log.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditHead {
    /// Sequence number of the record.
    pub sequence: u64,
    /// Hash of the record.
    pub hash: String,
}

/// A discrepancy in the log.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Discrepancy {
    /// Sequence number of the discrepancy. All records before it verify.
    pub sequence: u64,
    /// Kind of the discrepancy, as far as it can be determined.
    #[cfg_attr(feature = "openapi", schema(value_type = DiscrepancyKind))]
    pub kind: String,
    /// Explanation in one sentence.
    pub says: String,
}

/// A use of a token.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenUse {
    /// ID of the use: the ID of the record of its usage batch, a dot, and the index in the batch.
    pub id: String,
    /// Time of the use, to the millisecond.
    pub at: String,
    /// ID of the token.
    pub token_id: String,
    /// ID of the request.
    pub request_id: String,
    /// IP address of the request. `null` if unknown.
    pub address: Option<String>,
    /// `allowed`, or the problem code of the refusal.
    pub decision: String,
    /// Scope that the request needed. `null` if it needed none.
    pub scope: Option<String>,
    /// Method and pattern of the route, or the endpoint that verified the token. `null` if unknown.
    pub route: Option<String>,
    /// ID of the organization that the request accessed. `null` if there is none.
    pub organization_id: Option<String>,
    /// ID of the user for whom the operator acted. Absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// For several equal uses of an inactive token: how many there were, and when the last was.
    /// Absent for a single use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<RepeatedUse>,
}

/// Equal uses of an inactive token, which are counted as one.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RepeatedUse {
    /// Number of uses, including the first.
    pub count: u64,
    /// Time of the last use, to the millisecond.
    pub last_at: String,
}

/// A use of a token with its inclusion proof, from the leaf of its canonical form to the root in
/// the log.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProvenUse {
    /// Use. Its canonical form has all its members except `id`.
    #[serde(rename = "use")]
    pub used: TokenUse,
    /// Inclusion proof (RFC 6962, section 2.1.1).
    pub proof: UseProof,
    /// Root hash in the record.
    pub root: String,
    /// Sequence number of the record with the root hash.
    pub sequence: u64,
}

/// Inclusion proof from a leaf to the root.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UseProof {
    /// Index of the leaf, from 0.
    pub index: u64,
    /// Number of leaves.
    pub size: u64,
    /// Sibling hashes, from the leaf up.
    pub path: Vec<String>,
}
