//! What the JSON of a command states.

use super::{Run, Subject, Verdict};
use serde_json::Value;

/// The verdicts on the last document; those before it are events.
pub fn verdicts(run: &Run<'_>, documents: &[Value]) -> Vec<(String, Option<Verdict>)> {
    let Some(document) = documents.last().filter(|last| last["event"].is_null()) else {
        return Vec::new();
    };
    let count = |name: &str| {
        let count = document[name].as_u64().unwrap();
        usize::try_from(count).unwrap()
    };
    let revoked = |name: &str| {
        document[name]
            .as_bool()
            .map(|revoked| run.replaced_are(!revoked))
    };
    let mut verdicts: Vec<(&str, Option<Verdict>)> = Vec::new();
    match run.witness.subject {
        Subject::Login => {
            let me = &document["me"];
            let about = run.about_new(|own| {
                own["token"]["id"] == me["token"]["id"] && own["scopes"] == me["scopes"]
            });
            verdicts.push(("me", Some(about)));
            let previous = revoked("previous_token_revoked");
            verdicts.extend(previous.map(|verdict| ("previous_token_revoked", Some(verdict))));
        }
        Subject::Logout => {
            let host = document["host"].as_str().unwrap();
            let verdict = revoked("revoked").unwrap_or_else(|| run.has_no_token_of_profile(host));
            verdicts.push(("revoked", Some(verdict)));
        }
        Subject::Revoke => verdicts.push(("revoked", Some(run.ended_are(count("revoked"))))),
        Subject::RevokeAll => {
            verdicts.push(("revoked", Some(run.ended_are(count("revoked")))));
            if document["own_token_revoked"] == true {
                verdicts.push(("own_token_revoked", Some(run.own_is_revoked())));
            }
        }
        Subject::Rotate => {
            let about = run.about_new(|me| me["token"]["id"] == document["id"]);
            verdicts.push(("token", Some(about)));
        }
    }
    let named = |(name, verdict): (&str, _)| (format!("{name} of {document}"), verdict);
    verdicts.into_iter().map(named).collect()
}
