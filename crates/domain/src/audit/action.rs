//! The audit log's vocabulary: actors and actions.

use crate::id::{TokenId, UserId};
use audit_log::record::{Method, Outcome};
use audit_log::words;

/// How an actor reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By an HTTP request.
    Request,
    /// By a command on the server.
    Command,
}

/// The most ids that one record lists. Of more it lists the newest, with the count of all.
pub const MOST_NAMED: usize = 100;

/// Who caused a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// No authentication.
    Anonymous,
    /// A user in a browser.
    User(UserId),
    /// A token at the management API, and the user whom it acts for, if any.
    Token(TokenId, Option<UserId>),
    /// A registered client, on its own behalf.
    Client(String),
    /// The operator of the server.
    Operator,
    /// The operator, on behalf of a user.
    OperatorFor(UserId),
    /// A user whom the operator marked, in the operator console.
    OperatorInBrowser(UserId),
    /// The server itself.
    System,
}

impl Actor {
    /// Every kind of actor.
    pub const KINDS: [&'static str; 6] =
        ["anonymous", "user", "client", "token", "operator", "system"];

    /// The kind of actor, as stored.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(_) => "user",
            Self::Client(_) => "client",
            Self::Token(..) => "token",
            Self::Operator | Self::OperatorFor(_) | Self::OperatorInBrowser(_) => "operator",
            Self::System => "system",
        }
    }

    /// The actor's id, if its kind does not identify it.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::User(id) | Self::OperatorFor(id) | Self::OperatorInBrowser(id) => {
                Some(id.as_str())
            }
            Self::Token(id, _) => Some(id.as_str()),
            Self::Client(id) => Some(id),
            Self::Anonymous | Self::Operator | Self::System => None,
        }
    }

    /// The user who is the actor, or on whose behalf it acts.
    pub fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::User(id) | Self::OperatorFor(id) | Self::OperatorInBrowser(id) => Some(id),
            Self::Token(_, id) => id.as_ref(),
            Self::Anonymous | Self::Client(_) | Self::Operator | Self::System => None,
        }
    }

    /// The token that authenticated the actor.
    pub fn token_id(&self) -> Option<&TokenId> {
        match self {
            Self::Token(id, _) => Some(id),
            _ => None,
        }
    }

    /// How the actor was authenticated.
    pub fn method(&self, by: By) -> Method {
        match self {
            Self::Anonymous | Self::System => Method::None,
            Self::User(_) | Self::OperatorInBrowser(_) => Method::Session,
            Self::Token(..) => Method::Token,
            Self::Client(_) => Method::Client,
            Self::Operator | Self::OperatorFor(_) => match by {
                By::Request => Method::OperatorToken,
                By::Command => Method::Command,
            },
        }
    }

    /// The actor as one word, for the revocation of a token.
    pub fn label(&self) -> &str {
        self.id().unwrap_or(self.kind())
    }
}

