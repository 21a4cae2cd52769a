//! The audit log's vocabulary: who did what.

use super::record::{Method, Outcome};
use super::words::words;
use crate::id::{TokenId, UserId};

/// How somebody reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// With a request.
    Request,
    /// On the server's own command line.
    Command,
}

/// The most things that one record names. Of more it names the newest and says how many.
pub const MOST_NAMED: usize = 100;

/// Who caused a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Somebody who has not shown who they are.
    Anonymous,
    /// A person in a browser.
    User(UserId),
    /// A token, at the management API, and the person that it acts for, if for one.
    Token(TokenId, Option<UserId>),
    /// A registered client, acting for itself.
    Client(String),
    /// The operator of the deployment.
    Operator,
    /// The operator, on behalf of a person.
    OperatorFor(UserId),
    /// Doorcode itself.
    System,
}

impl Actor {
    /// Every kind of actor.
    pub const KINDS: [&'static str; 6] =
        ["anonymous", "user", "client", "token", "operator", "system"];

    /// The kind of actor, as it is stored.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(_) => "user",
            Self::Client(_) => "client",
            Self::Token(..) => "token",
            Self::Operator | Self::OperatorFor(_) => "operator",
            Self::System => "system",
        }
    }

    /// The actor's id, where the kind alone does not tell.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::User(id) | Self::OperatorFor(id) => Some(id.as_str()),
            Self::Token(id, _) => Some(id.as_str()),
            Self::Client(id) => Some(id),
            Self::Anonymous | Self::Operator | Self::System => None,
        }
    }

    /// The person who is, or stands behind, the actor.
    pub fn user_id(&self) -> Option<&UserId> {
        match self {
            Self::User(id) | Self::OperatorFor(id) => Some(id),
            Self::Token(_, id) => id.as_ref(),
            Self::Anonymous | Self::Client(_) | Self::Operator | Self::System => None,
        }
    }

    /// The token that the actor came with.
    pub fn token_id(&self) -> Option<&TokenId> {
        match self {
            Self::Token(id, _) => Some(id),
            _ => None,
        }
    }

    /// How the actor showed who it is.
    pub fn method(&self, by: By) -> Method {
        match self {
            Self::Anonymous | Self::System => Method::None,
            Self::User(_) => Method::Session,
            Self::Token(..) => Method::Token,
            Self::Client(_) => Method::Client,
            Self::Operator | Self::OperatorFor(_) => match by {
                By::Request => Method::OperatorToken,
                By::Command => Method::Command,
            },
        }
    }

    /// The actor in one word, as a token's revocation remembers it.
    pub fn label(&self) -> &str {
        self.id().unwrap_or(self.kind())
    }
}

