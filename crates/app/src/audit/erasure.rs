//! Erasure of personal data from the log; its hashes stay valid.

use super::sealing;
use crate::user::Named;
use crate::{Error, Request};
use domain::audit::Action;
use domain::audit::erasure;
use domain::audit::origin::Origin;
use domain::id::UserId;

/// Records erased in one transaction and named by one audit record.
const BATCH: usize = 500;

/// Erases personal data from all records about a user: addresses, user agents, and names of
/// tokens and devices. Returns the number of records. Later actions of the user are recorded as
/// usual.
///
/// Fails with [`Error::NotFound`] if there is no such user.
pub async fn erase(req: &Request, named: Named) -> Result<usize, Error> {
    let app = &req.app;
    let user_id = app
        .store()
        .read(move |conn| Ok::<_, Error>(named.find(conn)?.id))
        .await?;
    sealing::seal_present(app).await?;
    let log = sealing::find(app).await?;
    let id = user_id.clone();
    let found = app
        .store()
        .read_one(move |conn| Ok::<_, Error>(store::audit::list_personal(conn, &id)?))
        .await?;
    let mut count = 0;
    for sequences in found.chunks(BATCH) {
        announce(req, &log.origin, &user_id, sequences).await?;
        let sequences = sequences.to_vec();
        count += app
            .store()
            .write(move |conn| Ok::<_, Error>(store::audit::erase(conn, &sequences)?))
            .await?;
    }
    match app.store().wipe().await {
        Ok(()) => Ok(count),
        Err(store::Error::Busy) => Err(Error::Conflict(
            "The records are erased, but the database is in use, so SQLite keeps what they were in \
             its log of writes: run this again.",
        )),
        Err(error) => Err(error.into()),
    }
}

/// Records the erasure before it happens, so that neither a concurrent check nor a check after an
/// interrupted erasure reports a discrepancy.
async fn announce(
    req: &Request,
    origin: &Origin,
    user_id: &UserId,
    sequences: &[u64],
) -> Result<(), Error> {
    let target = user_id.to_string();
    let detail = erasure::detail(origin, &target, sequences, req.app.signing_key());
    let announced = req.change(Action::AuditErased, move |tx| {
        let event = tx.event(Action::AuditErased);
        event.write(tx.conn, Some(target.as_str()), detail.clone())?;
        Ok(event.id)
    });
    let id = announced.await?;
    sealing::seal_through(&req.app, id.as_str()).await
}
