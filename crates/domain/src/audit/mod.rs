//! The audit log: its vocabulary, and the form in which it proves itself.
//!
//! What follows is the whole specification, so that an export can be verified by another
//! program; `tests/audit_verify.py` is one that was written from it.
//!
//! # Canonical form
//! Every document of the log is a JSON object in the form of RFC 8785 (JCS), of which only this
//! much is used: UTF-8; no white space; keys in ascending order; no key twice; texts with `"`,
//! `\` and the controls below U+0020 escaped (`\b \t \n \f \r`, else `\u00xx` with lower-case
//! digits) and nothing else; integers of at most 2^53 − 1 in size without sign `+`, leading
//! zeros, fraction or exponent. Keys are ASCII, so that every language sorts them alike. All
//! fields are there; `null` stands where there is nothing. A moment is
//! `YYYY-MM-DDTHH:MM:SS.mmmZ`, a hash 64 lower-case hexadecimal digits. Two texts never say the
//! same: a reader writes what it read again, and doubts the line when that differs.
//!
//! # Records and the chain
//! A record has the fields `user_id`, `action`, `actor_id`, `actor_kind`, `address`, `agent`,
//! `at`, `client_id`, `detail` (an object), `id`, `method` (`session`, `token`, `client`,
//! `operator_token`, `command`, `none`), `organization_id`, `outcome` (`done`, `refused`),
//! `request_id`, `sequence` (the first is 1, and none is left out), `target`, `token_id`.
//!
//! With `‖` for "followed by", and hashes written in hexadecimal:
//! ```text
//! hash(0) = SHA-256("doorcode audit genesis v1\n" ‖ origin)
//! hash(n) = SHA-256("doorcode audit record v1\n" ‖ canonical record n ‖ "\n" ‖ hash(n − 1))
//! ```
//! `origin` is the name of one log: 1 to 200 characters without white space, controls and `+`.
//!
//! # What tells of a person
//! These texts of a record can be erased while the hashes hold: `address`, `agent`, and in
//! `detail` the texts `device_name` and `token_name`. A record that has one of them has a `salt`
//! beside it, 32 hexadecimal digits, and the hash covers the record without the salt, with a
//! pseudonym in the place of each of these texts:
//! ```text
//! "sha256:" ‖ SHA-256("doorcode audit personal v1\n" ‖ salt ‖ "\n" ‖ text)
//! ```
//! Of an erased record the pseudonyms alone are left. It has no salt, like one that was sealed
//! before there were salts, and the hash covers it as it is. Further on in the log a record of the
//! action `audit.erased` names it: `records` in its detail lists sequences and ranges of them such
//! as `3-7`, in ascending order with a space between, and `note` is a signed note like that of a
//! checkpoint, of four lines: origin, the record's `target`, its `records`, and `erased`. What is
//! erased and nowhere named is doubtful, unless the lines end before they come to that. Whoever
//! knows the keys takes no other word for it.
//!
//! # Pruning
//! The first records of a log may be gone. It then begins behind a head that was signed as the
//! place up to which it was pruned: a signed note like a checkpoint, with a fifth line, `pruned`,
//! which lies in the database. An export of such a log begins behind that head.
//!
//! # Exports
//! Lines, each ended by a line feed and in canonical form. The first is a header. Of a whole
//! export it is `{"doorcode_audit":1,"from":N,"origin":…,"previous":HASH}`, with the hash before
//! record N; for N = 1 that is hash(0). Then comes record N, and so on: each the record with its
//! `hash`, and its `salt` if it has one, as further fields. No line tells where the log ends: that
//! the end of an export was cut off is shown by a checkpoint alone.
//!
//! A filtered export begins `{"doorcode_audit":1,"filtered":true,"origin":…}`. Its lines have a
//! second further field, `previous`: the hash before the record. Each line proves itself, and
//! sequences rise; that no line was left out cannot be told. Pseudonyms stand there also for what
//! the reader is not to know, which no record names.
//!
//! # Checkpoints
//! Whoever can write the log can compute all hashes anew. A checkpoint, signed with a key and
//! kept in a place that such a person does not have, shows it. It is a signed note
//! (<https://c2sp.org/signed-note>): origin, sequence in decimal, base64 of the hash of that
//! record, and the moment, a line each; an empty line; one or more signature lines
//! `— NAME BASE64`. The base64 is that of a key id of 4 bytes and an Ed25519 signature over the
//! four lines with their line feeds. A key is written `NAME+ID+BASE64`: the id in hexadecimal,
//! the base64 of 0x01 and the 32 bytes of the key. The id is the beginning of
//! SHA-256(NAME ‖ "\n" ‖ 0x01 ‖ key). NAME is the origin. Lines of unknown keys are passed over;
//! a line of a known key that does not fit spoils the note. A file of checkpoints holds notes
//! with an empty line between them, in any order; one may come twice, for each is sent at least once.
//!
//! # Uses of tokens
//! They are too many for a record each. A batch of them is a Merkle tree (RFC 6962, section
//! 2.1), whose root is in the detail of a record of the action `token.uses_recorded`: `root`,
//! `count` (the leaves), `first_at` and `last_at` (of these uses), and `lost` (uses that were only
//! counted). A proof of one use is the way from its leaf to the root. A leaf is the canonical form of one use: `address`,
//! `at`, `decision` (`allowed`, or the code of the refusal), `organization_id`, `request_id`,
//! `route`, `scope`, `token_id`.
//!
//! Old uses are forgotten, and their roots stay. A record of the action `token.uses_forgotten` has
//! in its detail a moment `before`, and a signed `note` of three lines: origin, that moment, and
//! `forgotten`. Forgotten is what a record stands for whose id was made before that moment: an id
//! is `evt_` and a UUIDv7 in hexadecimal digits, which begins with its time.

mod action;
pub mod canonical;
pub mod chain;
pub mod checkpoint;
pub mod csv;
mod diagnosis;
pub mod discrepancy;
pub mod erasure;
pub mod excerpt;
pub mod export;
pub mod hash;
mod lines;
pub mod logged_filter;
pub mod merkle;
pub mod note;
pub mod origin;
pub mod personal;
pub mod pruning;
pub mod record;
#[cfg(test)]
mod tests;
pub mod token_use;
mod trusted_checkpoints;
pub mod verifier;
mod words;

pub use action::{Action, Actor, By, MOST_NAMED};
