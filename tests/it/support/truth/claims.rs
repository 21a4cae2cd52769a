//! The sentences that state something about tokens, and how each is checked.

use super::checks::{is_end, is_owner, is_private, number, words};
use super::sentences::parts;
use super::{Run, Verdict};

/// The check of a sentence with these parts.
type Check = fn(&Run<'_>, &[&str]) -> Verdict;

/// The forms of the sentences, with an asterisk for each part.
const CLAIMS: &[(&str, Check)] = &[
    // A sign-in.
    ("Signed in to * as *.", |run, parts| {
        run.about_stored(parts[0], |me| is_owner(me, parts[1]))
    }),
    ("Scopes:*", |run, parts| {
        run.about_new(|me| words(&me["scopes"]) == parts[0].trim())
    }),
    ("Not granted: *", |run, parts| {
        let refused: Vec<_> = parts[0].split(' ').collect();
        run.about_new(|me| {
            !words(&me["scopes"])
                .split(' ')
                .any(|own| refused.contains(&own))
        })
    }),
    ("Expires:*", |run, parts| {
        run.about_new(|me| is_end(&me["token"]["expires_at"], parts[0].trim()))
    }),
    ("Token:*(*)", |run, parts| {
        let hint = parts[1].split(", ").next().unwrap();
        run.about_new(|me| me["token"]["name"] == parts[0].trim() && me["token"]["hint"] == hint)
    }),
    (
        "Kept in:     the keyring of the kernel, until this machine restarts",
        |run, _| run.after.has_keyring().into(),
    ),
    ("Kept in:     *", |run, parts| {
        (run.has_new_in_file(parts[0]) == Some(true)).into()
    }),
    ("Also kept:   tokens for *", |run, parts| {
        let mut hosts = parts[0].split(", ");
        hosts
            .all(|host| !run.after.tokens_at(host).is_empty())
            .into()
    }),
    ("The previous token is revoked.", |run, _| {
        run.replaced_are(false)
    }),
    (
        "The previous token was given by hand, so it may be in use elsewhere.",
        |run, _| run.replaced_are(true),
    ),
    ("It stays valid.", |run, _| run.replaced_are(true)),
    // A sign-out.
    ("Signed out of *.", |run, parts| run.was_removed(parts[0])),
    (
        "The token is revoked and deleted from this machine.",
        |run, _| run.replaced_are(false),
    ),
    (
        "The token was already inactive, and is deleted from this machine.",
        |run, _| run.replaced_are(false),
    ),
    (
        "The token for * is deleted from this machine.",
        |run, parts| run.was_removed(parts[0]),
    ),
    (
        "The token was given by hand, so it may be in use elsewhere, and stays valid (expires: *).",
        |run, _| run.replaced_are(true),
    ),
    (
        "This is the operator token, which cannot be revoked here.",
        |run, _| run.replaced_are(true),
    ),
    (
        "The token stays valid on the server until it expires or is revoked there.",
        |run, _| run.replaced_are(true),
    ),
    // What the user has to know before.
    (
        "The environment variable * is set and overrides the token of this sign-in.",
        |run, parts| run.witness.has_variable(parts[0]).into(),
    ),
    (
        "The token comes from the environment variable *.",
        |run, parts| run.witness.has_variable(parts[0]).into(),
    ),
    (
        "The revocation also ends what was created with the token: *.",
        |run, parts| run.listed_are(number(parts[0])),
    ),
    ("Other users of this machine could read *.", |_, parts| {
        is_private(parts[0]).into()
    }),
    // What was not done.
    ("The token is empty.", |run, _| run.is_unchanged()),
    ("^CCancelled.", |run, _| run.is_unchanged()),
    ("The file was not changed.", |run, _| run.is_unchanged()),
    ("The sign-in was denied in the browser.", |run, _| {
        run.is_unchanged()
    }),
    (
        "The sign-in was approved, but the response with the token was lost.",
        |run, _| run.is_unchanged(),
    ),
    (
        "The tokens in * are for * and are not sent to other servers.",
        |run, parts| {
            let mut hosts = parts[1].split(", ");
            hosts
                .all(|host| !run.after.tokens_at(host).is_empty())
                .into()
        },
    ),
    (
        "`*` deletes it here only; on the server it stays valid until it is revoked there.",
        |run, _| run.is_unchanged(),
    ),
    (
        "* is not the default *, since the token cannot read it: *",
        |run, parts| run.cannot_read(parts[0]),
    ),
    // Only a server that stands in for a real one refuses a revocation.
    ("A token was issued but could not be revoked.", |run, _| {
        run.is_at_stand_in()
    }),
    ("The sign-in was denied.", |run, _| run.is_unchanged()),
    ("The code expired before it was approved.", |run, _| {
        run.is_unchanged()
    }),
    ("The operator token is not stored: *", |run, _| {
        run.is_unchanged()
    }),
    ("Cancelled.", |run, _| run.is_unchanged()),
    ("Nothing was saved.", |run, _| run.is_unchanged()),
    ("Nothing was changed.", |run, _| run.nothing_ended()),
    ("The token is kept, so you can try again.", |run, _| {
        run.is_unchanged()
    }),
    (
        "* refused the token: it is expired, revoked or mistyped.",
        |run, parts| run.refused_are_inactive(parts[0]),
    ),
    ("You are not signed in to *.", |run, parts| {
        run.has_no_token_of_profile(parts[0])
    }),
    (
        "You are not signed in to *, so there is nothing to renew.",
        |run, parts| run.has_no_token_of_profile(parts[0]),
    ),
    // Revocations and rotations.
    ("* (*, *) is the token of your sign-in.", |run, parts| {
        run.is_own(parts[2])
    }),
    (
        "There is no active token with the name or ID *.",
        |run, parts| run.named_are(parts[0], 0),
    ),
    ("* active tokens have the name *.", |run, parts| {
        run.named_are(parts[1], number(parts[0]))
    }),
    ("* (*, *) is revoked.", |run, parts| {
        run.state_of(parts[2], "revoked")
    }),
    ("* (*, *) was already *.", |run, parts| {
        run.state_of(parts[2], parts[3])
    }),
    (
        "Tokens created with it that are revoked too: *.",
        |run, parts| run.ended_are(number(parts[0]) + 1),
    ),
    ("Invitations: *.", |run, parts| {
        run.withdrawn_are(number(parts[0]))
    }),
    ("Withdrawn invitations: *.", |run, parts| {
        run.withdrawn_are(number(parts[0]))
    }),
    ("Revoked tokens *: *.", |run, parts| {
        run.ended_are(number(parts[1]))
    }),
    ("The token of this command is revoked too.", |run, _| {
        run.own_is_revoked()
    }),
    ("The old token is inactive.", |run, _| run.ended_are(1)),
    ("The old token expires: *.", |run, parts| {
        run.any_ends_at(parts[0])
    }),
    (
        "* active token* will be revoked, with everything that was created with *.",
        |run, parts| run.live_are(number(parts[0])),
    ),
    // A line of a list.
    ("* (*…*)", |run, parts| run.is_live_before(parts)),
];

/// The verdict on a sentence. `None` if it has no check.
pub fn check(run: &Run<'_>, sentence: &str) -> Option<Verdict> {
    CLAIMS
        .iter()
        .find_map(|(form, check)| Some((check, parts(form, sentence)?)))
        .map(|(check, parts)| check(run, &parts))
}
