//! Shipping: every record goes to a file or an address too, in order and at least once.
//!
//! Each piece is an export by itself, so whoever gets it can check it. How far a place has got
//! it is remembered in the database after the place has taken it: after an outage it goes on
//! where it stopped, and one piece may come twice to an address; a file tells itself how far it
//! has got. Of servers that share a database one ships at a time, by a lease; another takes over
//! when the lease of one that died is over.

use super::outlet::{self, Form};
use super::sealing;
use crate::app::{App, Error};
use crate::config::Destination;
use crate::domain::audit::chain::{Head, Sealed};
use crate::domain::audit::export::{self, Header, Part};
use crate::store::audit::Log;
use crate::store::{self, Conn};
use chrono::Duration;

/// Records in one piece: so many are in memory at the most.
const PIECE: i64 = 200;

/// How long one server ships alone; longer than an address may take for a piece.
const LEASE: Duration = Duration::seconds(30);

/// Ships what was sealed since the last time, unless another server is at it.
pub(in crate::app) async fn ship(app: &App) -> Result<(), Error> {
    let Some(to) = app.config().audit.ship_to.clone() else {
        return Ok(());
    };
    let place = outlet::place(outlet::RECORDS, &to);
    let log = sealing::find(app).await?;
    if outlet::shipped(app, &place).await? == log.head.sequence {
        return Ok(());
    }
    while let Some(shipped) = take_lease(app, &place).await? {
        let log = sealing::find(app).await?;
        let last = match &to {
            Destination::File(path) => outlet::last(path.clone(), Form::Lines).await?,
            Destination::Url(_) => None,
        };
        let last = last.map(|line| export::parse_line(line.as_bytes()).ok());
        if let Some(end) = last.as_ref().and_then(Option::as_ref).map(Sealed::head)
            && end.sequence < log.start().sequence
        {
            give_back(app, place).await?;
            return Err(outlet::undelivered(format!(
                "the file ends with record {}, and what follows was taken out of the log; move it \
                 away, and a new one is begun",
                end.sequence
            )));
        }
        let piece = load(app, &log, shipped, last.clone().flatten()).await?;
        let last_line = piece.lines.last().map(Sealed::head);
        let end = last_line.unwrap_or(piece.after).sequence;
        if !piece.lines.is_empty() {
            // A file is one export, so only its beginning has a header.
            let header = last.is_none().then_some(Header {
                origin: log.origin.clone(),
                part: Part::After(piece.after),
            });
            let header = header.map(|header| header.line());
            let lines = header
                .into_iter()
                .chain(piece.lines.iter().map(export::line));
            let text: String = lines.map(|line| line + "\n").collect();
            outlet::deliver(app, &to, Form::Lines, text).await?;
        }
        if end > shipped {
            outlet::mark_shipped(app, &place, end).await?;
        }
        if piece.lines.is_empty() {
            break;
        }
    }
    give_back(app, place).await
}

/// What is shipped at once.
struct Piece {
    /// The head behind which it begins.
    after: Head,
    lines: Vec<Sealed>,
}

/// What comes next for a place that has got so far. A file knows best how far it has got, for a
/// server that died between the two has told it to the file alone: its last line counts, if it
/// is of this log.
async fn load(app: &App, log: &Log, shipped: u64, last: Option<Sealed>) -> Result<Piece, Error> {
    let log = log.clone();
    app.store()
        .read(move |conn| {
            let head = |conn: &mut Conn, sequence| -> Result<Head, Error> {
                let hash = store::audit::find_hash(conn, &log, sequence)?;
                Ok(hash.map_or(log.start(), |hash| Head { sequence, hash }))
            };
            let mut after = head(conn, shipped)?;
            if let Some(last) = last.as_ref().map(Sealed::head) {
                let known = head(conn, last.sequence)?;
                after = if known == last { last } else { after };
            }
            let lines = store::audit::list_lines(conn, after.sequence, PIECE)?;
            let lines = lines.into_iter().map(|(place, line)| {
                line.map_err(|_| store::Error::Corrupt {
                    table: "audit_record",
                    column: "detail",
                    id: place.to_string(),
                })
            });
            Ok(Piece {
                after,
                lines: lines.collect::<Result<_, _>>()?,
            })
        })
        .await
}

/// Up to where everything was shipped, if this server ships now.
async fn take_lease(app: &App, place: &str) -> Result<Option<u64>, Error> {
    let (holder, now) = (app.outlet().holder.clone(), app.now());
    let place = place.to_owned();
    app.store()
        .write(move |conn| {
            Ok::<_, Error>(store::audit::take_lease(
                conn,
                &place,
                &holder,
                now,
                now + LEASE,
            )?)
        })
        .await
}

/// Up to where a place that records go to has got them; everything, where they go nowhere.
pub(super) async fn shipped(app: &App) -> Result<u64, Error> {
    match &app.config().audit.ship_to {
        None => Ok(u64::MAX),
        Some(to) => outlet::shipped(app, &outlet::place(outlet::RECORDS, to)).await,
    }
}

async fn give_back(app: &App, place: String) -> Result<(), Error> {
    let holder = app.outlet().holder.clone();
    app.store()
        .write(move |conn| Ok::<_, Error>(store::audit::give_back_lease(conn, &place, &holder)?))
        .await
}
