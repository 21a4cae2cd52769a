//! Organizations and the roles of their members.

use super::id::{InvitationId, OrganizationId};
use super::policy::{Plan, Policy};
use super::user::User;
use super::{Fault, Instant};
use chrono::Duration;

/// A member's role. A greater role may do all that a lesser one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Uses what it was given.
    Member,
    /// Manages members, projects and tokens.
    Admin,
    /// May do everything, also end the organization.
    Owner,
}

impl Role {
    /// All roles, least first.
    pub const ALL: [Self; 3] = [Self::Member, Self::Admin, Self::Owner];

    /// The role as it is written in the API, the configuration and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Reads a role.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its identifier.
    pub id: OrganizationId,
    /// Its name in addresses, such as `acme`; unique in the deployment.
    pub slug: String,
    /// Its name as people write it.
    pub name: String,
    /// When it was made.
    pub created_at: Instant,
    /// What it has subscribed to.
    pub plan: Plan,
    /// Which tokens may reach it.
    pub policy: Policy,
}

/// A person's part in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The organization.
    pub organization: Organization,
    /// The role in it.
    pub role: Role,
}

/// A member, as the organization sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub user: User,
    /// The person's role.
    pub role: Role,
    /// Since when the person has been a member.
    pub joined_at: Instant,
}

/// An invitation that nobody has accepted yet. Whoever holds its link can, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its identifier.
    pub id: InvitationId,
    /// The organization to join.
    pub organization_id: OrganizationId,
    /// The address that it was meant for, if one was named: no other account may accept it.
    pub email: Option<String>,
    /// The role to join with.
    pub role: Role,
    /// Who made it, as an actor of the audit log.
    pub invited_by: String,
    /// When it was made.
    pub created_at: Instant,
    /// When its link ends.
    pub expires_at: Instant,
}

/// How long the link of an invitation works.
pub const INVITATION_LIFETIME: Duration = Duration::days(7);

/// The highest role among memberships; `None` without any.
pub fn highest_role(memberships: &[Membership]) -> Option<Role> {
    memberships.iter().map(|membership| membership.role).max()
}

/// What is no slug, since pages have these names where organizations have theirs.
const RESERVED: [&str; 4] = ["invitations", "new", "search", "settings"];

/// Whether an organization may have this slug: of anything else none needs to be looked for.
pub fn is_slug(text: &str) -> bool {
    let is_of_slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(is_of_slug)
}

/// The slug of an organization's name: lower-case letters, digits and single dashes.
/// Fails when the name has no letter or digit of ASCII to make one from, and when a page has
/// its address.
pub fn slug(field: &'static str, name: &str) -> Result<String, Fault> {
    let mut slug = String::new();
    for c in name.to_lowercase().chars().take(100) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        return Err(Fault::new(
            field,
            "Use at least one letter from a to z or a digit: the organization's address is made from it.",
        ));
    }
    if RESERVED.contains(&slug) {
        return Err(Fault::new(
            field,
            "A page has the address that would be made from this name. Choose a longer one.",
        ));
    }
    Ok(slug.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_and_read_back() {
        assert!(Role::Member < Role::Admin && Role::Admin < Role::Owner);
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("Owner"), None);
    }

    #[test]
    fn slugs() {
        for (name, expected) in [
            ("Acme", "acme"),
            ("  Acme, Inc. ", "acme-inc"),
            ("Ångström 9", "ngstr-m-9"),
            ("New Acme", "new-acme"),
        ] {
            assert_eq!(slug("organization", name).unwrap(), expected);
        }
        for name in ["日本", "New", " new! ", "Settings"] {
            assert!(slug("organization", name).is_err(), "{name}");
        }
    }
}
