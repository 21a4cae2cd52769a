//! `doorcode org …`: organizations.

use super::{Outcome, as_operator, print, user_of};
use clap::Subcommand;
use doorcode::app::{Request, org};
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
    let organization = as_operator(config, async |req| {
        let owner = match owner {
            Some(email) => Some(user_of(req, "owner", &email).await?.id),
            None => None,
        };
        org::add(&Request::local(&req.app, owner), &name).await
    })?;
    print(&format!(
        "{} is created. Its address is {}. ({})",
        organization.name, organization.slug, organization.id
    ))
}
