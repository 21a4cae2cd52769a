//! One-time links that reset a password, verify an email address, or change it.

use super::Instant;
use super::id::UserId;
use chrono::Duration;

/// The lifetime of a link.
pub const LIFETIME: Duration = Duration::minutes(30);

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Set a new password.
    Reset,
    /// Verify the current address of the user.
    Verify,
    /// Verify a new address, which then replaces the current one.
    Change,
}

impl LinkPurpose {
    /// Every purpose.
    pub const ALL: [Self; 3] = [Self::Reset, Self::Verify, Self::Change];

    /// The purpose as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Verify => "verify",
            Self::Change => "change",
        }
    }

    /// Reads a stored purpose.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
    }
}

/// A one-time link of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLink {
    /// The user.
    pub user_id: UserId,
    /// What the link is for.
    pub purpose: LinkPurpose,
    /// The address that the link is sent to or verifies.
    pub email: String,
    /// Label of the actor who requested the link; see [`crate::audit::Actor::label`].
    pub created_by: String,
    /// When the link was created.
    pub created_at: Instant,
    /// When the link expires.
    pub expires_at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_purposes_read_back() {
        for purpose in LinkPurpose::ALL {
            assert_eq!(LinkPurpose::parse(purpose.as_str()), Some(purpose));
        }
        assert_eq!(LinkPurpose::parse("sign-in"), None);
    }
}
