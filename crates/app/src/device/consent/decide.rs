//! The decision of a user on a device grant.

use super::options::{forbidden, options, permit};
use super::{Confirmation, read_ticket};
use crate::access::{UserMemberships, earlier, find_owner};
use crate::device::{expiry, show};
use crate::token::{NamedLimits, SCOPE_REQUIRED, find_limits};
use crate::tx::Tx;
use crate::{Error, Request};
use domain::audit::Action;
use domain::client::Standing;
use domain::device::{Approval, DeniedBecause, Grant, State};
use domain::scope::ScopeSet;
use domain::secret::{Digest, Secret};
use domain::token::{self, Limits, TokenOwner};
use domain::{Fault, Instant};
use serde_json::json;
use store::device::Made;

/// Decision of the user.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Grant a token.
    Approve(Choice),
    /// Deny the device grant.
    Deny,
}

/// Expiries that only the consent page offers, in days.
pub const SHORT_EXPIRIES: [(&str, i64); 2] = [("1d", 1), ("7d", 7)];

/// The token that the user grants.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The granted scopes, a subset of the requested ones.
    pub scopes: ScopeSet,
    /// The organization that it is limited to, by its id or slug.
    pub organization: Option<String>,
    /// The projects that it is limited to, all in one organization; empty for no limit.
    pub projects: Vec<String>,
    /// An expiry earlier than the default: one of [`SHORT_EXPIRIES`] or of [`token::expiry`].
    pub expires: Option<String>,
    /// The date for `custom`.
    pub expires_on: Option<String>,
}

/// Result of a decision.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The device gets a token.
    Approved(Granted),
    /// The device gets no token.
    Denied,
    /// The device gets no token: a rule forbids the user to approve.
    Forbidden(DeniedBecause),
    /// The device grant has expired: nothing changed.
    Expired,
    /// The device grant was decided before, in another way or with another ticket: nothing changed.
    AlreadyDecided,
}

/// The token that a device gets.
#[derive(Debug, PartialEq, Eq)]
pub struct Granted {
    /// Its scopes.
    pub scopes: ScopeSet,
    /// Its expiry; `None` if it never expires.
    pub expires_at: Option<Instant>,
    /// The names of what it is limited to: the organization, then the projects.
    pub limited_to: Vec<String>,
}

/// Why a decision was rejected.
#[derive(Debug, PartialEq, Eq)]
pub enum NotDecided {
    /// The ticket is invalid for this user: the device grant must be reviewed again.
    NotReviewed,
    /// The box "I started this sign-in myself" must be selected.
    NotConfirmed,
}

/// A decision that was processed, with its outcome.
#[derive(Debug)]
pub struct Decided {
    /// Name of the client.
    pub client_name: String,
    /// Outcome.
    pub outcome: Outcome,
    /// Identifies the decision for [`find_decided`].
    pub id: Digest,
}

/// Processes a decision. It is stored and recorded once; the same decision with the same ticket, as
/// by a double click or a reload, has the same outcome. Fails with [`Error::Invalid`] for limits
/// or an expiry that the user cannot set.
pub async fn decide(
    req: &Request,
    ticket: &str,
    is_confirmed: bool,
    decision: Decision,
) -> Result<Result<Decided, NotDecided>, Error> {
    let (app, signed_in) = (&req.app, req.caller.signed_in()?);
    let Some((grant_id, confirmation)) = read_ticket(app, signed_in, ticket) else {
        return Ok(Err(NotDecided::NotReviewed));
    };
    let is_approval = matches!(decision, Decision::Approve(_));
    if is_approval && confirmation != Confirmation::NotNeeded && !is_confirmed {
        return Ok(Err(NotDecided::NotConfirmed));
    }
    let action = match decision {
        Decision::Approve(_) => Action::DeviceApproved,
        Decision::Deny => Action::DeviceDenied,
    };
    let digest = digest(ticket, &decision);
    let (made, device_code) = req
        .change(action, move |tx| {
            let found = store::device::find_grant_by_id(tx.conn, &grant_id)?;
            let (grant, device_code) = found.ok_or(Error::NotFound)?;
            let outcome = settle(tx, &grant, &decision, &digest)?;
            Ok((decided(tx, grant, outcome, &digest)?, device_code))
        })
        .await?;
    app.waiting().wake(&device_code);
    Ok(Ok(made))
}

