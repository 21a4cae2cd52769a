//! Tokens with details for lists: the names of their limits and of their creator, and whether
//! they were replaced.

use super::{OwnerRef, READ, WRITE, find_within};
use crate::access::Caller;
use crate::access::{CheckedToken, check_policy};
use crate::{App, Error};
use domain::Instant;
use domain::page::Page;
use domain::policy::PolicyDecision;
use domain::token::{Token, TokenOwner};
use std::collections::{BTreeMap, BTreeSet};
use store::Conn;
use store::token_filter::TokenFilter;

/// A token with its details for lists.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The token.
    pub token: Token,
    /// Whether any policy allows it.
    pub policy_decision: PolicyDecision,
    /// Whether another token replaced it.
    pub is_replaced: bool,
    /// The names of the projects, or of the organization, that it is limited to.
    pub limits: Vec<String>,
    /// Name of the user who created it; `None` if the operator or an organization token did.
    pub maker: Option<String>,
}

/// The tokens of [`list`](super::list), with their details.
pub async fn list_listed(
    app: &App,
    caller: &Caller,
    owner_ref: &OwnerRef,
    page: &Page,
) -> Result<Vec<Listed>, Error> {
    let (handle, caller, owner_ref) = (app.clone(), caller.clone(), owner_ref.clone());
    let (page, now) = (page.clone(), app.now());
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let visible = owner_ref.visible(conn, &caller, &authority, READ)?;
            let limit = page.look_for();
            let tokens = store::token_filter::list_tokens(conn, &visible, page.after(), limit)?;
            describe(conn, &visible.owner, tokens, now)
        })
        .await
}

/// The tokens that [`revoke_all`](super::revoke_all) would revoke, newest first.
pub async fn list_living(
    app: &App,
    caller: &Caller,
    owner_ref: &OwnerRef,
) -> Result<Vec<Token>, Error> {
    let (handle, caller, owner_ref) = (app.clone(), caller.clone(), owner_ref.clone());
    let now = app.now();
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let visible = owner_ref.visible(conn, &caller, &authority, WRITE)?;
            let filter = TokenFilter::VisibleTokens(visible);
            Ok(store::token_filter::list_living(conn, &filter, now)?)
        })
        .await
}

/// One token with its details. Fails with [`Error::NotFound`] if it does not exist or the caller
/// may not see it.
pub async fn find_listed(
    app: &App,
    caller: &Caller,
    owner_ref: &OwnerRef,
    id: &str,
) -> Result<Listed, Error> {
    let (handle, caller, owner_ref, id) = (
        app.clone(),
        caller.clone(),
        owner_ref.clone(),
        id.to_owned(),
    );
    let now = app.now();
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let visible = owner_ref.visible(conn, &caller, &authority, READ)?;
            let found = vec![find_within(conn, &visible, &id)?];
            let mut listed = describe(conn, &visible.owner, found, now)?;
            listed.pop().ok_or(Error::NotFound)
        })
        .await
}

/// Adds details to the tokens of one owner.
fn describe(
    conn: &mut Conn,
    owner: &TokenOwner,
    tokens: Vec<Token>,
    now: Instant,
) -> Result<Vec<Listed>, Error> {
    let ids: Vec<_> = tokens.iter().map(|token| token.id.to_string()).collect();
    let replaced: BTreeSet<String> = store::token::list_replaced(conn, &ids)?
        .into_iter()
        .flatten()
        .collect();
    let makers: Vec<_> = tokens
        .iter()
        .map(|token| token.created_by.clone())
        .collect();
    let makers = store::user::list_names(conn, &makers)?;
    let projects: Vec<_> = tokens
        .iter()
        .filter_map(|token| token.limits.projects.as_ref())
        .flatten()
        .map(ToString::to_string)
        .collect();
    let projects = store::project::list_names(conn, &projects)?;
    let mut organizations = BTreeMap::new();
    for id in tokens
        .iter()
        .filter_map(|token| token.limits.organization.as_ref())
    {
        if !organizations.contains_key(id) {
            let found = store::org::find_organization(conn, id)?;
            organizations.insert(id.clone(), found.map(|organization| organization.name));
        }
    }
    let limits = |token: &Token| match (&token.limits.projects, &token.limits.organization) {
        (Some(limits), _) => limits
            .iter()
            .map(|id| projects.get(id.as_str()).cloned())
            .map(|name| name.unwrap_or_else(|| "a deleted project".to_owned()))
            .collect(),
        (None, Some(id)) if matches!(token.owner, TokenOwner::User(_)) => {
            let name = organizations.get(id).cloned().flatten();
            vec![name.unwrap_or_else(|| "a deleted organization".to_owned())]
        }
        (None, _) => Vec::new(),
    };
    Ok(check_policy(conn, owner, tokens, now)?
        .into_iter()
        .map(
            |CheckedToken {
                 token,
                 policy_decision,
             }| Listed {
                policy_decision,
                is_replaced: replaced.contains(token.id.as_str()),
                limits: limits(&token),
                maker: makers.get(&token.created_by).cloned(),
                token,
            },
        )
        .collect())
}
