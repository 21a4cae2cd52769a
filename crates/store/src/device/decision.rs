//! Decisions on device grants, and what follows from them.

use super::live::{lock_live_counts, uncount_pending};
use super::{APPROVED, DENIED, PENDING, Row, live, read_approval, read_state};
use crate::limits::LimitColumns;
use crate::schema::device_grant;
use crate::single_org::single_org_members;
use crate::statement::{Fixed, Statement, Written, on_connection};
use crate::{Conn, Error, stored};
use diesel::prelude::*;
use domain::Instant;
use domain::device::{Approval, DeniedBecause, Grant, State};
use domain::id::{GrantId, OrganizationId, TokenId, UserId};
use domain::secret::Digest;

/// Pending to approved; `false` if already decided or expired.
pub fn mark_approved(
    conn: &mut Conn,
    grant: &Grant,
    approval: &Approval,
    now: Instant,
) -> Result<bool, Error> {
    live::lock_live_counts(conn)?;
    let limits = LimitColumns::of(&approval.limits);
    let is_first = diesel::update(device_grant::table.find(grant.id.as_str()))
        .filter(device_grant::state.eq(PENDING))
        .filter(device_grant::expires_at.gt(stored(now)))
        .set((
            device_grant::state.eq(APPROVED),
            device_grant::decided_by.eq(approval.user_id.as_str()),
            device_grant::granted_scopes.eq(approval.scopes.to_string()),
            device_grant::granted_organization_id.eq(limits.organization),
            device_grant::granted_projects.eq(limits.projects),
            device_grant::granted_expires_at.eq(approval.expires_at.map(stored)),
            device_grant::confirmed_at.eq(approval.confirmed_at.map(stored)),
        ))
        .changes_one(conn)?;
    if is_first {
        live::uncount_pending(conn, grant)?;
    }
    Ok(is_first)
}

/// Pending to denied; `false` if already decided or expired.
pub fn mark_denied(
    conn: &mut Conn,
    grant: &Grant,
    (by, because): (&UserId, DeniedBecause),
    now: Instant,
) -> Result<bool, Error> {
    live::lock_live_counts(conn)?;
    let is_first = diesel::update(device_grant::table.find(grant.id.as_str()))
        .filter(device_grant::state.eq(PENDING))
        .filter(device_grant::expires_at.gt(stored(now)))
        .set((
            device_grant::state.eq(DENIED),
            device_grant::decided_by.eq(by.as_str()),
            device_grant::denied_reason.eq(because.as_str()),
        ))
        .changes_one(conn)?;
    if is_first {
        live::uncount_pending(conn, grant)?;
    }
    Ok(is_first)
}

/// Stores the digest of a decision and of the ticket with which it was made.
pub fn set_decision(conn: &mut Conn, id: &GrantId, decision: &Digest) -> Result<(), Error> {
    diesel::update(device_grant::table.find(id.as_str()))
        .set(device_grant::decision_digest.eq(decision.as_str()))
        .run(conn)
}

/// A decision that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// Approved, with the token if it was issued since.
    Approved(Approval, Option<TokenId>),
    /// Denied.
    Denied(DeniedBecause),
}

/// The decision with this digest, if it was made. An approval that was withdrawn by
/// [`mark_refused`] or [`deny_approved`] is denied.
pub fn find_decision(
    conn: &mut Conn,
    id: &GrantId,
    decision: &Digest,
) -> Result<Option<Made>, Error> {
    let row = device_grant::table
        .find(id.as_str())
        .filter(device_grant::decision_digest.eq(decision.as_str()))
        .row::<Row>(conn)
        .optional()?;
    Ok(row.and_then(|row| read_made(&row)))
}

/// The device grant with this user code that the user decided, and the digest of the decision.
pub fn find_decision_of(
    conn: &mut Conn,
    user_code: &Digest,
    user_id: &UserId,
) -> Result<Option<(GrantId, Digest)>, Error> {
    let row = device_grant::table
        .filter(device_grant::user_code_digest.eq(user_code.as_str()))
        .filter(device_grant::decided_by.eq(user_id.as_str()))
        .row::<Row>(conn)
        .optional()?;
    Ok(row.and_then(|row| {
        let digest = Digest::from_stored(row.decision_digest?);
        Some((GrantId::parse(&row.id)?, digest))
    }))
}

