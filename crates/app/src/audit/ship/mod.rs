//! Shipping: sends every record to a file or an address, in order and at least once.
//!
//! Each piece is an export of its own that the receiver can verify. The database stores the
//! progress after the sink has accepted a piece: after an outage shipping resumes there, and an
//! address may receive one piece twice; for a file, its content is the progress. If the last
//! shipped record is no longer in the log, shipping stops until the operator recovers it (see
//! [`super::recover`]). Of servers that share a database one ships at a time, under a lease;
//! another takes over once the lease expires.

pub(super) mod sink;

use super::seal;
use crate::{App, Error};
use chrono::Duration;
use config::Destination;
use domain::audit::chain::{Head, Sealed};
use domain::audit::discrepancy::{Discrepancy, Kind};
use domain::audit::export::{self, Header, Part};
use domain::audit::hash::Hash;
use sink::Form;
use store::Conn;
use store::audit::{Log, Shipped};

/// Records in one piece, which bounds memory use.
const PIECE: i64 = 200;

/// Duration of a lease; longer than the timeout of one delivery.
const LEASE: Duration = Duration::seconds(30);

/// Ships newly sealed records, unless another server is shipping.
pub(crate) async fn ship(app: &App) -> Result<(), Error> {
    let Some(to) = app.config().audit.ship_to.clone() else {
        return Ok(());
    };
    let sink_name = sink_name(&to);
    // The log is read last: another server may ship what it adds.
    let shipped = sink::shipped(app, &sink_name).await?;
    let log = seal::find(app).await?;
    if shipped.sequence == log.head.sequence && is_known(&shipped, log.head.hash) {
        return Ok(());
    }
    if let Some(discrepancy) = disagreement(app, &log, shipped).await? {
        let says = format!("{} See `doorcode audit recover --help`.", discrepancy.says);
        return Err(Error::Outside(says));
    }
    while let Some(shipped) = take_lease(app, &sink_name).await? {
        let log = seal::find(app).await?;
        let last = match &to {
            Destination::File(path) => sink::last(path.clone(), Form::Lines).await?,
            Destination::Url(_) => Vec::new(),
        };
        let last = last
            .first()
            .map(|line| export::parse_line(line.as_bytes()).ok());
        let of_file = last.as_ref().and_then(Option::as_ref).map(Sealed::head);
        let piece = match load(app, &log, shipped.sequence, of_file).await? {
            Ok(piece) => piece,
            Err(why) => {
                give_back(app, sink_name).await?;
                let why = format!("{why}; move it away, and a new one is begun");
                return Err(Error::Outside(format!("{to}: {why}")));
            }
        };
        let end = piece.lines.last().map_or(piece.after, Sealed::head);
        if !piece.lines.is_empty() {
            // A file is one export, so only its start has a header.
            let header = last.is_none().then_some(Header {
                origin: log.origin.clone(),
                part: Part::After(piece.after),
            });
            let header = header.map(|header| header.line());
            let lines = header
                .into_iter()
                .chain(piece.lines.iter().map(export::line));
            let text: String = lines.map(|line| line + "\n").collect();
            sink::deliver(app, &to, Form::Lines, text).await?;
        }
        if end.sequence > shipped.sequence {
            sink::mark_shipped(app, &sink_name, of(end)).await?;
        }
        if piece.lines.is_empty() {
            break;
        }
    }
    give_back(app, sink_name).await
}

/// Records of one delivery.
struct Piece {
    /// The head before its first record.
    after: Head,
    lines: Vec<Sealed>,
}

/// Loads the next piece for a sink, or the reason why none can follow the end of the file. The
/// file takes precedence over the stored progress, which a server that crashed in between has not
/// updated.
async fn load(
    app: &App,
    log: &Log,
    shipped: u64,
    of_file: Option<Head>,
) -> Result<Result<Piece, String>, Error> {
    let log = log.clone();
    app.store()
        .read(move |conn| {
            let head = |conn: &mut Conn, sequence| -> Result<Head, Error> {
                let hash = store::audit::find_hash(conn, &log, sequence)?;
                Ok(hash.map_or(log.start(), |hash| Head { sequence, hash }))
            };
            let after = match of_file {
                None => head(conn, shipped)?,
                Some(last) if last.sequence < log.start().sequence => {
                    return Ok(Err(format!(
                        "it ends with record {}, and what follows was taken out of the log",
                        last.sequence
                    )));
                }
                Some(last) if head(conn, last.sequence)? != last => {
                    return Ok(Err(
                        "it ends with a record that is not in the log".to_owned()
                    ));
                }
                Some(last) => last,
            };
            let lines = store::audit::list_lines(conn, after.sequence, PIECE)?;
            let lines = lines.into_iter().map(|(sequence, line)| {
                line.map_err(|_| store::Error::Corrupt {
                    table: "audit_record",
                    column: "detail",
                    id: sequence.to_string(),
                })
            });
            Ok(Ok(Piece {
                after,
                lines: lines.collect::<Result<_, _>>()?,
            }))
        })
        .await
}

