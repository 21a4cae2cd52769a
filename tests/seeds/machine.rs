//! A user's machine, with the CLI of a system and nothing else.

use super::system::example;
use crate::support::machine::{CLIENT, Machine};

/// The CLI with the `branding.toml` of an example, whose `host` is replaced.
pub fn with_host(example_folder: &str, host: &str) -> Machine {
    let mut branding: toml::Table = example(example_folder, "branding.toml").parse().unwrap();
    branding.insert("host".to_owned(), host.into());
    Machine::new(CLIENT, &branding.to_string(), host)
}

/// The CLI with the `branding.toml` of an example as it is.
pub fn as_shipped(example_folder: &str) -> Machine {
    let text = example(example_folder, "branding.toml");
    let branding: toml::Table = text.parse().unwrap();
    Machine::new(CLIENT, &text, branding["host"].as_str().unwrap())
}
