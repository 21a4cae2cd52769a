//! Records every use of a token: buffered in memory and written in batches, outside of requests.
//! Equal uses of an inactive token are counted as one.
//!
//! The root of a Merkle tree over each batch is in a record of the chain, so that a single use
//! can be verified with its proof after the rest of its batch is pruned. Verification detects
//! added and removed uses.

pub mod activity;
mod inactive;
pub mod read;
pub mod recent;

use super::record::write_once;
use super::seal;
use crate::{App, Context, Error, Event};
use chrono::{Duration, NaiveDate};
use config::{Lifetime, TokenUse};
use domain::Instant;
use domain::audit::canonical::{self, moment};
use domain::audit::hash::Hash;
use domain::audit::token_use::{self, ALLOWED, OPERATOR, Use};
use domain::audit::{Action, Actor, merkle};
use domain::id::{EventId, OrganizationId, UserId};
use domain::token::Token;
use inactive::InactiveUses;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Conn;
use store::audit::UsageBatch;

/// Uses in one batch, limited to keep other writes from waiting. In larger batches more uses
/// share a row.
const BATCH: usize = 8_000;

/// Uses buffered while the database is unavailable. Further ones are only counted.
const MOST: usize = 200_000;

/// Batches pruned in one transaction.
const FORGOTTEN: i64 = 50;

/// Uses that are not written yet.
#[derive(Default)]
pub struct UsageBuffer(Mutex<Pending>);

#[derive(Default)]
struct Pending {
    uses: VecDeque<Use>,
    inactive: InactiveUses,
    lost: u64,
    /// Batch of a failed write, which may have been committed.
    held: Option<Arc<Batch>>,
}

impl Pending {
    fn push(&mut self, used: Use) {
        match self.uses.len() < MOST {
            true => self.uses.push_back(used),
            false => self.lost += used.count(),
        }
    }
}

/// Uses that are written together.
struct Batch {
    event: Event,
    detail: Value,
    usage_batches: Vec<UsageBatch>,
}

impl UsageBuffer {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, noted: Use) {
        self.lock().push(noted);
    }

    fn note_inactive(&self, noted: &Use, now: Instant) {
        let mut pending = self.lock();
        if !pending.inactive.add(noted, now) {
            pending.lost += 1;
        }
    }

    /// Moves the counted uses of inactive tokens to those that are written next.
    pub(crate) fn gather_inactive(&self) {
        let mut pending = self.lock();
        let counted: Vec<_> = pending.inactive.take().collect();
        counted.into_iter().for_each(|used| pending.push(used));
    }

    /// Takes the next batch, and whether it empties the buffer.
    fn next(&self, app: &App) -> Option<(Arc<Batch>, bool)> {
        let (uses, lost) = {
            let mut pending = self.lock();
            if let Some(held) = pending.held.take() {
                return Some((held, false));
            }
            let count = pending.uses.len().min(BATCH);
            let uses: Vec<_> = pending.uses.drain(..count).collect();
            (uses, std::mem::take(&mut pending.lost))
        };
        let is_all = uses.len() < BATCH;
        (!uses.is_empty() || lost > 0).then(|| (Arc::new(Batch::of(app, uses, lost)), is_all))
    }

    /// Keeps a batch for the next flush.
    fn hold(&self, batch: Arc<Batch>) {
        self.lock().held = Some(batch);
    }
}

/// Token whose use is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    token_id: String,
    organization_id: Option<OrganizationId>,
    /// The user for whom the operator acts.
    user_id: Option<UserId>,
}

impl Used {
    /// The operator token, and the user for whom the operator acts.
    pub fn operator(user_id: Option<UserId>) -> Self {
        Self {
            token_id: OPERATOR.to_owned(),
            organization_id: None,
            user_id,
        }
    }
}

impl From<&Token> for Used {
    fn from(token: &Token) -> Self {
        Self {
            token_id: token.id.to_string(),
            organization_id: token.organization().cloned(),
            user_id: None,
        }
    }
}

