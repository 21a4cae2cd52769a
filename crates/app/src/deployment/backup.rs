//! Backups of a deployment on SQLite, and their restoration.
//!
//! A backup is one file with the state of the database at one moment, made while servers run, and a
//! second one with the keys if the operator wants it. A restored log must agree with the checkpoints that
//! this server has signed: in an older one, tokens that were revoked since are active again.

use super::keys::{self, KeyFile};
use super::{Secrets, make_private_directory, require_keys, require_own_keys};
use crate::audit::{Evidence, seal, verify};
use crate::{App, Error, Request, SystemClock, SystemEntropy};
use config::{Config, DatabaseUrl};
use domain::audit::Action;
use domain::audit::discrepancy::{Discrepancy, Kind};
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;
use store::backup::{BackupSummary, StagedFile};

/// A look-up in the environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Result of a backup.
#[derive(Debug, Clone)]
pub struct BackedUp {
    /// What the file contains.
    pub summary: BackupSummary,
    /// The file with the keys, if the operator wanted one.
    pub keys: Option<PathBuf>,
}

fn outside(path: &Path) -> impl Fn(io::Error) -> Error {
    let path = path.display().to_string();
    move |error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::Outside(format!(
            "{path} exists already, and is not overwritten. Name another file, or move it away."
        )),
        _ => Error::Outside(format!("{path}: {error}")),
    }
}

fn text(error: impl std::fmt::Display) -> Error {
    Error::Outside(error.to_string())
}

/// Writes a backup to a file that does not exist, and with `env` the keys to another beside it.
pub async fn back_up(
    req: &Request,
    file: &Path,
    env: Option<Environment<'_>>,
) -> Result<BackedUp, Error> {
    req.caller.require_operator()?;
    let config = req.app.config();
    let staged = StagedFile::create(file).map_err(outside(file))?;
    let keys = match env {
        Some(env) => Some((keys::beside(file), KeyFile::of(config, env).map_err(text)?)),
        None => None,
    };
    if let Some((path, _)) = &keys
        && path.exists()
    {
        return Err(outside(path)(io::ErrorKind::AlreadyExists.into()));
    }
    let has_keys = keys.is_some();
    req.change(Action::DeploymentBackedUp, move |tx| {
        tx.record(None, json!({"keys": has_keys}))
    })
    .await?;
    seal::seal(&req.app).await?;
    let url = config.database.url.clone();
    let written = tokio::task::spawn_blocking(move || {
        let summary = store::backup::write(&url, &staged)?;
        Ok::<_, store::Error>((staged, summary))
    });
    let (staged, summary) = written.await.map_err(text)??;
    staged.put_in_place().map_err(outside(file))?;
    let keys = match keys {
        Some((path, keys)) => {
            keys.write(&path).map_err(text)?;
            Some(path)
        }
        None => None,
    };
    Ok(BackedUp { summary, keys })
}

/// A backup to restore.
pub struct Restoration<'a> {
    /// The file.
    pub file: &'a Path,
    /// Whether it may be older than the last checkpoint of this server.
    pub may_be_older: bool,
    /// The environment.
    pub env: Environment<'a>,
}

/// Result of a restoration.
#[derive(Debug, Clone)]
pub struct Restored {
    /// Records of the audit log.
    pub records: u64,
    /// What the log lacks, if it is older than the last checkpoint.
    pub lacks: Option<Discrepancy>,
    /// The files of keys that were created.
    pub keys: Vec<PathBuf>,
}

/// Restores a backup as the database of a configuration, which must not exist. It is checked completely
/// before it gets its place.
pub async fn restore(
    config: &Config,
    restoration: Restoration<'_>,
    progress: impl FnMut(u64, u64),
) -> Result<Restored, Error> {
    let DatabaseUrl::Sqlite(path) = &config.database.url else {
        return Err(text(
            "A backup is restored to SQLite; set [database] url so.",
        ));
    };
    make_private_directory(path).map_err(outside(path))?;
    let staged = StagedFile::create(path).map_err(outside(path))?;
    store::backup::read(restoration.file, &staged)?;
    let keys = KeyFile::read(&keys::beside(restoration.file)).map_err(text)?;
    keys.require_same(config, restoration.env).map_err(text)?;
    let env = keys.behind(config, restoration.env);
    let app = open(config, &staged, &env)?;
    let checked = check_log(&app, restoration.may_be_older, progress).await;
    app.stop().await;
    drop(app);
    let checked = checked?;
    store::backup::close(&staged.url())?;
    staged.put_in_place().map_err(outside(path))?;
    Ok(Restored {
        keys: keys.install(config, restoration.env).map_err(text)?,
        ..checked
    })
}

/// Opens a staged database as that of a configuration.
fn open(config: &Config, staged: &StagedFile, env: Environment<'_>) -> Result<App, Error> {
    let mut config = config.clone();
    config.database.url = staged.url();
    require_keys(&config, env).map_err(text)?;
    let secrets = Secrets::load(&config, &SystemEntropy, env).map_err(text)?;
    let store = Store::open(&config.database.url)?;
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    App::new(config, store, secrets, clock, entropy)
}

/// Checks the log, and records the restoration in it.
async fn check_log(
    app: &App,
    may_be_older: bool,
    progress: impl FnMut(u64, u64),
) -> Result<Restored, Error> {
    require_own_keys(app).await?;
    let verified = verify::verify(app, Evidence::default(), progress).await?;
    let records = verified.report.head.sequence;
    let lacks = match verified.report.first_discrepancy {
        Some(found) if found.kind == Kind::Cut && found.sequence == records + 1 => Some(found),
        Some(found) => {
            return Err(text(format!(
                "The backup was not restored: its audit log has a discrepancy at record {}. {}",
                found.sequence, found.says
            )));
        }
        None => None,
    };
    match &lacks {
        Some(found) if !may_be_older => Err(text(format!(
            "The backup is older than the last checkpoint of this server: {} Tokens that were \
             revoked since would be active again. Restore a newer one, or add --older and then run \
             `doorcode audit recover`.",
            found.says
        ))),
        Some(_) => Ok(()),
        None => {
            Request::local(app, None)
                .change(Action::DeploymentRestored, move |tx| {
                    tx.record(None, json!({"records": records}))
                })
                .await
        }
    }?;
    Ok(Restored {
        records,
        lacks,
        keys: Vec::new(),
    })
}
