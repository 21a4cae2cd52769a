//! The list of tokens in the console: filtered, searched and sorted.

use super::list::{Listed, describe};
use super::{OwnerRef, READ, visible};
use crate::access::{CheckedToken, check_policy};
use crate::tx::Tx;
use crate::{Error, Request};
use domain::advice::{self, Advice};
use domain::token::{Token, TokenOwner};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use store::token_filter::TokenFilter;

/// Number of tokens on a page.
pub const SHOWN: usize = 50;

/// The newest tokens among which a search looks. Older ones are counted, and listed by the API.
pub const SEARCHED: u16 = 1000;

/// Which tokens, in which order.
#[derive(Debug, Clone, Default)]
pub struct TokenSearch {
    /// The part of the tokens.
    pub part: TokenPart,
    /// Words that the name, hint, scopes, client or device contain, in any order.
    pub text: String,
    /// The order.
    pub sort: TokenSort,
    /// The page, from 0. The last page stands for those after it.
    pub page: usize,
}

/// A part of the tokens of an owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenPart {
    /// Neither revoked nor expired.
    #[default]
    Active,
    /// Active, and their owner should look at them.
    Attention,
    /// Revoked or expired.
    Ended,
}

/// The order of tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenSort {
    /// Last used first; unused ones at the end.
    #[default]
    LastUsed,
    /// Earliest expiry first.
    Expiry,
    /// By name.
    Name,
    /// Created last first.
    Newest,
}

/// A page of tokens, and how many there are.
#[derive(Debug)]
pub struct FoundTokens {
    /// The tokens of the page.
    pub tokens: Vec<Listed>,
    /// The page, from 0.
    pub page: usize,
    /// Number of tokens that match.
    pub matches: usize,
    /// Number of active tokens.
    pub active: usize,
    /// Number of those that their owner should look at.
    pub attention: usize,
    /// Number of revoked and expired tokens.
    pub ended: usize,
}

/// Finds the tokens that the caller may see. Reads at most [`SEARCHED`] tokens, by the index of
/// their owner.
pub async fn search(
    req: &Request,
    owner_ref: &OwnerRef,
    search: TokenSearch,
) -> Result<FoundTokens, Error> {
    let owner_ref = owner_ref.clone();
    req.read(move |tx| {
        let visible = visible(tx, &owner_ref, READ)?;
        let filter = TokenFilter::VisibleTokens(visible.clone());
        let living = store::token_filter::list_newest_living(tx.conn, &filter, tx.now, SEARCHED)?;
        let active = match living.len() < usize::from(SEARCHED) {
            true => living.len(),
            false => count(store::token_filter::count_living(tx.conn, &filter, tx.now)?),
        };
        let ended = count(store::token_filter::count_ended(tx.conn, &visible, tx.now)?);
        let attention = needing_attention(tx, &visible.owner, living.clone())?;
        let (attention_count, part) = (attention.len(), search.part);
        let mut tokens = match part {
            TokenPart::Active => living,
            TokenPart::Attention => attention,
            TokenPart::Ended => {
                store::token_filter::list_newest_ended(tx.conn, &visible, tx.now, SEARCHED)?
            }
        };
        let words = search.text.to_lowercase();
        tokens.retain(|token| contains(token, &[], &words));
        sort(&mut tokens, search.sort);
        let matches = tokens.len();
        let page = search.page.min(matches.saturating_sub(1) / SHOWN);
        let shown = tokens.into_iter().skip(page * SHOWN).take(SHOWN).collect();
        Ok(FoundTokens {
            tokens: describe(tx, &visible.owner, shown)?,
            page,
            matches,
            active,
            attention: attention_count,
            ended,
        })
    })
    .await
}

fn count(rows: i64) -> usize {
    usize::try_from(rows).unwrap_or_default()
}

/// The active tokens whose owner should act. A replaced token ends as intended.
fn needing_attention(
    tx: &mut Tx<'_>,
    owner: &TokenOwner,
    living: Vec<Token>,
) -> Result<Vec<Token>, Error> {
    let ids: Vec<_> = living.iter().map(|token| token.id.to_string()).collect();
    let replaced: BTreeSet<String> = store::token::list_replaced(tx.conn, &ids)?
        .into_iter()
        .flatten()
        .collect();
    let checked = check_policy(tx, owner, living)?;
    let catalogue = tx.config().scopes.names();
    let now = tx.now;
    let needs_attention = |checked: &CheckedToken| {
        let (token, decision) = (&checked.token, checked.policy_decision);
        let advice = advice::advise(token, decision, &catalogue, now);
        let is_urgent = |advice: Advice| advice.needs_attention(now);
        decision.is_err() || advice.into_iter().any(is_urgent)
    };
    Ok(checked
        .into_iter()
        .filter(|checked| !replaced.contains(checked.token.id.as_str()))
        .filter(needs_attention)
        .map(|checked| checked.token)
        .collect())
}

/// Whether a token or one of the other texts contains each of the words, which are in lower case.
pub(crate) fn contains(token: &Token, others: &[&str], words: &str) -> bool {
    let texts = [
        Some(token.name.to_lowercase()),
        Some(token.hint.to_lowercase()),
        Some(token.scopes.to_string().to_lowercase()),
        token.client_id.as_deref().map(str::to_lowercase),
        token.device_name.as_deref().map(str::to_lowercase),
    ];
    let others = others.iter().map(|text| text.to_lowercase());
    let texts: Vec<_> = texts.into_iter().flatten().chain(others).collect();
    let contain = |word| texts.iter().any(|text| text.contains(word));
    words.split_whitespace().all(contain)
}

/// Sorts tokens that come newest first; those that are equal stay so.
fn sort(tokens: &mut [Token], order: TokenSort) {
    match order {
        TokenSort::LastUsed => {
            tokens.sort_by_key(|token| Reverse(token.last_use.as_ref().map(|last| last.at)));
        }
        TokenSort::Expiry => {
            tokens.sort_by_key(|token| (token.expires_at.is_none(), token.expires_at));
        }
        TokenSort::Name => tokens.sort_by_cached_key(|token| token.name.to_lowercase()),
        TokenSort::Newest => {}
    }
}