words! {
    /// What happened.
    Action {
        /// An account was made.
        UserCreated = "user.created",
        /// An account was switched off.
        UserDeactivated = "user.deactivated",
        /// A person changed their name.
        UserRenamed = "user.renamed",
        /// A person changed their password.
        PasswordChanged = "user.password_changed",
        /// A person gave a wrong password to change it.
        PasswordRefused = "user.password_refused",
        /// Somebody signed in.
        SignedIn = "session.started",
        /// A sign-in was refused.
        SignInFailed = "session.refused",
        /// A session was ended.
        SignedOut = "session.ended",
        /// An organization was made.
        OrganizationCreated = "organization.created",
        /// An organization was renamed.
        OrganizationRenamed = "organization.renamed",
        /// An organization was deleted.
        OrganizationDeleted = "organization.deleted",
        /// An organization's plan or policy was changed.
        PolicyChanged = "organization.policy_changed",
        /// A person joined an organization.
        MemberAdded = "member.added",
        /// A member's role was changed.
        MemberChanged = "member.changed",
        /// A person left an organization, or was taken out of it.
        MemberRemoved = "member.removed",
        /// Somebody was invited to an organization.
        InvitationCreated = "invitation.created",
        /// An invitation was accepted.
        InvitationAccepted = "invitation.accepted",
        /// An invitation was withdrawn.
        InvitationWithdrawn = "invitation.withdrawn",
        /// A project was made.
        ProjectCreated = "project.created",
        /// A project was renamed.
        ProjectRenamed = "project.renamed",
        /// A project was deleted.
        ProjectDeleted = "project.deleted",
        /// A person was added to a project.
        ProjectMemberAdded = "project.member_added",
        /// A person was taken out of a project.
        ProjectMemberRemoved = "project.member_removed",
        /// Somebody looked into the log.
        AuditRead = "audit.read",
        /// Somebody took a copy of the log, or of a part of it.
        AuditExported = "audit.exported",
        /// Somebody had the log checked.
        AuditVerified = "audit.verified",
        /// What tells of a person was erased from records.
        AuditErased = "audit.erased",
        /// Records that were older than the settings say were taken out of the log.
        AuditPruned = "audit.pruned",
        /// Another key signs the log's checkpoints from now on.
        AuditKeyChanged = "audit.key_changed",
        /// The operator lets the signatures of an earlier key of the log count.
        AuditKeyTrusted = "audit.key_trusted",
        /// The operator goes on with a log that contradicts its checkpoints.
        AuditForkAccepted = "audit.fork_accepted",
        /// A record of an earlier time came after later ones: a clock was set back.
        ClockSteppedBack = "clock.stepped_back",
        /// A server's clock was set forward, or its machine slept.
        ClockSteppedForward = "clock.stepped_forward",
        /// The server started with other settings than the time before.
        SettingsChanged = "settings.changed",
        /// A client was registered.
        ClientCreated = "client.created",
        /// A client was switched on or off.
        ClientChanged = "client.changed",
        /// A device asked for a code.
        DeviceRequested = "device.requested",
        /// A person was shown what a device asks for.
        DeviceShown = "device.shown",
        /// A person typed a code that names no request.
        DeviceCodeWrong = "device.wrong_code",
        /// A person approved a request.
        DeviceApproved = "device.approved",
        /// A person denied a request.
        DeviceDenied = "device.denied",
        /// A device fetched its token.
        DeviceRedeemed = "device.redeemed",
        /// A device came again with a code that was used up: a copy of it may be in other hands.
        DeviceReplayed = "device.replayed",
        /// Another client than the one it was made for came with a device code.
        DeviceWrongClient = "device.wrong_client",
        /// An approved request gave no token, since the right to it was gone.
        DeviceRefused = "device.refused",
        /// The time of a request was over before a device fetched a token for it.
        DeviceExpired = "device.expired",
        /// A form was not believed: it came from another site, or was made for another session.
        FormRefused = "form.refused",
        /// Somebody came too often.
        RequestLimited = "request.limited",
        /// Somebody may not see or do what they asked for, or is not who they say.
        AccessRefused = "access.refused",
        /// The operator token was replaced.
        OperatorTokenRotated = "operator.token_rotated",
        /// The operator token came from a network that the operator is not in.
        OperatorRefused = "operator.refused",
        /// Tokens were used, as often as the record counts.
        TokenUsesRecorded = "token.uses_recorded",
        /// Uses of tokens were forgotten, since they were older than the settings say.
        TokenUsesForgotten = "token.uses_forgotten",
        /// A token was made.
        TokenCreated = "token.created",
        /// A token got a successor.
        TokenRotated = "token.rotated",
        /// A token was revoked.
        TokenRevoked = "token.revoked",
    }
}

impl Action {
    /// The actions that a text names: one of them, or all of a kind by the beginning of their
    /// names up to the dot, such as `token`.
    pub fn named(text: &str) -> impl Iterator<Item = Self> {
        let all = Self::ALL.iter().copied();
        all.filter(move |action| {
            let rest = action.as_str().strip_prefix(text);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// How what the action names has ended.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::PasswordRefused
            | Self::SignInFailed
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
