//! `doorcode user …`: accounts.

use super::{Outcome, print, with_app};
use clap::Subcommand;
use doorcode::app::Context;
use doorcode::app::caller::Caller;
use doorcode::app::idempotency::IdempotencyRecord;
use doorcode::app::user::{self, CreateUser, Named};
use doorcode::domain::org::Role;
use doorcode::domain::secret::Secret;
use std::io::{BufRead, IsTerminal};
use std::path::Path;

/// `doorcode user …`.
#[derive(Subcommand)]
pub enum User {
    /// Make an account
    Add {
        /// The address to sign in with
        #[arg(long)]
        email: String,
        /// The person's name
        #[arg(long)]
        name: String,
        /// The organization to join; it is made if it is not there
        #[arg(long)]
        org: Option<String>,
        /// The role in the organization: member, admin or owner
        #[arg(long, default_value = "member", requires = "org", value_parser = role)]
        role: Role,
        /// Read the password from the first line of standard input, instead of asking for it
        #[arg(long)]
        password_stdin: bool,
    },
    /// Switch an account off: its sessions and tokens end at once
    Deactivate {
        /// The address of the account
        #[arg(long)]
        email: String,
    },
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "write member, admin or owner".to_owned())
}

/// `doorcode user …`.
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
            let user = with_app(config, async |app| {
                user::add(app, &Context::local(), new).await
            })?;
            print(&format!("{} can sign in now. ({})", user.email, user.id))
        }
        User::Deactivate { email } => {
            let user = with_app(config, async |app| {
                let named = Named::Email(email.clone());
                let operator = Caller::Operator(None);
                user::deactivate(
                    app,
                    &Context::local(),
                    &operator,
                    named,
                    IdempotencyRecord::none(),
                )
                .await
            });
            let user = user.map_err(|error| format!("{email}: {error}"))?;
            print(&format!(
                "{} is deactivated. Its sessions and tokens have ended. ({})",
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
        return Err("there is no terminal to ask for the password: use --password-stdin".into());
    }
    let terminal = console::Term::stderr();
    terminal.write_str("Password (at least 15 characters): ")?;
    Ok(Secret::new(terminal.read_secure_line()?))
}
