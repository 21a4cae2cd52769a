//! The token that a sign-in replaces.

use std::time::Duration;

use crate::api::Client;
use crate::commands::Context;
use crate::commands::revocation::{self, origin_of};
use crate::credentials::{Entry, Origin};
use crate::error::Error;
use crate::output::Output;
use domain::secret::Secret;
use wire::api::{Descendants, Token};

/// Time limit for the revocation of a token after a sign-in.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The active token that a sign-in replaces.
pub struct Previous {
    token: Secret,
    /// How it came into the file.
    origin: Origin,
    /// What the server says about it.
    about: Token,
    /// What its revocation would also revoke.
    descendants: Descendants,
}

impl Previous {
    /// Asks the server about the token of an entry; `None` if there is no active one.
    pub async fn review(
        entry: Entry,
        client: &Client,
        context: &Context<'_>,
    ) -> Result<Option<Self>, Error> {
        let Some(token) = entry.token else {
            return Ok(None);
        };
        let identity = match client.me(&token).await {
            Err(Error::TokenRefused(_) | Error::TokenMalformed) => return Ok(None),
            identity => identity?,
        };
        Ok(Some(Self {
            origin: origin_of(entry.origin, &identity, context),
            descendants: client.descendants(&token).await?,
            about: identity.me.token,
            token,
        }))
    }

    /// Whether this is the given token.
    pub fn is(&self, token: &Secret) -> bool {
        self.token.expose() == token.expose()
    }

    /// The scopes that a sign-in with more scopes keeps. Those of a given token may be beyond the
    /// client.
    pub fn scopes(&self) -> &[String] {
        match self.origin {
            Origin::Login => &self.about.scopes,
            Origin::Given => &[],
        }
    }

    /// What the server says about it.
    pub fn about(&self) -> &Token {
        &self.about
    }

    /// Asks the user if the replacement ends more than the token.
    pub async fn confirm(&self, yes: bool) -> Result<(), Error> {
        if self.origin == Origin::Given {
            return Ok(());
        }
        let alternative = ", or keep them and sign in under another profile with --profile NAME";
        revocation::confirm(&self.descendants, yes, alternative).await
    }

    /// Whether its revocation ends nothing else.
    pub fn has_no_descendants(&self) -> bool {
        (self.descendants.tokens, self.descendants.invitations) == (0, 0)
    }

    /// Revokes the token if a sign-in requested it. Returns whether it is revoked.
    pub async fn end(&self, client: &Client, out: &Output) -> bool {
        if self.origin == Origin::Given {
            out.note(
                "The previous token was given by hand, so it may be in use elsewhere. It stays \
                 valid.",
            );
            return false;
        }
        let issued_to = self.about.client_id.as_deref();
        let revoked = revocation::revoke(client, &self.token, issued_to);
        let ended = revocation::within(TIME_LIMIT, revoked).await;
        if let Err(error) = &ended {
            out.note(format_args!(
                "The previous token could not be revoked. {error} It stays valid until it expires \
                 or is revoked on the server's Tokens page."
            ));
        }
        ended.is_ok()
    }
}