words! {
    /// The kind of event.
    Action {
        /// A user was created.
        UserCreated = "user.created",
        /// A user was deactivated.
        UserDeactivated = "user.deactivated",
        /// A deactivated user was reactivated.
        UserReactivated = "user.reactivated",
        /// The operator changed a user's name or email address, or whether the user is an operator.
        UserUpdated = "user.updated",
        /// A user's own data was erased.
        UserErased = "user.erased",
        /// A user changed their name.
        UserRenamed = "user.renamed",
        /// A user requested a link that verifies an email address, or received one when created.
        EmailLinkRequested = "user.email_link_requested",
        /// The email address of a user was verified.
        EmailVerified = "user.email_verified",
        /// The email address of a user was changed.
        EmailChanged = "user.email_changed",
        /// A user changed their password.
        PasswordChanged = "user.password_changed",
        /// A user gave a wrong current password when changing the password or the email address.
        PasswordRefused = "user.password_refused",
        /// A link to reset a password was requested; the detail states whether one was created.
        PasswordResetRequested = "user.password_reset_requested",
        /// A user set a new password with a link.
        PasswordReset = "user.password_reset",
        /// The operator set a password that the user must change at the next sign-in.
        PasswordSet = "user.password_set",
        /// A user signed in.
        SignedIn = "session.started",
        /// A sign-in was refused.
        SignInFailed = "session.refused",
        /// An identity at a provider was linked to a user.
        IdentityLinked = "identity.linked",
        /// An identity at a provider was unlinked from a user.
        IdentityUnlinked = "identity.unlinked",
        /// A user added a second factor.
        FactorAdded = "factor.added",
        /// A user removed a second factor.
        FactorRemoved = "factor.removed",
        /// A sign-in with a passkey was refused: its counter was not beyond the stored one, so
        /// another device may have a copy.
        PasskeyCloned = "passkey.clone_detected",
        /// All second factors of a user were removed: by the operator, or since another user proved
        /// the unverified address.
        FactorsReset = "factor.reset",
        /// New recovery codes of a user replaced the earlier ones.
        RecoveryCodesCreated = "factor.recovery_codes_created",
        /// A session was ended.
        SignedOut = "session.ended",
        /// An organization was created.
        OrganizationCreated = "organization.created",
        /// An organization was renamed.
        OrganizationRenamed = "organization.renamed",
        /// An organization was deleted.
        OrganizationDeleted = "organization.deleted",
        /// An organization's plan or policy was changed.
        PolicyChanged = "organization.policy_changed",
        /// A user joined an organization.
        MemberAdded = "member.added",
        /// A member's role was changed.
        MemberChanged = "member.changed",
        /// A user left an organization, or was removed from it.
        MemberRemoved = "member.removed",
        /// A user was invited to an organization.
        InvitationCreated = "invitation.created",
        /// An invitation was accepted.
        InvitationAccepted = "invitation.accepted",
        /// An invitation was limited to the email address that its recipient entered.
        InvitationLimited = "invitation.limited",
        /// A link of an invitation was mailed on request: to the address that its recipient entered,
        /// or again.
        InvitationMailed = "invitation.mailed",
        /// An invitation was withdrawn.
        InvitationWithdrawn = "invitation.withdrawn",
        /// A project was created.
        ProjectCreated = "project.created",
        /// A project was renamed.
        ProjectRenamed = "project.renamed",
        /// A project was deleted.
        ProjectDeleted = "project.deleted",
        /// A user was added to a project.
        ProjectMemberAdded = "project.member_added",
        /// A user was removed from a project.
        ProjectMemberRemoved = "project.member_removed",
        /// The log was read.
        AuditRead = "audit.read",
        /// The log, or a part of it, was exported.
        AuditExported = "audit.exported",
        /// The log was verified.
        AuditVerified = "audit.verified",
        /// Personal data was erased from records.
        AuditErased = "audit.erased",
        /// Records older than the retention period were pruned.
        AuditPruned = "audit.pruned",
        /// The key that signs the checkpoints was replaced.
        AuditKeyChanged = "audit.key_changed",
        /// The operator trusted a previous signing key of the log.
        AuditKeyTrusted = "audit.key_trusted",
        /// The operator accepted a log that contradicts its checkpoints.
        AuditForkAccepted = "audit.fork_accepted",
        /// A record is older than records before it: a clock was set back.
        ClockSteppedBack = "clock.stepped_back",
        /// A server's clock was set forward, or its machine slept.
        ClockSteppedForward = "clock.stepped_forward",
        /// The server started with settings that differ from those of the last start, or read its
        /// settings again.
        SettingsChanged = "settings.changed",
        /// The operator made the present keys those of the database.
        KeysAccepted = "deployment.keys_accepted",
        /// The operator wrote a backup of the database.
        DeploymentBackedUp = "deployment.backed_up",
        /// The operator restored a backup.
        DeploymentRestored = "deployment.restored",
        /// The operator moved the database.
        DeploymentMoved = "deployment.moved",
        /// A client was registered.
        ClientCreated = "client.created",
        /// A client was changed, enabled or disabled.
        ClientChanged = "client.changed",
        /// The secret of a client was replaced.
        ClientSecretRotated = "client.secret_rotated",
        /// A client was removed.
        ClientRemoved = "client.removed",
        /// A device requested a code.
        DeviceRequested = "device.requested",
        /// The consent page of a device grant was shown to a user.
        DeviceShown = "device.shown",
        /// A user entered a user code that matches no device grant.
        DeviceCodeWrong = "device.wrong_code",
        /// A user approved a device grant.
        DeviceApproved = "device.approved",
        /// A user denied a device grant.
        DeviceDenied = "device.denied",
        /// A device fetched its token.
        DeviceRedeemed = "device.redeemed",
        /// A device that lost the answer with its token got it again.
        DeviceRepeated = "device.repeated",
        /// A redeemed device code was sent again: it may have been copied.
        DeviceReplayed = "device.replayed",
        /// A device code was sent by a client other than the one it was issued to.
        DeviceWrongClient = "device.wrong_client",
        /// Redemption was refused: the user no longer has the right to the token.
        DeviceRefused = "device.refused",
        /// A device grant expired before a device fetched its token.
        DeviceExpired = "device.expired",
        /// A form was rejected: it came from another site or belongs to another session.
        FormRefused = "form.refused",
        /// A rate limit was exceeded.
        RequestLimited = "request.limited",
        /// A request was rejected: authentication failed, or access was denied.
        AccessRefused = "access.refused",
        /// The operator token was replaced.
        OperatorTokenRotated = "operator.token_rotated",
        /// The operator token was rejected: it came from outside the operator's networks.
        OperatorRefused = "operator.refused",
        /// Tokens were used; the record has the count.
        TokenUsesRecorded = "token.uses_recorded",
        /// Token uses older than the retention period were pruned.
        TokenUsesForgotten = "token.uses_forgotten",
        /// A token was created.
        TokenCreated = "token.created",
        /// A token was renamed.
        TokenRenamed = "token.renamed",
        /// The owner of a token signed in again for it.
        TokenConfirmed = "token.confirmed",
        /// A token was rotated.
        TokenRotated = "token.rotated",
        /// A token was revoked.
        TokenRevoked = "token.revoked",
        /// An organization blocked a token, with those that were created with it.
        TokenBlocked = "token.blocked",
        /// An organization unblocked a token.
        TokenUnblocked = "token.unblocked",
        /// An admin asked the owner of a token to rotate it.
        RotationRequested = "token.rotation_requested",
    }
}

