//! `doorcode project …`: projects.

use super::{Outcome, print, user_of, with_app};
use clap::Subcommand;
use doorcode::app::{Context, project};
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
    let project = with_app(config, async |app| {
        let mut members = Vec::new();
        for email in &member {
            members.push(user_of(app, "member", email).await?);
        }
        project::add(app, &Context::local(), &org, &name, members).await
    })?;
    print(&format!("{} is created. ({})", project.name, project.id))
}
