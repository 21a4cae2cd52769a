//! The page on which the owner of a token signs in again for it, in every state.

use super::super::token::{TokenState, TokensOwner};
use super::super::token_confirm::{ConfirmPage, ConfirmState};
use super::token::token;
use super::*;

/// The form and its result.
pub fn samples() -> Vec<Sample> {
    let page = |name: &str, state| ConfirmPage {
        chrome: ada(),
        owner: TokensOwner::User,
        token: token("2", name, TokenState::Live),
        state,
        period: "5 minutes".into(),
    };
    let form = ConfirmState::Form(300);
    vec![
        sample("token-confirm", "form", &page("ada-laptop", form)),
        sample("token-confirm", "hostile", &page(HOSTILE, form)),
        sample(
            "token-confirm",
            "done",
            &page("ada-laptop", ConfirmState::Done),
        ),
    ]
}
