//! Listing tokens, on their own or with details for lists: the names of their limits and of their
//! creator, and whether they were replaced.

use super::{OwnerRef, READ, WRITE, find_within, visible};
use crate::access::{CheckedToken, check_policy};
use crate::tx::Tx;
use crate::{Error, Request};
use domain::id::TokenId;
use domain::page::Page;
use domain::policy::PolicyDecision;
use domain::role::Role;
use domain::token::{State, Token, TokenOwner};
use std::collections::{BTreeMap, BTreeSet};
use store::descendants::Review;
use store::token_filter::TokenFilter;

/// Maximum number of descendants that a review names.
const NAMED_DESCENDANTS: usize = 20;

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
    /// The token with which it was created.
    pub creator: Option<Creator>,
}

/// The token with which another was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creator {
    /// Its hint.
    pub hint: String,
    /// Whether it can no longer be used.
    pub has_ended: bool,
}

/// Lists tokens, newest first, including inactive ones: one page plus one entry if more follow.
pub async fn list(
    req: &Request,
    owner_ref: &OwnerRef,
    page: &Page,
) -> Result<Vec<CheckedToken>, Error> {
    load(req, owner_ref, Wanted::Page(page.clone()), check_policy).await
}

/// One token. Fails with [`Error::NotFound`] if it does not exist or the caller may not see it.
pub async fn find(req: &Request, owner_ref: &OwnerRef, id: &str) -> Result<CheckedToken, Error> {
    let mut found = load(req, owner_ref, Wanted::One(id.to_owned()), check_policy).await?;
    found.pop().ok_or(Error::NotFound)
}

/// One token with its details. Fails with [`Error::NotFound`] if it does not exist or the caller
/// may not see it.
pub async fn find_listed(req: &Request, owner_ref: &OwnerRef, id: &str) -> Result<Listed, Error> {
    let mut found = load(req, owner_ref, Wanted::One(id.to_owned()), describe).await?;
    found.pop().ok_or(Error::NotFound)
}

/// The number of active tokens that revoking this one would also revoke, and whether a token that
/// replaced it would stay.
pub async fn review_revocation(
    req: &Request,
    owner_ref: &OwnerRef,
    id: &str,
) -> Result<(usize, bool), Error> {
    let (owner_ref, id) = (owner_ref.clone(), id.to_owned());
    req.read(move |tx| {
        let visible = visible(tx, &owner_ref, WRITE)?;
        let token = find_within(tx, &visible, &id)?;
        let review = store::descendants::review(tx.conn, &token.id, tx.now, 0)?;
        let successor = match store::token::find_successor(tx.conn, &token.id)? {
            Some(id) => store::token::find_token(tx.conn, &id)?,
            None => None,
        };
        let stays = successor.is_some_and(|token| token.state(tx.now) == State::Live);
        Ok((review.tokens, stays))
    })
    .await
}

/// Returns what revoking a token would also revoke. Fails with [`Error::NotFound`] if it does not
/// exist or the caller may not see it.
pub async fn list_descendants(
    req: &Request,
    owner_ref: &OwnerRef,
    id: &str,
) -> Result<Review, Error> {
    let (owner_ref, id) = (owner_ref.clone(), id.to_owned());
    req.read(move |tx| {
        let visible = visible(tx, &owner_ref, READ)?;
        let token = find_within(tx, &visible, &id)?;
        review(tx, &token.id)
    })
    .await
}

/// The successor of a token, if it was rotated.
pub async fn find_successor(
    req: &Request,
    owner_ref: &OwnerRef,
    id: &str,
) -> Result<Option<TokenId>, Error> {
    let (owner_ref, id) = (owner_ref.clone(), id.to_owned());
    req.read(move |tx| {
        let visible = visible(tx, &owner_ref, WRITE)?;
        let token = find_within(tx, &visible, &id)?;
        Ok(store::token::find_successor(tx.conn, &token.id)?)
    })
    .await
}

/// Returns what revoking the token of the request would also revoke: nothing for the operator.
pub async fn list_own_descendants(req: &Request) -> Result<Review, Error> {
    req.read(|tx| match tx.caller().token_id().cloned() {
        Some(id) => review(tx, &id),
        None => Ok(Review::default()),
    })
    .await
}

/// The names of tokens are for those who manage them now; the numbers are complete.
fn review(tx: &mut Tx<'_>, id: &TokenId) -> Result<Review, Error> {
    let mut review = store::descendants::review(tx.conn, id, tx.now, NAMED_DESCENDANTS)?;
    keep_managed(tx, &mut review.newest)?;
    Ok(review)
}

