//! What somebody looks for in the log, as the record of their looking says it.
//!
//! The log keeps it for good, and it is shipped. So of what was typed only that is told which
//! names something of ours: anything else may be a token in the wrong field, or kilobytes. The
//! id of a client is among it, since companies choose such ids and they may look like tokens.

use super::token_use::OPERATOR;
use super::{Action, Actor};
use crate::id::{TokenId, UserId};

/// Stands for whatever is not told.
const OTHER: &str = "other";

/// An actor: a person's or a token's id, or a kind.
pub fn actor(text: &str) -> &str {
    let is_id = UserId::parse(text).is_some() || TokenId::parse(text).is_some();
    told(text, is_id || Actor::KINDS.contains(&text))
}

/// An action, or the beginning of some up to the dot.
pub fn action(text: &str) -> &str {
    told(text, Action::named(text).next().is_some())
}

/// A token's id, or what stands for that of the operator token.
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
    fn only_what_names_something_of_ours_is_told() {
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
