//! The last changes in an organization.

use super::read::READ;
use super::seal;
use crate::{Error, Request};
use domain::audit::Action;
use domain::audit::chain::Sealed;
use domain::role::Role;
use store::audit::{Filter, Side};

/// Kinds of actions that change an organization, as prefixes of their names.
const CHANGES: [&str; 5] = ["invitation", "member", "organization", "project", "token"];

/// Records that are read to find the changes, since any number of others can be between two.
const MOST_READ: i64 = 100;

/// The changes among the newest records of an organization, newest first and at most `limit`, for
/// its admins. They have no address and no user agent, and the read is not recorded: it is part of
/// the first page that an admin sees.
pub async fn list_changes(req: &Request, named: &str, limit: usize) -> Result<Vec<Sealed>, Error> {
    // The list must include the last change of the caller.
    seal::seal(&req.app).await?;
    let named = named.to_owned();
    req.read(move |tx| {
        let id = tx.organization(&named, READ, Role::Admin)?.id;
        let filter = Filter {
            organization_id: Some(id.to_string()),
            ..Filter::default()
        };
        let newest = Side::Before(u64::MAX);
        let records = store::audit::list_records(tx.conn, &filter, newest, MOST_READ)?;
        let changes: Vec<_> = CHANGES.into_iter().flat_map(Action::named).collect();
        let is_change = |sealed: &Sealed| {
            Action::parse(&sealed.record.action).is_some_and(|action| changes.contains(&action))
        };
        let without_origin = |mut sealed: Sealed| {
            sealed.record.address = None;
            sealed.record.agent = None;
            sealed
        };
        let found = records.into_iter().filter(is_change).take(limit);
        Ok(found.map(without_origin).collect())
    })
    .await
}
