//! `doorcode move`: a deployment with another database.

use super::{
    Outcome, Start, absolute, explain, is_database, load_config, make_database, missing, open,
    print, print_document,
};
use clap::Args;
use doorcode::app::Request;
use doorcode::app::deployment::transfer;
use doorcode::config::{Config, DatabaseUrl};
use doorcode::store::transfer::{Progress, TableSum, copy};
use doorcode::store::{LockRefusal, Store, Turns};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::Path;

/// `doorcode move`.
#[derive(Args)]
pub struct Move {
    /// The URL of the new database, which must be empty, such as postgres://user@localhost/tokens
    #[arg(long, value_name = "URL")]
    to: String,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `doorcode move`.
pub fn run(config: Option<&Path>, command: &Move) -> Outcome {
    let mut config = load_config(config)?;
    let to = DatabaseUrl::parse(&command.to).map_err(|why| format!("--to: {why}"))?;
    let from = config.database.url.clone();
    if from == to {
        return Err("--to: names the present database; name a new one".into());
    }
    let (tables, seconds) = {
        let _locks = [lock_source(&config)?, lock_target(&to)?];
        let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template(
            "{bar:32} {human_pos} of {human_len} rows, {msg}, {eta} left",
        )?);
        let tables = copy(&from, &to, &mut |Progress { table, done, all }| {
            bar.set_length(all);
            bar.set_position(done);
            bar.set_message(table.to_owned());
        });
        bar.finish_and_clear();
        // Texts of the driver can have several lines.
        let tables = tables.map_err(|error| error.to_string().trim().replace('\n', " "))?;
        (tables, bar.elapsed().as_secs())
    };
    config.database.url = to.clone();
    let records = actix_web::rt::System::new().block_on(async {
        let app = open(config, Start::Command).await?.app;
        let req = Request::local(&app, None);
        let verified = transfer::finish(&req, from.kind(), &tables, |_, _| ()).await;
        app.stop().await;
        let report = verified.map_err(|error| explain(&error))?.report;
        match report.first_discrepancy {
            None => Ok::<_, Box<dyn std::error::Error>>(report.head.sequence),
            Some(found) => Err(format!(
                "The copy at {to} is complete, but its audit log has a discrepancy at record {}, as \
                 that of the original: {}",
                found.sequence, found.says
            )
            .into()),
        }
    })?;
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    if command.json {
        let tables: Vec<_> = tables.iter().map(describe).collect();
        return print_document(&serde_json::to_string_pretty(&json!({
            "from": from.to_string(),
            "to": to.to_string(),
            "rows": rows,
            "records": records,
            "seconds": seconds,
            "tables": tables,
        }))?);
    }
    print(&format!(
        "Moved {} rows of {} tables in {seconds} s. Number and hash of the rows of each table are \
         the same, and the audit log is valid with {} records.\nSet [database] url to {to}, then \
         start the server. The keys stay where they are. Keep {from} until the server runs, and never \
         start a server on it again.",
        HumanCount(rows),
        tables.len(),
        HumanCount(records)
    ))
}

fn describe(sum: &TableSum) -> serde_json::Value {
    json!({"table": sum.table, "rows": sum.rows, "hash": sum.hash})
}

/// Keeps servers and commands from the present database.
fn lock_source(config: &Config) -> Outcome<Turns> {
    match &config.database.url {
        DatabaseUrl::Sqlite(path) if !is_database(path) => Err(missing(config).into()),
        DatabaseUrl::Sqlite(path) => exclusive(path),
        url @ DatabaseUrl::Postgres(_) => {
            let store = Store::open(url)?;
            let stopped = actix_web::rt::System::new().block_on(transfer::require_stopped(&store));
            store.stop();
            stopped.map_err(|error| explain(&error))?;
            Ok(Turns::alone())
        }
    }
}

fn lock_target(to: &DatabaseUrl) -> Outcome<Turns> {
    match to {
        DatabaseUrl::Sqlite(path) => {
            make_database(path)?;
            exclusive(path)
        }
        DatabaseUrl::Postgres(_) => Ok(Turns::alone()),
    }
}

/// Takes the lock of a database that no other process may use meanwhile.
pub fn exclusive(path: &Path) -> Outcome<Turns> {
    Turns::exclusive(path).map_err(|refusal| {
        let place = absolute(path);
        let refused = match refusal {
            LockRefusal::Server(id) => {
                format!("A server (process {id}) uses {place}. Stop it first.")
            }
            LockRefusal::Command => {
                format!("A command uses {place}. Try again when it has ended.")
            }
            LockRefusal::File(path, error) => format!("{}: {error}", absolute(&path)),
        };
        refused.into()
    })
}
