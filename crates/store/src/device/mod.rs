//! Device grants. Every change of state is a compare-and-set, so that one of two concurrent
//! decisions succeeds and the other is rejected. Polls store nothing but a raised interval, which
//! never changes the state.

mod answer;
mod decision;
mod live;

pub use answer::{
    DeviceAnswer, SealedAnswer, clear_answers, delete_answer, delete_over_answers, find_answer,
    insert_answer, is_any_answer_over, list_unused, mark_given_again, mark_repeated,
};
pub use decision::{
    Approvals, Made, deny_approved, deny_pending_of_client, find_decision, find_decision_of,
    mark_approved, mark_denied, mark_redeemed, mark_refused, set_decision,
};
pub use live::{
    Ending, GrantOrigin, LiveCounts, count_live_grants, count_live_of_clients,
    count_waiting_grants, find_end, list_over_grants_of, lock_live_counts,
};

use super::cache::Lookup;
use super::client::ACTIVE;
use super::limits::LimitColumns;
use super::schema::{client, device_grant};
use super::statement::{ReadRow, RowId, Statement, on_connection};
use super::{Conn, Error, stored};
use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use domain::Instant;
use domain::device::{Approval, DeniedBecause, Grant, Misuse, Noted, Pace, State};
use domain::id::{GrantId, ProjectId, TokenId, UserId};
use domain::network;
use domain::scope::ScopeSet;
use domain::secret::Digest;

#[derive(Queryable, Insertable)]
#[diesel(table_name = device_grant, treat_none_as_default_value = false)]
struct Row {
    id: String,
    device_code_digest: String,
    user_code_digest: String,
    client_id: String,
    scopes: String,
    device_name: Option<String>,
    address: String,
    source: String,
    site: String,
    created_at: NaiveDateTime,
    expires_at: NaiveDateTime,
    state: String,
    interval_ms: i64,
    decided_by: Option<String>,
    granted_scopes: Option<String>,
    decision_digest: Option<String>,
    token_id: Option<String>,
    replayed_at: Option<NaiveDateTime>,
    wrong_client_at: Option<NaiveDateTime>,
    is_recorded: bool,
    shown_at: Option<NaiveDateTime>,
    organization: Option<String>,
    project: Option<String>,
    denied_reason: Option<String>,
    granted_organization_id: Option<String>,
    granted_projects: Option<String>,
    granted_expires_at: Option<NaiveDateTime>,
    confirmed_at: Option<NaiveDateTime>,
}

const PENDING: &str = "pending";
const APPROVED: &str = "approved";
const DENIED: &str = "denied";
const REDEEMED: &str = "redeemed";
const EXPIRED: &str = "expired";

fn read_state(row: &Row) -> Option<State> {
    match row.state.as_str() {
        PENDING => Some(State::Pending),
        APPROVED => read_approval(row).map(State::Approved),
        DENIED => DeniedBecause::parse(row.denied_reason.as_deref()?).map(State::Denied),
        REDEEMED => Some(State::Redeemed {
            token_id: TokenId::parse(row.token_id.as_deref()?)?,
        }),
        EXPIRED => Some(State::Expired),
        _ => None,
    }
}

/// The approval, which is kept in every later state.
fn read_approval(row: &Row) -> Option<Approval> {
    Some(Approval {
        user_id: UserId::parse(row.decided_by.as_deref()?)?,
        scopes: ScopeSet::parse(row.granted_scopes.as_deref()?).ok()?,
        limits: LimitColumns::read(
            row.granted_organization_id.as_deref(),
            row.granted_projects.as_deref(),
        )?,
        expires_at: row.granted_expires_at.map(|at| at.and_utc()),
        confirmed_at: row.confirmed_at.map(|at| at.and_utc()),
    })
}

impl ReadRow for Row {
    type Value = Grant;

