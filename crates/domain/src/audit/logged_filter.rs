//! The filters of a query of the log, as its own record lists them.
//!
//! The record is kept permanently, and it is shipped. So it lists only values that are ids or
//! names of Doorcode: other input may be a token in the wrong field, or kilobytes. Ids of clients
//! are replaced too, since companies choose them and they may look like tokens.

use super::{Action, Actor};
use crate::id::{TokenId, UserId};
use audit_log::token_use::OPERATOR;

/// Replaces other input.
const OTHER: &str = "other";

/// An actor: the id of a user or a token, or a kind.
pub fn actor(text: &str) -> &str {
    let is_id = UserId::parse(text).is_some() || TokenId::parse(text).is_some();
    told(text, is_id || Actor::KINDS.contains(&text))
}

/// An action, or the prefix of some up to the dot.
pub fn action(text: &str) -> &str {
    told(text, Action::named(text).next().is_some())
}

/// The id of a token, or [`OPERATOR`].
pub fn token(text: &str) -> &str {
    told(text, TokenId::parse(text).is_some() || text == OPERATOR)
}

fn told(text: &str, is_ours: bool) -> &str {
    match is_ours {
        true => text,
        false => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_ids_and_names_are_logged() {
        let user = format!("usr_{}", "0a".repeat(16));
        let token_id = format!("tok_{}", "0a".repeat(16));
        let secret = format!("dc_{}", "0a".repeat(24));
        for (told, is_told) in [
            (actor(&user), true),
            (actor(&token_id), true),
            (actor("operator"), true),
            (actor("acme-cli"), false),
            (actor(&secret), false),
            (action("token"), true),
            (action("token.created"), true),
            (action("token."), false),
            (action("toke"), false),
            (action(""), false),
            (action(&secret), false),
            (token(&token_id), true),
            (token("operator"), true),
            (token(&user), false),
            (token(&secret), false),
            (token(&format!("{token_id} {secret}")), false),
        ] {
            assert_eq!(told != OTHER, is_told, "{told}");
        }
        assert_eq!(actor(&user), user);
    }
}
