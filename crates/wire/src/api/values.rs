//! Enumerations of the values that a field accepts.
//!
//! Requests are read into these types. Responses use strings, so that clients can read values of
//! later versions; these types document them.

use serde::{Deserialize, Serialize};

/// Declares an enumeration, with each value as it is written.
macro_rules! values {
    ($($(#[$doc:meta])* $name:ident { $($value:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the values are explained by the fields that have them")]
        pub enum $name { $($value),* }
    )*};
}

values! {
    /// Role in an organization.
    Role { Member, Admin, Owner }

    /// Harm that a token with a scope can do.
    Risk { Read, Write, High }

    /// Access that a route needs.
    RouteAccess { Scope, Role, Authenticated, Operator, Public }

    /// Plan of an organization.
    Plan { Free, Team }

    /// Members whose personal tokens have access to an organization.
    PersonalTokens { Members, Admins }

    /// Client type (RFC 6749 section 2.1).
    ClientKind { Public, Confidential }

    /// State of a client.
    ClientState { Active, Disabled }

    /// State of a user.
    UserState { Active, Deactivated }

    /// Kind of token, by its owner.
    TokenKind { Personal, Organization, Operator }

    /// State of a token.
    TokenState { Live, Expired, Revoked }

    /// Format of an export of the audit log.
    ExportFormat { Ndjson, Csv }

    /// Outcome of an audited action.
    AuditOutcome { Done, Refused }

    /// How the actor of an audited action was authenticated.
    AuthenticationMethod { Session, Token, Client, OperatorToken, Command, None }

    /// Kind of actor of an audited action.
    ActorKind { Anonymous, User, Client, Token, Operator, System }

    /// Whether a message is on its way.
    MailStatus { Sent, NotSent }

    /// Kind of discrepancy in the audit log.
    DiscrepancyKind { Edited, Missing, Swapped, Inserted, Renumbered, Cut, Forked, Signature }
}
