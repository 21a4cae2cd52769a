//! Audit records in plain words.

use crate::web::pages::view::audit::{Part, Who};
use app::audit::read::{Names, holds_id};
use domain::audit::record::Record;
use domain::audit::{Action, Actor};
use serde_json::Value;

/// The action as the predicate of a sentence whose subject is the actor. Braces mark
/// placeholders: `{target}`, or a key of the detail.
fn words(action: Action, record: &Record) -> &'static str {
    let told = |key| record.detail.get(key).is_some_and(|value| !value.is_null());
    let is_repeated = record.detail.get("count").and_then(Value::as_u64) > Some(1);
    let is_own = record.target.is_some() && record.target == record.user_id;
    match action {
        Action::UserCreated if is_own => "created an account",
        Action::UserCreated => "created the account of {target}",
        Action::UserDeactivated => "deactivated the account of {target}",
        Action::UserReactivated => "reactivated the account of {target}",
        Action::UserUpdated if record.detail.get("operator") == Some(&Value::Bool(true)) => {
            "gave {target} access to the operator console"
        }
        Action::UserUpdated if told("operator") => {
            "ended the access of {target} to the operator console"
        }
        Action::UserUpdated => "changed the name or the email address of {target}",
        Action::UserErased => "erased the account of {target}",
        Action::UserRenamed => "changed the account name",
        Action::EmailLinkRequested if is_own => "requested a link to confirm an email address",
        Action::EmailLinkRequested => "requested a link to confirm the email address of {target}",
        Action::EmailVerified if is_own => "confirmed the email address of the account",
        Action::EmailVerified => "confirmed the email address of {target}",
        Action::EmailChanged if is_own => "changed the email address of the account",
        Action::EmailChanged => "changed the email address of {target}",
        Action::PasswordChanged => "changed the account password",
        Action::PasswordRefused => "entered a wrong current password",
        Action::PasswordResetRequested if record.target.is_some() => {
            "requested a password reset for {target}"
        }
        Action::PasswordResetRequested => "requested a password reset",
        Action::PasswordReset => "set a new password with a reset link",
        Action::PasswordSet => "set a temporary password for {target}",
        Action::SignedIn if told("issuer") => "signed in with {issuer}",
        Action::SignedIn => "signed in",
        Action::SignInFailed if record.target.is_some() && is_repeated => {
            "tried {count} times to sign in as {target}"
        }
        Action::SignInFailed if record.target.is_some() => "tried to sign in as {target}",
        Action::SignInFailed if is_repeated => "tried {count} times to sign in",
        Action::SignInFailed => "tried to sign in",
        Action::IdentityLinked => "connected the account to {issuer}",
        Action::IdentityUnlinked => "disconnected the account from {issuer}",
        Action::FactorAdded => "added a second factor",
        Action::FactorRemoved => "removed a second factor",
        Action::PasskeyCloned => "tried to sign in as {target} with a copy of a passkey",
        Action::FactorsReset => "removed all second factors of {target}",
        Action::RecoveryCodesCreated => "created new recovery codes",
        Action::SignedOut if told("issuer") => "ended sessions of {target} that began at {issuer}",
        Action::SignedOut if told("count") => "signed out of other browsers: {count}",
        Action::SignedOut => "signed out",
        Action::OrganizationCreated => "created the organization {name}",
        Action::OrganizationRenamed => "renamed the organization from {from} to {to}",
        Action::OrganizationDeleted => "deleted the organization {name}",
        Action::PolicyChanged if told("before") => "changed the policy: {policy}",
        Action::PolicyChanged => "changed the plan or the policy of {target}",
        Action::MemberAdded if is_own => "joined as {role}",
        Action::MemberAdded => "added {target} as {role}",
        Action::MemberChanged => "changed the role of {target} from {from} to {to}",
        Action::MemberRemoved if is_own => "left the organization",
        Action::MemberRemoved => "removed {target}",
        Action::InvitationCreated => "created an invitation with the role {role}",
        Action::InvitationAccepted if told("inviter") => {
            "accepted the invitation of {inviter} and joined as {role}"
        }
        Action::InvitationAccepted => "accepted an invitation",
        Action::InvitationLimited => "limited an invitation to the email of its recipient",
        Action::InvitationMailed if told("requested_by") => "requested the mail of an invitation",
        Action::InvitationMailed => "sent the mail of an invitation again",
        Action::InvitationWithdrawn if told("count") => "withdrew open invitations: {count}",
        Action::InvitationWithdrawn => "withdrew an invitation",
        Action::ProjectCreated => "created the project {name}",
        Action::ProjectRenamed => "renamed the project from {from} to {to}",
        Action::ProjectDeleted => "deleted the project {name}",
        Action::ProjectMemberAdded => "added {user} to the project {target}",
        Action::ProjectMemberRemoved => "removed {user} from the project {target}",
        Action::AuditRead if record.target.is_some() => "viewed the activity of {target}",
        Action::AuditRead => "viewed the audit log",
        Action::AuditExported => "exported the audit log",
        Action::AuditVerified => "verified the audit log",
        Action::AuditErased => "erased the personal data of {target} from the log",
        Action::AuditPruned => "pruned the audit log up to record {through}",
        Action::AuditKeyChanged => "changed the signing key of the audit log",
        Action::AuditKeyTrusted => "trusted a previous signing key of the audit log",
        Action::AuditForkAccepted => "accepted an audit log that contradicts its checkpoints",
        Action::ClockSteppedBack => "detected a clock set back from {from} to {to}",
        Action::ClockSteppedForward => "detected a clock set forward from {from} to {to}",
        Action::SettingsChanged if told("reloaded") => "reloaded the settings",
        Action::SettingsChanged => "started with changed settings",
        Action::KeysAccepted => "accepted new keys of the server",
        Action::DeploymentBackedUp => "wrote a backup of the database",
        Action::DeploymentRestored => "restored a backup of the database",
        Action::DeploymentMoved => "moved the database to another address",
        Action::ClientCreated => "registered the application {target}",
        Action::ClientChanged if record.detail.get("active") == Some(&Value::Bool(true)) => {
            "activated the application {target}"
        }
        Action::ClientChanged if told("active") => "deactivated the application {target}",
        Action::ClientChanged => "changed the application {target}",
        Action::ClientSecretRotated => "replaced the secret of the application {target}",
        Action::ClientRemoved => "removed the application {target}",
        Action::DeviceRequested if told("count") => "requested device codes: {count}",
        Action::DeviceRequested if told("device_name") => {
            "requested a device code on {device_name}"
        }
        Action::DeviceRequested => "requested a device code",
        Action::DeviceShown => "opened the consent page of a device",
        Action::DeviceCodeWrong => "entered an unknown user code",
        Action::DeviceApproved => "approved a device",
        Action::DeviceDenied => "denied a device",
        Action::DeviceRedeemed => "received the token {token}",
        Action::DeviceRepeated => "received the token {token} again",
        Action::DeviceReplayed => "reused a device code",
        Action::DeviceWrongClient => "used the device code of another application",
        Action::DeviceRefused => "received no token: the approval was no longer valid",
        Action::DeviceExpired if told("count") => "ended expired device codes: {count}",
        Action::DeviceExpired => "ended an expired device code",
        Action::FormRefused => "sent a form to {route} that failed the CSRF check",
        Action::RequestLimited => "exceeded the rate limit of {route}",
        Action::AccessRefused => "was denied access to {route}",
        Action::OperatorTokenRotated => "replaced the operator token",
        Action::OperatorRefused => "used the operator token from a network that is not allowed",
        Action::TokenUsesRecorded => "recorded token uses: {count}",
        Action::TokenUsesForgotten => "deleted the token uses before {before}",
        Action::TokenCreated if told("replaces") => {
            "created the token {token_name} to replace an older one"
        }
        Action::TokenCreated => "created the token {token_name}",
        Action::TokenRenamed => "renamed a token to {token_name}",
        Action::TokenConfirmed => "signed in again for the token {target}",
        Action::TokenRotated => "rotated the token {target}",
        Action::TokenRevoked if told("count") => "revoked tokens: {count}",
        Action::TokenRevoked => "revoked the token {target}",
        Action::TokenBlocked => "blocked the token {target} for the organization",
        Action::TokenUnblocked => "unblocked the token {target} for the organization",
        Action::RotationRequested => "asked for the rotation of the token {target}",
    }
}

