//! Projects and project members.

use serde::{Deserialize, Serialize};

/// A project.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectDetail {
    /// ID, `prj_…`.
    pub id: String,
    /// ID of the organization.
    pub organization: String,
    /// Name, unique in the organization.
    pub name: String,
    /// Creation time.
    pub created_at: String,
}

/// Attributes of a new project.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateProjectBody {
    /// Name, 1 to 100 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
}

/// New attributes of a project.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateProjectBody {
    /// Name, 1 to 100 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
}

/// Organization member with explicit access to a project. Admins and owners have access anyway.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProjectMember {
    /// ID of the user, `usr_…`.
    pub id: String,
    /// Name of the user.
    pub name: String,
    /// Email address of the user.
    pub email: String,
    /// Time when the user was added.
    pub added_at: String,
}
