//! The list of tokens.

use super::row::row;
use super::shelf;
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::pages::list;
use crate::web::pages::view::token::{TokenRight, TokensNotice, TokensPage};
use crate::web::pages::visit::Visit;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use app::token::{self, Listed};
use domain::id::TokenId;
use wire::form::Form;

/// `GET /tokens`, or the organization's. Members are told for whom the latter are.
pub async fn show(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let shelf = shelf(&visit, &request).await?;
    let query = extract::query(&request)?;
    let part = list::page(&query);
    let mut tokens = match shelf.right {
        TokenRight::View => Vec::new(),
        _ => token::list_listed(&visit.app, &shelf.caller, &shelf.whose, &part).await?,
    };
    let next = list::cut(&part, &mut tokens, &shelf.path, |listed| {
        (listed.token.created_at, listed.token.id.to_string())
    });
    let page = TokensPage {
        chrome: visit.chrome(),
        notice: notice(&query, &tokens),
        tokens: tokens.into_iter().map(|token| row(&visit, token)).collect(),
        holder: shelf.holder,
        right: shelf.right,
        next,
    };
    visit.page(StatusCode::OK, &page)
}

/// What was just done, as the address tells.
fn notice(query: &Form, tokens: &[Listed]) -> Option<TokensNotice> {
    let revoked = query.value("revoked").and_then(TokenId::parse);
    match (revoked, query.value("revoked-all")) {
        (Some(id), _) => tokens
            .iter()
            .find(|listed| listed.token.id == id && listed.token.revocation.is_some())
            .map(|listed| TokensNotice::Revoked(listed.token.name.clone())),
        (None, Some(count)) => count.parse().ok().map(TokensNotice::RevokedAll),
        (None, None) => None,
    }
}
