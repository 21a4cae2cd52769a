//! Converts the results of use cases to the bodies of responses.

use app::access::CheckedToken;
use app::token::Review;
use chrono::SecondsFormat;
use domain::client::{self, Credential};
use domain::org;
use domain::policy::Longest;
use domain::role::Role;
use domain::token::{State, Token as DomainToken};
use domain::user::{Standing, User as DomainUser};
use domain::{Instant, project};
use wire::api::{
    Client, Descendant, Descendants, Invitation, Member, Organization, OrganizationDetail, Policy,
    Project, ProjectDetail, Token, User,
};

/// Formats a time (RFC 3339) in seconds and UTC.
pub fn rfc3339(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A token without its secret, with its state at `now`.
pub fn token(checked: &CheckedToken, now: Instant) -> Token {
    let CheckedToken {
        token,
        policy_decision,
    } = checked;
    let revocation = token.revocation.as_ref();
    Token {
        id: token.id.to_string(),
        kind: token.owner.kind().to_owned(),
        name: token.name.clone(),
        hint: token.hint.clone(),
        scopes: token.scopes.iter().map(ToString::to_string).collect(),
        organization: token.organization().map(ToString::to_string),
        projects: token
            .limits
            .projects
            .as_ref()
            .map(|projects| projects.iter().map(ToString::to_string).collect()),
        client_id: token.client_id.clone(),
        device_name: token.device_name.clone(),
        created_by: Some(token.created_by.clone()),
        created_at: rfc3339(token.created_at),
        expires_at: token.expires_at.map(rfc3339),
        grace_ends_at: policy_decision.ok().flatten().map(rfc3339),
        violation: policy_decision.err().map(|why| why.as_str().to_owned()),
        last_used_at: token.last_use.as_ref().map(|last| rfc3339(last.at)),
        last_used_address: token.last_use.as_ref().map(|last| last.address.to_string()),
        confirmed_at: token.confirmed_at.map(rfc3339),
        revoked_at: revocation.map(|revocation| rfc3339(revocation.at)),
        revoked_by: revocation.map(|revocation| revocation.by.clone()),
        revoked_reason: revocation.map(|revocation| revocation.reason.clone()),
        replaces: token.replaces.as_ref().map(ToString::to_string),
        made_by_token: token.made_by_token.as_ref().map(ToString::to_string),
        state: match token.state(now) {
            State::Live => "live",
            State::Expired => "expired",
            State::Revoked => "revoked",
        }
        .to_owned(),
    }
}

/// What revoking a token would also revoke.
pub fn descendants(review: &Review) -> Descendants {
    let named = |token: &DomainToken| Descendant {
        id: token.id.to_string(),
        name: token.name.clone(),
        hint: token.hint.clone(),
    };
    Descendants {
        tokens: review.tokens,
        invitations: review.invitations,
        newest: review.newest.iter().map(named).collect(),
    }
}

/// A user as other users can read it.
pub fn user(user: &DomainUser) -> User {
    User {
        id: user.id.to_string(),
        name: user.name.clone(),
        email: user.email.clone(),
        email_verified: user.email_verified_at.is_some(),
        state: None,
        created_at: None,
    }
}

/// A user as the operator can read it.
pub fn user_in_full(found: &DomainUser) -> User {
    User {
        state: Some(
            match found.standing {
                Standing::Active => "active",
                Standing::Deactivated => "deactivated",
            }
            .to_owned(),
        ),
        created_at: Some(rfc3339(found.created_at)),
        ..user(found)
    }
}

/// Summary of an organization.
pub fn organization(organization: &org::Organization, role: Option<Role>) -> Organization {
    Organization {
        id: organization.id.to_string(),
        slug: organization.slug.clone(),
        name: organization.name.clone(),
        role: role.map(|role| role.as_str().to_owned()),
    }
}

/// Full description of an organization.
pub fn organization_detail(
    organization: &org::Organization,
    role: Option<Role>,
) -> OrganizationDetail {
    let policy = organization.policy;
    OrganizationDetail {
        id: organization.id.to_string(),
        slug: organization.slug.clone(),
        name: organization.name.clone(),
        role: role.map(|role| role.as_str().to_owned()),
        made_by: organization.made_by.as_str().to_owned(),
        plan: organization.plan.as_str().to_owned(),
        policy: Policy {
            personal_tokens: policy.personal_tokens.as_str().to_owned(),
            created_by: policy.created_by.as_str().to_owned(),
            max_lifetime_days: match policy.longest {
                Longest::Days(days) => Some(days),
                Longest::Unlimited | Longest::Ending => None,
            },
            never_expires: policy.longest == Longest::Unlimited,
        },
        created_at: rfc3339(organization.created_at),
    }
}

/// A member of an organization.
pub fn member(member: &org::Member) -> Member {
    Member {
        id: member.user.id.to_string(),
        name: member.user.name.clone(),
        email: member.user.email.clone(),
        email_verified: member.user.email_verified_at.is_some(),
        role: member.role.as_str().to_owned(),
        joined_at: rfc3339(member.joined_at),
    }
}

/// An invitation without its link.
pub fn invitation(invitation: &org::Invitation) -> Invitation {
    Invitation {
        id: invitation.id.to_string(),
        email: invitation.email.clone(),
        role: invitation.role.as_str().to_owned(),
        invited_by: invitation.invited_by.clone(),
        created_at: rfc3339(invitation.created_at),
        expires_at: rfc3339(invitation.expires_at),
    }
}

/// Summary of a project.
pub fn project(project: &project::Project) -> Project {
    Project {
        id: project.id.to_string(),
        name: project.name.clone(),
    }
}

/// Full description of a project.
pub fn project_detail(project: &project::Project) -> ProjectDetail {
    ProjectDetail {
        id: project.id.to_string(),
        organization: project.organization_id.to_string(),
        name: project.name.clone(),
        created_at: rfc3339(project.created_at),
    }
}

/// A client without its secret.
pub fn client(client: &client::Client) -> Client {
    let names = |scopes: &domain::scope::ScopeSet| scopes.iter().map(ToString::to_string).collect();
    Client {
        id: client.id.clone(),
        name: client.name.clone(),
        kind: match client.credential {
            Credential::Public => "public",
            Credential::Confidential(_) => "confidential",
        }
        .to_owned(),
        scopes: names(&client.scopes),
        default_scopes: names(&client.default_scopes),
        state: match client.standing {
            client::Standing::Active => "active",
            client::Standing::Disabled => "disabled",
        }
        .to_owned(),
    }
}
