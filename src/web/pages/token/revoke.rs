//! Revoking one token, or all of them.

use super::TokensRequest;
use super::row::row;
use crate::web::pages::org::ending;
use crate::web::pages::page_request::{Answer, see_other};
use crate::web::pages::view::token::{RecentUses, RevokeAllPage, RevokePage};
use actix_web::http::StatusCode;
use app::audit::uses::recent;
use app::token;
use wire::form::Form;

/// `GET /tokens/{id}/revoke`, or the organization's: the confirmation page.
pub async fn show(req: TokensRequest) -> Answer {
    let id = req.segment("id");
    let found = token::find_listed(&req, &req.owner_ref, id).await?;
    let (descendants, has_successor) = token::review_revocation(&req, &req.owner_ref, id).await?;
    let page = RevokePage {
        chrome: req.chrome(),
        descendants,
        has_successor,
        recent: recent::of_token(&req, &found.token).await?.map(recent_uses),
        token: row(&req, found),
        owner: req.owner.clone(),
    };
    req.page(StatusCode::OK, &page)
}

fn recent_uses(uses: recent::RecentUses) -> RecentUses {
    RecentUses {
        total: uses.total,
        is_cut: uses.is_cut,
        sources: uses.sources,
        more: uses.sources - uses.addresses.len(),
        addresses: uses.addresses,
    }
}

/// `POST /tokens/{id}/revoke`, or the organization's.
pub async fn submit(req: TokensRequest, _: Form) -> Answer {
    let id = req.segment("id");
    let ended = token::revoke(&req, &req.owner_ref, id).await?;
    let also = match (ended.tokens.saturating_sub(1), ended.invitations) {
        (0, 0) => String::new(),
        (tokens, invitations) => format!("&tokens={tokens}&invitations={invitations}"),
    };
    Ok(see_other(&format!("{}?revoked={id}{also}", req.path)))
}

/// `GET /tokens/revoke-all`, or the organization's: the confirmation page.
pub async fn show_all(req: TokensRequest) -> Answer {
    let living = token::list_living(&req, &req.owner_ref).await?;
    let page = RevokeAllPage {
        chrome: req.chrome(),
        owner: req.owner.clone(),
        tokens: ending(&living),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /tokens/revoke-all`, or the organization's.
pub async fn submit_all(req: TokensRequest, _: Form) -> Answer {
    let ended = token::revoke_all(&req, &req.owner_ref, None).await?;
    let also = match ended.invitations {
        0 => String::new(),
        invitations => format!("&invitations={invitations}"),
    };
    let count = ended.tokens;
    Ok(see_other(&format!(
        "{}?revoked-all={count}{also}",
        req.path
    )))
}
