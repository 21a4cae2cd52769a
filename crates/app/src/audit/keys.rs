//! Keys that are trusted to sign checkpoints: those that this server has used, from its local
//! state.

use super::local_state::LocalState;
use super::sealing;
use crate::{App, Error};
use domain::audit::note::VerifierKey;
use store::audit::Log;

/// The current key.
pub(super) fn present_key(app: &App, log: &Log) -> VerifierKey {
    VerifierKey::of(&log.origin, app.signing_key())
}

/// The trusted keys, the current one last. Keys named in the log are not trusted: an attacker
/// with access to the database could add one.
pub(super) fn known_keys(local_state: &LocalState, present: &VerifierKey) -> Vec<VerifierKey> {
    let earlier = local_state.keys.iter().filter(|key| *key != present);
    earlier.chain([present]).cloned().collect()
}

/// Removes the last checkpoint from the local state, for a recovery by the operator.
pub(super) async fn forget_remembered(app: &App) -> Result<(), Error> {
    LocalState::change(app, |local_state| local_state.last = None).await?;
    Ok(())
}

/// Adds an earlier key to the local state.
pub(super) async fn remember(app: &App, key: VerifierKey) -> Result<(), Error> {
    LocalState::change(app, |local_state| {
        if !local_state.keys.contains(&key) {
            local_state.keys.insert(0, key);
        }
    })
    .await?;
    Ok(())
}

/// The keys that are trusted to sign checkpoints, the current one last.
pub async fn keys(app: &App) -> Result<Vec<VerifierKey>, Error> {
    Ok(remembered(app).await?.0)
}

/// Trusted keys, and the note of the last checkpoint that this server signed.
pub(super) async fn remembered(app: &App) -> Result<(Vec<VerifierKey>, Option<String>), Error> {
    let log = sealing::begin(app).await?;
    let local_state = LocalState::load(app).await?;
    let keys = known_keys(&local_state, &present_key(app, &log));
    Ok((keys, local_state.last))
}
