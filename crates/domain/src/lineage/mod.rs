//! Descendants of tokens: what was created with a token, directly or with its descendants.
//!
//! A token remembers the token with which it was created. A rotation passes the children
//! of a token on to its successor. The successor itself is a child of the creator of the old token,
//! or of another token that performed the rotation.

#[cfg(test)]
mod tests;

use super::id::TokenId;
use std::collections::BTreeSet;

/// Looks up the links between tokens.
pub trait Links {
    /// Why a look-up fails.
    type Error;

    /// The tokens that were created with these.
    fn children(&mut self, ids: &[TokenId]) -> Result<Vec<TokenId>, Self::Error>;

    /// The tokens that replaced these.
    fn successors(&mut self, ids: &[TokenId]) -> Result<Vec<TokenId>, Self::Error>;
}

/// All descendants of tokens, whether they have ended or not. The successors of descendants are
/// included, those of the tokens themselves are not. The cost grows with the number of descendants
/// alone.
pub fn descendants<L: Links>(
    links: &mut L,
    roots: &[TokenId],
) -> Result<BTreeSet<TokenId>, L::Error> {
    let mut found = BTreeSet::new();
    let mut next = links.children(roots)?;
    loop {
        next.retain(|id| !roots.contains(id) && found.insert(id.clone()));
        if next.is_empty() {
            return Ok(found);
        }
        let mut new = links.children(&next)?;
        new.extend(links.successors(&next)?);
        next = new;
    }
}
