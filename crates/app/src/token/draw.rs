//! New tokens: their random values, and their insertion.

use super::NewToken;
use crate::Error;
use crate::access::Caller;
use crate::tx::Tx;
use domain::audit::Action;
use domain::id::TokenId;
use domain::last_moment;
use domain::scope::ScopeSet;
use domain::token::{self, Limits, Token, TokenOwner};
use serde_json::json;
use std::collections::BTreeSet;

/// Draws a new token of this owner, created by the caller now, without name, scopes, expiry,
/// limits or client.
pub(crate) fn draw(tx: &mut Tx<'_>, owner: TokenOwner) -> NewToken {
    let prefix = tx.config().tokens.prefix.as_str();
    let secret = token::write(prefix, &tx.random());
    // An organization does not sign in.
    let confirmed_at = match &owner {
        TokenOwner::User(_) => tx.caller().confirmed_at(),
        TokenOwner::Organization(_) => None,
    };
    let token = Token {
        id: tx.id(TokenId::new),
        owner,
        name: String::new(),
        scopes: ScopeSet::default(),
        limits: Limits::default(),
        hint: token::hint(prefix, &secret),
        client_id: None,
        device_name: None,
        created_by: tx.caller().maker(),
        created_at: tx.now,
        expires_at: None,
        replaces: None,
        made_by_token: tx.caller().token_id().cloned(),
        confirmed_at,
        blocked_in: BTreeSet::new(),
        last_use: None,
        revocation: None,
    };
    NewToken { token, secret }
}

/// Draws the replacement of a token: same attributes and lifetime, new secret and dates.
pub(super) fn successor(tx: &mut Tx<'_>, old: &Token) -> NewToken {
    let NewToken { token, secret } = draw(tx, old.owner.clone());
    let lifetime = old.expires_at.map(|end| end - old.created_at);
    let token = Token {
        id: token.id,
        hint: token.hint,
        created_by: token.created_by,
        created_at: token.created_at,
        expires_at: lifetime.map(|lifetime| {
            let end = token.created_at.checked_add_signed(lifetime);
            end.map_or_else(last_moment, |end| end.min(last_moment()))
        }),
        replaces: Some(old.id.clone()),
        made_by_token: match token.made_by_token {
            // A token that rotates itself is not the creator of its successor.
            Some(id) if id != old.id => Some(id),
            _ => old.made_by_token.clone(),
        },
        // Only a user in a browser is certainly the owner.
        confirmed_at: match tx.caller() {
            Caller::User(_) => token.confirmed_at,
            _ => old.confirmed_at,
        },
        last_use: None,
        revocation: None,
        ..old.clone()
    };
    NewToken { token, secret }
}

/// Stores a token with its audit record.
pub(crate) fn insert(tx: &mut Tx<'_>, new: &NewToken) -> Result<(), Error> {
    let NewToken { token, secret } = new;
    store::token::insert_token(tx.conn, token, &secret.digest())?;
    tx.record_as(
        Action::TokenCreated,
        token,
        json!({
            "token_name": token.name,
            "scopes": token.scopes.to_string(),
            "expires_at": token.expires_at.map(|at| at.to_rfc3339()),
            "client_id": token.client_id,
            "replaces": token.replaces.as_ref().map(TokenId::as_str),
        }),
    )
}