impl Action {
    /// The actions that a text selects: one by its name, or all with its prefix up to the dot,
    /// such as `token`.
    pub fn named(text: &str) -> impl Iterator<Item = Self> {
        let all = Self::ALL.iter().copied();
        all.filter(move |action| {
            let rest = action.as_str().strip_prefix(text);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// The outcome that the action implies.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::PasswordRefused
            | Self::SignInFailed
            | Self::PasskeyCloned
            | Self::DeviceCodeWrong
            | Self::DeviceReplayed
            | Self::DeviceWrongClient
            | Self::DeviceRefused
            | Self::FormRefused
            | Self::RequestLimited
            | Self::AccessRefused
            | Self::OperatorRefused => Outcome::Refused,
            _ => Outcome::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audit_log::{erasure, token_use};

    #[test]
    fn names_are_unique_and_read_back() {
        let mut names: Vec<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(*action));
        }
        assert_eq!(Action::parse("user.unheard_of"), None);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Action::ALL.len());
    }

    #[test]
    fn actions_of_the_format_have_the_names_of_the_format() {
        for (action, name) in [
            (Action::AuditErased, erasure::ACTION),
            (Action::TokenUsesRecorded, token_use::RECORDED),
            (Action::TokenUsesForgotten, token_use::FORGOTTEN),
        ] {
            assert_eq!(action.as_str(), name);
        }
    }
}
