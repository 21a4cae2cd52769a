//! `doorcode login`.

mod previous;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use serde_json::json;

use self::previous::Previous;
use super::revocation;
use super::{ClientOptions, Context};
use crate::api::identity::Identity;
use crate::api::{Client, DeviceParameters};
use crate::credentials::{Credentials, Entry, Origin};
use crate::error::Error;
use crate::login as device_flow;
use crate::login::prompt::Browser;
use crate::output::Output;
use crate::settings::Settings;
use crate::terminal::{read_secret_line, stop_requested};
use domain::id::ProjectId;
use domain::scope::ScopeSet;
use domain::secret::Secret;

/// Time limit for the revocation of an unused token.
const CLEAN_UP_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the server may be unavailable between the approval and the end of the sign-in.
const PATIENCE: Duration = Duration::from_secs(120);

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
    /// Request this scope and those of the present sign-in; can be repeated [default: the client's
    /// default scopes]
    #[arg(
        long,
        value_name = "SCOPE",
        value_parser = parse_scope,
        value_delimiter = ',',
        conflicts_with = "token"
    )]
    scope: Vec<ScopeSet>,
    /// Request only the scopes of --scope, without those of the present sign-in
    #[arg(long, requires = "scope")]
    only: bool,
    /// Preselect this organization, by its slug or ID, as the limit of the token; you decide in
    /// the browser
    #[arg(long, value_name = "ORG", conflicts_with = "token")]
    org: Option<String>,
    /// Preselect this project, by its ID, as the limit of the token; you decide in the browser
    #[arg(long, value_name = "PROJECT", value_parser = parse_project, conflicts_with = "token")]
    project: Option<ProjectId>,
    /// Revoke what was created with the previous token too, without a question
    #[arg(long)]
    yes: bool,
}

/// A finished sign-in.
struct SignedIn {
    token: Secret,
    origin: Origin,
    identity: Identity,
    /// The requested scopes that were not granted.
    missing: Vec<String>,
    /// The token that was stored for this server, as it was before the sign-in.
    previous: Option<Previous>,
    /// The entry that the sign-in replaced.
    replaced: Entry,
    /// Other servers for which the profile has tokens.
    others: Vec<String>,
}

