//! Renaming tokens.

use super::{OwnerRef, WRITE, find_within, visible};
use crate::access::{CheckedToken, check_policy};
use crate::{Error, Request};
use domain::audit::Action;
use domain::token::Token;
use serde_json::json;

/// Renames a token, whether or not it is active. The name that it has already changes nothing.
/// Fails with [`Error::NotFound`] if the token does not exist or the caller may not see it.
pub async fn rename(
    req: &Request,
    owner_ref: &OwnerRef,
    id: &str,
    name: &str,
) -> Result<CheckedToken, Error> {
    let (owner_ref, id, name) = (owner_ref.clone(), id.to_owned(), name.to_owned());
    req.change(Action::TokenRenamed, move |tx| {
        let visible = visible(tx, &owner_ref, WRITE)?;
        let token = find_within(tx, &visible, &id)?;
        let name = tx.app().names().check("name", &name)?;
        if name != token.name {
            store::token::update_name(tx.conn, &token.id, &name)?;
            tx.record(&token, json!({"token_name": name}))?;
        }
        let renamed = Token { name, ..token };
        let mut checked = check_policy(tx, &visible.owner, vec![renamed])?;
        checked.pop().ok_or(Error::NotFound)
    })
    .await
}
