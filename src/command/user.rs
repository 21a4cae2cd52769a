//! `doorcode user …`: users.

use super::{Outcome, as_called, as_operator, list_all, print};
use clap::Subcommand;
use doorcode::app::user::{self, CreateUser, CreatedUser, Named, UpdateUser};
use doorcode::app::{self, Request};
use doorcode::domain::id::UserId;
use doorcode::domain::org::Organization;
use doorcode::domain::role::Role;
use doorcode::domain::secret::Secret;
use doorcode::domain::user::{Standing, User as DomainUser};
use doorcode::web;
use doorcode_client::terminal;
use std::io::{BufRead, ErrorKind, IsTerminal, Write as _};
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
        /// The organization to join, by name. If it does not exist, it is created for an owner. One
        /// that a user created needs its ID
        #[arg(long)]
        org: Option<String>,
        /// The role in the organization: member, admin or owner [default: member, or owner of an
        /// organization that does not exist yet]
        #[arg(long, requires = "org", value_parser = role)]
        role: Option<Role>,
        /// Read the password from the first line of standard input instead of prompting for it
        #[arg(long)]
        password_stdin: bool,
    },
    /// List all users
    List,
    /// Show a user
    Show {
        /// The user's email address
        #[arg(long)]
        email: String,
    },
    /// Change a user's name, email address or access to the operator console
    #[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
    Update {
        /// The user's current email address or ID
        user: String,
        /// The new email address to sign in with
        #[arg(long, group = "change")]
        email: Option<String>,
        /// The new name
        #[arg(long, group = "change")]
        name: Option<String>,
        /// The email address is verified: the user receives mail at it. Without this, a new
        /// address is unverified. You vouch for the user as it is: sessions and tokens stay
        #[arg(long, group = "change")]
        email_verified: bool,
        /// The user may open the operator console at /admin, and must sign in again. Needs a
        /// verified email address
        #[arg(long, group = "change", conflicts_with = "no_operator")]
        operator: bool,
        /// The user may no longer open the operator console, from the next request on
        #[arg(long, group = "change")]
        no_operator: bool,
    },
    /// Deactivate a user: all sessions and tokens end immediately
    Deactivate {
        /// The user's email address
        #[arg(long)]
        email: String,
    },
    /// Reactivate a user; ended sessions and tokens stay ended
    Reactivate {
        /// The user's email address
        #[arg(long)]
        email: String,
    },
    /// Print a one-time link with which a user sets a new password
    ResetPassword {
        /// The user's email address
        #[arg(long)]
        email: String,
        /// Instead, set the password from the first line of standard input; the user must change
        /// it at the next sign-in
        #[arg(long)]
        password_stdin: bool,
    },
    /// Remove all second factors and recovery codes of a user who has lost them
    ResetFactors {
        /// The user's email address
        #[arg(long)]
        email: String,
    },
    /// Erase a user's own data, in the database and in the audit log; the user is deactivated and
    /// leaves all organizations
    Erase {
        /// The user's email address or ID
        #[arg(long)]
        email: String,
    },
}