/// Keeps the tokens of users, and those of the organizations that the caller manages now.
pub(crate) fn keep_managed(tx: &mut Tx<'_>, tokens: &mut Vec<Token>) -> Result<(), Error> {
    let authority = tx.authority()?;
    tokens.retain(|token| match &token.owner {
        TokenOwner::User(_) => true,
        TokenOwner::Organization(id) => authority.role_in(id) >= Some(Role::Admin),
    });
    Ok(())
}

/// The tokens that [`revoke_all`](super::revoke_all) would revoke, newest first.
pub async fn list_living(req: &Request, owner_ref: &OwnerRef) -> Result<Vec<Token>, Error> {
    let owner_ref = owner_ref.clone();
    req.read(move |tx| {
        let filter = TokenFilter::VisibleTokens(visible(tx, &owner_ref, WRITE)?);
        Ok(store::token_filter::list_living(tx.conn, &filter, tx.now)?)
    })
    .await
}

/// The number of tokens that [`revoke_all`](super::revoke_all) would revoke.
pub async fn count_living(req: &Request, owner_ref: &OwnerRef) -> Result<usize, Error> {
    let owner_ref = owner_ref.clone();
    req.read(move |tx| {
        let filter = TokenFilter::VisibleTokens(visible(tx, &owner_ref, WRITE)?);
        let count = store::token_filter::count_living(tx.conn, &filter, tx.now)?;
        Ok(usize::try_from(count).unwrap_or_default())
    })
    .await
}

/// Converts the tokens of one owner to the listed form.
type Describe<T> = fn(&mut Tx<'_>, &TokenOwner, Vec<Token>) -> Result<Vec<T>, Error>;

/// The tokens to load.
enum Wanted {
    /// One page, plus one entry if more follow.
    Page(Page),
    /// The token with this id.
    One(String),
}

/// Loads tokens that the caller may see, and adds what `describe` finds out about them.
async fn load<T: Send + 'static>(
    req: &Request,
    owner_ref: &OwnerRef,
    wanted: Wanted,
    describe: Describe<T>,
) -> Result<Vec<T>, Error> {
    let owner_ref = owner_ref.clone();
    req.read(move |tx| {
        let visible = visible(tx, &owner_ref, READ)?;
        let tokens = match &wanted {
            Wanted::Page(page) => store::token_filter::list_tokens(tx.conn, &visible, page)?,
            Wanted::One(id) => vec![find_within(tx, &visible, id)?],
        };
        describe(tx, &visible.owner, tokens)
    })
    .await
}

/// Adds details to the tokens of one owner.
pub(super) fn describe(
    tx: &mut Tx<'_>,
    owner: &TokenOwner,
    tokens: Vec<Token>,
) -> Result<Vec<Listed>, Error> {
    let ids: Vec<_> = tokens.iter().map(|token| token.id.to_string()).collect();
    let replaced: BTreeSet<String> = store::token::list_replaced(tx.conn, &ids)?
        .into_iter()
        .flatten()
        .collect();
    let makers: Vec<_> = tokens
        .iter()
        .map(|token| token.created_by.clone())
        .collect();
    let makers = store::user::list_names(tx.conn, &makers)?;
    let projects: Vec<_> = tokens
        .iter()
        .filter_map(|token| token.limits.projects.as_ref())
        .flatten()
        .map(ToString::to_string)
        .collect();
    let projects = store::project::list_names(tx.conn, &projects)?;
    let mut organizations = BTreeMap::new();
    for id in tokens
        .iter()
        .filter_map(|token| token.limits.organization.as_ref())
    {
        if !organizations.contains_key(id) {
            let found = store::org::find_organization(tx.conn, id)?;
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
    let mut creators = BTreeMap::new();
    for id in tokens
        .iter()
        .filter_map(|token| token.made_by_token.as_ref())
    {
        if !creators.contains_key(id) {
            let found = store::token::find_token(tx.conn, id)?;
            creators.insert(
                id.clone(),
                found.map(|token| Creator {
                    has_ended: token.state(tx.now) != State::Live,
                    hint: token.hint,
                }),
            );
        }
    }
    let creator = |token: &Token| {
        creators
            .get(token.made_by_token.as_ref()?)
            .cloned()
            .flatten()
    };
    Ok(check_policy(tx, owner, tokens)?
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
                creator: creator(&token),
                token,
            },
        )
        .collect())
}