fn read_made(row: &Row) -> Option<Made> {
    match read_state(row)? {
        State::Denied(because) => Some(Made::Denied(because)),
        State::Redeemed { token_id } => Some(Made::Approved(read_approval(row)?, Some(token_id))),
        _ => Some(Made::Approved(read_approval(row)?, None)),
    }
}

/// Approved to denied, if the user no longer has the right to what was approved.
pub fn mark_refused(conn: &mut Conn, id: &GrantId, because: DeniedBecause) -> Result<bool, Error> {
    diesel::update(device_grant::table.find(id.as_str()))
        .filter(device_grant::state.eq(APPROVED))
        .set((
            device_grant::state.eq(DENIED),
            device_grant::denied_reason.eq(because.as_str()),
        ))
        .changes_one(conn)
}

/// Whose unredeemed approvals end.
#[derive(Debug, Clone, Copy)]
pub enum Approvals<'a> {
    /// Those of a user.
    OfUser(&'a UserId),
    /// Those for a client.
    ForClient(&'a str),
    /// Those of the members whose only organization is this one.
    OfSingleOrgMembers(&'a OrganizationId),
    /// All.
    All,
}

/// Approved to denied, for unredeemed device grants that were created before a time, if given;
/// returns their number.
pub fn deny_approved(
    conn: &mut Conn,
    approvals: Approvals<'_>,
    created_before: Option<Instant>,
) -> Result<usize, Error> {
    let before = stored(created_before.unwrap_or_else(domain::last_moment));
    let statement = diesel::update(device_grant::table)
        .set((
            device_grant::state.eq(DENIED),
            device_grant::denied_reason.eq(DeniedBecause::Rights.as_str()),
        ))
        .into_boxed()
        .filter(device_grant::state.eq(APPROVED))
        .filter(device_grant::created_at.lt(before));
    let statement = match approvals {
        Approvals::OfUser(id) => statement.filter(device_grant::decided_by.eq(id.to_string())),
        Approvals::ForClient(id) => statement.filter(device_grant::client_id.eq(id.to_owned())),
        Approvals::OfSingleOrgMembers(id) => {
            let decider = device_grant::decided_by.assume_not_null();
            statement.filter(decider.eq_any(single_org_members!(id)))
        }
        Approvals::All => statement,
    };
    Ok(statement.changes(conn)?)
}

/// Pending to denied, for the device grants of a client.
pub fn deny_pending_of_client(conn: &mut Conn, client_id: &str) -> Result<(), Error> {
    lock_live_counts(conn)?;
    let pending = device_grant::table
        .filter(device_grant::client_id.eq(client_id))
        .filter(device_grant::state.eq(PENDING))
        .read_all::<Row>(conn)?;
    for grant in &pending {
        uncount_pending(conn, grant)?;
    }
    diesel::update(device_grant::table)
        .filter(device_grant::client_id.eq(client_id))
        .filter(device_grant::state.eq(PENDING))
        .set((
            device_grant::state.eq(DENIED),
            device_grant::denied_reason.eq(DeniedBecause::Rights.as_str()),
        ))
        .run(conn)
}

/// Marks an approved device grant as redeemed.
struct Redeem;

impl Written for Redeem {
    const TEXT: &'static [&'static str] = &[
        "UPDATE device_grant SET state = 'redeemed', token_id = ",
        " WHERE state = 'approved' AND id = ",
        "",
    ];
    type Columns = ();
}

/// Approved to redeemed; `false` if another poll was first.
pub fn mark_redeemed(conn: &mut Conn, id: &GrantId, token_id: &TokenId) -> Result<bool, Error> {
    let redeem = Fixed::<Redeem, 2>::new([token_id.as_str(), id.as_str()]);
    Ok(on_connection!(conn, own => redeem.execute(own))? == 1)
}