    fn read(self) -> Result<Grant, Error> {
        let row = RowId("device_grant", &self.id);
        Ok(Grant {
            state: row.read("state", read_state(&self))?,
            scopes: row.read("scopes", ScopeSet::parse(&self.scopes).ok())?,
            address: row.read("address", self.address.parse().ok())?,
            id: row.read("id", GrantId::parse(&self.id))?,
            client_id: self.client_id,
            device_name: self.device_name,
            organization: self.organization,
            project: match self.project.as_deref() {
                Some(id) => Some(row.read("project", ProjectId::parse(id))?),
                None => None,
            },
            created_at: self.created_at.and_utc(),
            expires_at: self.expires_at.and_utc(),
            is_recorded: self.is_recorded,
            is_shown: self.shown_at.is_some(),
            noted: Noted {
                replay: self.replayed_at.is_some(),
                wrong_client: self.wrong_client_at.is_some(),
            },
            interval: Duration::milliseconds(self.interval_ms),
        })
    }
}

/// Inserts a pending device grant with the digests of its codes. [`Error::Duplicate`] if one of them is
/// taken: generate new codes.
pub fn insert_grant(
    conn: &mut Conn,
    new: &Grant,
    device_code: &Digest,
    user_code: &Digest,
) -> Result<(), Error> {
    let row = Row {
        id: new.id.to_string(),
        device_code_digest: device_code.as_str().to_owned(),
        user_code_digest: user_code.as_str().to_owned(),
        client_id: new.client_id.clone(),
        scopes: new.scopes.to_string(),
        device_name: new.device_name.clone(),
        address: new.address.to_string(),
        source: network::source(new.address).to_string(),
        site: network::site(new.address).to_string(),
        created_at: stored(new.created_at),
        expires_at: stored(new.expires_at),
        state: PENDING.to_owned(),
        interval_ms: new.interval.num_milliseconds(),
        decided_by: None,
        granted_scopes: None,
        decision_digest: None,
        token_id: None,
        replayed_at: None,
        wrong_client_at: None,
        is_recorded: new.is_recorded,
        shown_at: None,
        organization: new.organization.clone(),
        project: new.project.as_ref().map(ToString::to_string),
        denied_reason: None,
        granted_organization_id: None,
        granted_projects: None,
        granted_expires_at: None,
        confirmed_at: None,
    };
    let insert = diesel::insert_into(device_grant::table).values(row);
    on_connection!(conn, own => insert.execute(own))?;
    live::count_pending(conn, new)
}

/// The device grant with this device code.
pub fn find_grant(conn: &mut Conn, device_code: &Digest) -> Result<Option<Grant>, Error> {
    let query =
        device_grant::table.filter(device_grant::device_code_digest.eq(device_code.as_str()));
    let row = on_connection!(conn, own => query.get_result::<Row>(own));
    row.optional()?.map(ReadRow::read).transpose()
}

/// The device grant with this user code.
pub fn find_grant_by_user_code(
    conn: &mut Conn,
    user_code: &Digest,
) -> Result<Option<Grant>, Error> {
    device_grant::table
        .filter(device_grant::user_code_digest.eq(user_code.as_str()))
        .read_one::<Row>(conn)
}

/// The device grant with this id, and the digest of its device code.
pub fn find_grant_by_id(conn: &mut Conn, id: &GrantId) -> Result<Option<(Grant, Digest)>, Error> {
    device_grant::table
        .find(id.as_str())
        .row::<Row>(conn)
        .optional()?
        .map(|row| {
            let device_code = Digest::from_stored(row.device_code_digest.clone());
            Ok((row.read()?, device_code))
        })
        .transpose()
}

/// What finds the pace of a device grant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PaceKey {
    /// The client that polls, by its id.
    pub client_id: String,
    /// The digest of the device code.
    pub device_code: Digest,
}

/// The pace of the pending device grant with a device code, if its client has the id and
/// polls without a secret: it is active and public and may request tokens. One statement for the
/// usual poll; whatever it does not find, the poll looks up in full.
impl Lookup for Pace {
    type Key = PaceKey;

    const MOST: usize = 16_000;

    fn find(conn: &mut Conn, key: &PaceKey) -> Result<Option<Self>, Error> {
        let query = device_grant::table
            .inner_join(client::table.on(client::id.eq(device_grant::client_id)))
            .filter(device_grant::device_code_digest.eq(key.device_code.as_str()))
            .filter(device_grant::client_id.eq(&key.client_id))
            .filter(device_grant::state.eq(PENDING))
            .filter(client::state.eq(ACTIVE))
            .filter(client::secret_digest.is_null())
            .filter(client::scopes.ne(""))
            .select((device_grant::interval_ms, device_grant::expires_at));
        let row = on_connection!(conn, own => query.get_result::<PaceRow>(own));
        row.optional()?.map(ReadRow::read).transpose()
    }
}