pub(super) fn role(text: &str) -> Result<Role, String> {
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
            let CreatedUser { user, organization } =
                as_operator(config, async |req| user::make(req, new).await)?;
            if let Some(Organization { name, slug, id, .. }) = organization {
                print(&format!(
                    "Made the organization {name}. Its address is {slug}. ({id})"
                ))?;
            }
            print(&format!("{} can sign in now. ({})", user.email, user.id))
        }
        User::List => list(config),
        User::Show { email } => {
            let user = on(config, email, async |req, named| {
                user::find(req, named).await
            })?;
            print(&describe(&user))
        }
        User::Update {
            user,
            email,
            name,
            email_verified,
            operator,
            no_operator,
        } => {
            let input = UpdateUser {
                name,
                email,
                email_verified: email_verified.then_some(true),
                is_operator: (operator || no_operator).then_some(operator),
            };
            let user = on(config, user, async |req, named| {
                user::update(req, named, input).await
            })?;
            print(&describe(&user))
        }
        User::Deactivate { email } => {
            let user = on(config, email, async |req, named| {
                user::deactivate(req, named).await
            })?;
            print(&format!(
                "{} is deactivated. All sessions and tokens have ended. ({})",
                user.email, user.id
            ))
        }
        User::Reactivate { email } => {
            let user = on(config, email, async |req, named| {
                user::reactivate(req, named).await
            })?;
            print(&format!(
                "{} can sign in again. Ended sessions and tokens stay ended. ({})",
                user.email, user.id
            ))
        }
        User::ResetPassword {
            email,
            password_stdin: false,
        } => {
            let text = on(config, email, async |req, named| {
                let new = user::create_reset(req, named).await?;
                let end = new.expires_at.format("%Y-%m-%d %H:%M UTC");
                let (url, email) = (web::reset_url(&req.app, &new), &new.email);
                Ok(format!(
                    "{email} can set a new password with this link. It works once, until {end}.\n\n{url}"
                ))
            })?;
            print(&text)
        }
        User::ResetPassword {
            email,
            password_stdin: true,
        } => {
            let new = read_password(true)?;
            let user = on(config, email, async |req, named| {
                user::set_temporary_password(req, named, &new).await
            })?;
            print(&format!(
                "{} can sign in with this password, and must change it then. All sessions have ended. ({})",
                user.email, user.id
            ))
        }
        User::ResetFactors { email } => {
            let user = on(config, email, async |req, named| {
                user::reset_factors(req, named).await
            })?;
            print(&format!(
                "{} signs in without a second factor now, and can add new ones. ({})",
                user.email, user.id
            ))
        }
        User::Erase { email } => {
            let shown = email.clone();
            let user::Erased {
                id,
                records,
                is_wiped,
            } = on(config, email, async |req, named| {
                user::erase(req, named).await
            })?;
            if !is_wiped {
                let warning = format!(
                    "Warning: The database is in use, so SQLite keeps the erased data in its log of \
                     writes. To remove it, run `doorcode user erase --email {id}`."
                );
                writeln!(std::io::stderr(), "{}", as_called(&warning))?;
            }
            print(&format!(
                "The data of {shown} is erased, also in {records} records of the audit log. \
                 Remove it from exports, shipped records and backups yourself."
            ))
        }
    }
}

/// Runs a use case on the user with this email address or id.
pub(super) fn on<T>(
    config: Option<&Path>,
    user: String,
    work: impl AsyncFnOnce(&Request, Named) -> Result<T, app::Error>,
) -> Outcome<T> {
    let named = match UserId::parse(&user) {
        Some(id) => Named::Id(id),
        None => Named::Email(user.clone()),
    };
    as_operator(config, async |req| {
        work(req, named).await.map_err(|error| match error {
            app::Error::NotFound => app::Error::Outside(format!(
                "There is no user {user}. `doorcode user list` lists them."
            )),
            error => error,
        })
    })
}

/// `doorcode user list`.
fn list(config: Option<&Path>) -> Outcome {
    let users = as_operator(config, async |req| {
        let position = |user: &DomainUser| (user.created_at, user.id.to_string());
        list_all(async |page| user::list(req, page).await, position).await
    })?;
    let lines = users.iter().map(|user| {
        format!(
            "{}  {}  {}  {}  {}",
            user.id,
            standing(user),
            verified(user),
            user.email,
            user.name
        )
    });
    match users.is_empty() {
        true => print("There are no users."),
        false => print(&lines.collect::<Vec<_>>().join("\n")),
    }
}

fn standing(user: &DomainUser) -> &'static str {
    match user.standing {
        Standing::Active => "active",
        Standing::Deactivated => "deactivated",
    }
}

fn verified(user: &DomainUser) -> &'static str {
    match user.email_verified_at {
        Some(_) => "verified",
        None => "unverified",
    }
}

fn describe(user: &DomainUser) -> String {
    let created_at = user.created_at.format("%Y-%m-%d %H:%M:%S UTC");
    let mut text = format!(
        "id:       {}\nname:     {}\nemail:    {} ({})\nstate:    {}\ncreated:  {created_at}",
        user.id,
        user.name,
        user.email,
        verified(user),
        standing(user)
    );
    if user.is_operator {
        text += "\noperator: yes";
    }
    if user.must_change_password {
        text += "\npassword: must be changed at the next sign-in";
    }
    text
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
    console::Term::stderr().write_str("Password (at least 15 characters): ")?;
    match terminal::prompt_for_secret() {
        Ok(line) => Ok(Secret::new(line.trim_end_matches(['\r', '\n']))),
        Err(cause) if cause.kind() == ErrorKind::Interrupted => {
            Err("cancelled. Nothing was changed.".into())
        }
        Err(cause) => Err(cause.into()),
    }
}
