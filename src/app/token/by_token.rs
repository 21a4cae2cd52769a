//! Tokens that are made with another token.

use super::{ActiveToken, NewToken, Wish, checked, draft, hold_owner, insert};
use crate::app::receipt::Receipt;
use crate::app::{App, Context, Error};
use crate::domain::Fault;
use crate::domain::audit::{Action, Actor};
use crate::domain::page::{Page, Position};
use crate::domain::token::{Owner, Token};
use crate::store;

/// Where a token stands in the list of its owner's.
pub fn position(token: &Token) -> Position {
    Position {
        at: token.created_at,
        id: token.id.to_string(),
    }
}

/// The tokens of the owner of one of them, the newest first: a page, and one more if the list
/// goes on.
pub async fn list_by_token(app: &App, by: &ActiveToken, page: &Page) -> Result<Vec<Token>, Error> {
    let Some(owner) = &by.owner else {
        return Ok(Vec::new());
    };
    let (account_id, page) = (owner.account.id.clone(), page.clone());
    app.store()
        .read(move |conn| {
            let mut tokens = store::token::list_tokens(conn, &account_id)?;
            if let Some(after) = &page.after {
                let after = (after.at, after.id.as_str());
                tokens.retain(|token| (token.created_at, token.id.as_str()) < after);
            }
            tokens.truncate(page.limit + 1);
            Ok(tokens)
        })
        .await
}

/// Makes a personal token for the owner of another, with no scope that the other lacks.
pub async fn create_by_token(
    app: &App,
    context: &Context,
    by: &ActiveToken,
    wish: Wish,
    receipt: Receipt<NewToken>,
) -> Result<NewToken, Error> {
    let Some(owner) = &by.owner else {
        return Err(Error::Conflict(
            "An organization's token cannot make personal tokens. Use a personal token.",
        ));
    };
    let (name, scopes, expires_at) = checked(app, &wish, "scopes")?;
    let draft = draft(app);
    let account_id = owner.account.id.clone();
    let token = Token {
        expires_at,
        ..draft.token(Owner::Account(account_id.clone()), name, scopes)
    };
    let event = app.event(
        context,
        Actor::Account(account_id.clone()),
        Action::TokenCreated,
    );
    let (handle, held, secret) = (app.clone(), by.token.scopes.clone(), draft.secret);
    app.store()
        .write(move |conn| {
            let owner = hold_owner(conn, &account_id)?.ok_or(Error::Unauthenticated)?;
            let allowed = owner.allowed(&handle, &token.scopes);
            if allowed.intersection(&held) != token.scopes {
                return Err(Fault::new(
                    "scopes",
                    "One of the scopes is not in the token that makes this one.",
                )
                .into());
            }
            insert(conn, &event, &token, &secret.digest())?;
            let new = NewToken {
                token: token.clone(),
                secret: secret.clone(),
            };
            receipt.file(conn, &new)?;
            Ok(new)
        })
        .await
}