/// Signs in and stores the token.
pub async fn run(options: &LoginOptions, context: &Context<'_>) -> Result<(), Error> {
    let settings = context.settings()?;
    Credentials::check_writable(settings.file()?)?;
    if settings.token_from_environment() {
        context.out.note(format_args!(
            "The environment variable {} is set and overrides the token of this sign-in. Unset it \
             to use the new token.",
            context.branding.variable("TOKEN")
        ));
    }
    let login = Login {
        options,
        context,
        client: settings.client()?,
        settings,
        unsaved: Cell::new(None),
    };
    let outcome = tokio::select! {
        biased;
        // First, since it knows more about a cancellation.
        outcome = login.sign_in() => outcome,
        () = stop_requested() => Err(Error::Cancelled),
    };
    match outcome {
        Ok(mut signed_in) => {
            let revoked = login.end_previous(&mut signed_in).await;
            login.report(&signed_in, revoked)
        }
        Err(error) => {
            if let Some(token) = login.unsaved.take() {
                login.give_back(&token).await;
            }
            Err(error)
        }
    }
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
        let given = match &options.token {
            Some(given) => Some(read_token(given, out).await?),
            None => None,
        };
        let previous = self.previous(given.as_ref()).await?;
        let requested = self.requested(previous.as_ref());
        let (token, origin) = match given {
            Some(token) => (token, Origin::Given),
            None => (self.request_token(&requested).await?, Origin::Login),
        };
        let me = async || self.client.me(&token).await;
        let identity = match origin {
            Origin::Given => me().await,
            Origin::Login => device_flow::persist(PATIENCE, out, me).await,
        };
        let identity = identity.map_err(as_new)?;
        if identity.is_operator() {
            return Err(Error::Failed(format!(
                "The operator token is not stored: it is not the token of a user and cannot be \
                 revoked here. Set it in {} for the command that needs it.",
                self.context.branding.variable("TOKEN")
            )));
        }
        let missing = requested
            .into_iter()
            .filter(|name| !identity.me.scopes.contains(name))
            .collect();
        let (replaced, others) = settings.change_file(|credentials| {
            let (profile, host) = (&settings.profile, &settings.host);
            let replaced = credentials.entry(profile, host)?;
            credentials.keep(profile, host, (&token, origin))?;
            let mut others = credentials.hosts_with_token(profile)?;
            // The first one is the server of this sign-in.
            Ok((replaced, others.split_off(1)))
        })?;
        self.unsaved.take();
        Ok(SignedIn {
            token,
            origin,
            identity,
            missing,
            previous,
            replaced,
            others,
        })
    }

    /// The token that the sign-in will replace. Asks the user if its end ends more than itself.
    async fn previous(&self, given: Option<&Secret>) -> Result<Option<Previous>, Error> {
        let settings = &self.settings;
        let stored = settings.credentials.as_ref();
        let entry = stored.map(|file| file.entry(&settings.profile, &settings.host));
        let entry = entry.transpose()?.unwrap_or_default();
        let previous = Previous::review(entry, &self.client, self.context).await?;
        if let Some(previous) = &previous
            && !given.is_some_and(|given| previous.is(given))
        {
            previous.confirm(self.options.yes).await?;
        }
        Ok(previous)
    }

    /// The requested scopes; none for the default scopes of the client.
    fn requested(&self, previous: Option<&Previous>) -> BTreeSet<String> {
        let options = self.options;
        let named = options.scope.iter().flat_map(ScopeSet::iter);
        let mut requested: BTreeSet<_> = named.map(ToString::to_string).collect();
        if let (Some(previous), false, false) = (previous, options.only, requested.is_empty()) {
            requested.extend(previous.scopes().iter().cloned());
        }
        requested
    }

    async fn request_token(&self, requested: &BTreeSet<String>) -> Result<Secret, Error> {
        let options = self.options;
        let scopes: Vec<_> = requested.iter().map(String::as_str).collect();
        let scope = scopes.join(" ");
        let browser = if options.no_browser {
            Browser::Leave
        } else {
            Browser::Open
        };
        let parameters = DeviceParameters {
            scope: (!scope.is_empty()).then_some(&scope),
            organization: options.org.as_deref(),
            project: options.project.as_ref().map(ProjectId::as_str),
            ..DeviceParameters::default()
        };
        let out = &self.context.out;
        let issued = device_flow::obtain(&self.client, parameters, browser, out).await?;
        let token = Secret::new(issued.access_token);
        self.unsaved.set(Some(token.clone()));
        Ok(token)
    }

    /// Revokes a token that was issued but not stored.
    async fn give_back(&self, token: &Secret) {
        let revoked = revocation::revoke(&self.client, token);
        if revocation::within(CLEAN_UP_TIMEOUT, revoked).await.is_err() {
            self.context.out.note(
                "A token was issued but could not be revoked. Revoke it on the server's Tokens \
                 page.",
            );
        }
    }

    /// Revokes the token that the sign-in replaced. Returns whether it is revoked, or `None` if
    /// there was no active one.
    async fn end_previous(&self, signed_in: &mut SignedIn) -> Option<bool> {
        let out = &self.context.out;
        let replaced = std::mem::take(&mut signed_in.replaced);
        let old = replaced.token.as_ref()?;
        if old.expose() == signed_in.token.expose() {
            return None;
        }
        if let Some(previous) = signed_in.previous.as_ref().filter(|known| known.is(old)) {
            return Some(previous.end(&self.client, out).await);
        }
        // It was stored during the sign-in, or was inactive before.
        match Previous::review(replaced, &self.client, self.context).await {
            Ok(None) => None,
            Ok(Some(other)) if other.has_no_descendants() => {
                Some(other.end(&self.client, out).await)
            }
            _ => {
                out.note(
                    "Another sign-in stored a token meanwhile, which stays valid. Revoke it on the \
                     server's Tokens page.",
                );
                Some(false)
            }
        }
    }

    fn report(&self, signed_in: &SignedIn, revoked: Option<bool>) -> Result<(), Error> {
        let (settings, context) = (&self.settings, self.context);
        let SignedIn {
            origin,
            identity,
            missing,
            others,
            ..
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
        if !others.is_empty() {
            lines.push(format!("Also kept:   tokens for {}", others.join(", ")));
        }
        if revoked == Some(true) {
            lines.push("The previous token is revoked.".to_owned());
        }
        lines.push(format!(
            "\nRun `{}` to show this again, or `{}` to {} the token.",
            context.later_command("whoami"),
            context.later_command("logout"),
            match origin {
                Origin::Login => "revoke and delete",
                Origin::Given => "delete",
            }
        ));
        let document = json!({
            "signed_in": true,
            "host": settings.host.to_string(),
            "profile": settings.profile.to_string(),
            "file": settings.file()?.display().to_string(),
            "scopes_not_granted": missing,
            "previous_token_revoked": revoked,
            "me": identity.document,
        });
        Ok(context.out.answer(&document, lines.join("\n"))?)
    }
}

/// The error of a new token, which is not the one of the environment.
fn as_new(error: Error) -> Error {
    match error {
        Error::TokenRefused(_) | Error::TokenMalformed => Error::NotSignedIn(error.to_string()),
        error => error,
    }
}

/// Returns the given token, or reads it from standard input.
async fn read_token(given: &Secret, out: &Output) -> Result<Secret, Error> {
    let text = if given.expose() == "-" {
        if io::stdin().is_terminal() {
            out.note("Paste the token (it is not shown) and press Enter:");
        }
        read_secret_line()
            .await
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
