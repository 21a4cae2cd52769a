//! Checkpoints: signed heads of the log, stored out of reach of anyone who can write the
//! database.
//!
//! Before signing, the log is compared with the last checkpoint in the database, in the
//! checkpoint file and in the local state of this server (see [`mod@super::keys`]). A log that
//! was truncated or restored from an old copy contradicts it. Signing then stops until the
//! operator recovers the log (see [`super::recover`]). [`Evidence`] is all that a log is compared
//! with when it is verified: every checkpoint in these places, and more from the operator. The
//! start of a pruned log is signed too.

use super::keys::{LocalState, known_keys, last_of, present_key, remembered, verify_note};
use super::ship::sink::{self, Form};
use super::{publish, seal, ship};
use crate::{App, Context, Error};
use chrono::Duration;
use domain::audit::chain::Head;
use domain::audit::checkpoint::{Checkpoint, read_file};
use domain::audit::discrepancy::{Discrepancy, Kind};
use domain::audit::note::{NoteFault, VerifierKey};
use domain::audit::record::Record;
use domain::audit::statement::{Claim, Statement};
use domain::audit::{Action, Actor};
use serde_json::json;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use store::Conn;
use store::audit::{Log, Pruned};

/// The log and its last checkpoints.
struct Signed {
    log: Log,
    /// Local state of this server.
    local_state: LocalState,
    /// The last checkpoint in the database, in the checkpoint file and in the local state, each
    /// if a known key signed it.
    last: [Option<Checkpoint>; 3],
    /// The last head in the local state.
    head: Option<Checkpoint>,
    /// Discrepancy in one of them.
    discrepancy: Option<Discrepancy>,
    /// The trusted keys.
    keys: Vec<VerifierKey>,
    /// Whether the log has recorded the current key.
    is_key_recorded: bool,
}

impl Signed {
    fn of_file(&self) -> Option<&Checkpoint> {
        self.last[1].as_ref()
    }
}

/// Signs and publishes a checkpoint if one is due, or any record is new and the server stops. Signs
/// nothing if the log contradicts an earlier checkpoint.
pub(crate) async fn sign(app: &App) -> Result<(), Error> {
    let mut signed = load(app).await?;
    if contradiction(app, &signed).await?.is_some() {
        return Ok(());
    }
    if !signed.is_key_recorded {
        introduce_key(app, &signed).await?;
        signed = load(app).await?;
    }
    if is_due(app, &signed) {
        let (head, at) = (signed.log.head, app.now());
        let (keys, note) = (signed.keys.clone(), sign_head(app, &signed.log));
        // The local state is written first: a signed checkpoint must never be contradicted.
        let last = note.clone();
        signed.local_state = LocalState::change(app, move |local_state| {
            local_state.keys = keys;
            local_state.last = Some(last.clone());
            local_state.head = Some(last);
        })
        .await?;
        let kept = app
            .store()
            .write(move |conn| {
                Ok::<_, Error>(store::audit::insert_checkpoint(
                    conn,
                    head.sequence,
                    at,
                    &note,
                )?)
            })
            .await;
        match kept {
            // Another server signed the same head.
            Ok(()) | Err(Error::Store(store::Error::Duplicate)) => {}
            Err(error) => return Err(error),
        }
    }
    let of_file = signed.of_file().map(|signed| signed.head.sequence);
    publish::publish(app, &signed.log, &signed.local_state, of_file).await
}

/// Returns the first discrepancy between the log and its last checkpoints.
pub async fn inspect(app: &App) -> Result<Option<Discrepancy>, Error> {
    let signed = load(app).await?;
    contradiction(app, &signed).await
}

async fn load(app: &App) -> Result<Signed, Error> {
    let begun = seal::begin(app).await?;
    let local_state = LocalState::load(app).await?;
    let present = present_key(app, &begun);
    let keys = known_keys(&local_state, &present);
    let key = present.to_string();
    let (of_database, is_key_recorded) = app
        .store()
        .read(move |conn| {
            let note = store::audit::find_last_checkpoint(conn)?;
            let changes = store::audit::list_of_action(conn, Action::AuditKeyChanged.as_str())?;
            let named = |record: &Record| record.detail.get("key") == Some(&json!(key));
            Ok::<_, Error>((note, changes.iter().any(named)))
        })
        .await?;
    let of_file = match publish::file(app) {
        Some(path) => sink::last(path, Form::Notes).await?,
        None => Vec::new(),
    };
    // The log is read last: other servers add to it, and it must not lack what they signed since.
    let log = seal::find(app).await?;
    let mut discrepancy = start_discrepancy(&log, &keys);
    let mut read = |notes: Vec<String>| {
        last_of(&notes, &keys).unwrap_or_else(|wrong| {
            discrepancy.get_or_insert(wrong);
            None
        })
    };
    let last = [
        of_database.into_iter().collect(),
        of_file,
        local_state.last.iter().cloned().collect(),
    ];
    let last = last.map(&mut read);
    let head = read(local_state.head.iter().cloned().collect());
    Ok(Signed {
        log,
        local_state,
        last,
        head,
        discrepancy,
        keys,
        is_key_recorded,
    })
}

