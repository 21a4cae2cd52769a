//! `doorcode login`.

use std::cell::Cell;
use std::convert::Infallible;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::time::Duration;

use serde_json::json;

use super::{ClientOptions, Context};
use crate::api::identity::Identity;
use crate::api::{Client, DeviceParameters};
use crate::credentials::{Entry, Origin};
use crate::error::Error;
use crate::login as device_flow;
use crate::login::prompt::Browser;
use crate::output::{self, Output};
use crate::settings::Settings;
use domain::id::ProjectId;
use domain::scope::ScopeSet;
use domain::secret::Secret;

/// Time limit for the revocation of an unused token.
const CLEAN_UP_TIMEOUT: Duration = Duration::from_secs(5);

/// The options of `login`.
#[derive(Debug, clap::Args)]
pub struct LoginOptions {
    #[command(flatten)]
    pub(super) client: ClientOptions,
    /// Approve a short code in a browser, here or on another device (the default)
    #[arg(long, conflicts_with = "token")]
    device: bool,
    /// Do not open a browser on this machine
    #[arg(long, conflicts_with = "token")]
    no_browser: bool,
    /// Store this token instead of requesting one; `-` reads it from standard input. A token on
    /// the command line is visible in the process list and in the shell history
    #[arg(long, value_name = "TOKEN", value_parser = parse_token)]
    token: Option<Secret>,
    /// Request this scope; can be repeated [default: the client's default scopes]
    #[arg(long, value_name = "SCOPE", value_parser = parse_scope, conflicts_with = "token")]
    scope: Vec<ScopeSet>,
    /// Preselect this organization, by its slug or ID, as the limit of the token; you decide in
    /// the browser
    #[arg(long, value_name = "ORG", conflicts_with = "token")]
    org: Option<String>,
    /// Preselect this project, by its ID, as the limit of the token; you decide in the browser
    #[arg(long, value_name = "PROJECT", value_parser = parse_project, conflicts_with = "token")]
    project: Option<ProjectId>,
}

/// A finished sign-in.
struct SignedIn {
    identity: Identity,
    /// The requested scopes that were not granted.
    missing: Vec<String>,
    /// The previous entry of the profile.
    previous: Entry,
}

/// Signs in and stores the token.
pub async fn run(options: &LoginOptions, context: &Context<'_>) -> Result<(), Error> {
    let settings = context.settings()?;
    let login = Login {
        options,
        context,
        client: settings.client()?,
        settings,
        unsaved: Cell::new(None),
    };
    let outcome = tokio::select! {
        biased;
        () = output::interrupted() => Err(Error::Cancelled),
        outcome = login.sign_in() => outcome,
    };
    let signed_in = match outcome {
        Ok(signed_in) => signed_in,
        Err(error) => {
            if let Some(token) = login.unsaved.take() {
                login.give_back(&token).await;
            }
            return Err(error);
        }
    };
    let replaced = login.end_previous(&signed_in.previous).await;
    login.report(&signed_in, replaced)
}

/// A sign-in in progress.
struct Login<'a> {
    options: &'a LoginOptions,
    context: &'a Context<'a>,
    settings: Settings,
    client: Client,
    /// A token that the server has issued but that is not stored yet.
    unsaved: Cell<Option<Secret>>,
}

