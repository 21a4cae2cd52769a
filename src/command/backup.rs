//! `doorcode backup` and `doorcode restore`.

use super::{
    Outcome, absolute, as_operator, explain, load_config, print, print_document, transfer,
};
use clap::Args;
use doorcode::app::deployment::backup::{self, BackedUp, Restoration, Restored};
use doorcode::config::DatabaseUrl;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Where to read how PostgreSQL is backed up.
const POSTGRES: &str = "This is for SQLite. Back PostgreSQL up with its own tools, such as `pg_dump`, \
    and keep the files of the keys with it.";

/// `doorcode backup`.
#[derive(Args)]
pub struct Backup {
    /// The file to write, which must not exist
    file: PathBuf,
    /// Also write the keys and the operator token, to FILE.keys; keep it apart from the backup
    #[arg(long)]
    with_keys: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// `doorcode restore`.
#[derive(Args)]
pub struct Restore {
    /// The backup. Keys that are missing here are taken from FILE.keys, if it exists
    file: PathBuf,
    /// Restore a backup that is older than the last checkpoint of this server. Tokens that were
    /// revoked since are active again until `doorcode audit recover`
    #[arg(long)]
    older: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Runs `doorcode backup`.
pub fn back_up(config: Option<&Path>, command: &Backup) -> Outcome {
    if let DatabaseUrl::Postgres(_) = load_config(config)?.database.url {
        return Err(POSTGRES.into());
    }
    let file = absolute(&command.file);
    let written = as_operator(config, async |req| {
        let env: Option<backup::Environment<'_>> = command.with_keys.then_some(&env);
        backup::back_up(req, &command.file, env).await
    })?;
    let BackedUp { summary, keys } = written;
    let keys = keys.map(|path| absolute(&path));
    if command.json {
        return print_document(&serde_json::to_string_pretty(&json!({
            "file": file,
            "bytes": summary.bytes,
            "records": summary.records,
            "keys": keys,
        }))?);
    }
    let rest = match keys {
        Some(path) => format!("The keys are in {path}: keep them apart from the backup."),
        None => "It has no keys: keep a copy of their files elsewhere, or add --with-keys.".into(),
    };
    print(&format!(
        "The backup is in {file} ({}, {} records of the audit log).\n{rest}\nRestore it with \
         `doorcode restore {}`.",
        HumanBytes(summary.bytes),
        HumanCount(summary.records),
        command.file.display()
    ))
}

/// Runs `doorcode restore`.
pub fn restore(config: Option<&Path>, command: &Restore) -> Outcome {
    let config = load_config(config)?;
    let DatabaseUrl::Sqlite(path) = &config.database.url else {
        return Err(POSTGRES.into());
    };
    let place = absolute(path);
    let taken = |suffix: &str| {
        let mut path = path.as_os_str().to_owned();
        path.push(suffix);
        Path::new(&path).symlink_metadata().is_ok()
    };
    if taken("") || taken("-wal") {
        return Err(format!(
            "There is a database at {place}, and nothing is overwritten. Stop the server and move the \
             database away, with {place}-wal and {place}-shm if they exist."
        )
        .into());
    }
    doorcode::app::deployment::make_private_directory(path)
        .map_err(|error| format!("{place}: {error}"))?;
    let _lock = transfer::exclusive(path)?;
    let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template(
        "{bar:32} {human_pos} of {human_len} records, {eta} left",
    )?);
    let restoration = Restoration {
        file: &command.file,
        may_be_older: command.older,
        env: &env,
    };
    let restored = actix_web::rt::System::new().block_on(backup::restore(
        &config,
        restoration,
        |done, all| {
            bar.set_length(all.max(done));
            bar.set_position(done);
        },
    ));
    bar.finish_and_clear();
    let Restored {
        records,
        lacks,
        keys,
    } = restored.map_err(|error| explain(&error))?;
    let keys: Vec<_> = keys.iter().map(|path| absolute(path)).collect();
    if command.json {
        return print_document(&serde_json::to_string_pretty(&json!({
            "database": place,
            "records": records,
            "older": lacks.is_some(),
            "keys": keys,
        }))?);
    }
    let mut text = format!(
        "Restored {place} with {} records of the audit log.",
        HumanCount(records)
    );
    if !keys.is_empty() {
        text += &format!("\nKeys restored: {}.", keys.join(", "));
    }
    text += &match lacks {
        Some(found) => format!(
            "\nIt is older than the last checkpoint: {} A server refuses all requests until \
             `doorcode audit recover --revoke all` (or `since`).",
            found.says
        ),
        None => "\nIt agrees with the checkpoints. Start the server.".to_owned(),
    };
    print(&text)
}