/// The action as a sentence. An action unknown to this version is shown by its name.
pub fn sentence(record: &Record, names: &Names) -> Vec<Part> {
    let Some(action) = Action::parse(&record.action) else {
        return vec![
            Part::Text("performed".to_owned()),
            Part::Name(record.action.clone(), None),
        ];
    };
    let mut parts = Vec::new();
    for (n, piece) in words(action, record).split(['{', '}']).enumerate() {
        // Every second piece was in braces.
        let part = match n % 2 {
            0 => Part::Text(piece.trim().to_owned()),
            _ => filled(piece, record, names),
        };
        if !part.is_empty() {
            parts.push(part);
        }
    }
    parts
}

fn filled(key: &str, record: &Record, names: &Names) -> Part {
    let told = match key {
        "target" => record.target.clone(),
        key => record.detail.get(key).and_then(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            value => Some(value.to_string()),
        }),
    };
    if key == "policy" {
        return Part::Name(policy_change(record), None);
    }
    let Some(told) = told else {
        return Part::Text("something".to_owned());
    };
    match key {
        "inviter" if told == Actor::Operator.label() => Part::Text("the operator".to_owned()),
        key if holds_id(key) => match names.of(&told) {
            Some(name) => Part::Name(name.to_owned(), Some(told)),
            None => Part::Name(told, None),
        },
        _ if record.has_erased(&told) => Part::Text("(name erased)".to_owned()),
        // The name of the target; its id is shown beside it.
        "name" | "token_name" => Part::Name(told, record.target.clone()),
        _ => Part::Name(told, None),
    }
}

