//! Activity of one token: its uses, its creation, rotation and revocation, and whether its
//! predecessor is still used.

use super::read::{Named, UseId, collect};
use crate::audit::read::{Names, named_ids, names_of};
use crate::audit::record::Target;
use crate::audit::seal;
use crate::token::{self, Listed, OwnerRef};
use crate::tx::Tx;
use crate::{Error, Request};
use chrono::{Days, NaiveDate};
use config::TokenUse;
use domain::Instant;
use domain::audit::Action;
use domain::audit::chain::Sealed;
use domain::token::{Token, TokenOwner};
use serde_json::json;
use store::audit::{Filter, Side, UseFilter};
pub use store::token_access::RotationRequest;

/// Number of days with use counts.
const DAYS: u64 = 30;

/// Lifecycle actions that name a token.
const LIFE: [Action; 8] = [
    Action::TokenCreated,
    Action::TokenRenamed,
    Action::TokenConfirmed,
    Action::TokenRotated,
    Action::TokenRevoked,
    Action::TokenBlocked,
    Action::TokenUnblocked,
    Action::RotationRequested,
];

/// Most lifecycle records shown; few tokens have more than four.
const RECORDS: i64 = 20;

/// Maximum number of shown tokens that were created with the token.
const CHILDREN: i64 = 100;

/// Everything that the activity page shows for a token.
pub struct Activity {
    /// The token.
    pub token: Listed,
    /// The token that replaced it.
    pub successor: Option<Token>,
    /// The token that it replaced, and the last use of that token.
    pub predecessor: Option<(Token, Option<Instant>)>,
    /// The tokens that were created with it, newest first, at most 100.
    pub children: Vec<Token>,
    /// Last use, allowed or refused.
    pub last_use: Option<Instant>,
    /// Uses for each of the last days, today last.
    pub days: Vec<(NaiveDate, u64)>,
    /// Whether uses are recorded.
    pub recording: TokenUse,
    /// Uses, newest first.
    pub uses: Vec<Named>,
    /// The last of these uses, if there are older ones.
    pub next: Option<UseId>,
    /// Creation, rotation and revocation, newest first, including those of other tokens that this
    /// token performed.
    pub records: Vec<Sealed>,
    /// The organizations that block it, by name.
    pub blocked_in: Vec<String>,
    /// The requests to rotate it.
    pub rotation_requests: Vec<RotationRequest>,
    /// Names of the ids in the records and the requests.
    pub names: Names,
}

/// Number of uses in a token's activity.
pub const USES: usize = 50;

/// Returns a token's activity with the uses before the given one, and records the access.
///
/// Fails with [`Error::NotFound`] if the caller may not see the token.
pub async fn of_token(
    req: &Request,
    owner_ref: &OwnerRef,
    id: &str,
    before: Option<UseId>,
) -> Result<Activity, Error> {
    let token = token::find_listed(req, owner_ref, id).await?;
    seal::seal(&req.app).await?;
    let target = token.token.clone();
    let read = req.change(Action::AuditRead, move |tx| {
        let organization = match &target.owner {
            TokenOwner::Organization(id) => Some(id),
            TokenOwner::User(_) => None,
        };
        tx.record(
            Target::of(organization, Some(target.id.as_str())),
            json!({}),
        )
    });
    read.await?;
    let found = req.read(move |tx| load(tx, &token, before.clone()));
    let mut activity = found.await?;
    let revoker = activity.token.token.revocation.as_ref();
    let revoker = revoker.map(|revocation| revocation.by.clone());
    let told = activity.records.iter();
    let told = told.flat_map(|sealed| named_ids(&sealed.record));
    let requests = activity.rotation_requests.iter().flat_map(|request| {
        let organization_id = request.organization_id.to_string();
        [request.requested_by.clone(), organization_id]
    });
    let told = told.chain(revoker).chain(requests);
    activity.names = names_of(&req.app, told).await?;
    Ok(activity)
}

/// The activity of a token, without names.
fn load(tx: &mut Tx<'_>, listed: &Listed, before: Option<UseId>) -> Result<Activity, Error> {
    let token = &listed.token;
    let id = token.id.as_str();
    let successor = match store::token::find_successor(tx.conn, &token.id)? {
        Some(id) => store::token::find_token(tx.conn, &id)?,
        None => None,
    };
    let old = match &token.replaces {
        Some(id) => store::token::find_token(tx.conn, id)?,
        None => None,
    };
    let predecessor = match old {
        Some(old) => {
            let last_use = last_use(tx.conn, &old)?;
            Some((old, last_use))
        }
        None => None,
    };
    let since = tx.now.date_naive() - Days::new(DAYS - 1);
    let counted = store::audit::count_uses(tx.conn, id, &since.to_string())?;
    let of_token = Filter {
        token_id: Some(id.to_owned()),
        actions: Some(LIFE.to_vec()),
        ..Filter::default()
    };
    let newest = Side::Before(u64::MAX);
    let records = store::audit::list_records(tx.conn, &of_token, newest, RECORDS)?;
    let mut uses = collect(tx.conn, &of(token), before, USES + 1)?;
    let goes_on = uses.len() > USES;
    uses.truncate(USES);
    Ok(Activity {
        token: listed.clone(),
        successor,
        predecessor,
        children: children(tx, token)?,
        last_use: last_use(tx.conn, token)?,
        days: every_day(since, &counted),
        recording: tx.config().audit.token_use,
        next: uses.last().filter(|_| goes_on).map(|last| last.id.clone()),
        uses,
        records,
        blocked_in: blocking(tx, token)?,
        rotation_requests: store::token_access::list_requests(tx.conn, &[id.to_owned()])?,
        names: Names::default(),
    })
}

/// The names of the organizations that block a token.
fn blocking(tx: &mut Tx<'_>, token: &Token) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for id in &token.blocked_in {
        let found = store::org::find_organization(tx.conn, id)?;
        names.extend(found.map(|organization| organization.name));
    }
    Ok(names)
}

/// The tokens that were created with a token, without those of organizations that the caller does
/// not manage now.
fn children(tx: &mut Tx<'_>, token: &Token) -> Result<Vec<Token>, Error> {
    let mut children = store::descendants::list_children(tx.conn, &token.id, CHILDREN)?;
    token::keep_managed(tx, &mut children)?;
    Ok(children)
}

fn of(token: &Token) -> UseFilter {
    UseFilter {
        token_id: Some(token.id.to_string()),
        ..UseFilter::default()
    }
}

/// Returns the last use. The token's own row, accurate to the minute, covers uses that are not
/// recorded or already pruned.
fn last_use(conn: &mut store::Conn, token: &Token) -> Result<Option<Instant>, Error> {
    let latest = store::audit::list_uses(conn, &of(token), None, 1)?;
    let recorded = latest.iter().map(|row| row.last_at).max();
    Ok(recorded.max(token.last_use.as_ref().map(|last| last.at)))
}

/// Count for each day, including days without uses.
fn every_day(since: NaiveDate, counted: &[(String, u64)]) -> Vec<(NaiveDate, u64)> {
    let count = |day: NaiveDate| {
        let found = counted.iter().find(|(text, _)| *text == day.to_string());
        found.map_or(0, |(_, count)| *count)
    };
    (0..DAYS)
        .filter_map(|n| since.checked_add_days(Days::new(n)))
        .map(|day| (day, count(day)))
        .collect()
}