/// Purpose of a token use.
#[derive(Debug, Clone, Copy, Default)]
pub struct Purpose<'a> {
    /// Requested scope.
    pub scope: Option<&'a str>,
    /// Organization in which the token was used.
    pub organization_id: Option<&'a OrganizationId>,
}

/// Decision on a use of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UseDecision {
    /// The use was allowed.
    Allowed,
    /// The active token may not do this; holds the code of the refusal.
    Refused(&'static str),
    /// The token is not active; holds the reason.
    Inactive(&'static str),
}

/// Adds a use to the buffer. Equal uses of an inactive token are counted.
pub fn note(
    app: &App,
    context: &Context,
    used: impl Into<Used>,
    decision: UseDecision,
    purpose: Purpose<'_>,
) {
    if app.config().audit.token_use == TokenUse::Off {
        return;
    }
    let Used {
        token_id,
        organization_id,
        user_id,
    } = used.into();
    let organization_id = purpose.organization_id.or(organization_id.as_ref());
    let text = match decision {
        UseDecision::Allowed => ALLOWED,
        UseDecision::Refused(code) | UseDecision::Inactive(code) => code,
    };
    let noted = Use {
        at: app.now(),
        token_id,
        request_id: context.request_id.to_string(),
        address: context.address.map(|address| address.to_string()),
        decision: text.to_owned(),
        scope: purpose.scope.map(str::to_owned),
        route: context.route.as_deref().map(str::to_owned),
        organization_id: organization_id.map(ToString::to_string),
        user_id: user_id.map(|id| id.to_string()),
        repeated: None,
    };
    match decision {
        UseDecision::Inactive(_) => app.usage_buffer().note_inactive(&noted, noted.at),
        UseDecision::Allowed | UseDecision::Refused(_) => app.usage_buffer().note(noted),
    }
}

/// Writes the buffered uses. After an error they stay buffered for the next flush, and so do uses
/// that arrive meanwhile: a busy server would otherwise write many small batches.
pub(crate) async fn flush(app: &App) -> Result<(), Error> {
    while let Some((batch, is_all)) = app.usage_buffer().next(app) {
        if let Err(error) = write(app, batch.clone()).await {
            app.usage_buffer().hold(batch);
            return Err(error);
        }
        if is_all {
            break;
        }
    }
    Ok(())
}

impl Batch {
    fn of(app: &App, mut uses: Vec<Use>, lost: u64) -> Self {
        let event = app.event(&Context::local(), Actor::System, Action::TokenUsesRecorded);
        // The day of the key follows from the time.
        uses.sort_by(|a, b| (place(a), a.at).cmp(&(place(b), b.at)));
        let lines: Vec<_> = uses.iter().map(Use::canonical).collect();
        let leaves = lines.iter().map(|line| merkle::leaf(line.as_bytes()));
        let leaves: Vec<_> = leaves.collect();
        let mut usage_batches = Vec::new();
        let mut rest = &lines[..];
        for of_one in uses.chunk_by(|a, b| usage_batch_key(a) == usage_batch_key(b)) {
            let first = &of_one[0];
            let last_at = of_one.iter().map(Use::last_at).max();
            let count: u64 = of_one.iter().map(Use::count).sum();
            let position = lines.len() - rest.len();
            let (lines, behind) = rest.split_at(of_one.len());
            rest = behind;
            usage_batches.push(UsageBatch {
                event_id: event.id.to_string(),
                position: u32::try_from(position).unwrap_or(u32::MAX),
                token_id: first.token_id.clone(),
                organization_id: first.organization_id.clone(),
                day: first.at.format("%Y-%m-%d").to_string(),
                first_at: first.at,
                last_at: last_at.unwrap_or(first.at),
                leaves: u32::try_from(lines.len()).unwrap_or(u32::MAX),
                count: u32::try_from(count).unwrap_or(u32::MAX),
                uses: lines.join("\n"),
            });
        }
        let detail = json!({
            "count": leaves.len(),
            "root": merkle::root(&leaves).to_string(),
            "first_at": uses.iter().map(|u| u.at).min().map(moment::write),
            "last_at": uses.iter().map(Use::last_at).max().map(moment::write),
            "lost": lost,
        });
        Self {
            event,
            detail,
            usage_batches,
        }
    }
}

/// Token and organization of a use.
fn place(used: &Use) -> (&str, Option<&str>) {
    (&used.token_id, used.organization_id.as_deref())
}

/// Key of the row that a use is stored in.
fn usage_batch_key(used: &Use) -> (&str, Option<&str>, NaiveDate) {
    let (token_id, organization_id) = place(used);
    (token_id, organization_id, used.at.date_naive())
}

async fn write(app: &App, batch: Arc<Batch>) -> Result<(), Error> {
    // The record has the time of the write, also for a delayed batch.
    let event = Event {
        at: app.now(),
        ..batch.event.clone()
    };
    let id = event.id.clone();
    let write_all = move |conn: &mut Conn| {
        store::audit::insert_uses(conn, &batch.usage_batches)?;
        event.write(conn, None, batch.detail.clone())
    };
    write_once(app, id, write_all).await
}

/// The leaves of a batch; `None` if its rows were altered.
pub(super) fn leaves(usage_batches: &[UsageBatch]) -> Option<Vec<Hash>> {
    let mut leaves = Vec::new();
    for usage_batch in usage_batches {
        let is_next = usize::try_from(usage_batch.position) == Ok(leaves.len());
        let lines: Vec<_> = usage_batch.uses.split('\n').collect();
        let is_whole = usize::try_from(usage_batch.leaves) == Ok(lines.len());
        let mut count = 0;
        if !is_next || !is_whole {
            return None;
        }
        for line in lines {
            let one: Use = canonical::read(line.as_bytes()).ok()?;
            let is_here = one.token_id == usage_batch.token_id
                && one.organization_id == usage_batch.organization_id
                && one.at.format("%Y-%m-%d").to_string() == usage_batch.day
                && (usage_batch.first_at..=usage_batch.last_at).contains(&one.at)
                && one.last_at() <= usage_batch.last_at;
            if !is_here {
                return None;
            }
            leaves.push(one.leaf());
            count += one.count();
        }
        if count != u64::from(usage_batch.count) {
            return None;
        }
    }
    Some(leaves)
}

/// Prunes uses that are older than the configured retention. Their roots stay.
pub(crate) async fn purge(app: &App) -> Result<(), Error> {
    let Lifetime::For(kept) = app.config().audit.keep_uses else {
        return Ok(());
    };
    let kept = Duration::from_std(kept).unwrap_or(Duration::MAX);
    let Some(before) = app.now().checked_sub_signed(kept) else {
        return Ok(());
    };
    let event = app.event(&Context::local(), Actor::System, Action::TokenUsesForgotten);
    // A record's id starts with its creation time, which is after all uses of its batch.
    let id = EventId::new(before, Default::default()).to_string();
    let log = seal::begin(app).await?;
    let (oldest, detail) = (
        id.clone(),
        token_use::forgotten(&log.origin, before, app.signing_key()),
    );
    // The pruning is recorded first: after a crash in between, the missing uses would otherwise
    // look like tampering.
    let mut is_any = app
        .store()
        .write(move |conn| {
            let is_any = store::audit::is_any_batch(conn, &oldest)?;
            if is_any {
                event.write(conn, None, detail.clone())?;
            }
            Ok::<_, Error>(is_any)
        })
        .await?;
    while is_any {
        let id = id.clone();
        let forgotten = app
            .store()
            .write(move |conn| Ok::<_, Error>(store::audit::delete_batches(conn, &id, FORGOTTEN)?))
            .await?;
        is_any = forgotten > 0;
    }
    Ok(())
}
