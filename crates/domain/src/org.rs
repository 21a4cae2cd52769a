//! Organizations, their members and invitations.

use super::id::{InvitationId, OrganizationId, TokenId, UserId};
use super::policy::{Plan, Policy};
use super::role::Role;
use super::user::User;
use super::{Fault, Instant};
use chrono::Duration;
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization;

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its identifier.
    pub id: OrganizationId,
    /// Its name in URLs, such as `acme`; unique on the server.
    pub slug: String,
    /// Its display name.
    pub name: String,
    /// When it was created.
    pub created_at: Instant,
    /// Who created it.
    pub made_by: Maker,
    /// Its plan.
    pub plan: Plan,
    /// Its policy for tokens that reach it.
    pub policy: Policy,
}

impl Organization {
    /// Whether this is its id or its slug.
    pub fn is_named(&self, named: &str) -> bool {
        self.id.as_str() == named || self.slug == named
    }
}

/// Who created an organization. One that a user created has no effect outside itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Maker {
    /// The operator, also through `/setup` and for a user.
    Operator,
    /// A user, if the configuration lets users create organizations.
    User(UserId),
}

impl Maker {
    /// The creator as in the API and the database: `operator` or the id of the user.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Operator => "operator",
            Self::User(id) => id.as_str(),
        }
    }

    /// Parses a creator.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "operator" => Some(Self::Operator),
            text => UserId::parse(text).map(Self::User),
        }
    }
}

/// A user's membership of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The organization.
    pub organization: Organization,
    /// The role in it.
    pub role: Role,
}

/// A member of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user: User,
    /// The user's role.
    pub role: Role,
    /// When the user became a member.
    pub joined_at: Instant,
}

/// A pending invitation. It works once, by each of its links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its identifier.
    pub id: InvitationId,
    /// The organization to join.
    pub organization_id: OrganizationId,
    /// If set, the email address of the only user who may accept it.
    pub email: Option<String>,
    /// The role to join with.
    pub role: Role,
    /// Its creator, as an actor of the audit log.
    pub invited_by: String,
    /// The token with which it was created.
    pub made_by_token: Option<TokenId>,
    /// When it was created.
    pub created_at: Instant,
    /// When its link expires.
    pub expires_at: Instant,
}

/// Which link of an invitation. Both open it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// The link that its creator sees and sends.
    Shown,
    /// The link that the server mailed to the address of the invitation. No other user sees it, so
    /// using it verifies the address.
    Mailed,
}

/// The lifetime of an invitation link.
pub const INVITATION_LIFETIME: Duration = Duration::days(7);

/// Slugs that are refused because pages use these paths.
const RESERVED: [&str; 4] = ["invitations", "new", "search", "settings"];

/// Whether a text has the form of a slug. Any other text needs no look-up.
pub fn is_slug(text: &str) -> bool {
    let is_of_slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(is_of_slug)
}

/// The slug of an organization's name: lower-case letters, digits and single dashes. A name without
/// an ASCII letter or digit gets `org-` and a part of its digest. Fails if a page uses the slug.
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
        let normalized: String = name.trim().to_lowercase().nfc().collect();
        let digest = hex::encode(Sha256::digest(normalized));
        return Ok(format!("org-{}", &digest[..10]));
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
    use std::collections::BTreeSet;

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
        for name in ["New", " new! ", "Settings"] {
            assert!(slug("organization", name).is_err(), "{name}");
        }
        let slugs = ["日本", "日本語", "علی\u{200c}رضا", "!", "..", "Ёлка"].map(|name| {
            let slug = slug("organization", name).unwrap();
            assert!(
                slug.len() == 14 && slug.starts_with("org-") && is_slug(&slug),
                "{slug}"
            );
            slug
        });
        assert_eq!(BTreeSet::from(slugs.clone()).len(), slugs.len());
        for same in [" Ёлка ", "ЁЛКА", "Е\u{308}лка"] {
            assert_eq!(slug("organization", same).as_ref(), Ok(&slugs[5]), "{same}");
        }
    }
}
