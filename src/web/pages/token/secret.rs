//! The page that shows a new token once.

use super::TokensRequest;
use crate::web::failure::Failure;
use crate::web::pages::page_request::Answer;
use crate::web::pages::view::Moment;
use crate::web::pages::view::token::{ReplacedToken, TokenCreatedPage};
use app::Request;
use app::token::{self, NewToken};
use domain::id::TokenId;

/// A request whose change stores the new token for this page.
pub fn storing_secret(req: &TokensRequest) -> Result<Request, Failure> {
    req.req
        .storing_secret(|new: &NewToken| (new.token.id.to_string(), new.secret.clone()))
}

/// Redirects to this page.
pub fn to_secret(req: &TokensRequest, id: &TokenId) -> Answer {
    req.req
        .to_secret(id.as_str(), &format!("{}/{id}/secret", req.path))
}

/// `GET /tokens/{id}/secret`, or the organization's.
pub async fn show(req: TokensRequest) -> Answer {
    let id = req.segment("id");
    let found = token::find_listed(&req, &req.owner_ref, id).await?;
    let token = found.token;
    let secret = req.take_secret(id).await?;
    let page = TokenCreatedPage {
        chrome: req.chrome(),
        owner: req.owner.clone(),
        id: token.id.to_string(),
        name: token.name,
        secret: secret.map(|secret| secret.expose().to_owned()),
        scopes: token.scopes.iter().map(ToString::to_string).collect(),
        limits: found.limits,
        expires: token.expires_at.map(|end| Moment::new(end, req.now())),
        replaced: match token.replaces {
            Some(old) => replaced(&req, old.as_str()).await?,
            None => None,
        },
        me_url: req.app.config().server.public_url.join("/v1/me"),
    };
    req.secret_page(&page)
}

/// The replaced token, if it is still listed.
async fn replaced(req: &TokensRequest, old: &str) -> Result<Option<ReplacedToken>, Failure> {
    let now = req.now();
    let old = match token::find(req, &req.owner_ref, old).await {
        Ok(old) => old,
        Err(app::Error::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let is_admitted = old.policy_decision.is_ok();
    let end = old.ends_at().filter(|end| is_admitted && *end > now);
    Ok(Some(ReplacedToken {
        hint: old.token.hint,
        works_until: end.map(|end| Moment::new(end, now)),
    }))
}
