//! `doorcode user …`: users.

use super::{Outcome, as_operator, print};
use clap::Subcommand;
use doorcode::app::user::{self, CreateUser, Named};
use doorcode::domain::role::Role;
use doorcode::domain::secret::Secret;
use std::io::{BufRead, IsTerminal};
use std::path::Path;

/// `doorcode user …`.
#[derive(Subcommand)]
pub enum User {
    /// Create a user
    Add {
        /// The email address to sign in with
        #[arg(long)]
        email: String,
        /// The user's name
        #[arg(long)]
        name: String,
        /// The organization to join; it is created if it does not exist
        #[arg(long)]
        org: Option<String>,
        /// The role in the organization: member, admin or owner
        #[arg(long, default_value = "member", requires = "org", value_parser = role)]
        role: Role,
        /// Read the password from the first line of standard input instead of prompting for it
        #[arg(long)]
        password_stdin: bool,
    },
    /// Deactivate a user: all sessions and tokens end immediately
    Deactivate {
        /// The user's email address
        #[arg(long)]
        email: String,
    },
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "write member, admin or owner".to_owned())
}

/// Runs `doorcode user …`.
pub fn run(config: Option<&Path>, user: User) -> Outcome {
    match user {
        User::Add {
            email,
            name,
            org,
            role,
            password_stdin,
        } => {
            let new = CreateUser {
                email,
                name,
                password: read_password(password_stdin)?,
                organization: org.map(|org| (org, role)),
            };
            let user = as_operator(config, async |req| user::make(req, new).await)?;
            print(&format!("{} can sign in now. ({})", user.email, user.id))
        }
        User::Deactivate { email } => {
            let named = Named::Email(email.clone());
            let user = as_operator(config, async |req| user::deactivate(req, named).await);
            let user = user.map_err(|error| format!("{email}: {error}"))?;
            print(&format!(
                "{} is deactivated. All sessions and tokens have ended. ({})",
                user.email, user.id
            ))
        }
    }
}

fn read_password(from_stdin: bool) -> Outcome<Secret> {
    if from_stdin {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        let password = line.strip_suffix('\n').unwrap_or(&line);
        return Ok(Secret::new(password.strip_suffix('\r').unwrap_or(password)));
    }
    if !std::io::stdin().is_terminal() {
        return Err(
            "cannot prompt for the password without a terminal. Use --password-stdin.".into(),
        );
    }
    let terminal = console::Term::stderr();
    terminal.write_str("Password (at least 15 characters): ")?;
    Ok(Secret::new(terminal.read_secure_line()?))
}