fn decided(tx: &mut Tx<'_>, grant: Grant, outcome: Outcome, id: &Digest) -> Result<Decided, Error> {
    let client = store::client::find_client(tx.conn, &grant.client_id)?;
    Ok(Decided {
        client_name: client.map_or(grant.client_id, |client| client.name),
        outcome,
        id: id.clone(),
    })
}

/// The outcome of a decision that was processed, for the user and session with its ticket. Fails
/// with [`Error::NotFound`] for any other.
pub async fn find_decided(req: &Request, ticket: &str, id: &Digest) -> Result<Decided, Error> {
    let read = read_ticket(&req.app, req.caller.signed_in()?, ticket);
    let (grant_id, _) = read.ok_or(Error::NotFound)?;
    let id = id.clone();
    req.read(move |tx| {
        let found = store::device::find_grant_by_id(tx.conn, &grant_id)?;
        let (grant, _) = found.ok_or(Error::NotFound)?;
        let outcome = match (find_made(tx, &grant, &id)?, &grant.state) {
            (_, State::Pending | State::Expired) => Outcome::Expired,
            (None, _) => Outcome::AlreadyDecided,
            (Some(_), State::Approved(_)) if grant.is_over(tx.now) => Outcome::Expired,
            (Some(outcome), _) => outcome,
        };
        decided(tx, grant, outcome, &id)
    })
    .await
}

/// Stores a decision, unless the device grant has expired or was decided before.
fn settle(
    tx: &mut Tx<'_>,
    grant: &Grant,
    decision: &Decision,
    digest: &Digest,
) -> Result<Outcome, Error> {
    // Before the rules are checked, since they may no longer let the user approve the device grant.
    if let Some(outcome) = find_made(tx, grant, digest)? {
        return Ok(outcome);
    }
    let user_id = &tx.caller().signed_in()?.user.id;
    let owner = crate::access::lock_memberships(tx.app(), tx.conn, user_id)?
        .ok_or(Error::Unauthenticated)?;
    let prepared = match decision {
        Decision::Deny => match options(tx.app(), &owner).is_empty() {
            // The user has no other choice: the device learns the rule.
            true => Err(forbidden(tx.app(), &owner).because),
            false => Err(DeniedBecause::User),
        },
        Decision::Approve(choice) => prepare(tx, grant, &owner, choice)?,
    };
    let (is_first, action, detail, outcome) = match prepared {
        Err(because) => {
            let by = (user_id, because);
            let is_first = store::device::mark_denied(tx.conn, grant, by, tx.now)?;
            let detail = match because {
                DeniedBecause::User => json!({}),
                because => json!({"reason": because.as_str()}),
            };
            (is_first, Action::DeviceDenied, detail, denied(because))
        }
        Ok((approval, granted)) => {
            let is_first = store::device::mark_approved(tx.conn, grant, &approval, tx.now)?;
            let detail = json!({
                "scopes": approval.scopes.to_string(),
                "limited_to": approval.limits.ids(),
                "expires_at": granted.expires_at.map(|at| at.to_rfc3339()),
            });
            let outcome = Outcome::Approved(granted);
            (is_first, Action::DeviceApproved, detail, outcome)
        }
    };
    if is_first {
        store::device::set_decision(tx.conn, &grant.id, digest)?;
        // The page of a link records nothing.
        show(tx, grant)?;
        tx.record_as(action, Some(grant.id.as_str()), detail)?;
        return Ok(outcome);
    }
    // Another decision, or the same one, may have been written since the grant was read.
    if let Some(outcome) = find_made(tx, grant, digest)? {
        return Ok(outcome);
    }
    let (grant, _) = store::device::find_grant_by_id(tx.conn, &grant.id)?.ok_or(Error::NotFound)?;
    Ok(match grant.state {
        State::Pending | State::Expired => {
            expiry::expire(tx, &grant)?;
            Outcome::Expired
        }
        _ => Outcome::AlreadyDecided,
    })
}

fn denied(because: DeniedBecause) -> Outcome {
    match because {
        DeniedBecause::User => Outcome::Denied,
        because => Outcome::Forbidden(because),
    }
}

/// Digest of a decision and the ticket with which it is made.
fn digest(ticket: &str, decision: &Decision) -> Digest {
    Secret::new(format!("{ticket} {decision:?}")).digest()
}

