//! The signed start of a pruned log.

use crate::App;
use domain::audit::chain::Head;
use domain::audit::discrepancy::{Discrepancy, Kind};
use domain::audit::note::VerifierKey;
use domain::audit::statement::{Claim, Statement};
use store::audit::{Log, Pruned};

/// Checks the start of a pruned log, which a known key must have signed.
pub(super) fn discrepancy(log: &Log, keys: &[VerifierKey]) -> Option<Discrepancy> {
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
pub(super) fn sign(app: &App, log: &Log, head: Head) -> Pruned {
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
