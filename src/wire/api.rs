//! The bodies of the management API.

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

/// A token, without its secret.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// The id, `tok_…`.
    pub id: String,
    /// `personal` or `organization`.
    pub kind: String,
    /// The name that its maker gave it.
    pub name: String,
    /// The prefix and the last four characters, to tell tokens apart.
    pub hint: String,
    /// When it was made (RFC 3339, UTC).
    pub created_at: String,
    /// When it ends (RFC 3339, UTC); `null` if it never does.
    pub expires_at: Option<String>,
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
    /// The items, the newest first.
    pub items: Vec<T>,
    /// What to send as `cursor` for the next part; `null` at the end.
    pub next_cursor: Option<String>,
}

/// What a new token is to be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenWish {
    /// The name, 1 to 100 characters.
    pub name: String,
    /// The names of its scopes; only such as the caller has itself.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// `never`, `30d`, `90d`, `1y` or a date; the deployment's default if it is left out.
    #[serde(default)]
    pub expires: Option<String>,
    /// The one organization that it is to reach, by its id or address.
    #[serde(default)]
    pub organization: Option<String>,
    /// The ids of the projects that it is to reach; none for no limit.
    #[serde(default)]
    pub projects: Vec<String>,
}

/// A token that was just made, with its text.
// Without `Debug`, so that no log line can hold it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct NewToken {
    /// The token's text. It is shown once.
    pub token: String,
    /// The token, without its text.
    #[serde(flatten)]
    pub about: Token,
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
