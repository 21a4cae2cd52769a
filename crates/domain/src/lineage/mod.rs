//! Descendants of tokens: what was created with a token, directly or with its descendants.
//!
//! A token remembers the token with which it was created. A rotation passes what a token created on
//! to the successor, so the successor takes the place of the token that it replaces. The successor
//! itself belongs to the creator of the old token; or to the token that rotated it, if the old one
//! had no other creator. A token rotates none that created it, so the links form trees.

#[cfg(test)]
mod tests;

use super::id::TokenId;
use std::collections::BTreeSet;

/// The longest line of tokens of which each was created with the one before it. It bounds the
/// look-ups of a revocation.
pub const LONGEST_LINE: usize = 10;

/// The links between tokens.
pub trait Links {
    /// Why a look-up fails.
    type Error;

    /// The tokens that were created with these.
    fn children(&mut self, ids: &[TokenId]) -> Result<Vec<TokenId>, Self::Error>;

    /// Called with each level of descendants before the next is looked up.
    fn enter(&mut self, _level: &[TokenId]) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// All descendants of tokens, whether they have ended or not, level by level. The cost grows with
/// the number of descendants alone.
pub fn descendants<L: Links>(
    links: &mut L,
    roots: &[TokenId],
) -> Result<BTreeSet<TokenId>, L::Error> {
    let mut found = BTreeSet::new();
    let mut level = links.children(roots)?;
    loop {
        level.retain(|id| !roots.contains(id) && found.insert(id.clone()));
        if level.is_empty() {
            return Ok(found);
        }
        links.enter(&level)?;
        level = links.children(&level)?;
    }
}
