//! Reads token uses: lists, and single uses with their proof of inclusion.

use super::leaves;
use crate::audit::read::{READ, View, authorize_view};
use crate::tx::Tx;
use crate::{Error, Request};
use domain::Instant;
use domain::audit::canonical::{self, moment};
use domain::audit::hash::Hash;
use domain::audit::merkle::Proof;
use domain::audit::token_use::Use;
use domain::audit::{Action, logged_filter};
use domain::decision::ResourceRef;
use domain::id::{EventId, OrganizationId, TokenId};
use domain::role::Role;
use domain::token::TokenOwner;
use serde_json::json;
use store::Conn;
use store::audit::{Reach, UsageBatch, UseFilter};

/// Rows per query. Each may hold as many uses as a batch.
const CHUNK: i64 = 5;

/// Id of a use: the record with the root of its batch, and the leaf index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseId {
    /// Id of the record.
    pub event_id: EventId,
    /// Index of the leaf.
    pub leaf: u32,
}

impl UseId {
    /// Parses exactly the output of [`Display`](std::fmt::Display).
    pub fn parse(text: &str) -> Option<Self> {
        let (event_id, leaf) = text.split_once('.')?;
        let id = Self {
            event_id: EventId::parse(event_id)?,
            leaf: leaf.parse().ok()?,
        };
        (id.to_string() == text).then_some(id)
    }
}

impl std::fmt::Display for UseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.event_id, self.leaf)
    }
}

/// A use with its id.
#[derive(Debug, Clone)]
pub struct Named {
    /// Id of the use.
    pub id: UseId,
    /// The use.
    pub used: Use,
}

/// Filter of a search for uses.
#[derive(Debug, Clone, Default)]
pub struct UseSearch {
    /// Organization, by id or address; `None` for the caller's own uses.
    pub organization: Option<String>,
    /// Token, by id.
    pub token_id: Option<String>,
    /// Earliest time, inclusive.
    pub since: Option<Instant>,
    /// Latest time, exclusive.
    pub until: Option<Instant>,
}

/// Returns uses before the given one, newest batch first, plus one more than the limit if there
/// are more. The read is recorded.
pub async fn list(
    req: &Request,
    search: UseSearch,
    before: Option<UseId>,
    limit: usize,
) -> Result<Vec<Named>, Error> {
    let UseSearch {
        organization,
        token_id,
        since,
        until,
    } = search;
    let looked_for = json!({
        "of": "uses",
        "token": token_id.as_deref().map(logged_filter::token),
        "since": since.map(moment::write),
        "until": until.map(moment::write),
    });
    let action = Action::AuditRead;
    let view = authorize_view(req, organization, action, looked_for).await?;
    let filter = UseFilter {
        reach: reach(view),
        token_id,
        since,
        until,
    };
    req.read(move |tx| collect(tx.conn, &filter, before.clone(), limit + 1))
        .await
}

fn reach(view: View) -> Reach {
    match view {
        View::Everything => Reach::Everything,
        View::Own(id, within) => Reach::User(id, within),
        View::Organization(id) => Reach::Organization(id),
    }
}

/// Collects up to `limit` matching uses, in chunks of rows.
pub(super) fn collect(
    conn: &mut Conn,
    filter: &UseFilter,
    mut before: Option<UseId>,
    limit: usize,
) -> Result<Vec<Named>, Error> {
    let mut found = Vec::new();
    while found.len() < limit {
        let position = before.as_ref().map(|id| (id.event_id.as_str(), id.leaf));
        let rows = store::audit::list_uses(conn, filter, position, CHUNK)?;
        let Some(last) = rows.last() else {
            break;
        };
        let end = first(last)?;
        for row in &rows {
            if found.len() >= limit {
                break;
            }
            let is_before = |named: &Named| match &before {
                Some(before) if before.event_id == named.id.event_id => named.id.leaf < before.leaf,
                _ => true,
            };
            let is_within = |used: &Use| {
                filter.since.is_none_or(|since| since <= used.at)
                    && filter.until.is_none_or(|until| used.at < until)
            };
            let uses = uses(row)?.into_iter().rev();
            found.extend(uses.filter(|named| is_before(named) && is_within(&named.used)));
        }
        before = Some(end);
    }
    found.truncate(limit);
    Ok(found)
}

/// Id of the first use of a row.
fn first(row: &UsageBatch) -> Result<UseId, Error> {
    Ok(UseId {
        event_id: EventId::parse(&row.event_id).ok_or_else(|| corrupt(row))?,
        leaf: row.position,
    })
}

/// Uses of a row with their ids.
fn uses(row: &UsageBatch) -> Result<Vec<Named>, Error> {
    let first = first(row)?;
    row.uses
        .split('\n')
        .zip(first.leaf..)
        .map(|(line, leaf)| {
            let used = canonical::read(line.as_bytes()).map_err(|_| corrupt(row))?;
            let event_id = first.event_id.clone();
            Ok(Named {
                id: UseId { event_id, leaf },
                used,
            })
        })
        .collect()
}

