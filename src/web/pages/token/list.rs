//! The list of tokens.

use super::TokensRequest;
use super::row::row;
use crate::web::pages::list;
use crate::web::pages::page_request::Answer;
use crate::web::pages::view::token::{TokenRight, TokensNotice, TokensPage};
use actix_web::http::StatusCode;
use app::token::{self, Listed};
use domain::id::TokenId;
use wire::form::Form;

/// `GET /tokens`, or the organization's. Members see an explanation instead of the latter.
pub async fn show(req: TokensRequest) -> Answer {
    let query = req.query()?;
    let part = list::page(&query);
    let mut tokens = match req.right {
        TokenRight::View => Vec::new(),
        _ => token::list_listed(&req, &req.owner_ref, &part).await?,
    };
    let next = list::cut(&part, &mut tokens, &req.path, |listed| {
        (listed.token.created_at, listed.token.id.to_string())
    });
    let page = TokensPage {
        chrome: req.chrome(),
        notice: notice(&query, &tokens),
        tokens: tokens.into_iter().map(|token| row(&req, token)).collect(),
        owner: req.owner.clone(),
        right: req.right,
        next,
    };
    req.page(StatusCode::OK, &page)
}

/// The notice for the action in the query.
fn notice(query: &Form, tokens: &[Listed]) -> Option<TokensNotice> {
    let revoked = query.value("revoked").and_then(TokenId::parse);
    let count = |name| {
        let count = query.value(name).and_then(|count| count.parse().ok());
        count.unwrap_or_default()
    };
    let invitations = count("invitations");
    match (revoked, query.value("revoked-all")) {
        (Some(id), _) => tokens
            .iter()
            .find(|listed| listed.token.id == id && listed.token.revocation.is_some())
            .map(|listed| TokensNotice::Revoked {
                name: listed.token.name.clone(),
                tokens: count("tokens"),
                invitations,
            }),
        (None, Some(tokens)) => {
            let tokens = tokens.parse().ok()?;
            Some(TokensNotice::RevokedAll {
                tokens,
                invitations,
            })
        }
        (None, None) => None,
    }
}
