//! Authorizes reading the log, and records each read.

use super::event::Target;
use super::sealing;
use crate::access::{Caller, Denial};
use crate::tx::Tx;
use crate::{Error, Request};
use domain::audit::Action;
use domain::decision::ResourceRef;
use domain::id::{OrganizationId, UserId};
use domain::role::Role;
use domain::token::TokenOwner;
use serde_json::Value;
use store::audit::Within;

/// Scope for reading the log.
pub const READ: &str = "audit:read";

/// Part of the log that a caller may see.
#[derive(Debug, Clone)]
pub(super) enum View {
    /// The operator sees everything.
    Everything,
    /// A user sees their own records, within the limits of their token.
    Own(UserId, Within),
    /// Admins and tokens of an organization see its records.
    Organization(OrganizationId),
}

impl View {
    /// Returns the caller's view of an organization, or of the caller's own records.
    pub(super) fn of(tx: &mut Tx<'_>, organization: Option<&str>) -> Result<Self, Error> {
        if let Some(named) = organization {
            let found = tx.organization(named, READ, Role::Admin)?;
            return Ok(Self::Organization(found.id));
        }
        if matches!(tx.caller(), Caller::Operator(None)) {
            return Ok(Self::Everything);
        }
        match tx.caller().owner()? {
            TokenOwner::Organization(id) => {
                tx.require(READ, &ResourceRef::Organization(id.clone()), Role::Admin)?;
                Ok(Self::Organization(id))
            }
            TokenOwner::User(id) => {
                tx.require_scope(READ)?;
                let limits = tx.limits()?;
                // Records have no project, so none is within such limits.
                match limits.projects {
                    Some(_) => Err(Denial::Limited.into()),
                    None => Ok(Self::Own(id, limits.organization)),
                }
            }
        }
    }

    /// Organization that permits the view, if one does.
    pub(super) fn organization(&self) -> Option<&OrganizationId> {
        match self {
            Self::Organization(id) => Some(id),
            Self::Everything | Self::Own(..) => None,
        }
    }
}

/// Returns the caller's view of an organization or of its own records, and records the read with
/// its filter.
pub(super) async fn authorize(
    req: &Request,
    organization: Option<String>,
    action: Action,
    looked_for: Value,
) -> Result<View, Error> {
    let named = organization.clone();
    // Unauthorized callers are refused before anything is written.
    req.read(move |tx| View::of(tx, named.as_deref()).map(drop))
        .await?;
    // The view includes what the caller did just now.
    sealing::seal(&req.app).await?;
    req.change(action, move |tx| {
        let view = tx.unlocked(|tx| View::of(tx, organization.as_deref()))?;
        let target = Target::of(view.organization(), None);
        tx.record(target, looked_for.clone())?;
        Ok(view)
    })
    .await
}
