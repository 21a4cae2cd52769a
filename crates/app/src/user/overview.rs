//! One user, as the operator sees them.

use super::Named;
use crate::{Error, Request};
use domain::id::UserId;
use domain::org::Membership;
use domain::token::TokenOwner;
use domain::user::User;
use store::token_filter::TokenFilter;

/// A user with what depends on the user.
#[derive(Debug, Clone)]
pub struct UserOverview {
    /// The user.
    pub user: User,
    /// The organizations of the user, by name.
    pub memberships: Vec<Membership>,
    /// Number of active personal tokens.
    pub tokens: usize,
}

/// A user with what depends on the user, for the operator.
pub async fn overview(req: &Request, id: &UserId) -> Result<UserOverview, Error> {
    req.caller.require_operator()?;
    let named = Named::Id(id.clone());
    req.read(move |tx| {
        let user = named.find(tx.conn)?;
        let mut memberships = store::org::list_memberships(tx.conn, &user.id)?;
        memberships.sort_by(|a, b| a.organization.name.cmp(&b.organization.name));
        let tokens = TokenFilter::Owner(TokenOwner::User(user.id.clone()));
        let tokens = store::token_filter::count_living(tx.conn, &tokens, tx.now)?;
        Ok(UserOverview {
            tokens: usize::try_from(tokens).unwrap_or_default(),
            memberships,
            user,
        })
    })
    .await
}
