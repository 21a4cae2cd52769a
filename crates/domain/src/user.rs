//! Accounts of people, and their browser sessions.

use super::id::{SessionId, UserId};
use super::{Fault, Instant};
use chrono::Duration;
use std::net::IpAddr;

/// A person's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its identifier.
    pub id: UserId,
    /// The address with which the person signs in, in lower case; unique in the deployment.
    pub email: String,
    /// The name, as the person writes it.
    pub name: String,
    /// The argon2id hash of the password, with its parameters.
    pub password_hash: String,
    /// Whether the person may sign in.
    pub standing: Standing,
    /// When the account was made.
    pub created_at: Instant,
}

/// Whether an account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Active,
    /// It was switched off; its sessions and tokens are dead.
    Deactivated,
}

/// Checks an email address and puts it into its one form, lower case, so that nobody can
/// have two accounts that differ in case alone.
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
    /// Names the session in pages; it is not the cookie.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// When the person signed in.
    pub created_at: Instant,
    /// When the person was last seen; written at most once a minute.
    pub last_seen_at: Instant,
    /// The address at sign-in.
    pub address: IpAddr,
    /// The browser's description of itself.
    pub user_agent: String,
}

/// How long sessions live.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// Without any request.
    pub idle: Duration,
    /// At the most, from the sign-in.
    pub absolute: Duration,
}

/// How stale `last_seen_at` may become before it is written again.
pub const SEEN_EVERY: Duration = Duration::minutes(1);

impl Session {
    /// Whether the session still counts at a moment.
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
