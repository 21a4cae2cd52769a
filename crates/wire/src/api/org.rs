//! Organizations, their members, policies and invitations.

#[cfg(feature = "openapi")]
use super::values::MailStatus;
use super::values::{PersonalTokens, Plan, Role};
use crate::json::rules;
use serde::{Deserialize, Serialize};

/// An organization.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrganizationDetail {
    /// ID, `org_…`.
    pub id: String,
    /// Name in URLs, unique on the server.
    pub slug: String,
    /// Name.
    pub name: String,
    /// Role of the caller. Absent for the operator.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Role>))]
    pub role: Option<String>,
    /// Who created it: `operator`, or the ID of a user. One that a user created has no effect
    /// where a request names no organization.
    pub made_by: String,
    /// `free` or `team`. Organization tokens require `team`.
    #[cfg_attr(feature = "openapi", schema(value_type = Plan))]
    pub plan: String,
    /// Policy for tokens that access the organization.
    pub policy: Policy,
    /// Creation time.
    pub created_at: String,
}

/// Policy for tokens that access an organization.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Policy {
    /// Users who may use personal tokens: all `members`, or `admins` and owners.
    #[cfg_attr(feature = "openapi", schema(value_type = PersonalTokens))]
    pub personal_tokens: String,
    /// Users who may create personal tokens: all `members`, or `admins` and owners. Tokens of other
    /// members work if the operator created them.
    #[cfg_attr(feature = "openapi", schema(value_type = PersonalTokens))]
    pub created_by: String,
    /// Maximum lifetime of tokens in days. `null` if there is no maximum.
    pub max_lifetime_days: Option<u32>,
    /// Whether tokens without expiry are allowed. Always `false` with a maximum lifetime.
    pub never_expires: bool,
}

/// Attributes of a new organization.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateOrganizationBody {
    /// Name, 1 to 100 characters. The server derives the slug from it.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
}

/// New attributes of an organization. Absent ones do not change.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateOrganizationBody {
    /// Name, 1 to 100 characters. The slug does not change.
    pub name: Option<String>,
    /// `free` or `team`. Only the operator can change it.
    pub plan: Option<Plan>,
    /// Policy. Only owners can change it.
    pub policy: Option<UpdatePolicyBody>,
    /// Grace period in seconds for tokens that the new policy does not allow, at most 30 days.
    /// Default: 7 days.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 2_592_000))]
    #[serde(default, deserialize_with = "rules::within::<_, 0, 2_592_000>")]
    pub grace_seconds: Option<u32>,
}

/// New attributes of a policy. Absent ones do not change.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdatePolicyBody {
    /// Users who may use personal tokens: all `members`, or `admins` and owners.
    pub personal_tokens: Option<PersonalTokens>,
    /// Users who may create personal tokens: all `members`, or `admins` and owners.
    pub created_by: Option<PersonalTokens>,
    /// Maximum lifetime of tokens in days. `null` if there is no maximum.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 36_500))]
    #[serde(default, deserialize_with = "rules::present_within::<_, 1, 36_500>")]
    pub max_lifetime_days: Option<Option<u32>>,
    /// Whether tokens without expiry are allowed.
    pub never_expires: Option<bool>,
}

/// Change of policy or plan to preview.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct EffectParameters {
    /// Users who may use personal tokens: `members` or `admins`.
    #[cfg_attr(feature = "openapi", param(inline))]
    pub personal_tokens: Option<PersonalTokens>,
    /// Users who may create personal tokens: `members` or `admins`.
    #[cfg_attr(feature = "openapi", param(inline))]
    pub created_by: Option<PersonalTokens>,
    /// Maximum lifetime of tokens in days, or `none`.
    pub max_lifetime_days: Option<String>,
    /// Whether tokens without expiry are allowed: `true` or `false`.
    pub never_expires: Option<String>,
    /// `free` or `team`. Operator only.
    #[cfg_attr(feature = "openapi", param(inline))]
    pub plan: Option<Plan>,
}

/// Active token that would lose access to the organization.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AffectedToken {
    /// ID, `tok_…`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Prefix and last four characters of the token.
    pub hint: String,
    /// Email address of the owner. `null` for an organization token.
    pub owner: Option<String>,
    /// Reason why the new policy denies the token: `plan`, `role`, `never_expires` or `lifetime`.
    pub violation: String,
    /// `ends` if the token loses all access, or `loses_organization` if it can still access other
    /// organizations of its owner.
    pub effect: String,
}

/// A member of an organization.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// ID of the user, `usr_…`.
    pub id: String,
    /// Name of the user.
    pub name: String,
    /// Email address of the user.
    pub email: String,
    /// Whether the user or the operator has verified the email address.
    pub email_verified: bool,
    /// Role: `member`, `admin` or `owner`.
    #[cfg_attr(feature = "openapi", schema(value_type = Role))]
    pub role: String,
    /// Time when the user joined the organization.
    pub joined_at: String,
}

/// New attributes of a member.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutMemberBody {
    /// Role: `member`, `admin` or `owner`.
    pub role: Role,
}

/// A pending invitation.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// ID, `inv_…`.
    pub id: String,
    /// Email address of the invited user. `null` if anyone with the link can accept it.
    pub email: Option<String>,
    /// Role of the new member: `member`, `admin` or `owner`.
    #[cfg_attr(feature = "openapi", schema(value_type = Role))]
    pub role: String,
    /// Creator: the ID of a user or token, or `operator`.
    pub invited_by: String,
    /// Creation time.
    pub created_at: String,
    /// Expiry time of the link.
    pub expires_at: String,
}

/// Attributes of a new invitation.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateInvitationBody {
    /// Email address of the invited user. The server mails the link to it if mail is configured.
    pub email: Option<String>,
    /// Role of the new member: `member`, `admin` or `owner`.
    pub role: Role,
}

/// An invitation that was mailed again.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationSent {
    /// Always `sent`: otherwise the response is an error.
    #[cfg_attr(feature = "openapi", schema(value_type = MailStatus))]
    pub mail: String,
    /// Invitation.
    #[serde(flatten)]
    pub about: Invitation,
}

/// A new invitation with its link.
// No `Debug`, which keeps the link out of the log.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewInvitation {
    /// Link for the invited user. It works once and is returned only once. If the server mails the
    /// invitation, the mail has another link, which also verifies the address of the invited user;
    /// then only that one creates a user. A visitor with this link can have the mail sent again.
    pub url: String,
    /// Whether the server mails the invitation: `sent`, or `not_sent` if it sends no mail, if the
    /// sender or the address has reached its limit, or if too many messages wait. Give the invited
    /// user the `url` then, or send the mail later. `null` without an email address.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<MailStatus>))]
    pub mail: Option<String>,
    /// Whether the invitation can create a user. If not, only existing users can accept it.
    pub may_create_user: bool,
    /// Invitation.
    #[serde(flatten)]
    pub about: Invitation,
}
