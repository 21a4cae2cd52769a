//! `doorcode deployment …`: the keys that belong to the database.

use super::{Outcome, Start, confirm, explain, load_config, open_with_any_keys, print};
use clap::Subcommand;
use doorcode::app::Request;
use doorcode::app::deployment;
use std::path::Path;

/// `doorcode deployment …`.
#[derive(Subcommand)]
pub enum DeploymentCommand {
    /// Accept a secret key or audit key that was replaced on purpose, while no server runs
    AcceptKeys {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// The consequences of replaced keys.
const CONSEQUENCES: &str = "A new secret key invalidates pending device codes, open forms and stored \
    answers to repeated requests, and resets the counts of wrong guesses. A new audit key signs the \
    log from now on: give its public key to everyone who verifies the log.";

/// Runs a command of `doorcode deployment`.
pub fn run(config: Option<&Path>, command: DeploymentCommand) -> Outcome {
    let config = load_config(config)?;
    let DeploymentCommand::AcceptKeys { yes } = command;
    if !yes && !confirm(CONSEQUENCES)? {
        return print("Nothing was changed.");
    }
    let changed = actix_web::rt::System::new().block_on(async {
        let app = open_with_any_keys(config, Start::Command).await?.app;
        let changed = deployment::accept_keys(&Request::local(&app, None)).await;
        app.stop().await;
        Ok::<_, Box<dyn std::error::Error>>(changed.map_err(|error| explain(&error))?)
    })?;
    match changed.as_slice() {
        [] => print("The keys are those of the database already."),
        changed => print(&format!(
            "The {} of this server now belongs to the database. Give it to all servers.",
            changed.join(" and the ")
        )),
    }
}
