//! Tokens before they are stored.

use crate::{App, Error, Event};
use domain::id::TokenId;
use domain::scope::ScopeSet;
use domain::secret::{Digest, Secret};
use domain::token::{self, Limits, Token, TokenOwner};
use domain::{Instant, last_moment};
use serde_json::json;
use store::Conn;

/// Random values of a token, drawn before its transaction begins.
#[derive(Clone)]
pub(crate) struct PreparedToken {
    pub(super) id: TokenId,
    hint: String,
    pub(super) at: Instant,
    /// The token's text.
    pub(crate) secret: Secret,
}

/// Prepares a new token.
pub(crate) fn prepared(app: &App) -> PreparedToken {
    let prefix = app.config().tokens.prefix.as_str();
    let secret = token::write(prefix, &app.random());
    let at = app.now();
    PreparedToken {
        id: TokenId::new(at, app.id_seed()),
        hint: token::hint(prefix, &secret),
        at,
        secret,
    }
}

impl PreparedToken {
    /// The token, without expiry, limits or client.
    pub(crate) fn token(
        &self,
        owner: TokenOwner,
        name: String,
        scopes: ScopeSet,
        created_by: &str,
    ) -> Token {
        Token {
            id: self.id.clone(),
            owner,
            name,
            scopes,
            limits: Limits::default(),
            hint: self.hint.clone(),
            client_id: None,
            device_name: None,
            created_by: created_by.to_owned(),
            created_at: self.at,
            expires_at: None,
            replaces: None,
            last_use: None,
            revocation: None,
        }
    }

    /// The replacement of a token: same attributes and lifetime, new secret and dates.
    pub(super) fn successor(&self, old: &Token, created_by: &str) -> Token {
        let lifetime = old.expires_at.map(|end| end - old.created_at);
        Token {
            id: self.id.clone(),
            hint: self.hint.clone(),
            created_by: created_by.to_owned(),
            created_at: self.at,
            expires_at: lifetime.map(|lifetime| {
                let end = self.at.checked_add_signed(lifetime);
                end.map_or_else(last_moment, |end| end.min(last_moment()))
            }),
            replaces: Some(old.id.clone()),
            last_use: None,
            revocation: None,
            ..old.clone()
        }
    }
}

/// Stores a token with its audit record.
pub(crate) fn insert(
    conn: &mut Conn,
    event: &Event,
    token: &Token,
    digest: &Digest,
) -> Result<(), Error> {
    store::token::insert_token(conn, token, digest)?;
    event.write_in(
        conn,
        token.organization(),
        Some(token.id.as_str()),
        json!({
            "token_name": token.name,
            "scopes": token.scopes.to_string(),
            "expires_at": token.expires_at.map(|at| at.to_rfc3339()),
            "client_id": token.client_id,
            "replaces": token.replaces.as_ref().map(TokenId::as_str),
        }),
    )
}
