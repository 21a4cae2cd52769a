//! `doorcode operator …`: the operator token.

use super::{Outcome, Start, explain, load_config, open, print};
use clap::Subcommand;
use doorcode::app::Context;
use doorcode::app::operator::{self, Rotation, RotationError};
use doorcode::domain::Instant;
use std::path::Path;
use std::time::Duration;

/// `doorcode operator …`.
#[derive(Subcommand)]
pub enum Operator {
    /// Replace the operator token; running servers accept the new one immediately
    Rotate {
        /// How long the old token stays valid, such as 90m or 24h; 0 ends it immediately
        #[arg(long, default_value = "24h", value_parser = doorcode::config::overlap)]
        overlap: Duration,
    },
}

/// Runs a command of `doorcode operator`.
pub fn run(config: Option<&Path>, command: Operator) -> Outcome {
    let Operator::Rotate { overlap } = command;
    let config = load_config(config)?;
    let rotated = actix_web::rt::System::new().block_on(async {
        let app = open(config, Start::Command).await?.app;
        let rotated = operator::rotate(&app, &Context::local(), overlap).await;
        app.stop().await;
        Ok::<_, Box<dyn std::error::Error>>(rotated.map_err(|error| match error {
            RotationError::Secrets(error) => error.to_string(),
            RotationError::Record(error) => explain(&error),
        })?)
    })?;
    print(&describe(&rotated))
}

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