/// Outcome of the same decision, if it was made before with the same ticket.
fn find_made(tx: &mut Tx<'_>, grant: &Grant, digest: &Digest) -> Result<Option<Outcome>, Error> {
    let made = store::device::find_decision(tx.conn, &grant.id, digest)?;
    made.map(|made| outcome_of(tx, made)).transpose()
}

fn outcome_of(tx: &mut Tx<'_>, made: Made) -> Result<Outcome, Error> {
    let (approval, token_id) = match made {
        Made::Denied(because) => return Ok(denied(because)),
        Made::Approved(approval, token_id) => (approval, token_id),
    };
    let token = match token_id {
        Some(id) => store::token::find_token(tx.conn, &id)?,
        None => None,
    };
    let expires_at = match token {
        Some(token) => token.expires_at,
        None => {
            let owner = find_owner(tx.app(), tx.conn, &approval.user_id)?;
            let latest =
                owner.and_then(|owner| owner.default_end(tx.app(), &approval.limits, tx.now));
            earlier(latest, approval.expires_at)
        }
    };
    Ok(Outcome::Approved(Granted {
        expires_at,
        limited_to: names(tx, &approval.limits)?,
        scopes: approval.scopes,
    }))
}

/// The token that the user grants: the chosen one, as far as the user, the device grant and the
/// client allow it. `Err` is the rule that forbids it.
fn prepare(
    tx: &mut Tx<'_>,
    grant: &Grant,
    owner: &UserMemberships,
    choice: &Choice,
) -> Result<Result<(Approval, Granted), DeniedBecause>, Error> {
    let named = NamedLimits {
        organization: choice.organization.as_deref(),
        projects: &choice.projects,
    };
    let mut faults = Vec::new();
    let owner_ref = TokenOwner::User(owner.user.id.clone());
    let limits = find_limits(tx, &owner_ref, &named, &mut faults)?;
    let latest = match permit(tx.app(), owner, &limits) {
        Ok(latest) => latest,
        // Limits that do not exist are a mistake in the form, and forbid nothing.
        Err(because) if faults.is_empty() => return Ok(Err(because)),
        Err(_) => return Err(Error::Invalid(faults.into())),
    };
    let chosen = choice.expires.as_deref().map(|expires| {
        let short = SHORT_EXPIRIES
            .into_iter()
            .find(|(text, _)| *text == expires);
        let short = short.map(|(_, days)| tx.now + chrono::Duration::days(days));
        match short.filter(|end| latest.is_none_or(|latest| *end < latest)) {
            Some(end) => Ok(Some(end)),
            None => token::expiry(expires, choice.expires_on.as_deref(), tx.now, latest),
        }
    });
    let expires_at = chosen.transpose().unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    if !faults.is_empty() {
        return Err(Error::Invalid(faults.into()));
    }
    let client = store::client::find_client(tx.conn, &grant.client_id)?
        .filter(|client| client.standing == Standing::Active)
        .ok_or(Error::NotFound)?;
    let scopes = owner
        .allowed(tx.app(), &limits, &choice.scopes)
        .intersection(&grant.scopes)
        .intersection(&client.scopes);
    if scopes.is_empty() && tx.config().tokens.scope_required {
        return Err(Error::Invalid(Fault::new("scope", SCOPE_REQUIRED).into()));
    }
    tx.require_recent_sign_in_for(&scopes)?;
    let granted = Granted {
        scopes: scopes.clone(),
        expires_at: expires_at.unwrap_or(latest),
        limited_to: names(tx, &limits)?,
    };
    let approval = Approval {
        user_id: owner.user.id.clone(),
        scopes,
        limits,
        expires_at: expires_at.flatten(),
        confirmed_at: tx.caller().confirmed_at(),
    };
    Ok(Ok((approval, granted)))
}

/// The names of what a token is limited to.
fn names(tx: &mut Tx<'_>, limits: &Limits) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    if let Some(id) = &limits.organization {
        let found = store::org::find_organization(tx.conn, id)?;
        names.extend(found.map(|organization| organization.name));
    }
    for id in limits.projects.iter().flatten() {
        let found = store::project::find_project(tx.conn, id)?;
        names.extend(found.map(|project| project.name));
    }
    Ok(names)
}
