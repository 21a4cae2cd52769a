//! The format of the log, and the discrepancies that changes of it cause.

mod checkpoint;
mod erasure;
mod export;
mod form;
mod merkle;
mod python;
mod readme;
mod recomputed;
mod statement;
mod token_use;
mod trials;

use super::chain::{Head, Sealed};
use super::checkpoint::Checkpoint;
use super::discrepancy::Report;
use super::export as exports;
use super::export::{Header, Part};
use super::note::NoteFault;
use super::origin::Origin;
use super::record::{Detail, Method, Outcome, Record};
use super::salt::Salt;
use super::verifier::Verifier;
use crate::Instant;
use ring::signature::Ed25519KeyPair;
use serde_json::json;
use std::ops::Range;
use std::sync::LazyLock;

fn origin() -> Origin {
    Origin::parse("doorcode/0123456789abcdef").unwrap()
}

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn moment(n: u64) -> Instant {
    let millis = 1_795_305_600_123 + i64::try_from(n).unwrap() * 1_001;
    Instant::from_timestamp_millis(millis).unwrap()
}

/// A record with contents unique to `n`, and texts that need escapes.
fn record(n: u64) -> Record {
    let detail = json!({"device_name": "\"é\u{1b}[0m\n\u{202e}", "n": n, "list": [-1, null, {"b": 1, "a": true}],
        "tokens": [{"token_name": format!("deploy {n} \u{1b}[0m"), "scopes": "a:b"}]});
    Record {
        sequence: 0,
        id: format!("evt_{n:032x}"),
        at: moment(n),
        action: "token.created".to_owned(),
        actor_kind: "user".to_owned(),
        actor_id: Some(format!("usr_{n:032x}")),
        user_id: Some(format!("usr_{n:032x}")),
        token_id: None,
        client_id: n.is_multiple_of(2).then(|| "cli".to_owned()),
        organization_id: Some("org_1".to_owned()),
        target: None,
        outcome: Outcome::Done,
        method: Method::Session,
        request_id: format!("req-{n}"),
        address: Some("192.0.2.1".to_owned()),
        agent: None,
        detail: Detail::try_from(detail).unwrap(),
        // Some were sealed before salts were introduced.
        salt: (!n.is_multiple_of(3)).then(|| Salt::new([n.to_be_bytes()[7]; 16])),
    }
}

/// Seals records one after the other.
fn seal(records: impl IntoIterator<Item = Record>) -> Vec<Sealed> {
    let mut head = Head::genesis(&origin());
    let next = |record| {
        let sealed = head.seal(record);
        head = sealed.head();
        sealed
    };
    records.into_iter().map(next).collect()
}

/// The same lines with all hashes recomputed.
fn reseal(lines: Vec<Sealed>) -> Vec<Sealed> {
    seal(lines.into_iter().map(|line| line.record))
}

/// A log of the first records. Every log is a prefix of a longer one, so one is sealed.
fn log(length: usize) -> Vec<Sealed> {
    static LONG: LazyLock<Vec<Sealed>> = LazyLock::new(|| seal((1..60).map(record)));
    LONG[..length].to_vec()
}

/// A checkpoint over every tenth record and the last.
fn checkpoints(log: &[Sealed]) -> Vec<Checkpoint> {
    let length = log.len() as u64;
    log.iter()
        .map(Sealed::head)
        .filter(|head| head.sequence.is_multiple_of(10) || head.sequence == length)
        .map(checkpoint)
        .collect()
}

fn checkpoint(head: Head) -> Checkpoint {
    Checkpoint {
        origin: origin(),
        head,
        at: moment(head.sequence),
    }
}

fn header(part: Part) -> String {
    let origin = origin();
    Header { origin, part }.line() + "\n"
}

/// The whole log as an export.
fn export(lines: &[Sealed]) -> String {
    let mut text = header(Part::After(Head::genesis(&origin())));
    for line in lines {
        text += &exports::line(line);
        text.push('\n');
    }
    text
}

/// Verifies an export against checkpoints.
fn check(export: impl AsRef<[u8]>, checkpoints: &[Checkpoint]) -> Report {
    let checkpoints = checkpoints.iter().cloned().map(Ok::<_, NoteFault>);
    exports::verify(export.as_ref(), checkpoints, &[]).unwrap()
}

/// Verifies lines as stored in a database.
fn check_lines(lines: &[Sealed], checkpoints: Vec<Checkpoint>) -> Report {
    let start = Head::genesis(&origin());
    let mut verifier = Verifier::new(origin(), start, checkpoints.into_iter().map(Ok));
    for line in lines {
        verifier.take(Ok(line.clone()));
    }
    verifier.finish()
}

/// The byte range of the line of record `n` in an export, without its line feed.
fn place_of(export: &str, n: u64) -> Range<usize> {
    let line = export.lines().nth(usize::try_from(n).unwrap()).unwrap();
    let start = line.as_ptr() as usize - export.as_ptr() as usize;
    start..start + line.len()
}

#[test]
fn a_whole_log_is_valid() {
    for length in [0, 1, 2, 57] {
        let log = log(length);
        let checkpoints = checkpoints(&log);
        let report = check(export(&log), &checkpoints);
        assert_eq!(report.first_discrepancy, None);
        assert_eq!(report.records, length as u64);
        assert_eq!(report.checkpoints, checkpoints.len() as u64);
        let head = log.last().map_or(Head::genesis(&origin()), Sealed::head);
        assert_eq!(report.head, head);
    }
}
