//! How far what is done with records lies behind: sealing, signing and handing out. Whoever
//! watches a server learns from it that one of these fails or hangs, which nobody else notices.

use super::publish;
use super::{sealing, shipping, sink};
use crate::{App, Error};
use chrono::Duration;
use config::Destination;
use domain::Instant;

/// What is done with a record, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It gets its place in the chain.
    Seal,
    /// A checkpoint signs where it stands.
    Sign,
    /// That checkpoint is where checkpoints go to.
    HandOut,
    /// The record is where records go to.
    Ship,
}

impl Step {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Sign => "sign",
            Self::HandOut => "hand_out",
            Self::Ship => "ship",
        }
    }
}

/// How far a step lies behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// How many records wait for it.
    pub records: u64,
    /// How old the oldest of them is.
    pub age: Duration,
}

/// How far each step lies behind that the settings ask for.
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
        all.push((Step::HandOut, between(app, handed_out, signed).await?));
    }
    if let Some(to) = &audit.ship_to {
        let shipped = sink::shipped(app, &shipping::sink_name(to)).await?;
        all.push((Step::Ship, between(app, shipped.sequence, sealed).await?));
    }
    Ok(all)
}

/// How far sealing lies behind.
pub async fn of_sealing(app: &App) -> Result<Lag, Error> {
    let (records, oldest) = app
        .store()
        .read(|conn| Ok::<_, Error>(store::audit::count_unsealed(conn)?))
        .await?;
    Ok(Lag::since(app, records, oldest))
}

/// How far a step lies behind that has come to one place and could be at another.
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
        // Clocks of servers differ a little.
        let age = oldest.map_or(Duration::zero(), |oldest| now - oldest);
        Self {
            records,
            age: age.max(Duration::zero()),
        }
    }
}
