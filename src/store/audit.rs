//! The audit log: a record for each change, written in the change's own transaction.

use super::schema::audit_event;
use super::{Conn, Error, stored};
use crate::domain::Instant;
use crate::domain::audit::{Action, Actor};
use crate::domain::id::EventId;
use diesel::prelude::*;
use std::net::IpAddr;

/// A record.
pub struct Event<'a> {
    /// Its identifier.
    pub id: EventId,
    /// When.
    pub at: Instant,
    /// What happened.
    pub action: Action,
    /// Who caused it.
    pub actor: &'a Actor,
    /// What it happened to: the id of an account, a token, a grant.
    pub target: Option<&'a str>,
    /// The organization it belongs to.
    pub organization_id: Option<&'a str>,
    /// The request that caused it; `-` outside of requests.
    pub request_id: &'a str,
    /// Where it came from.
    pub address: Option<IpAddr>,
    /// What else is worth knowing, never a secret.
    pub detail: serde_json::Value,
}

/// Writes a record.
pub fn insert_event(conn: &mut Conn, event: &Event<'_>) -> Result<(), Error> {
    diesel::insert_into(audit_event::table)
        .values((
            audit_event::id.eq(event.id.as_str()),
            audit_event::at.eq(stored(event.at)),
            audit_event::action.eq(event.action.as_str()),
            audit_event::actor_kind.eq(event.actor.kind()),
            audit_event::actor_id.eq(event.actor.id()),
            audit_event::target.eq(event.target),
            audit_event::organization_id.eq(event.organization_id),
            audit_event::request_id.eq(event.request_id),
            audit_event::address.eq(event.address.map(|address| address.to_string())),
            audit_event::detail.eq(event.detail.to_string()),
        ))
        .execute(conn)?;
    Ok(())
}
