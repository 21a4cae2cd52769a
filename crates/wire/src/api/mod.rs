//! Bodies of the management API.
//!
//! Times are RFC 3339 in UTC; the name of a duration contains its unit.

mod audit;
mod operator;
mod org;
mod project;
mod token;
mod values;

pub use audit::{
    AuditHead, AuditParameters, AuditRecord, AuditVerification, Discrepancy, FormatParameters,
    ProvenUse, RepeatedUse, TokenUse, UseParameters, UseProof,
};
pub use operator::{
    Client, ConfigReloaded, CreateClientBody, CreateUserBody, NewClient, NewPasswordReset,
    PasswordResetSent, Status, UpdateClientBody, UpdateUserBody,
};
pub use org::{
    AffectedToken, CreateInvitationBody, CreateOrganizationBody, EffectParameters, Invitation,
    InvitationSent, Member, NewInvitation, OrganizationDetail, Policy, PutMemberBody,
    UpdateOrganizationBody, UpdatePolicyBody,
};
pub use project::{CreateProjectBody, ProjectDetail, ProjectMember, UpdateProjectBody};
pub use token::{
    CreateTokenBody, Descendant, Descendants, NewToken, RevokeAll, Revoked, Rotation, Token,
    UpdateTokenBody,
};

pub use values::{
    ActorKind, AuditOutcome, AuthenticationMethod, ClientKind, ClientState, DiscrepancyKind,
    ExportFormat, MailStatus, PersonalTokens, Plan, Risk, Role, RouteAccess, TokenKind, TokenState,
    UserState,
};

use super::json::Fault;
use serde::{Deserialize, Serialize};

/// Caller and permissions of its token (`GET /v1/me`).
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// Owner of a personal token. Absent for an organization token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<User>,
    /// Owner of an organization token. Absent for a personal token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub organization: Option<Organization>,
    /// Token of the request, without its secret.
    pub token: Token,
    /// Scopes that the token has now.
    pub scopes: Vec<String>,
    /// Organizations that the token can access.
    pub organizations: Vec<Organization>,
    /// Projects that the token can access.
    pub projects: Vec<Project>,
}

/// A user.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// ID, `usr_…`.
    pub id: String,
    /// Name that the user chose.
    pub name: String,
    /// Email address for sign-in.
    pub email: String,
    /// Whether the user or the operator has verified the email address.
    pub email_verified: bool,
    /// `active` or `deactivated`. Present only for the operator.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<UserState>))]
    pub state: Option<String>,
    /// Creation time. Present only for the operator.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created_at: Option<String>,
}

/// An organization and the role of the caller in it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Organization {
    /// ID, `org_…`.
    pub id: String,
    /// Name in URLs, unique on the server.
    pub slug: String,
    /// Name.
    pub name: String,
    /// Role of the caller. Absent if the caller has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Role>))]
    pub role: Option<String>,
}

/// A project of an organization.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Project {
    /// ID, `prj_…`.
    pub id: String,
    /// Name.
    pub name: String,
}

/// Catalogue of scopes (`GET /v1/scopes`).
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Scopes {
    /// All scopes that tokens can have.
    pub items: Vec<Scope>,
    /// Named selections of scopes.
    #[serde(default)]
    pub presets: Vec<Preset>,
    /// Always `null`: the catalogue is a single page.
    pub next_cursor: Option<String>,
}

/// Route table of the protected API (`GET /v1/routes`).
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Routes {
    /// All routes. The first one that matches a request decides.
    pub items: Vec<Route>,
    /// Always `null`: the table is a single page.
    pub next_cursor: Option<String>,
}

/// A route of the protected API.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Route {
    /// Method and path of the requests that it matches.
    #[serde(rename = "match")]
    pub pattern: String,
    /// `scope`, `role`, `authenticated`, `operator` or `public`.
    #[cfg_attr(feature = "openapi", schema(value_type = RouteAccess))]
    pub access: String,
    /// Scope that a token needs. Present only for `scope`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<String>,
    /// Lowest role of the owner of a token. Present only for `role`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Role>))]
    pub role: Option<String>,
    /// Organization that the route is about. Absent if the path or the token names it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub organization: Option<String>,
    /// Whether requests need an `Idempotency-Key`.
    pub idempotency_key: bool,
    /// Seconds since the token's owner signed in for it, at most. Absent without a limit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_age: Option<u64>,
}

/// Page of a list to return.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct ListParameters {
    /// Maximum number of items. Default: 50.
    #[cfg_attr(feature = "openapi", param(value_type = Option<u8>, minimum = 1, maximum = 100))]
    pub limit: Option<String>,
    /// `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// A body without keys, or a list without filters.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A page of a list.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct List<T> {
    /// Items in the order of the list.
    pub items: Vec<T>,
    /// Value of `cursor` for the next page. `null` on the last page.
    pub next_cursor: Option<String>,
}

/// A scope of the catalogue.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Scope {
    /// Name of the scope.
    pub name: String,
    /// Permissions that the scope grants.
    pub description: String,
    /// Minimum role for the scope. Absent if every active user can use it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Role>))]
    pub min_role: Option<String>,
    /// `read`, `write` or `high`: the harm that a token with the scope can do.
    #[cfg_attr(feature = "openapi", schema(value_type = Risk))]
    pub risk: String,
    /// Heading under which forms show the scope.
    pub group: String,
    /// Whether a sign-in that names no scopes requests it and the form of a new token selects it.
    #[serde(rename = "default")]
    pub is_default: bool,
}

/// A named selection of scopes.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Preset {
    /// Name of the preset.
    pub name: String,
    /// Scopes that it selects.
    pub scopes: Vec<String>,
}

/// Problem details (RFC 9457).
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// URL that identifies the kind of problem and leads to its documentation.
    #[serde(rename = "type")]
    pub kind: String,
    /// Summary of the kind, the same for all problems of the kind.
    pub title: String,
    /// HTTP status code.
    pub status: u16,
    /// Stable, machine-readable code of the kind.
    pub code: String,
    /// Explanation of this problem and its remedy.
    pub detail: String,
    /// ID of the request in the log. Include it when you contact support.
    pub request_id: String,
    /// All faults in the body. Absent if the problem does not concern the body.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<Fault>,
}
