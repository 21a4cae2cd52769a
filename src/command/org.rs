//! `doorcode org …`: organizations.

use super::{Outcome, print, user_of, with_app};
use clap::Subcommand;
use doorcode::app::{Context, org};
use std::path::Path;

/// `doorcode org …`.
#[derive(Subcommand)]
pub enum Organization {
    /// Create an organization
    Add {
        /// Its name; its address is derived from the name
        #[arg(long)]
        name: String,
        /// The email address of its owner [default: none; add one with `user add --org`]
        #[arg(long, value_name = "EMAIL")]
        owner: Option<String>,
    },
}

/// Runs `doorcode org …`.
pub fn run(config: Option<&Path>, command: Organization) -> Outcome {
    let Organization::Add { name, owner } = command;
    let organization = with_app(config, async |app| {
        let owner = match owner {
            Some(email) => Some(user_of(app, "owner", &email).await?.id),
            None => None,
        };
        org::add(app, &Context::local(), owner, &name).await
    })?;
    print(&format!(
        "{} is created. Its address is {}. ({})",
        organization.name, organization.slug, organization.id
    ))
}
