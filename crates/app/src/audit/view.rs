//! Authorizes reading the log, and records each read.

use super::sealing;
use crate::access::{Authority, Caller, Denial};
use crate::{App, Context, Error};
use domain::audit::Action;
use domain::decision::ResourceRef;
use domain::id::{OrganizationId, UserId};
use domain::role::Role;
use domain::token::TokenOwner;
use serde_json::Value;
use store::Conn;
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
    pub(super) fn of(
        conn: &mut Conn,
        caller: &Caller,
        authority: &Authority,
        organization: Option<&str>,
    ) -> Result<Self, Error> {
        if let Some(named) = organization {
            let found = authority.organization(conn, named, READ, Role::Admin)?;
            return Ok(Self::Organization(found.id));
        }
        if matches!(caller, Caller::Operator(None)) {
            return Ok(Self::Everything);
        }
        match caller.owner()? {
            TokenOwner::Organization(id) => {
                authority.require(READ, &ResourceRef::Organization(id.clone()), Role::Admin)?;
                Ok(Self::Organization(id))
            }
            TokenOwner::User(id) => {
                authority.require_scope(READ, &ResourceRef::Any)?;
                let limits = authority.limits();
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
    app: &App,
    context: &Context,
    caller: &Caller,
    organization: Option<String>,
    action: Action,
    looked_for: Value,
) -> Result<View, Error> {
    let event = app.event(context, caller.actor(), action);
    let (handle, caller) = (app.clone(), caller.clone());
    let view = move |conn: &mut Conn| {
        let authority = caller.authority(&handle, conn)?;
        View::of(conn, &caller, &authority, organization.as_deref())
    };
    let first = view.clone();
    // Unauthorized callers are refused before anything is written.
    app.store().read(move |conn| first(conn).map(drop)).await?;
    // The view includes what the caller did just now.
    sealing::seal(app).await?;
    app.store()
        .write(move |conn| {
            let view = view(conn)?;
            event.write_in(conn, view.organization(), None, looked_for.clone())?;
            Ok(view)
        })
        .await
}
