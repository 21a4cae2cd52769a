//! Identities of users at identity providers, such as OpenID providers.

use super::Instant;
use super::id::UserId;

/// An identity: a subject of an issuer (OpenID Connect Core 1.0 section 5.7). Both are compared
/// letter by letter. An email address never identifies a user of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The issuer, `iss`.
    pub issuer: String,
    /// The subject, `sub`, which the issuer gives to no other user.
    pub subject: String,
}

/// An identity that is linked to a user, who signs in with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedIdentity {
    /// The identity.
    pub identity: Identity,
    /// The user.
    pub user_id: UserId,
    /// The email address that the provider stated last, if any.
    pub email: Option<String>,
    /// When it was linked.
    pub created_at: Instant,
    /// When the user last signed in with it.
    pub last_used_at: Instant,
}

/// The sign-in with which a session began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionIdentity {
    /// The identity.
    pub identity: Identity,
    /// The session at the provider, `sid`, if the provider names it.
    pub provider_session: Option<String>,
    /// When the user signed in at the provider, `auth_time`, if the provider states it. The provider
    /// may have sent the user back without asking for anything.
    pub authenticated_at: Option<Instant>,
}

/// A refresh token of a provider, encrypted, with the time of its next use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRefresh {
    /// The salt of the key, in hexadecimal.
    pub salt: String,
    /// The encrypted token.
    pub text: String,
    /// When the user is to be checked at the provider.
    pub check_at: Instant,
}
