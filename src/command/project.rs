//! `doorcode project …`: projects.

use super::{Outcome, as_operator, print, user_of};
use clap::Subcommand;
use doorcode::app::project;
use std::path::Path;

/// `doorcode project …`.
#[derive(Subcommand)]
pub enum Project {
    /// Create a project
    Add {
        /// The organization that it belongs to: its name, address or id
        #[arg(long)]
        org: String,
        /// Its name
        #[arg(long)]
        name: String,
        /// The email address of an organization member to add; can be repeated. Admins and
        /// owners have access to every project
        #[arg(long, value_name = "EMAIL")]
        member: Vec<String>,
    },
}

/// Runs `doorcode project …`.
pub fn run(config: Option<&Path>, command: Project) -> Outcome {
    let Project::Add { org, name, member } = command;
    let project = as_operator(config, async |req| {
        let mut members = Vec::new();
        for email in &member {
            members.push(user_of(req, "member", email).await?);
        }
        project::add(req, &org, &name, members).await
    })?;
    print(&format!("{} is created. ({})", project.name, project.id))
}
