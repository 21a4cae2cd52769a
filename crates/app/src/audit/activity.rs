//! Activity of one token: its uses, its creation, rotation and revocation, and whether its
//! predecessor is still used.

use super::naming::{self, Names};
use super::sealing;
use super::use_reading::{self, Named, UseId};
use crate::access::Caller;
use crate::token::{self, Listed, OwnerRef};
use crate::{App, Context, Error};
use chrono::{Days, NaiveDate};
use config::TokenUse;
use domain::Instant;
use domain::audit::Action;
use domain::audit::chain::Sealed;
use domain::token::{Token, TokenOwner};
use serde_json::json;
use store::audit::{Filter, Side, UseFilter};

/// Number of days with use counts.
const DAYS: u64 = 30;

/// Lifecycle actions that name a token.
const LIFE: [Action; 3] = [
    Action::TokenCreated,
    Action::TokenRotated,
    Action::TokenRevoked,
];

/// Most lifecycle records shown; few tokens have more than three.
const RECORDS: i64 = 20;

/// Everything that the activity page shows for a token.
pub struct Activity {
    /// The token.
    pub token: Listed,
    /// The token that replaced it.
    pub successor: Option<Token>,
    /// The token that it replaced, and the last use of that token.
    pub predecessor: Option<(Token, Option<Instant>)>,
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
    /// Names of the ids in the records.
    pub names: Names,
}

/// Returns a token's activity with up to `limit` uses before the given one, and records the
/// access.
///
/// Fails with [`Error::NotFound`] if the caller may not see the token.
pub async fn of_token(
    app: &App,
    context: &Context,
    caller: &Caller,
    owner_ref: &OwnerRef,
    id: &str,
    before: Option<UseId>,
    limit: usize,
) -> Result<Activity, Error> {
    let listed = token::find_listed(app, caller, owner_ref, id).await?;
    sealing::seal(app).await?;
    let event = app.event(context, caller.actor(), Action::AuditRead);
    let (token, today) = (listed.token.clone(), app.now().date_naive());
    let owner = token.owner.clone();
    let target = token.id.clone();
    app.store()
        .write(move |conn| {
            let organization = match &owner {
                TokenOwner::Organization(id) => Some(id),
                TokenOwner::User(_) => None,
            };
            event.write_in(conn, organization, Some(target.as_str()), json!({}))
        })
        .await?;
    let found = app
        .store()
        .read(move |conn| {
            let id = token.id.as_str();
            let successor = match store::token::find_successor(conn, &token.id)? {
                Some(id) => store::token::find_token(conn, &id)?,
                None => None,
            };
            let old = match &token.replaces {
                Some(id) => store::token::find_token(conn, id)?,
                None => None,
            };
            let predecessor = match old {
                Some(old) => {
                    let last_use = last_use(conn, &old)?;
                    Some((old, last_use))
                }
                None => None,
            };
            let since = today - Days::new(DAYS - 1);
            let counted = store::audit::count_uses(conn, id, &since.to_string())?;
            let of_token = Filter {
                token_id: Some(id.to_owned()),
                actions: Some(LIFE.to_vec()),
                ..Filter::default()
            };
            let records =
                store::audit::list_records(conn, &of_token, Side::Before(u64::MAX), RECORDS)?;
            let mut uses = use_reading::collect(conn, &of(&token), before.clone(), limit + 1)?;
            let goes_on = uses.len() > limit;
            uses.truncate(limit);
            let next = uses.last().filter(|_| goes_on).map(|last| last.id.clone());
            Ok::<_, Error>(Found {
                successor,
                predecessor,
                last_use: last_use(conn, &token)?,
                days: every_day(since, &counted),
                uses,
                next,
                records,
            })
        })
        .await?;
    let revoker = listed.token.revocation.as_ref().map(|end| end.by.clone());
    let told = found.records.iter();
    let told = told.flat_map(|sealed| naming::ids(&sealed.record));
    let names = naming::find(app, told.chain(revoker)).await?;
    Ok(Activity {
        token: listed,
        successor: found.successor,
        predecessor: found.predecessor,
        last_use: found.last_use,
        days: found.days,
        recording: app.config().audit.token_use,
        uses: found.uses,
        next: found.next,
        records: found.records,
        names,
    })
}

/// Result of one read of the database.
struct Found {
    successor: Option<Token>,
    predecessor: Option<(Token, Option<Instant>)>,
    last_use: Option<Instant>,
    days: Vec<(NaiveDate, u64)>,
    uses: Vec<Named>,
    next: Option<UseId>,
    records: Vec<Sealed>,
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