type PaceRow = (i64, NaiveDateTime);

impl ReadRow for PaceRow {
    type Value = Pace;

    fn read(self) -> Result<Pace, Error> {
        let (interval_ms, expires_at) = self;
        Ok(Pace {
            interval: Duration::milliseconds(interval_ms),
            expires_at: expires_at.and_utc(),
        })
    }
}

/// Raises the interval of a device grant, unless a longer one is stored.
pub fn raise_interval(conn: &mut Conn, device_code: &Digest, to: Duration) -> Result<(), Error> {
    diesel::update(device_grant::table)
        .filter(device_grant::device_code_digest.eq(device_code.as_str()))
        .filter(device_grant::interval_ms.lt(to.num_milliseconds()))
        .set(device_grant::interval_ms.eq(to.num_milliseconds()))
        .run(conn)
}

/// Pending or approved to expired: permanently, even if the clock is set back.
pub fn mark_expired(conn: &mut Conn, grant: &Grant) -> Result<bool, Error> {
    lock_live_counts(conn)?;
    let mut expire = |state| {
        diesel::update(device_grant::table.find(grant.id.as_str()))
            .filter(device_grant::state.eq(state))
            .set(device_grant::state.eq(EXPIRED))
            .changes_one(conn)
    };
    if expire(APPROVED)? {
        return Ok(true);
    }
    let was_pending = expire(PENDING)?;
    if was_pending {
        live::uncount_pending(conn, grant)?;
    }
    Ok(was_pending)
}

/// Device grants that have expired by a time and are not marked so, up to a limit.
pub fn list_over_grants(conn: &mut Conn, now: Instant, limit: i64) -> Result<Vec<Grant>, Error> {
    device_grant::table
        .filter(device_grant::state.eq_any([PENDING, APPROVED]))
        .filter(device_grant::expires_at.le(stored(now)))
        .order(device_grant::id)
        .limit(limit)
        .read_all::<Row>(conn)
}

/// Records that a user looked at it, and that its request has an audit record of its own; `false`
/// if a user looked at it before.
pub fn mark_shown(conn: &mut Conn, id: &GrantId, now: Instant) -> Result<bool, Error> {
    diesel::update(device_grant::table.find(id.as_str()))
        .filter(device_grant::shown_at.is_null())
        .set((
            device_grant::shown_at.eq(stored(now)),
            device_grant::is_recorded.eq(true),
        ))
        .changes_one(conn)
}

/// Records a misuse; `false` if it was already recorded.
pub fn mark_noted(
    conn: &mut Conn,
    id: &GrantId,
    misuse: Misuse,
    now: Instant,
) -> Result<bool, Error> {
    let grant = diesel::update(device_grant::table.find(id.as_str()));
    match misuse {
        Misuse::Replay => grant
            .filter(device_grant::replayed_at.is_null())
            .set(device_grant::replayed_at.eq(stored(now)))
            .changes_one(conn),
        Misuse::WrongClient => grant
            .filter(device_grant::wrong_client_at.is_null())
            .set(device_grant::wrong_client_at.eq(stored(now)))
            .changes_one(conn),
    }
}

/// Which of these device codes are no longer pending.
pub fn list_decided(conn: &mut Conn, device_codes: &[Digest]) -> Result<Vec<Digest>, Error> {
    let digests: Vec<&str> = device_codes.iter().map(Digest::as_str).collect();
    Ok(device_grant::table
        .filter(device_grant::device_code_digest.eq_any(digests))
        .filter(device_grant::state.ne(PENDING))
        .select(device_grant::device_code_digest)
        .rows::<String>(conn)?
        .into_iter()
        .map(Digest::from_stored)
        .collect())
}

/// Deletes device grants that expired before a time and are marked so or decided. Their devices then
/// learn that the code is unknown, instead of expired.
pub fn delete_grants(conn: &mut Conn, ended_before: Instant) -> Result<usize, Error> {
    let ended = device_grant::table
        .filter(device_grant::expires_at.lt(stored(ended_before)))
        .filter(device_grant::state.ne(PENDING));
    Ok(diesel::delete(ended).changes(conn)?)
}
