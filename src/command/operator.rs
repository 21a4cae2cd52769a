//! `doorcode operator …`: the operator token.

use super::{Outcome, Start, explain, load_config, open, print, print_document};
use clap::Subcommand;
use doorcode::app::Context;
use doorcode::app::deployment::read_operator_token;
use doorcode::app::operator::{self, Rotation, RotationError};
use doorcode::config::Config;
use doorcode::domain::Instant;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// `doorcode operator …`.
#[derive(Subcommand)]
pub enum Operator {
    /// Print the operator token
    Show,
    /// Replace the operator token; running servers accept the new one immediately
    Rotate {
        /// How long the old token stays valid, such as 90m or 24h; 0 ends it immediately
        #[arg(long, default_value = "24h", value_parser = doorcode::config::overlap)]
        overlap: Duration,
    },
}

/// Runs a command of `doorcode operator`.
pub fn run(config: Option<&Path>, command: Operator) -> Outcome {
    let config = load_config(config)?;
    let overlap = match command {
        Operator::Show => return show(&config),
        Operator::Rotate { overlap } => overlap,
    };
    let rotated = actix_web::rt::System::new().block_on(async {
        let app = open(config, Start::Command).await?.app;
        let rotated = operator::rotate(&app, &Context::local(), overlap).await;
        app.stop().await;
        Ok::<_, Box<dyn std::error::Error>>(rotated.map_err(|error| match error {
            RotationError::Secrets(error) => error.to_string(),
            RotationError::Record(error) => explain(&error),
        })?)
    })?;
    print(&describe(&rotated))?;
    print(CHECKLIST)
}

/// Prints the token alone to standard output, so that a script can read it.
fn show(config: &Config) -> Outcome {
    let token = read_operator_token(config, |name| std::env::var(name).ok())?;
    print_document(token.expose())?;
    let hint = "Keep it in a secret manager, never in a repository. From other machines, use it \
                over a private network, a VPN or TLS. It passes every check; use a token of an \
                organization in build servers and scripts.";
    Ok(writeln!(std::io::stderr(), "{hint}")?)
}

/// What remains to do after a rotation.
const CHECKLIST: &str = "
What to do next:
  1. Give the new token to every client: services, proxies, scheduled jobs.
  2. Delete old copies from scripts, CI variables and logs, and chat history.
  3. Check with `doorcode audit uses` that no client uses the old token any more.
  4. If the old token may have leaked, end it now: rotate again with --overlap 0, and review its
     uses.";

fn describe(rotation: &Rotation) -> String {
    let file = rotation.token_file.display();
    let time = |at: Instant| at.format("%Y-%m-%d %H:%M:%S UTC");
    let mut text = format!(
        "The new operator token is in {file}. The owner of the file can print it: `cat {file}`.\n\
         Running servers accept it from now on."
    );
    text += &match rotation.previous_ends_at {
        Some(end) => format!("\nThe old token stays valid until {}.", time(end)),
        None => "\nThe old token has ended.".to_owned(),
    };
    if let Some(end) = rotation.cut_short {
        text += &format!(
            "\nThe token before it, valid until {}, has ended too.",
            time(end)
        );
    }
    text
}