/// Signs the present head of a log.
pub(super) fn sign_head(app: &App, log: &Log) -> String {
    let checkpoint = Checkpoint {
        origin: log.origin.clone(),
        head: log.head,
        at: app.now(),
    };
    checkpoint.sign(app.signing_key())
}

/// Records the current key in the log before it signs.
async fn introduce_key(app: &App, signed: &Signed) -> Result<(), Error> {
    let event = app.event(&Context::local(), Actor::System, Action::AuditKeyChanged);
    let key = present_key(app, &signed.log).to_string();
    app.store()
        .write(move |conn| event.write(conn, None, json!({"key": key})))
        .await?;
    seal::seal(app).await
}

fn is_due(app: &App, signed: &Signed) -> bool {
    let audit = &app.config().audit;
    let head = signed.log.head;
    let last = signed.last.iter().flatten();
    let Some(last) = last.max_by_key(|last| last.head.sequence) else {
        return head.sequence > 0;
    };
    let new = head.sequence.saturating_sub(last.head.sequence);
    if app.is_stopping() {
        return new > 0;
    }
    let every = Duration::from_std(audit.checkpoint_every).unwrap_or(Duration::MAX);
    // A clock that was set back must not delay a checkpoint.
    let since = (app.now() - last.at).abs();
    new >= audit.checkpoint_records || (new > 0 && since >= every)
}

/// Compares the log, and notes the result for the requests to this server.
async fn contradiction(app: &App, signed: &Signed) -> Result<Option<Discrepancy>, Error> {
    let found = match &signed.discrepancy {
        Some(discrepancy) => Some(discrepancy.clone()),
        None => first_contradiction(app, signed).await?,
    };
    app.note_comparison(found.as_ref());
    Ok(found)
}

async fn first_contradiction(app: &App, signed: &Signed) -> Result<Option<Discrepancy>, Error> {
    for checkpoint in signed.last.iter().chain([&signed.head]).flatten() {
        if let Some(discrepancy) = compare(app, &signed.log, checkpoint).await? {
            return Ok(Some(discrepancy));
        }
    }
    ship::contradiction(app).await
}

/// Returns the discrepancy between a checkpoint and the log.
pub(super) async fn compare(
    app: &App,
    log: &Log,
    checkpoint: &Checkpoint,
) -> Result<Option<Discrepancy>, Error> {
    let sequence = checkpoint.head.sequence;
    let of = format!(
        "The checkpoint of {}",
        checkpoint.at.format("%Y-%m-%d %H:%M UTC")
    );
    if checkpoint.origin != log.origin {
        let says = format!("{of} is of another log, {}.", checkpoint.origin);
        return Ok(Some(Discrepancy::new(0, Kind::Forked, says)));
    }
    if sequence > log.head.sequence {
        let last = log.head.sequence;
        let says = format!("{of} knows {sequence} records, and the log has {last}.");
        return Ok(Some(Discrepancy::new(last + 1, Kind::Cut, says)));
    }
    if sequence < log.start().sequence {
        // Its records have been pruned.
        return Ok(None);
    }
    let hash = seal::find_hash(app, log, sequence).await?;
    // A record that was pruned meanwhile is no discrepancy.
    if hash == Some(checkpoint.head.hash) || seal::find(app).await?.pruned != log.pruned {
        return Ok(None);
    }
    let says = format!("{of} names another record {sequence} than the log.");
    Ok(Some(Discrepancy::new(sequence, Kind::Forked, says)))
}

/// Returns the last of all available checkpoints that agrees with the log.
pub(super) async fn last_agreeing(app: &App, log: &Log) -> Result<Option<Checkpoint>, Error> {
    let known = known(app, Evidence::default()).await?;
    let mut signed: Vec<_> = known.checkpoints.into_iter().flatten().collect();
    signed.sort_by_key(|checkpoint| checkpoint.head.sequence);
    for checkpoint in signed.into_iter().rev() {
        if compare(app, log, &checkpoint).await?.is_none() {
            return Ok(Some(checkpoint));
        }
    }
    Ok(None)
}

