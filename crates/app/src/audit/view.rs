//! Who sees what of the log, and the record that it was seen.

use super::sealing;
use crate::caller::{Authority, Caller, Denial};
use crate::{App, Context, Error};
use domain::audit::Action;
use domain::decision::ResourceRef;
use domain::id::{OrganizationId, UserId};
use domain::org::Role;
use domain::token::TokenOwner;
use serde_json::Value;
use store::Conn;
use store::audit::Within;

/// The scope that reading takes.
pub const READ: &str = "audit:read";

/// What somebody sees of the log.
#[derive(Debug, Clone)]
pub(super) enum View {
    /// The operator sees everything.
    Everything,
    /// A person sees what concerns them, as far as their token's limits go.
    Own(UserId, Within),
    /// The admins of an organization, and its tokens, see what belongs to it.
    Organization(OrganizationId),
}

impl View {
    /// What a caller sees, in this organization or of its own.
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
                // Records tell of no project, so that none is within such limits.
                match limits.projects {
                    Some(_) => Err(Denial::Limited.into()),
                    None => Ok(Self::Own(id, limits.organization)),
                }
            }
        }
    }

    /// The organization, where the right to see comes from it.
    pub(super) fn organization(&self) -> Option<&OrganizationId> {
        match self {
            Self::Organization(id) => Some(id),
            Self::Everything | Self::Own(..) => None,
        }
    }
}

/// What the caller sees, in this organization or of its own; records that it looked, and for
/// what.
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
    // Who may see nothing is refused before anything is written.
    app.store().read(move |conn| first(conn).map(drop)).await?;
    // What the caller did just now is a part of what it sees.
    sealing::seal(app).await?;
    app.store()
        .write(move |conn| {
            let view = view(conn)?;
            event.write_in(conn, view.organization(), None, looked_for.clone())?;
            Ok(view)
        })
        .await
}
