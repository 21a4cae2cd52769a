//! `verify.py`, which was written from the specification alone, agrees.

use super::super::excerpt::Excerpted;
use super::super::note::{self, VerifierKey};
use super::super::statement::{Claim, Statement};
use super::*;
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/verify.py");

/// Success and output for an export; with checkpoints, and the seed of the key that signed them.
fn verify(export: &str, checkpoints: Option<(&str, u8)>) -> (bool, String) {
    let (notes, seed) = checkpoints.unzip();
    let key = seed.map(|seed| VerifierKey::of(&origin(), &pair(seed)));
    run(export, notes, key.as_slice())
}

/// Success and output for an export; with the known keys.
pub(super) fn run(export: &str, notes: Option<&str>, keys: &[VerifierKey]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let mut command = Command::new("python3");
    command.arg(Path::new(SCRIPT)).arg(write("export", export));
    if let Some(notes) = notes {
        command
            .arg("--checkpoints")
            .arg(write("checkpoints", notes));
    }
    for key in keys {
        command.args(["--key", &key.to_string()]);
    }
    let output = command.output().unwrap();
    let says = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors, "", "{says}");
    (output.status.success(), says)
}

fn notes(checkpoints: &[Checkpoint]) -> String {
    let sign = |checkpoint: &Checkpoint| checkpoint.sign(&pair(1));
    let notes: Vec<_> = checkpoints.iter().map(sign).collect();
    notes.join("\n")
}

#[test]
fn it_accepts_a_valid_log() {
    let log = log(25);
    let notes = notes(&checkpoints(&log));
    let expected = format!(
        "25 records fit, the last is 25 with hash {}\n",
        log[24].hash
    );
    let whole = export(&log);
    assert_eq!(verify(&whole, None), (true, expected.clone()));
    assert_eq!(verify(&whole, Some((&notes, 1))), (true, expected.clone()));
    let twice = format!("{notes}\n{notes}");
    assert_eq!(verify(&whole, Some((&twice, 1))), (true, expected));
    let chosen = Excerpted {
        sealed: log[8].clone(),
        previous: log[7].hash,
    };
    let chosen = header(Part::Filtered) + &chosen.line() + "\n";
    let expected = format!("1 records fit, the last is 9 with hash {}\n", log[8].hash);
    assert_eq!(verify(&chosen, Some((&notes, 1))), (true, expected));
}

#[test]
fn it_reports_the_first_invalid_line() {
    let sound = log(25);
    let notes = notes(&checkpoints(&sound));
    let whole = export(&sound);
    let recomputed = |at: usize| {
        let mut lines = sound.clone();
        lines[at].record.outcome = Outcome::Refused;
        export(&reseal(lines))
    };
    let edited = whole.replacen("req-7", "req-8", 1);
    let deleted = [&sound[..6], &sound[7..]].concat();
    let cases = [
        (edited, None, "line 8, after record 6: its hash is another"),
        (
            export(&deleted),
            None,
            "line 8, after record 6: its number is 8, not 7",
        ),
        (
            whole.replacen("é", "\\u00e9", 1),
            None,
            "line 2, after record 0: it is not canonical",
        ),
        (
            whole.replacen("doorcode/0", "doorcode/1", 1),
            None,
            "line 1: the log begins with",
        ),
        (
            recomputed(13),
            Some(1),
            "record 20: the checkpoint over it names another hash",
        ),
        (
            export(&sound[..22]),
            Some(1),
            "the log ends at record 22, a checkpoint knows 25",
        ),
        (
            whole,
            Some(2),
            "the checkpoint after that of record 0: no known key has signed it",
        ),
    ];
    for (export, key, expected) in cases {
        let (fits, says) = verify(&export, key.map(|seed| (&notes[..], seed)));
        assert!(
            !fits && says.starts_with(&format!("does not fit: {expected}")),
            "{says}"
        );
    }
    let forged = notes.replacen("\n10\n", "\n11\n", 1);
    let (fits, says) = verify(&export(&sound), Some((&forged, 1)));
    assert!(
        !fits && says.contains("its signature does not fit its text"),
        "{says}"
    );
}

/// Pruning notes, and notes by the key of another log.
#[test]
fn it_accepts_only_checkpoints_that_the_log_itself_signed() {
    let log = log(3);
    let (head, at) = (log[2].head(), moment(3));
    let elsewhere = Origin::parse("elsewhere").unwrap();
    let keys = [(origin(), 1), (elsewhere.clone(), 2)];
    let keys = keys.map(|(name, seed)| VerifierKey::of(&name, &pair(seed)));
    let statement = |claim| Statement {
        origin: origin(),
        claim,
    };
    let pruned = statement(Claim::Pruned { head, at }).sign(&pair(1));
    let text = statement(Claim::Checkpoint { head, at }).text();
    for (note, expected) in [
        (note::sign(&text, &origin(), &pair(1)), "3 records fit"),
        (pruned, "it is none"),
        (note::sign(&text, &elsewhere, &pair(2)), "no known key"),
    ] {
        let (fits, says) = run(&export(&log), Some(&note), &keys);
        assert_eq!(fits, Checkpoint::verify(&note, &keys).is_ok(), "{says}");
        assert!(says.contains(expected), "{says}");
    }
}
