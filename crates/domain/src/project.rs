//! Projects of an organization, to which its members can be added.

use super::Instant;
use super::id::{OrganizationId, ProjectId};

/// A project. Owners and admins of its organization reach it; members must be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its identifier.
    pub id: ProjectId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its name, unique in the organization.
    pub name: String,
    /// When it was created.
    pub created_at: Instant,
}

/// Whether a user was added to a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The user was added.
    Added,
    /// The user was not added; as an owner or admin, the user may still reach the project.
    NotAdded,
}
