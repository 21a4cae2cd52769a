//! Shipping: every record goes to a file or an address too, in order and at least once.
//!
//! Each piece is an export by itself, so whoever gets it can check it. How far a place has got it
//! is remembered in the database after the place has taken it: after an outage it goes on where it
//! stopped, and one piece may come twice to an address; a file tells itself how far it has got. If
//! the last that was shipped is not in the log any more, nothing is shipped until the operator has
//! looked (see [`super::recovery`]). Of servers that share a database one ships at a time, by a
//! lease; another takes over when the lease of one that died is over.

use super::sealing;
use super::sink::{self, Form};
use crate::{App, Error};
use chrono::Duration;
use config::Destination;
use domain::audit::chain::{Head, Sealed};
use domain::audit::discrepancy::{Discrepancy, Kind};
use domain::audit::export::{self, Header, Part};
use domain::audit::hash::Hash;
use store::Conn;
use store::audit::{Log, Shipped};

/// Records in one piece: so many are in memory at the most.
const PIECE: i64 = 200;

/// How long one server ships alone; longer than an address may take for a piece.
const LEASE: Duration = Duration::seconds(30);

/// Ships what was sealed since the last time, unless another server is at it.
pub(crate) async fn ship(app: &App) -> Result<(), Error> {
    let Some(to) = app.config().audit.ship_to.clone() else {
        return Ok(());
    };
    let sink_name = sink_name(&to);
    let log = sealing::find(app).await?;
    let shipped = sink::shipped(app, &sink_name).await?;
    if shipped.sequence == log.head.sequence && is_known(&shipped, log.head.hash) {
        return Ok(());
    }
    if let Some(discrepancy) = disagreement(app, &log, shipped).await? {
        let says = format!("{} See `doorcode audit recover --help`.", discrepancy.says);
        return Err(Error::Outside(says));
    }
    while let Some(shipped) = take_lease(app, &sink_name).await? {
        let log = sealing::find(app).await?;
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

/// What is shipped at once.
struct Piece {
    /// The head behind which it begins.
    after: Head,
    lines: Vec<Sealed>,
}

/// What comes next for a place that has got so far; or why nothing can come behind the end of a
/// file. It knows best how far it has got, for a server that died between the two has told it to
/// the file alone.
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

/// The name under which it is remembered how far a destination has got the records.
pub(super) fn sink_name(to: &Destination) -> String {
    sink::sink_name(sink::RECORDS, &to.to_string())
}

/// That everything was shipped up to a head.
fn of(head: Head) -> Shipped {
    Shipped {
        sequence: head.sequence,
        hash: Some(head.hash.to_string()),
    }
}

/// Whether the last record that was shipped may have had this hash.
fn is_known(shipped: &Shipped, hash: Hash) -> bool {
    let known = shipped.hash.as_ref();
    known.is_none_or(|known| *known == hash.to_string())
}

/// Lets each place get again what is not in the log as it got it: from the last place on that a
/// checkpoint vouches for, or from the beginning.
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

/// What contradicts the log, as far as it was shipped: the last record that was is not in it.
pub(super) async fn contradiction(app: &App, log: &Log) -> Result<Option<Discrepancy>, Error> {
    let Some(to) = &app.config().audit.ship_to else {
        return Ok(None);
    };
    let shipped = sink::shipped(app, &sink_name(to)).await?;
    disagreement(app, log, shipped).await
}

async fn disagreement(
    app: &App,
    log: &Log,
    shipped: Shipped,
) -> Result<Option<Discrepancy>, Error> {
    let sequence = shipped.sequence;
    if sequence < log.start().sequence {
        // It is of records that were taken out since.
        return Ok(None);
    }
    let found = sealing::find_hash(app, log, sequence).await?;
    if found.is_some_and(|found| is_known(&shipped, found)) {
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

/// Up to where everything was shipped, if this server ships now.
async fn take_lease(app: &App, sink_name: &str) -> Result<Option<Shipped>, Error> {
    let (leased_by, now) = (app.sink().leased_by.clone(), app.now());
    let sink_name = sink_name.to_owned();
    app.store()
        .write(move |conn| {
            Ok::<_, Error>(store::audit::take_lease(
                conn,
                &sink_name,
                &leased_by,
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
