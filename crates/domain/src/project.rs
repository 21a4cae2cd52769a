//! Projects: the parts of an organization that its members can be added to.

use super::Instant;
use super::id::{OrganizationId, ProjectId};

/// A project. Owners and admins of its organization reach it, members if they were added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its identifier.
    pub id: ProjectId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Its name, unique in the organization.
    pub name: String,
    /// When it was made.
    pub created_at: Instant,
}

/// Whether a person was added to a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The person was.
    Added,
    /// The person was not; as an owner or admin it may reach the project all the same.
    NotAdded,
}
