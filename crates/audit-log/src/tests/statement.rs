//! Statements: each has one text, and only the key of its own log can sign it.

use super::super::hash::Hash;
use super::super::note::{self, VerifierKey};
use super::super::statement::{Claim, Statement};
use super::*;
use proptest::prelude::*;

fn statement(claim: Claim) -> Statement {
    let origin = origin();
    Statement { origin, claim }
}

fn head() -> Head {
    Head {
        sequence: 10,
        hash: Hash::from_bytes([0; 32]),
    }
}

/// One statement of each kind, and its lines after the origin.
fn samples() -> [(Claim, String); 4] {
    let (head, at) = (head(), moment(0));
    let lines = format!("10\n{}=\n2026-11-22T00:00:00.123Z\n", "A".repeat(43));
    let erased = Claim::Erased {
        user: "usr_1".to_owned(),
        records: "1-3 7".to_owned(),
    };
    [
        (
            Claim::Checkpoint { head, at },
            format!("{lines}checkpoint\n"),
        ),
        (Claim::Pruned { head, at }, format!("{lines}pruned\n")),
        (
            Claim::Forgotten { before: at },
            "2026-11-22T00:00:00.123Z\nforgotten\n".to_owned(),
        ),
        (erased, "usr_1\n1-3 7\nerased\n".to_owned()),
    ]
}

#[test]
fn each_kind_has_one_text() {
    for (claim, lines) in samples() {
        let text = format!("doorcode/0123456789abcdef\n{lines}");
        let statement = statement(claim);
        assert_eq!(statement.text(), text);
        assert_eq!(Statement::parse(&text), Some(statement));
        for (from, to) in [
            ("doorcode", "door code"),
            ("\n10\n", "\n010\n"),
            ("\n10\n", "\n+10\n"),
            ("AAA=", "AAB="),
            ("AAA=", "AAA"),
            ("00.123Z", "00.1230Z"),
            ("00.123Z", "00.123+00:00"),
            ("usr_1\n", ""),
            ("usr_1\n", "usr_1\n\n"),
            ("ed\n", "ed"),
            ("ed\n", "ed\n\n"),
            ("ed\n", "ed \n"),
            ("checkpoint", "Checkpoint"),
            ("pruned", "erased"),
            ("forgotten", "checkpoint"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert!(
                changed == text || Statement::parse(&changed).is_none(),
                "{changed}"
            );
        }
        for end in 0..text.len() {
            assert_eq!(Statement::parse(&text[..end]), None, "{end}");
        }
    }
}

#[test]
fn a_statement_of_one_kind_is_none_of_another() {
    let keys = [VerifierKey::of(&origin(), &pair(1))];
    for (claim, _) in samples() {
        let is_checkpoint = matches!(claim, Claim::Checkpoint { .. });
        let statement = statement(claim);
        let note = statement.sign(&pair(1));
        assert_eq!(Statement::verify(&note, &keys), Ok(statement));
        let expected = match is_checkpoint {
            true => Ok(Checkpoint {
                at: moment(0),
                ..checkpoint(head())
            }),
            false => Err(NoteFault::Malformed),
        };
        assert_eq!(Checkpoint::verify(&note, &keys), expected);
        // Another kind needs another signature.
        for (_, lines) in samples() {
            let (_, signature) = note.rsplit_once("\n\n").unwrap();
            let other = format!("{}\n{lines}\n{signature}", origin());
            let forged = Err(NoteFault::Forged);
            assert!(
                other == note || Statement::verify(&other, &keys) == forged,
                "{other}"
            );
        }
    }
}

/// The owner of another log is trusted to sign that, and not this one.
#[test]
fn only_a_key_named_after_the_log_can_sign_a_statement() {
    let elsewhere = Origin::parse("elsewhere").unwrap();
    let others = VerifierKey::of(&elsewhere, &pair(2));
    let both = [VerifierKey::of(&origin(), &pair(1)), others];
    for (claim, _) in samples() {
        let statement = statement(claim);
        let verify = |note: &str| Statement::verify(note, &both);
        let own = statement.sign(&pair(1));
        let foreign = note::sign(&statement.text(), &elsewhere, &pair(2));
        assert_eq!(verify(&foreign), Err(NoteFault::Unknown));
        // As a second signature it does no harm.
        let (_, signature) = foreign.rsplit_once("\n\n").unwrap();
        assert_eq!(verify(&format!("{own}{signature}")), Ok(statement.clone()));
        let of_elsewhere = Statement {
            origin: elsewhere.clone(),
            ..statement
        };
        assert_eq!(
            verify(&of_elsewhere.sign(&pair(2))),
            Ok(of_elsewhere.clone())
        );
        assert_eq!(
            verify(&of_elsewhere.sign(&pair(1))),
            Err(NoteFault::Unknown)
        );
    }
}

fn claims() -> impl Strategy<Value = Claim> {
    let at = (0_i64..253_402_300_800_000)
        .prop_map(|millis| Instant::from_timestamp_millis(millis).unwrap());
    let head = any::<(u64, [u8; 32])>().prop_map(|(sequence, hash)| Head {
        sequence,
        hash: Hash::from_bytes(hash),
    });
    prop_oneof![
        (head.clone(), at.clone()).prop_map(|(head, at)| Claim::Checkpoint { head, at }),
        (head, at.clone()).prop_map(|(head, at)| Claim::Pruned { head, at }),
        at.prop_map(|before| Claim::Forgotten { before }),
        ("[^\n]*", "[0-9 -]*").prop_map(|(user, records)| Claim::Erased { user, records }),
    ]
}

proptest! {
    #[test]
    fn any_statement_reads_back(claim in claims()) {
        let statement = statement(claim);
        let text = statement.text();
        prop_assert_eq!(Statement::parse(&text), Some(statement.clone()));
        if !text.contains(|c: char| c < ' ' && c != '\n') {
            let keys = [VerifierKey::of(&origin(), &pair(1))];
            prop_assert_eq!(Statement::verify(&statement.sign(&pair(1)), &keys), Ok(statement));
        }
    }

    /// A line feed in a text cannot turn a statement into another.
    #[test]
    fn any_texts_of_an_erasure_read_back_or_are_rejected(user: String, records in "(\n|[0-9a-z -])*") {
        let statement = statement(Claim::Erased { user, records });
        let read = Statement::parse(&statement.text());
        prop_assert!(read.is_none_or(|read| read == statement));
    }

    #[test]
    fn no_two_texts_are_one_statement(
        text in "(doorcode|\n|\\+|0|1|A{43}=|2026-11-22T00:00:00.123Z|[a-z]|checkpoint\n|pruned\n|forgotten\n|erased\n){0,9}",
    ) {
        let read = Statement::parse(&text);
        prop_assert!(read.is_none_or(|read| read.text() == text));
    }
}
