//! Signed notes: format, verification, and files of several notes.

use super::super::checkpoint::read_file;
use super::super::hash::Hash;
use super::super::note::{self, Notes, VerifierKey};
use super::*;
use proptest::prelude::*;

fn key(seed: u8) -> VerifierKey {
    VerifierKey::of(&origin(), &pair(seed))
}

fn signed(n: u64, seed: u8) -> String {
    sample(n).sign(&pair(seed))
}

fn sample(n: u64) -> Checkpoint {
    checkpoint(Head {
        sequence: n,
        hash: Hash::of(&[&n.to_be_bytes()]),
    })
}

fn verify(note: &str, seeds: &[u8]) -> Result<Checkpoint, NoteFault> {
    let keys: Vec<_> = seeds.iter().map(|seed| key(*seed)).collect();
    Checkpoint::verify(note, &keys)
}

/// One note with the text of the first and the signatures of both.
fn joined(one: &str, other: &str) -> String {
    let (_, signature) = other.rsplit_once("\n\n").unwrap();
    format!("{one}{signature}")
}

/// The example of the specification's own library (`golang.org/x/mod/sumdb/note`).
#[test]
fn foreign_keys_are_parsed_and_their_ids_checked() {
    let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    assert_eq!(VerifierKey::parse(text).unwrap().to_string(), text);
    let note = concat!(
        "If you think cryptography is the answer to your problem,\n",
        "then you don't know what your problem is.\n\n",
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    );
    let keys = [VerifierKey::parse(text).unwrap()];
    let (text, names) = note::verify(note, &keys).unwrap();
    assert!(note.starts_with(&format!("{text}\n— ")) && text.ends_with("problem is.\n"));
    assert_eq!(names, [Origin::parse("PeterNeumann").unwrap()]);
    for wrong in [
        "",
        "+",
        "++",
        "a+b+c",
        &text.replace("c74f", "c74e"),
        &text[1..],
    ] {
        assert_eq!(VerifierKey::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_checkpoint_is_five_lines_and_a_signature() {
    let note = signed(7, 1);
    let lines: Vec<_> = note.split('\n').collect();
    assert_eq!(lines[0], "doorcode/0123456789abcdef");
    assert_eq!(lines[1], "7");
    assert_eq!(lines[2].len(), 44);
    assert_eq!(lines[3], "2026-11-22T00:00:07.130Z");
    assert_eq!(lines[4], "checkpoint");
    assert_eq!(lines[5], "");
    assert!(lines[6].starts_with("— doorcode/0123456789abcdef "));
    assert_eq!(&lines[7..], [""]);
    assert_eq!(verify(&note, &[1]), Ok(sample(7)));
}

#[test]
fn a_note_is_verified_with_any_key_that_signed_it() {
    let note = signed(7, 1);
    assert_eq!(verify(&note, &[]), Err(NoteFault::Unknown));
    assert_eq!(verify(&note, &[2]), Err(NoteFault::Unknown));
    assert_eq!(verify(&note, &[2, 1]), Ok(sample(7)));
    // After a rotation old keys still verify old checkpoints.
    let both = joined(&note, &signed(7, 2));
    for keys in [&[1][..], &[2], &[1, 2], &[3, 2]] {
        assert_eq!(verify(&both, keys), Ok(sample(7)));
    }
    let spoiled = joined(&note, &signed(8, 2));
    assert_eq!(verify(&spoiled, &[1]), Ok(sample(7)));
    assert_eq!(verify(&spoiled, &[1, 2]), Err(NoteFault::Forged));
}

#[test]
fn a_changed_note_is_rejected() {
    let note = signed(7, 1);
    for (at, c) in note.char_indices() {
        let mut changed = note.clone();
        let other = if c == '1' { "2" } else { "1" };
        changed.replace_range(at..at + c.len_utf8(), other);
        assert!(verify(&changed, &[1]).is_err(), "{changed}");
    }
    for end in 0..note.len() {
        let cut = String::from_utf8_lossy(&note.as_bytes()[..end]);
        assert!(verify(&cut, &[1]).is_err(), "{cut}");
    }
}

/// A text that a known key signed for another purpose is no checkpoint.
#[test]
fn other_signed_texts_are_not_checkpoints() {
    for text in ["hello\n", "a\n1\nb\nc\n", "", "doorcode\n+1\n"] {
        let note = note::sign(text, &origin(), &pair(1));
        assert_eq!(verify(&note, &[1]), Err(NoteFault::Malformed), "{text}");
    }
}

#[test]
fn damaged_notes_of_a_file_are_skipped() {
    let keys = [key(1)];
    let read = |file: &str| {
        let file = file.to_owned();
        let notes: Vec<_> = read_file(file.as_bytes(), &keys)
            .map(|note| note.map(|checkpoint| checkpoint.head.sequence))
            .collect();
        notes
    };
    let [one, two, other] = [signed(1, 1), signed(2, 1), signed(3, 2)];
    let malformed = || Err(NoteFault::Malformed);
    assert_eq!(read(""), []);
    assert_eq!(read("\n\n\n"), []);
    assert_eq!(read(&one), [Ok(1)]);
    assert_eq!(read(&format!("{one}\n{two}")), [Ok(1), Ok(2)]);
    assert_eq!(read(&format!("\n{one}\n\n\n{two}\n")), [Ok(1), Ok(2)]);
    let unknown = format!("{one}\n{other}\n{two}");
    assert_eq!(read(&unknown), [Ok(1), Err(NoteFault::Unknown), Ok(2)]);
    assert_eq!(read(&format!("rubbish\n\n{one}")), [malformed(), Ok(1)]);
    assert_eq!(read(&format!("rubbish\n\n\n{one}")), [malformed(), Ok(1)]);
    let torn = &one[..one.len() - 9];
    assert_eq!(
        read(&format!("{torn}\n\n{two}")),
        [Err(NoteFault::Forged), Ok(2)]
    );
    assert_eq!(read(torn), [Err(NoteFault::Forged)]);
    let long = format!("{}\n\n{two}", "x".repeat(200_000));
    assert_eq!(read(&long), [malformed(), Ok(2)]);
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(
        text in "(\n|— |[a-z1+ ]|\u{0}|doorcode/0123456789abcdef|AAAAAAAA){0,40}",
        bytes in any::<Vec<u8>>(),
    ) {
        prop_assert!(VerifierKey::parse(&text).is_none());
        prop_assert!(verify(&text, &[1]).is_err());
        for input in [text.as_bytes(), &bytes] {
            prop_assert!(Notes::new(input).count() <= input.len());
            prop_assert!(read_file(input, &[key(1)]).all(|note| note.is_err()));
        }
    }
}