/// What a change of plan or policy replaced: `longest lifetime no limit → 90 days`.
fn policy_change(record: &Record) -> String {
    let empty = Value::Null;
    let before = record.detail.get("before").unwrap_or(&empty);
    let old = |key: &str| before.get(key).unwrap_or(&empty);
    let new = |key: &str| record.detail.get(key).unwrap_or(&empty);
    let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    let changes = [
        ("plan", text(old("plan")), text(new("plan"))),
        (
            "personal tokens for",
            text(old("personal_tokens")),
            text(new("personal_tokens")),
        ),
        (
            "longest lifetime",
            lifetime(old("max_lifetime_days"), old("never_expires")),
            lifetime(new("max_lifetime_days"), new("never_expires")),
        ),
    ];
    let changed = changes.into_iter().filter(|(_, old, new)| old != new);
    let changed = changed.map(|(what, old, new)| format!("{what} {old} → {new}"));
    changed.collect::<Vec<_>>().join(", ")
}

/// The longest lifetime of a policy, in words.
fn lifetime(days: &Value, never: &Value) -> String {
    match (days.as_u64(), never.as_bool()) {
        (Some(1), _) => "1 day".to_owned(),
        (Some(days), _) => format!("{days} days"),
        (None, Some(true)) => "no limit".to_owned(),
        (None, _) => "any, with an expiry".to_owned(),
    }
}

/// The actor. `you` is the user who reads their own log.
pub fn who(record: &Record, names: &Names, brand: &str, you: Option<&str>) -> Who {
    let name = |id: &Option<String>| id.as_deref().and_then(|id| names.of(id)).map(str::to_owned);
    let is_you = you.is_some() && record.user_id.as_deref() == you;
    let user_name = match is_you {
        true => Some("You".to_owned()),
        false => name(&record.user_id),
    };
    let id = record.user_id.clone().or(record.actor_id.clone());
    let bare = |text: &str| (text.to_owned(), None);
    let (name, by) = match record.actor_kind.as_str() {
        "user" => (user_name.unwrap_or_else(|| "A user".to_owned()), None),
        "token" => {
            let token = name(&record.token_id).unwrap_or_else(|| "a token".to_owned());
            match user_name {
                Some(user_name) => (user_name, Some(format!("with the token {token}"))),
                None => (token, Some("an API token".to_owned())),
            }
        }
        "client" => {
            let client = name(&record.actor_id).unwrap_or_else(|| "An application".to_owned());
            (client, Some("an application".to_owned()))
        }
        "operator" => {
            let behind = user_name.map(|user_name| format!("for {user_name}"));
            ("The operator".to_owned(), behind)
        }
        "system" => bare(brand),
        "anonymous" => ("Anonymous".to_owned(), Some("not signed in".to_owned())),
        kind => bare(kind),
    };
    Who {
        name,
        by,
        id: id.unwrap_or_else(|| record.actor_kind.clone()),
    }
}

#[cfg(test)]
#[path = "tests/words.rs"]
mod tests;
