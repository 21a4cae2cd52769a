//! The bodies of the management API.

use serde::{Deserialize, Serialize};

/// `GET /v1/me`: who the caller is and what its token may do.
#[derive(Debug, Serialize, Deserialize)]
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
#[derive(Debug, Serialize, Deserialize)]
pub struct User {
    /// The id, `usr_…`.
    pub id: String,
    /// The name, as the person writes it.
    pub name: String,
    /// The email address with which the person signs in.
    pub email: String,
}

/// An organization, as seen by one of its members.
#[derive(Debug, Serialize, Deserialize)]
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
#[derive(Debug, Serialize, Deserialize)]
pub struct Project {
    /// The id, `prj_…`.
    pub id: String,
    /// The name.
    pub name: String,
}

/// A token, without its secret.
#[derive(Debug, Serialize, Deserialize)]
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
#[derive(Debug, Serialize, Deserialize)]
pub struct Scopes {
    /// Every scope that can be granted.
    pub items: Vec<Scope>,
    /// Always `null`: the catalogue comes in one page.
    pub next_cursor: Option<String>,
}

/// One scope of the catalogue.
#[derive(Debug, Serialize, Deserialize)]
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
#[derive(Debug, Serialize, Deserialize)]
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
}