fn corrupt(row: &UsageBatch) -> Error {
    altered(format!("{}.{}", row.event_id, row.position))
}

/// Error: stored uses were altered.
fn altered(id: String) -> Error {
    Error::Store(store::Error::Corrupt {
        table: "token_use",
        column: "uses",
        id,
    })
}

/// A use with its proof of inclusion.
#[derive(Debug, Clone)]
pub struct Proven {
    /// The use.
    pub named: Named,
    /// Path from its leaf to the root.
    pub proof: Proof,
    /// The root, as recorded in the log.
    pub root: Hash,
    /// Sequence number of the record with the root.
    pub sequence: u64,
}

/// Returns one use with its proof. Fails with [`Error::NotFound`] if the use does not exist or
/// the caller may not see it. The read is recorded.
pub async fn find(req: &Request, id: &str) -> Result<Proven, Error> {
    let id = UseId::parse(id);
    let first = id.clone();
    // A read without a result is not recorded.
    let found = req.read(move |tx| look_up(tx, first.as_ref())).await?;
    let looked_for = json!({"of": "use", "use": found.named.id.to_string()});
    // A read is recorded in the organization that permitted it.
    let within = found.view.organization().map(ToString::to_string);
    authorize_view(req, within, Action::AuditRead, looked_for).await?;
    req.read(move |tx| {
        let found = look_up(tx, id.as_ref())?;
        prove(tx.conn, found.named, &found.batch)
    })
    .await
}

/// A use that the caller may see.
struct Found {
    named: Named,
    /// All rows of its batch.
    batch: Vec<UsageBatch>,
    /// View that permits the read.
    view: View,
}

fn look_up(tx: &mut Tx<'_>, id: Option<&UseId>) -> Result<Found, Error> {
    let view = View::of(tx, None)?;
    let id = id.ok_or(Error::NotFound)?;
    let batch = store::audit::list_batch(tx.conn, id.event_id.as_str())?;
    let is_holding =
        |row: &&UsageBatch| row.position <= id.leaf && id.leaf - row.position < row.leaves;
    let row = batch.iter().find(is_holding).ok_or(Error::NotFound)?;
    let view = seen_as(tx, view, row)?.ok_or(Error::NotFound)?;
    let named = uses(row)?.into_iter().find(|named| named.id == *id);
    let named = named.ok_or_else(|| corrupt(row))?;
    Ok(Found { named, batch, view })
}

fn prove(conn: &mut Conn, named: Named, batch: &[UsageBatch]) -> Result<Proven, Error> {
    let event_id = named.id.event_id.as_str();
    // Another server has not sealed the record yet.
    let record = store::audit::find_record(conn, event_id)?
        .ok_or(Error::Busy)?
        .record;
    let root = record.detail.get("root");
    let root = root.and_then(|root| Hash::parse(root.as_str()?));
    let index = usize::try_from(named.id.leaf).ok();
    let proof = leaves(batch)
        .zip(index)
        .and_then(|(leaves, index)| Proof::new(&leaves, index));
    let corrupt = || altered(named.id.to_string());
    Ok(Proven {
        proof: proof.ok_or_else(corrupt)?,
        root: root.ok_or_else(corrupt)?,
        sequence: record.sequence,
        named,
    })
}

/// Returns the view that lets the caller see the uses of a row, if any: as the owner of the
/// token, or in an organization in which the caller may read the log.
fn seen_as(tx: &mut Tx<'_>, view: View, row: &UsageBatch) -> Result<Option<View>, Error> {
    if matches!(view, View::Everything) {
        return Ok(Some(view));
    }
    let token = match TokenId::parse(&row.token_id) {
        Some(id) => store::token::find_token(tx.conn, &id)?,
        None => None,
    };
    if let (View::Own(id, within), Some(token)) = (&view, &token) {
        let is_within = within.is_none() || token.limits.organization == *within;
        if token.owner == TokenOwner::User(id.clone()) && is_within {
            return Ok(Some(view));
        }
    }
    let owner = token.as_ref().and_then(|token| token.owner.organization());
    let organization = row
        .organization_id
        .as_deref()
        .and_then(OrganizationId::parse);
    let authority = tx.authority()?;
    let mut organizations = owner.into_iter().chain(&organization);
    let found = organizations.find(|id| {
        let resource = ResourceRef::Organization((*id).clone());
        authority.require(READ, &resource, Role::Admin).is_ok()
    });
    Ok(found.cloned().map(View::Organization))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_id_has_one_text_form() {
        let id = UseId {
            event_id: EventId::new(Instant::UNIX_EPOCH, [7; 10]),
            leaf: 12,
        };
        let text = id.to_string();
        assert_eq!(UseId::parse(&text), Some(id));
        let event = text.strip_suffix("12").unwrap();
        for leaf in ["", "+1", "012", "-1", "4294967296", "1.1", "x"] {
            assert_eq!(UseId::parse(&format!("{event}{leaf}")), None, "{leaf}");
        }
        assert_eq!(UseId::parse("tok_1.1"), None);
    }
}