/// Deletes checkpoints that contradict the log from the database. Checkpoints signed by unknown
/// keys have no effect and stay.
pub(super) fn forget_contradicting(
    conn: &mut Conn,
    log: &Log,
    keys: &[VerifierKey],
) -> Result<(), Error> {
    for (sequence, note) in store::audit::list_checkpoints(conn, 0, i64::MAX)? {
        if sequence < log.start().sequence {
            continue;
        }
        let hash = store::audit::find_hash(conn, log, sequence)?;
        let agrees =
            |signed: &Checkpoint| signed.origin == log.origin && Some(signed.head.hash) == hash;
        let is_kept =
            verify_note(&note, keys).is_ok_and(|signed| signed.as_ref().is_none_or(agrees));
        if !is_kept {
            store::audit::delete_checkpoint(conn, sequence)?;
        }
    }
    Ok(())
}

/// Additional evidence for a verification.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// File with additional checkpoints.
    pub checkpoints: Option<&'a Path>,
    /// Additional trusted keys.
    pub keys: &'a [VerifierKey],
}

/// A verified checkpoint, or why its note is rejected.
pub(super) type Read = Result<Checkpoint, NoteFault>;

/// Evidence that a log is compared with.
pub(super) struct Known {
    /// Trusted keys.
    pub(super) keys: Vec<VerifierKey>,
    /// All available checkpoints. Most of them are stored several times.
    pub(super) checkpoints: Vec<Read>,
    /// Number of further checkpoints that no known key signed.
    pub(super) unknown: usize,
}

/// Loads the evidence of this server and `more`. All checkpoints in `more` must be valid.
pub(super) async fn known(app: &App, more: Evidence<'_>) -> Result<Known, Error> {
    let (mut keys, remembered) = remembered(app).await?;
    keys.extend_from_slice(more.keys);
    let notes = app
        .store()
        .read(|conn| Ok::<_, Error>(store::audit::list_checkpoints(conn, 0, i64::MAX)?))
        .await?;
    let notes = notes.into_iter().map(|(_, note)| note);
    let notes = notes.chain(remembered);
    let notes: Vec<_> = notes.collect();
    let (file, counting) = (publish::file(app), keys.clone());
    // Verifying many signatures takes a while.
    let read = tokio::task::spawn_blocking(move || {
        let mut all: Vec<Read> = notes
            .iter()
            .map(|note| Checkpoint::verify(note, &counting))
            .collect();
        if let Some(path) = file {
            read_notes(&path, &counting, &mut all);
        }
        all
    });
    let mut all = read
        .await
        .map_err(|stopped| store::Error::Other(stopped.to_string()))?;
    let before = all.len();
    all.retain(|read| *read != Err(NoteFault::Unknown));
    let unknown = before - all.len();
    if let Some(path) = more.checkpoints {
        let file = File::open(path).map_err(|error| sink::of_file(path, error))?;
        all.extend(read_file(BufReader::new(file), &keys));
    }
    Ok(Known {
        keys,
        checkpoints: all,
        unknown,
    })
}

/// Adds the checkpoints of a file, if it exists.
fn read_notes(path: &Path, keys: &[VerifierKey], to: &mut Vec<Read>) {
    match File::open(path) {
        Ok(file) => to.extend(read_file(BufReader::new(file), keys)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => to.push(Err(NoteFault::Unreadable(error.to_string()))),
    }
}

/// Checks the start of a pruned log, which a known key must have signed.
pub(super) fn start_discrepancy(log: &Log, keys: &[VerifierKey]) -> Option<Discrepancy> {
    let pruned = log.pruned.as_ref()?;
    let signed = Statement::verify(&pruned.note, keys);
    let is_signed = |Statement { origin, claim }| {
        origin == log.origin && matches!(claim, Claim::Pruned { head, .. } if head == pruned.head)
    };
    if signed.is_ok_and(is_signed) {
        return None;
    }
    let says = format!(
        "The records up to {} are gone, and no key that is known has signed that they were taken \
         out.",
        pruned.head.sequence
    );
    Some(Discrepancy::new(1, Kind::Missing, says))
}

/// Signs that the log was pruned up to a head.
pub(super) fn sign_start(app: &App, log: &Log, head: Head) -> Pruned {
    let signed = Statement {
        origin: log.origin.clone(),
        claim: Claim::Pruned {
            head,
            at: app.now(),
        },
    };
    let note = signed.sign(app.signing_key());
    Pruned { head, note }
}
