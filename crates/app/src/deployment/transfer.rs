//! A move of a deployment to another database.

use super::identity::LIVE;
use crate::audit::verify::{self, Verified};
use crate::audit::{Evidence, seal};
use crate::{Error, Request};
use domain::audit::Action;
use serde_json::json;
use store::Store;
use store::transfer::TableSum;

/// Fails if a server has used the database within the last 30 seconds, for PostgreSQL.
pub async fn require_stopped(store: &Store) -> Result<(), Error> {
    let live = store.read(|conn| {
        let Some(now) = store::clock::read(conn)? else {
            return Ok(Vec::new());
        };
        store::deployment::list_live(conn, "", now - LIVE)
    });
    match live.await?.is_empty() {
        true => Ok(()),
        false => Err(Error::Conflict(
            "A server uses the database. Stop all servers first. A server that was killed counts for \
             30 seconds.",
        )),
    }
}

/// Records a move in the new database, and verifies its audit log.
pub async fn finish(
    req: &Request,
    from: &'static str,
    tables: &[TableSum],
    progress: impl FnMut(u64, u64),
) -> Result<Verified, Error> {
    req.caller.require_operator()?;
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    req.change(Action::DeploymentMoved, move |tx| {
        let to = tx.config().database.url.kind();
        tx.record(None, json!({"from": from, "to": to, "rows": rows}))
    })
    .await?;
    seal::seal(&req.app).await?;
    verify::verify(&req.app, Evidence::default(), progress).await
}
