//! Organizations, their members, their policy and the invitations to them.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An organization.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OrganizationDetail {
    /// The id, `org_…`.
    pub id: String,
    /// The name in addresses.
    pub slug: String,
    /// The name.
    pub name: String,
    /// The caller's role in it; left out for the operator.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<String>,
    /// `free` or `team`. Organization tokens need `team`.
    pub plan: String,
    /// Which tokens may reach it.
    pub policy: Policy,
    /// When it was made.
    pub created_at: String,
}

/// Which tokens may reach an organization.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// Whose personal tokens: `members` or `admins`.
    pub personal_tokens: String,
    /// How many days tokens may live; `null` for as long as their makers like.
    pub max_lifetime_days: Option<u32>,
    /// Whether they may never end. A longest lifetime rules it out.
    pub never_expires: bool,
}

/// What a new organization is to be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrganizationBody {
    /// The name, 1 to 100 characters. Its address is made from it.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// What is to change of an organization. What is left out stays.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateOrganizationBody {
    /// The name. The address stays.
    pub name: Option<String>,
    /// `free` or `team`; the operator alone changes it.
    pub plan: Option<String>,
    /// The policy; owners alone change it.
    pub policy: Option<UpdatePolicyBody>,
    /// How long tokens go on that the change does not admit any more, in seconds, at most 30
    /// days; 7 days if left out.
    #[schema(minimum = 0, maximum = 2_592_000)]
    pub grace_seconds: Option<u32>,
}

/// What is to change of a policy. What is left out stays.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePolicyBody {
    /// Whose personal tokens may reach the organization: `members` or `admins`.
    pub personal_tokens: Option<String>,
    /// How many days tokens may live; `null` for as long as their makers like.
    #[schema(minimum = 1, maximum = 36_500)]
    pub max_lifetime_days: Option<u32>,
    /// Whether they may never end.
    pub never_expires: Option<bool>,
}

/// A change of policy whose effects are to be shown.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the query, which is read elsewhere")]
pub struct EffectParameters {
    /// `members` or `admins`.
    personal_tokens: Option<String>,
    /// A number of days, or `none`.
    max_lifetime_days: Option<String>,
    /// `true` or `false`.
    never_expires: Option<String>,
    /// `free` or `team`, for the operator.
    plan: Option<String>,
}

/// A living token that a change would end, or keep from the organization.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AffectedToken {
    /// The id, `tok_…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The prefix and the last four characters.
    pub hint: String,
    /// The email address of the person whose it is; `null` for the organization's own.
    pub owner: Option<String>,
    /// Why the change does not admit it: `plan`, `role`, `never_expires` or `lifetime`.
    pub violation: String,
    /// `ends` if it could do nothing any more, or `loses_organization` if it goes on in its owner's other organizations.
    pub effect: String,
}

/// A member of an organization.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// The person's id, `usr_…`.
    pub id: String,
    /// The person's name.
    pub name: String,
    /// The person's email address.
    pub email: String,
    /// `member`, `admin` or `owner`.
    pub role: String,
    /// Since when the person has been a member.
    pub joined_at: String,
}

/// What a member is to be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutMemberBody {
    /// `member`, `admin` or `owner`.
    pub role: String,
}

/// An invitation that nobody has accepted yet.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// The id, `inv_…`.
    pub id: String,
    /// The address that it is for; `null` if anybody with the link may accept it.
    pub email: Option<String>,
    /// The role to join with.
    pub role: String,
    /// Who made it.
    pub invited_by: String,
    /// When it was made.
    pub created_at: String,
    /// When its link ends.
    pub expires_at: String,
}

/// What an invitation is to be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInvitationBody {
    /// The address that it is for. It is sent there if the deployment sends mail.
    pub email: Option<String>,
    /// The role to join with: `member`, `admin` or `owner`.
    pub role: String,
}

/// An invitation that was just made, with its link.
// Without `Debug`, so that no log line can hold the link.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct NewInvitation {
    /// The link to hand over. It works once, and is shown once.
    pub url: String,
    /// The invitation.
    #[serde(flatten)]
    pub about: Invitation,
}