impl Login<'_> {
    /// Signs in and stores the token. Can be cancelled at any `await`, since the file is written
    /// after the last one.
    async fn sign_in(&self) -> Result<SignedIn, Error> {
        let (options, settings, out) = (self.options, &self.settings, &self.context.out);
        let requested: ScopeSet = options
            .scope
            .iter()
            .flat_map(ScopeSet::iter)
            .cloned()
            .collect();
        let token = match &options.token {
            Some(given) => read_token(given, out).await?,
            None => {
                let scope = (!requested.is_empty()).then(|| requested.to_string());
                let browser = if options.no_browser {
                    Browser::Leave
                } else {
                    Browser::Open
                };
                let parameters = DeviceParameters {
                    scope: scope.as_deref(),
                    organization: options.org.as_deref(),
                    project: options.project.as_ref().map(ProjectId::as_str),
                    ..DeviceParameters::default()
                };
                let issued = device_flow::obtain(&self.client, parameters, browser, out).await?;
                let token = Secret::new(issued.access_token);
                self.unsaved.set(Some(token.clone()));
                token
            }
        };
        let identity = self.client.me(&token).await?;
        let missing = requested
            .iter()
            .map(ToString::to_string)
            .filter(|name| !identity.me.scopes.contains(name))
            .collect();
        let origin = match &options.token {
            Some(_) => Origin::Given,
            None => Origin::Login,
        };
        let mut previous = settings.change_file(|credentials| {
            let previous = credentials.entry(&settings.profile, &settings.host)?;
            credentials.keep(&settings.profile, &settings.host, (&token, origin))?;
            Ok(previous)
        })?;
        // If the same token is given again, it must not be revoked.
        let _ = previous.token.take_if(|old| old.expose() == token.expose());
        self.unsaved.take();
        Ok(SignedIn {
            identity,
            missing,
            previous,
        })
    }

    /// Revokes a token that was issued but not stored.
    async fn give_back(&self, token: &Secret) {
        let revoked = tokio::time::timeout(CLEAN_UP_TIMEOUT, self.client.revoke(token)).await;
        if !matches!(revoked, Ok(Ok(()))) {
            self.context.out.note(
                "A token was issued but could not be revoked. Revoke it on the server's Tokens \
                 page.",
            );
        }
    }

    /// Revokes the previous token of the profile on the server that issued it. Returns whether the
    /// revocation succeeded, or `None` if there was no token.
    async fn end_previous(&self, previous: &Entry) -> Option<bool> {
        let token = previous.token.as_ref()?;
        let end = async { self.client.revoke(token).await.ok() };
        let ended = tokio::select! {
            () = output::interrupted() => false,
            outcome = tokio::time::timeout(CLEAN_UP_TIMEOUT, end) => matches!(outcome, Ok(Some(()))),
        };
        if !ended {
            self.context.out.note(format_args!(
                "The previous token could not be revoked. It stays valid on {} until it expires or \
                 is revoked there.",
                self.settings.host
            ));
        }
        Some(ended)
    }

    fn report(&self, signed_in: &SignedIn, replaced: Option<bool>) -> Result<(), Error> {
        let (settings, context) = (&self.settings, self.context);
        let SignedIn {
            identity, missing, ..
        } = signed_in;
        let mut lines = vec![
            format!("Signed in to {} as {}.", settings.host, identity.owner()),
            format!("Scopes:      {}", identity.scopes()),
        ];
        if !missing.is_empty() {
            lines.push(format!("Not granted: {}", missing.join(" ")));
        }
        lines.extend([
            format!("Expires:     {}", identity.expiry()),
            format!("Token:       {}", identity.token()),
            format!("Kept in:     {}", settings.file()?.display()),
        ]);
        if replaced == Some(true) {
            lines.push("The previous token is revoked.".to_owned());
        }
        lines.push(format!(
            "\nRun `{}` to show this again, or `{}` to revoke and delete the token.",
            context.later_command("whoami"),
            context.later_command("logout"),
        ));
        if settings.token_from_environment() {
            context.out.note(format_args!(
                "The environment variable {} is set and overrides the new token. Unset it to use \
                 the new token.",
                context.branding.variable("TOKEN")
            ));
        }
        let document = json!({
            "signed_in": true,
            "host": settings.host.to_string(),
            "profile": settings.profile.to_string(),
            "file": settings.file()?.display().to_string(),
            "scopes_not_granted": missing,
            "previous_token_revoked": replaced,
            "me": identity.document,
        });
        Ok(context.out.answer(&document, lines.join("\n"))?)
    }
}

/// Returns the given token, or reads it from standard input.
async fn read_token(given: &Secret, out: &Output) -> Result<Secret, Error> {
    let text = if given.expose() == "-" {
        if io::stdin().is_terminal() {
            out.note("Paste the token (it is not shown) and press Enter:");
        }
        // Reading standard input blocks, and Ctrl-C must be handled meanwhile.
        tokio::task::spawn_blocking(read_line)
            .await
            .map_err(io::Error::other)
            .and_then(|line| line)
            .map_err(|cause| match cause.kind() {
                io::ErrorKind::Interrupted => Error::Cancelled,
                _ => Error::Failed(format!("Cannot read the token: {cause}.")),
            })?
    } else {
        given.expose().to_owned()
    };
    match text.trim() {
        "" => Err(Error::Usage(
            "The token is empty. Nothing was saved.".to_owned(),
        )),
        token => Ok(Secret::new(token)),
    }
}

/// Reads one line of standard input, without echo on a terminal; at most 4,096 bytes.
fn read_line() -> io::Result<String> {
    if io::stdin().is_terminal() {
        return console::Term::stderr().read_secure_line();
    }
    let mut line = String::new();
    io::stdin().lock().take(4096).read_line(&mut line)?;
    Ok(line)
}

fn parse_token(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}

fn parse_scope(text: &str) -> Result<ScopeSet, String> {
    match ScopeSet::parse(text) {
        Ok(scopes) if !scopes.is_empty() => Ok(scopes),
        _ => Err("a scope is a name such as orgs:read".to_owned()),
    }
}

fn parse_project(text: &str) -> Result<ProjectId, &'static str> {
    ProjectId::parse(text).ok_or("the ID of a project starts with prj_")
}
