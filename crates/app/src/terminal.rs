//! Terminals of the signed-in user: the devices on which clients signed in as the user, with their
//! tokens. Signing one out ends its tokens.

use super::token::{self, Revoked, SEARCHED};
use super::tx::Tx;
use super::{Error, Request, session};
use domain::audit::Action;
use domain::id::{TokenId, UserId};
use domain::token::{RevocationReason, Terminal, Token, TokenOwner};
use std::collections::BTreeMap;
use store::device::Approvals;
use store::token_filter::TokenFilter;

/// A terminal that is signed in.
#[derive(Debug, Clone)]
pub struct SignedInTerminal {
    /// The client and the device.
    pub terminal: Terminal,
    /// The name of the client; its id if it was removed.
    pub client_name: String,
    /// Its active tokens, the newest first; never empty.
    pub tokens: Vec<Token>,
}

/// The terminals of the signed-in user. Reads at most [`SEARCHED`] tokens, by the index of their
/// owner.
pub async fn list(req: &Request) -> Result<Vec<SignedInTerminal>, Error> {
    req.read(|tx| {
        let user_id = tx.caller().signed_in()?.user.id.clone();
        load(tx, &user_id, None)
    })
    .await
}

/// The terminal that has a token. Fails with [`Error::NotFound`] if it is no terminal of the
/// signed-in user, or signed out.
pub async fn find(req: &Request, id: &str) -> Result<SignedInTerminal, Error> {
    let id = id.to_owned();
    req.read(move |tx| {
        let user_id = tx.caller().signed_in()?.user.id.clone();
        let terminal = find_terminal(tx, &user_id, &id)?;
        let mut found = load(tx, &user_id, Some(terminal))?;
        found.pop().ok_or(Error::NotFound)
    })
    .await
}

/// Ends the tokens of the terminal that has a token, and what was created with them. Idempotent.
pub async fn sign_out(req: &Request, id: &str) -> Result<Revoked, Error> {
    let id = id.to_owned();
    req.change(Action::TokenRevoked, move |tx| {
        let user_id = tx.caller().signed_in()?.user.id.clone();
        store::user::lock_user_exclusive(tx.conn, &user_id)?;
        let terminal = find_terminal(tx, &user_id, &id)?;
        let tokens = TokenFilter::Terminals(user_id, Some(terminal));
        token::end_with_descendants(tx, &tokens, None, RevocationReason::SignedOut)
    })
    .await
}

/// Ends all sessions of the signed-in user except this one, and all terminals, also those that
/// are approved and have no token yet. Fails with [`Error::Unauthenticated`] if this session has
/// ended: another browser has just signed it out.
pub async fn sign_out_others(req: &Request) -> Result<(), Error> {
    let ended = req.change(Action::SignedOut, |tx| {
        let user_id = &tx.caller().signed_in()?.user.id;
        let count = session::delete_others(tx)?;
        let tokens = TokenFilter::Terminals(user_id.clone(), None);
        token::end_with_descendants(tx, &tokens, None, RevocationReason::SignedOut)?;
        token::deny_approved(tx, Approvals::OfUser(user_id), None)?;
        Ok(count)
    });
    session::tell_ended(req, ended.await?)
}

/// The terminal of the user that has, or had, this token.
fn find_terminal(tx: &mut Tx<'_>, user_id: &UserId, id: &str) -> Result<Terminal, Error> {
    let id = TokenId::parse(id).ok_or(Error::NotFound)?;
    store::token::find_token(tx.conn, &id)?
        .filter(|token| token.owner == TokenOwner::User(user_id.clone()))
        .and_then(|token| Terminal::of(&token))
        .ok_or(Error::NotFound)
}

/// The active tokens of the user's terminals, of all or of one, by terminal.
fn load(
    tx: &mut Tx<'_>,
    user_id: &UserId,
    one: Option<Terminal>,
) -> Result<Vec<SignedInTerminal>, Error> {
    let filter = TokenFilter::Terminals(user_id.clone(), one);
    let tokens = store::token_filter::list_newest_living(tx.conn, &filter, tx.now, SEARCHED)?;
    let mut terminals: BTreeMap<Terminal, Vec<Token>> = BTreeMap::new();
    for token in tokens {
        if let Some(terminal) = Terminal::of(&token) {
            terminals.entry(terminal).or_default().push(token);
        }
    }
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for Terminal { client_id, .. } in terminals.keys() {
        if !names.contains_key(client_id) {
            let client = store::client::find_client(tx.conn, client_id)?;
            let name = client.map_or_else(|| client_id.clone(), |client| client.name);
            names.insert(client_id.clone(), name);
        }
    }
    let named = |(terminal, tokens): (Terminal, Vec<Token>)| SignedInTerminal {
        client_name: names
            .get(&terminal.client_id)
            .unwrap_or(&terminal.client_id)
            .clone(),
        terminal,
        tokens,
    };
    Ok(terminals.into_iter().map(named).collect())
}
