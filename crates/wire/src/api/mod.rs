//! The bodies of the management API.
//!
//! Moments are RFC 3339 in UTC, lifetimes are in the unit that their name says.

mod audit;
mod operator;
mod org;
mod project;
mod token;

pub use audit::{
    AuditHead, AuditParameters, AuditRecord, AuditVerification, Discrepancy, FormatParameters,
    ProvenUse, TokenUse, UseParameters, UseProof,
};
pub use operator::{Client, CreateClientBody, CreateUserBody, NewClient, Status, UpdateClientBody};
pub use org::{
    AffectedToken, CreateInvitationBody, CreateOrganizationBody, EffectParameters, Invitation,
    Member, NewInvitation, OrganizationDetail, Policy, PutMemberBody, UpdateOrganizationBody,
    UpdatePolicyBody,
};
pub use project::{CreateProjectBody, ProjectDetail, ProjectMember, UpdateProjectBody};
pub use token::{CreateTokenBody, NewToken, RevokeAll, Revoked, Rotation, Token};

use super::json::Fault;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `GET /v1/me`: who the caller is and what its token may do.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// The person whose token it is; left out for an organization token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<User>,
    /// The organization whose token it is; left out for a personal token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub organization: Option<Organization>,
    /// The token itself, without its secret.
    pub token: Token,
    /// What the token may do now.
    pub scopes: Vec<String>,
    /// The organizations that the token reaches.
    pub organizations: Vec<Organization>,
    /// The projects that the token reaches.
    pub projects: Vec<Project>,
}

/// A person.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The id, `usr_…`.
    pub id: String,
    /// The name, as the person writes it.
    pub name: String,
    /// The email address with which the person signs in.
    pub email: String,
    /// `active` or `deactivated`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<String>,
    /// When the account was made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created_at: Option<String>,
}

/// An organization, as seen by one of its members.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Organization {
    /// The id, `org_…`.
    pub id: String,
    /// The name in addresses.
    pub slug: String,
    /// The name.
    pub name: String,
    /// The caller's role in it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<String>,
}

/// A project of an organization.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Project {
    /// The id, `prj_…`.
    pub id: String,
    /// The name.
    pub name: String,
}

/// `GET /v1/scopes`: the catalogue.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Scopes {
    /// Every scope that can be granted.
    pub items: Vec<Scope>,
    /// Always `null`: the catalogue comes in one page.
    pub next_cursor: Option<String>,
}

/// Which part of a list is asked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the query, which is read elsewhere")]
pub struct ListParameters {
    /// How many items at the most; 50 if it is left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u8>,
    /// The `next_cursor` of the part before.
    cursor: Option<String>,
}

/// A part of a list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// What to send as `cursor` for the next part; `null` at the end.
    pub next_cursor: Option<String>,
}

/// One scope of the catalogue.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Scope {
    /// The name that tokens carry.
    pub name: String,
    /// What it grants.
    pub description: String,
    /// The least role that may use it; left out if any active account may.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub min_role: Option<String>,
}

/// A problem (RFC 9457).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; opens its documentation.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words; the same for every problem of the kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable name of the kind, for programs.
    pub code: String,
    /// What went wrong this time and what to do about it.
    pub detail: String,
    /// The request, to be named when asking for help.
    pub request_id: String,
    /// Everything that is wrong with the body; left out if it is not about the body.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<Fault>,
}
