//! `doorcode org …`: organizations.

use super::user::role;
use super::{Outcome, as_operator, print, user_of};
use clap::Subcommand;
use doorcode::app::{Request, org};
use doorcode::domain::role::Role;
use std::path::Path;

/// `doorcode org …`.
#[derive(Subcommand)]
pub enum Organization {
    /// Create an organization
    Add {
        /// Its name; its address is derived from the name
        #[arg(long)]
        name: String,
        /// The email address of its owner [default: none; add one with `org add-member`]
        #[arg(long, value_name = "EMAIL")]
        owner: Option<String>,
    },
    /// Add an existing user to an organization, or change the role of a member
    AddMember {
        /// The organization: its name, address or id
        #[arg(long)]
        org: String,
        /// The user's email address
        #[arg(long)]
        email: String,
        /// The role: member, admin or owner
        #[arg(long, value_parser = role)]
        role: Role,
    },
}

/// Runs `doorcode org …`.
pub fn run(config: Option<&Path>, command: Organization) -> Outcome {
    match command {
        Organization::Add { name, owner } => add(config, &name, owner),
        Organization::AddMember { org, email, role } => {
            let member = as_operator(config, async |req| {
                let user = user_of(req, "email", &email).await?;
                org::add_member(req, &org, &user.id, role).await
            })?;
            print(&format!(
                "{} has the role {} in {org}.",
                member.user.email,
                member.role.as_str()
            ))
        }
    }
}

fn add(config: Option<&Path>, name: &str, owner: Option<String>) -> Outcome {
    let organization = as_operator(config, async |req| {
        let owner = match owner {
            Some(email) => Some(user_of(req, "owner", &email).await?.id),
            None => None,
        };
        org::add(&Request::local(&req.app, owner), name).await
    })?;
    print(&format!(
        "{} is created. Its address is {}. ({})",
        organization.name, organization.slug, organization.id
    ))
}
