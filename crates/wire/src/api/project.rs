//! Projects and their members.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A project.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ProjectDetail {
    /// The id, `prj_…`.
    pub id: String,
    /// The id of its organization.
    pub organization: String,
    /// The name, unique in the organization.
    pub name: String,
    /// When it was made.
    pub created_at: String,
}

/// What a new project is to be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateProjectBody {
    /// The name, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// What is to change of a project.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateProjectBody {
    /// The name, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// A member of an organization who was added to a project. Admins and owners reach it without.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ProjectMember {
    /// The person's id, `usr_…`.
    pub id: String,
    /// The person's name.
    pub name: String,
    /// The person's email address.
    pub email: String,
    /// When the person was added.
    pub added_at: String,
}
