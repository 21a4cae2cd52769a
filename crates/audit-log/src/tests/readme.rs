//! The example of README.md, which is copied from here.

use crate as audit_log;

use audit_log::chain::Head;
use audit_log::checkpoint::{self, Checkpoint};
use audit_log::export::{self, Header, Part};
use audit_log::note::VerifierKey;
use audit_log::origin::Origin;
use audit_log::record::Record;
use audit_log::salt::Salt;
use ring::signature::Ed25519KeyPair;

fn main() {
    let origin = Origin::parse("example.com/log").unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap(); // 32 secret bytes
    let at = chrono::DateTime::from_timestamp_millis(1_795_305_600_000).unwrap();
    let record = Record {
        target: Some("front door".to_owned()),
        address: Some("192.0.2.1".to_owned()),
        ..Record::new("event-1", at, "door.opened")
    };

    // Seal it. 16 random bytes allow its address to be erased later.
    let start = Head::genesis(&origin);
    let sealed = start.seal(record.salted(Salt::new([9; 16])));

    // Sign the end of the log, and store the note where a writer of the log cannot change it.
    let checkpoint = Checkpoint {
        origin: origin.clone(),
        head: sealed.head(),
        at,
    };
    let note = checkpoint.sign(&pair);

    // An export is a header, and a line for each record.
    let keys = [VerifierKey::of(&origin, &pair)];
    let part = Part::After(start);
    let header = Header { origin, part }.line();
    let file = format!("{header}\n{}\n", export::line(&sealed));

    let checkpoints = checkpoint::read_file(note.as_bytes(), &keys);
    let report = export::verify(file.as_bytes(), checkpoints, &keys).unwrap();
    assert_eq!(report.first_discrepancy, None);
    assert_eq!((report.records, report.checkpoints), (1, 1));
}

#[test]
fn the_example_runs() {
    main();
}

#[test]
fn the_readme_has_the_example() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```rust\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    assert!(include_str!("readme.rs").contains(example), "{example}");
}
