//! Users and their browser sessions.

use super::id::{SessionId, UserId};
use super::{Fault, Instant};
use chrono::Duration;
use std::net::IpAddr;

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its identifier.
    pub id: UserId,
    /// The email address for sign-in, in lower case; unique on the server.
    pub email: String,
    /// The display name.
    pub name: String,
    /// The argon2id hash of the password, with its parameters.
    pub password_hash: String,
    /// Whether the user may sign in.
    pub standing: Standing,
    /// When the user was created.
    pub created_at: Instant,
    /// Whether the user's tokens need an organization: `false` for a user whom the operator created
    /// without one, until the user joins one that the operator created.
    pub needs_organization: bool,
}

/// Whether a user is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The user may sign in.
    Active,
    /// The user was deactivated; the sessions have ended and the tokens are inactive.
    Deactivated,
}

/// Checks an email address and converts it to lower case, so that two users never differ in case
/// alone.
pub fn email(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    let plausible = text.len() <= 254
        && email_address::EmailAddress::is_valid(text)
        && !text.contains(['"', '<', '>', ' '])
        && !text.chars().any(super::is_disguise);
    if !plausible {
        return Err(Fault::new(
            "email",
            "Enter an email address, such as ada@example.com.",
        ));
    }
    Ok(text.to_lowercase())
}

/// A browser session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Identifies the session on pages; it is not the cookie.
    pub id: SessionId,
    /// The signed-in user.
    pub user_id: UserId,
    /// When the user signed in.
    pub created_at: Instant,
    /// When the session was last used; written at most once a minute.
    pub last_seen_at: Instant,
    /// The IP address at sign-in.
    pub address: IpAddr,
    /// The `User-Agent` of the browser.
    pub user_agent: String,
}

/// The timeouts of sessions.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// The longest time without a request.
    pub idle: Duration,
    /// The longest time since the sign-in.
    pub absolute: Duration,
}

/// How stale `last_seen_at` may become before it is written again.
pub const SEEN_EVERY: Duration = Duration::minutes(1);

impl Session {
    /// Whether the session is valid at a moment.
    pub fn is_live(&self, now: Instant, limits: SessionLimits) -> bool {
        now - self.last_seen_at < limits.idle && now - self.created_at < limits.absolute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails() {
        assert_eq!(email(" Ada@Example.COM ").unwrap(), "ada@example.com");
        for bad in [
            "",
            "ada",
            "ada@",
            "@x",
            "a b@example.com",
            "a@b@c",
            "Ada <a@b.c>",
            "a\n@b.c",
        ] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }
}
