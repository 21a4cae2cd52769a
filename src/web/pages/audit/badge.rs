//! What is known about the state of the log.

use crate::web::failure::Failure;
use crate::web::pages::page_request::PageRequest;
use crate::web::pages::view::Moment;
use crate::web::pages::view::log_badge::{Checkpoint, LogBadge, LogState};
use app::audit::standing::standing;

/// Number of digits of a hash that are shown at its start, and at its end.
const DIGITS: usize = 6;

/// The last verification and the last checkpoint.
pub async fn badge(req: &PageRequest) -> Result<LogBadge, Failure> {
    let found = standing(&req.app).await?;
    let moment = |at| Moment::new(at, req.now());
    Ok(LogBadge {
        state: match found.verification {
            None => LogState::Unverified,
            Some(last) => match last.discrepancy {
                Some(sequence) => LogState::Contradicted(moment(last.at), sequence),
                None => LogState::Verified(moment(last.at), last.records),
            },
        },
        checkpoint: found.checkpoint.map(|last| {
            let hash = last.head.hash.to_string();
            let (start, end) = (&hash[..DIGITS], &hash[hash.len() - DIGITS..]);
            Checkpoint {
                at: moment(last.at),
                sequence: last.head.sequence,
                hash: format!("{start}…{end}"),
            }
        }),
    })
}
