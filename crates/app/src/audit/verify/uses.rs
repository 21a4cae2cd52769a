//! Verifies stored token uses against their Merkle roots in the log.

use crate::audit::uses::leaves;
use crate::{App, Error};
use domain::audit::Action;
use domain::audit::chain::Head;
use domain::audit::discrepancy::{Discrepancy, Kind};
use domain::audit::merkle;
use domain::audit::note::VerifierKey;
use domain::audit::origin::Origin;
use domain::audit::record::Record;
use domain::audit::token_use::forgotten_before;
use domain::id::EventId;

/// Usage batches read per query.
const BATCHES: i64 = 100;

/// Verifies the stored uses while the log is read.
pub(super) struct UseCheck<'a> {
    /// The log.
    origin: &'a Origin,
    /// Keys trusted to sign that uses were pruned.
    keys: &'a [VerifierKey],
    /// Number of verified uses.
    pub(super) count: u64,
    /// Discrepancy of the first altered batch.
    altered: Option<Discrepancy>,
    /// Sequence number and id of the latest batch that is not stored. The id starts with its
    /// creation time.
    gone: Option<(u64, String)>,
}

impl<'a> UseCheck<'a> {
    pub(super) fn new(origin: &'a Origin, keys: &'a [VerifierKey]) -> Self {
        Self {
            origin,
            keys,
            count: 0,
            altered: None,
            gone: None,
        }
    }

    /// Checks the next record of the log.
    pub(super) async fn examine(&mut self, app: &App, record: &Record) -> Result<(), Error> {
        let text = |key: &str| record.detail.get(key).and_then(|value| value.as_str());
        if let Some(before) = forgotten_before(record, self.origin, self.keys) {
            // The record covers only batches before it. A clock that was once ahead is no excuse
            // for later ones.
            let before = EventId::new(before, Default::default()).to_string();
            self.gone = self.gone.take().filter(|(_, id)| *id >= before);
        }
        if record.action != Action::TokenUsesRecorded.as_str() || self.altered.is_some() {
            return Ok(());
        }
        let count = record.detail.get("count").and_then(|count| count.as_u64());
        if count == Some(0) {
            return Ok(());
        }
        let id = record.id.clone();
        let usage_batches = app
            .store()
            .read_long(move |conn| Ok::<_, Error>(store::audit::list_batch(conn, &id)?))
            .await?;
        if usage_batches.is_empty() {
            if self.gone.as_ref().is_none_or(|(_, id)| record.id >= *id) {
                self.gone = Some((record.sequence, record.id.clone()));
            }
            return Ok(());
        }
        // There may be thousands of leaves; do not block other tasks on this thread.
        let root =
            tokio::task::spawn_blocking(move || Some(merkle::root(&leaves(&usage_batches)?)));
        let root = root.await.unwrap_or_default();
        if root.map(|root| root.to_string()).as_deref() == text("root") {
            self.count += count.unwrap_or(0);
        } else {
            let says = format!(
                "The uses of tokens that record {} stands for are not those that are kept.",
                record.sequence
            );
            self.altered = Some(Discrepancy::new(record.sequence, Kind::Edited, says));
        }
        Ok(())
    }

    /// The discrepancy after the last record.
    pub(super) fn discrepancy(&self) -> Option<Discrepancy> {
        self.altered.clone().or_else(|| {
            self.gone.as_ref().map(|(sequence, _)| {
                let says = format!(
                    "The uses of tokens that record {sequence} stands for are gone, and the log \
                     has no signed word that they were forgotten."
                );
                Discrepancy::new(*sequence, Kind::Missing, says)
            })
        })
    }
}

/// Finds stored uses that no record of the log covers.
pub(super) async fn find_planted(app: &App, end: &Head) -> Result<Option<Discrepancy>, Error> {
    let mut after = String::new();
    loop {
        let from = after.clone();
        let (ids, recorded) = app
            .store()
            .read_long(move |conn| {
                let ids = store::audit::list_batches(conn, &from, BATCHES)?;
                let recorded = store::audit::list_recorded(conn, &ids)?;
                Ok::<_, Error>((ids, recorded))
            })
            .await?;
        let Some(last) = ids.last() else {
            return Ok(None);
        };
        for planted in ids.iter().filter(|id| !recorded.contains(id)) {
            if is_still_planted(app, planted.clone()).await? {
                let says =
                    format!("Uses of tokens are kept under {planted}, and no record names them.");
                return Ok(Some(Discrepancy::new(end.sequence, Kind::Inserted, says)));
            }
        }
        after.clone_from(last);
    }
}

/// Whether they are still stored without a record: pruning may have removed the batch since.
async fn is_still_planted(app: &App, id: String) -> Result<bool, Error> {
    app.store()
        .read(move |conn| {
            let is_recorded =
                !store::audit::list_recorded(conn, std::slice::from_ref(&id))?.is_empty();
            let is_kept = !store::audit::list_batch(conn, &id)?.is_empty();
            Ok::<_, Error>(is_kept && !is_recorded)
        })
        .await
}
