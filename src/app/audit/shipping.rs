//! Shipping: every record goes to a file or an address too, in order and at least once.
//!
//! Each piece is an export by itself, so whoever gets it can check it. How far a place has got
//! it is remembered in the database after the place has taken it: after an outage it goes on
//! where it stopped, and one piece may come twice. Of servers that share a database one ships
//! at a time, by a lease; another takes over when the lease of one that died is over.

use super::{outlet, sealing};
use crate::app::{App, Error};
use crate::config::Destination;
use crate::domain::audit::chain::Head;
use crate::domain::audit::export::{self, Header, Part};
use crate::store;
use chrono::Duration;

/// Records in one piece: so many are in memory at the most.
const PIECE: i64 = 200;

/// The name under which it is remembered how far the records got.
const PLACE: &str = "records";

/// How long one server ships alone; longer than an address may take for a piece.
const LEASE: Duration = Duration::seconds(30);

/// Ships what was sealed since the last time, unless another server is at it.
pub(in crate::app) async fn ship(app: &App) -> Result<(), Error> {
    let Some(to) = app.config().audit.ship_to.clone() else {
        return Ok(());
    };
    let shipped = outlet::shipped(app, PLACE).await?;
    if sealing::find(app).await?.head.sequence == shipped {
        return Ok(());
    }
    while let Some(after) = take_lease(app).await? {
        let (origin, head) = {
            let log = sealing::find(app).await?;
            (log.origin.clone(), before(app, log.origin, after).await?)
        };
        let lines = app
            .store()
            .read(move |conn| Ok::<_, Error>(store::audit::list_lines(conn, after, PIECE)?))
            .await?;
        let mut last = after;
        let mut text = Header {
            origin,
            part: Part::After(head),
        }
        .line();
        for line in &lines {
            let line = line.as_ref().map_err(|_| store::Error::Corrupt {
                table: "audit_record",
                column: "detail",
                id: (last + 1).to_string(),
            })?;
            last = line.record.sequence;
            text.push('\n');
            text += &export::line(line);
        }
        if lines.is_empty() {
            break;
        }
        text.push('\n');
        let text = match &to {
            // A file is one export, so only its beginning has a header.
            Destination::File(path) if !outlet::is_empty(path.clone()).await? => text
                .split_once('\n')
                .map(|(_, lines)| lines.to_owned())
                .unwrap_or_default(),
            _ => text,
        };
        outlet::deliver(app, &to, "application/x-ndjson", text).await?;
        outlet::mark_shipped(app, PLACE, last).await?;
    }
    give_back(app).await
}

/// The head of the log behind which a piece begins.
async fn before(
    app: &App,
    origin: crate::domain::audit::origin::Origin,
    after: u64,
) -> Result<Head, Error> {
    let genesis = Head::genesis(&origin);
    if after == 0 {
        return Ok(genesis);
    }
    let hash = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::audit::find_hash(conn, after)?))
        .await?;
    Ok(Head {
        sequence: after,
        hash: hash.unwrap_or(genesis.hash),
    })
}

/// Up to where everything was shipped, if this server ships now.
async fn take_lease(app: &App) -> Result<Option<u64>, Error> {
    let (holder, now) = (app.outlet().holder.clone(), app.now());
    app.store()
        .write(move |conn| {
            Ok::<_, Error>(store::audit::take_lease(
                conn,
                PLACE,
                &holder,
                now,
                now + LEASE,
            )?)
        })
        .await
}

async fn give_back(app: &App) -> Result<(), Error> {
    let holder = app.outlet().holder.clone();
    app.store()
        .write(move |conn| Ok::<_, Error>(store::audit::give_back_lease(conn, PLACE, &holder)?))
        .await
}
