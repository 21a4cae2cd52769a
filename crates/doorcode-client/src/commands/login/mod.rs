//! `doorcode login`.

mod given;
mod options;
mod previous;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use self::previous::Previous;
use super::Context;
use super::revocation;
use crate::api::identity::Identity;
use crate::api::{Client, DeviceParameters};
use crate::credentials::{Credentials, Entry, NewToken, Origin, Place};
use crate::error::Error;
use crate::login as device_flow;
use crate::login::prompt::Browser;
use crate::settings::Settings;
use crate::terminal::stop_requested;
use domain::id::ProjectId;
use domain::scope::ScopeSet;
use domain::secret::Secret;
pub use given::read_token;
pub use options::{LoginOptions, parse_project, parse_scope, parse_token};

/// Time limit for the revocation of an unused token.
const CLEAN_UP_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the server may be unavailable between the approval and the end of the sign-in.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a sign-in requests.
struct Wanted {
    /// Scopes; none for the default scopes of the client.
    scopes: BTreeSet<String>,
    /// Organization to limit the token to.
    organization: Option<String>,
    /// Project to limit the token to.
    project: Option<String>,
    /// The client; `None` for the one of this program.
    client_id: Option<String>,
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
    let place = place(options, &settings)?;
    Credentials::check_writable(settings.layout()?, &settings.profile, place)?;
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
        place,
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
            if let Some((token, issued_to)) = login.unsaved.take() {
                login.give_back(&token, issued_to.as_deref()).await;
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
    /// Where the token will be stored.
    place: Place,
    client: Client,
    /// A token that the server has issued but that is not stored yet, and the ID of its client.
    unsaved: Cell<Option<(Secret, Option<String>)>>,
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
        let wanted = self.wanted(previous.as_ref())?;
        let (token, origin) = match given {
            Some(token) => (token, Origin::Given),
            None => (self.request_token(&wanted).await?, Origin::Login),
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
        let project = self.default_project(&token).await;
        let missing = wanted
            .scopes
            .into_iter()
            .filter(|name| !identity.me.scopes.contains(name))
            .collect();
        let (replaced, others) = settings.change_file(|credentials| {
            let (profile, host) = (&settings.profile, &settings.host);
            let replaced = credentials.entry(profile, host)?;
            let new = NewToken {
                token: &token,
                origin,
                place: self.place,
            };
            credentials.keep(profile, host, &new)?;
            if project.is_some() {
                credentials.set_project(profile, host, project)?;
            }
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

    /// What the sign-in requests.
    fn wanted(&self, previous: Option<&Previous>) -> Result<Wanted, Error> {
        let options = self.options;
        if options.renew {
            let Some(previous) = previous else {
                return Err(Error::NotSignedIn(format!(
                    "You are not signed in to {}, so there is nothing to renew.",
                    self.settings.host
                )));
            };
            let about = previous.about();
            let projects = about.projects.as_deref();
            return Ok(Wanted {
                scopes: about.scopes.iter().cloned().collect(),
                organization: about.organization.clone(),
                project: projects.and_then(|ids| ids.first()).cloned(),
                client_id: options
                    .client_id
                    .clone()
                    .or_else(|| about.client_id.clone()),
            });
        }
        let named = options.scope.iter().flat_map(ScopeSet::iter);
        let mut scopes: BTreeSet<_> = named.map(ToString::to_string).collect();
        match previous {
            Some(previous) if !options.only && !scopes.is_empty() => {
                scopes.extend(previous.scopes().iter().cloned());
            }
            _ if scopes.is_empty() => {
                scopes.extend(self.context.branding.scopes.iter().cloned());
            }
            _ => {}
        }
        Ok(Wanted {
            scopes,
            organization: options.org.clone(),
            project: options.project.as_ref().map(ToString::to_string),
            client_id: options.client_id.clone(),
        })
    }

    async fn request_token(&self, wanted: &Wanted) -> Result<Secret, Error> {
        let scopes: Vec<_> = wanted.scopes.iter().map(String::as_str).collect();
        let scope = scopes.join(" ");
        let browser = if self.options.no_browser {
            Browser::Leave
        } else {
            Browser::Open
        };
        let parameters = DeviceParameters {
            scope: (!scope.is_empty()).then_some(&scope),
            organization: wanted.organization.as_deref(),
            project: wanted.project.as_deref(),
            ..DeviceParameters::default()
        };
        let out = &self.context.out;
        let client = match &wanted.client_id {
            Some(id) => &self.client.with_client_id(id),
            None => &self.client,
        };
        let issued = match device_flow::obtain(client, parameters, browser, out).await {
            Err(Error::OAuth { name, .. }) if name == "invalid_scope" && scopes.is_empty() => {
                return Err(client.scope_needed().await);
            }
            Err(error @ Error::OAuth { .. }) => {
                return Err(client.unknown_scopes(scopes).await.unwrap_or(error));
            }
            issued => issued?,
        };
        let token = Secret::new(issued.access_token);
        let unsaved = (token.clone(), wanted.client_id.clone());
        self.unsaved.set(Some(unsaved));
        Ok(token)
    }

    /// The project of `--project`, if the token can access it.
    async fn default_project(&self, token: &Secret) -> Option<&ProjectId> {
        let project = self.options.project.as_ref()?;
        let path = format!("/v1/projects/{project}");
        let found: Result<serde_json::Value, _> = self.client.ask(token, &path, &[]).await;
        if let Err(error) = &found {
            self.context.out.note(format_args!(
                "{project} is not the default {}, since the token cannot read it: {error}",
                self.context.branding.words.project
            ));
        }
        found.is_ok().then_some(project)
    }

    /// Revokes a token that was issued but not stored.
    async fn give_back(&self, token: &Secret, issued_to: Option<&str>) {
        let revoked = revocation::revoke(&self.client, token, issued_to);
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
            format!(
                "Kept in:     {}",
                settings.whereabouts(Some(*origin), self.place)?
            ),
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
            "kept_in": self.place.name(),
            "scopes_not_granted": missing,
            "previous_token_revoked": revoked,
            "me": identity.document,
        });
        Ok(context.out.answer(&document, lines.join("\n"))?)
    }
}

/// Where a sign-in stores the token.
fn place(options: &LoginOptions, settings: &Settings) -> Result<Place, Error> {
    if options.keyring {
        return Ok(Place::Keyring);
    }
    let Some(stored) = &settings.credentials else {
        return Ok(Place::File);
    };
    let replaced = stored.entry(&settings.profile, &settings.host)?;
    Ok(stored.place_of(&replaced))
}

/// The error of a new token, which is not the one of the environment.
fn as_new(error: Error) -> Error {
    match error {
        Error::TokenRefused(_) | Error::TokenMalformed => Error::NotSignedIn(error.to_string()),
        error => error,
    }
}
