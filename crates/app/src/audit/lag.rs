//! Lag of sealing, signing, publishing and shipping. It is exported for monitoring, since a step
//! that hangs reports no error.

use super::publish;
use super::{sealing, shipping, sink};
use crate::{App, Error};
use chrono::Duration;
use config::Destination;
use domain::Instant;

/// Step in the processing of a record, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The record is added to the chain.
    Seal,
    /// A checkpoint covers the record.
    Sign,
    /// That checkpoint is published.
    Publish,
    /// The record is shipped to the sink.
    Ship,
}

impl Step {
    /// Name of the step.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Sign => "sign",
            Self::Publish => "publish",
            Self::Ship => "ship",
        }
    }
}

/// Lag of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Number of waiting records.
    pub records: u64,
    /// Age of the oldest waiting record.
    pub age: Duration,
}

/// Returns the lag of each configured step.
pub async fn of_all(app: &App) -> Result<Vec<(Step, Lag)>, Error> {
    let audit = &app.config().audit;
    let log = sealing::begin(app).await?;
    let sealed = log.head.sequence;
    let (signed, in_file) = publish::reach(app).await?;
    let mut all = vec![
        (Step::Seal, of_sealing(app).await?),
        (Step::Sign, between(app, signed, sealed).await?),
    ];
    if let Some(to) = &audit.checkpoint_to {
        let handed_out = match to {
            Destination::File(_) => in_file,
            Destination::Url(_) => {
                let sink_name = publish::sink_name(app, &log, to);
                sink::shipped(app, &sink_name).await?.sequence
            }
        };
        all.push((Step::Publish, between(app, handed_out, signed).await?));
    }
    if let Some(to) = &audit.ship_to {
        let shipped = sink::shipped(app, &shipping::sink_name(to)).await?;
        all.push((Step::Ship, between(app, shipped.sequence, sealed).await?));
    }
    Ok(all)
}

/// Returns the lag of sealing.
pub async fn of_sealing(app: &App) -> Result<Lag, Error> {
    let (records, oldest) = app
        .store()
        .read(|conn| Ok::<_, Error>(store::audit::count_unsealed(conn)?))
        .await?;
    Ok(Lag::since(app, records, oldest))
}

/// Lag of a step that has processed records up to `is_at` and could have reached `could_be`.
async fn between(app: &App, is_at: u64, could_be: u64) -> Result<Lag, Error> {
    let records = could_be.saturating_sub(is_at);
    if records == 0 {
        return Ok(Lag::since(app, 0, None));
    }
    let oldest = app
        .store()
        .read(move |conn| Ok::<_, Error>(store::audit::find_moment_behind(conn, is_at)?))
        .await?;
    Ok(Lag::since(app, records, oldest))
}

impl Lag {
    fn since(app: &App, records: u64, oldest: Option<Instant>) -> Self {
        let now = app.now();
        // Server clocks differ slightly.
        let age = oldest.map_or(Duration::zero(), |oldest| now - oldest);
        Self {
            records,
            age: age.max(Duration::zero()),
        }
    }
}
