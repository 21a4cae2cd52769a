//! Verifies that the log has a record of the creation of each stored token.

use crate::{App, Error};
use chrono::Duration;
use domain::Instant;
use domain::audit::chain::Head;
use domain::audit::discrepancy::{Discrepancy, Kind};
use std::collections::BTreeSet;
use store::audit::Log;

/// Tokens read per query.
const TOKENS: i64 = 200;

/// How far the clocks of servers and the order of records may differ.
const SKEW: Duration = Duration::hours(1);

/// Finds a token that a database writer inserted: no record says that it was created. Revoked tokens
/// are not checked: a revocation is how the operator answers a discrepancy. Records before the start
/// of a pruned log are gone, so tokens that were created earlier are not checked either.
pub(super) async fn find_unrecorded(
    app: &App,
    log: &Log,
    end: &Head,
) -> Result<Option<Discrepancy>, Error> {
    let since = match log.pruned {
        Some(_) => super::first_record_at(app, log).await?,
        None => None,
    };
    let is_checked = |created_at: Instant| since.is_none_or(|since| created_at > since + SKEW);
    let mut after = String::new();
    loop {
        let from = after.clone();
        let (tokens, recorded) = app
            .store()
            .read(move |conn| {
                let tokens = store::audit::list_created_tokens(conn, &from, TOKENS)?;
                let ids: Vec<_> = tokens.iter().map(|(id, _)| id.clone()).collect();
                let recorded = store::audit::list_recorded_tokens(conn, &ids)?;
                Ok::<_, Error>((tokens, BTreeSet::from_iter(recorded)))
            })
            .await?;
        let Some((last, _)) = tokens.last() else {
            return Ok(None);
        };
        after.clone_from(last);
        let unrecorded = tokens
            .iter()
            .find(|(id, created_at)| is_checked(*created_at) && !recorded.contains(id));
        if let Some((id, _)) = unrecorded {
            let says = format!("The token {id} is stored, and no record says that it was created.");
            return Ok(Some(Discrepancy::new(end.sequence, Kind::Inserted, says)));
        }
        tokio::task::yield_now().await;
    }
}