/// Name of the sink that receives records at a destination.
pub(super) fn sink_name(to: &Destination) -> String {
    sink::sink_name(sink::RECORDS, &to.to_string())
}

/// Progress up to a head.
fn of(head: Head) -> Shipped {
    Shipped {
        sequence: head.sequence,
        hash: Some(head.hash.to_string()),
    }
}

/// Whether the hash matches the last shipped record, if that hash is known.
fn is_known(shipped: &Shipped, hash: Hash) -> bool {
    let known = shipped.hash.as_ref();
    known.is_none_or(|known| *known == hash.to_string())
}

/// Resets the progress of sinks whose last shipped record is not in the log: to the last
/// checkpoint that agrees, or to the start.
pub(super) fn go_back(conn: &mut Conn, log: &Log, agreed_until: u64) -> Result<(), Error> {
    for (sink_name, shipped) in store::audit::list_shipped(conn)? {
        let found = store::audit::find_hash(conn, log, shipped.sequence)?;
        if found.is_some_and(|found| shipped.hash == Some(found.to_string())) {
            continue;
        }
        let last = match shipped.sequence > agreed_until {
            true => agreed_until,
            false if shipped.hash.is_none() => continue,
            false => 0,
        };
        store::audit::lower_shipped(conn, &sink_name, last)?;
    }
    Ok(())
}

/// Returns a discrepancy if the last shipped record is not in the log.
pub(super) async fn contradiction(app: &App) -> Result<Option<Discrepancy>, Error> {
    let Some(to) = &app.config().audit.ship_to else {
        return Ok(None);
    };
    let shipped = sink::shipped(app, &sink_name(to)).await?;
    let log = seal::find(app).await?;
    disagreement(app, &log, shipped).await
}

async fn disagreement(
    app: &App,
    log: &Log,
    shipped: Shipped,
) -> Result<Option<Discrepancy>, Error> {
    let sequence = shipped.sequence;
    if sequence < log.start().sequence {
        // Its records have been pruned.
        return Ok(None);
    }
    let found = seal::find_hash(app, log, sequence).await?;
    let is_there = found.is_some_and(|found| is_known(&shipped, found));
    // A record that was pruned meanwhile is no discrepancy.
    if is_there || seal::find(app).await?.pruned != log.pruned {
        return Ok(None);
    }
    let last = log.head.sequence;
    Ok(Some(match sequence > last {
        true => {
            let says = format!("The log was shipped up to record {sequence}, and it has {last}.");
            Discrepancy::new(last + 1, Kind::Cut, says)
        }
        false => {
            let says = format!("The log was shipped with another record {sequence} than it has.");
            Discrepancy::new(sequence, Kind::Forked, says)
        }
    }))
}

/// Takes the lease and returns the progress; `None` if another server has the lease.
async fn take_lease(app: &App, sink_name: &str) -> Result<Option<Shipped>, Error> {
    let (leased_by, now) = (app.sink().leased_by.clone(), app.now());
    let sink_name = sink_name.to_owned();
    app.store()
        .write(move |conn| {
            Ok::<_, Error>(store::audit::take_lease(
                conn,
                &sink_name,
                &leased_by,
                (now, now + LEASE),
            )?)
        })
        .await
}

/// Sequence number up to which records are shipped; `u64::MAX` without a sink.
pub(super) async fn shipped(app: &App) -> Result<u64, Error> {
    match &app.config().audit.ship_to {
        None => Ok(u64::MAX),
        Some(to) => Ok(sink::shipped(app, &sink_name(to)).await?.sequence),
    }
}

async fn give_back(app: &App, sink_name: String) -> Result<(), Error> {
    let leased_by = app.sink().leased_by.clone();
    app.store()
        .write(move |conn| {
            Ok::<_, Error>(store::audit::give_back_lease(conn, &sink_name, &leased_by)?)
        })
        .await
}
