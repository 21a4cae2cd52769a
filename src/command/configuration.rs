//! `doorcode config …`: the configuration.

use super::{Outcome, load_config, print, print_document, warnings};
use clap::Subcommand;
use std::io::Write;
use std::path::Path;

/// `doorcode config …`.
#[derive(Subcommand)]
pub enum Configuration {
    /// Check the configuration and print the effective settings
    Check,
}

/// Runs `doorcode config …`.
pub fn run(config: Option<&Path>, configuration: Configuration) -> Outcome {
    let Configuration::Check = configuration;
    let config = load_config(config)?;
    print_document(config.describe().trim_end())?;
    print("\n# The configuration is valid.")?;
    for warning in warnings(&config) {
        writeln!(std::io::stderr(), "Warning: {warning}")?;
    }
    Ok(())
}
