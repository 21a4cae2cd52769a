//! A token as a row of a page.

use crate::web::pages::page_request::PageRequest;
use crate::web::pages::view::Moment;
use crate::web::pages::view::token::{Creator, LastUse, TokenAdvice, TokenRow, TokenState};
use app::token::Listed;
use domain::advice::{self, Advice};
use domain::token::{State, TokenOwner};

/// A token in a list or on a confirmation page.
pub fn row(req: &PageRequest, listed: Listed) -> TokenRow {
    let now = req.now();
    let moment = |at| Moment::new(at, now);
    let catalogue = req.app.config().scopes.names();
    let advice = advice::advise(&listed.token, listed.policy_decision, &catalogue, now)
        .into_iter()
        // A replaced token ends as intended and needs no advice.
        .filter(|_| !listed.is_replaced)
        .map(|advice| match advice {
            Advice::NeverUsed => TokenAdvice::NeverUsed,
            Advice::Unused(at) => TokenAdvice::Unused(moment(at)),
            Advice::ExpiresSoon(at) => TokenAdvice::ExpiresSoon(moment(at)),
            Advice::GraceEnds(at) => TokenAdvice::GraceEnds(moment(at)),
            Advice::NeverExpires => TokenAdvice::NeverExpires,
            Advice::HoldsEverything => TokenAdvice::HoldsEverything,
        })
        .collect();
    let token = listed.token;
    TokenRow {
        state: match (token.state(now), &token.revocation, listed.policy_decision) {
            (State::Live, _, Err(violation)) => TokenState::Refused(violation.explain()),
            (State::Live, _, Ok(_)) if listed.is_replaced => TokenState::Replaced,
            (State::Live, _, Ok(_)) => TokenState::Live,
            (_, Some(revocation), _) => TokenState::Revoked(moment(revocation.at)),
            (_, None, _) => TokenState::Expired,
        },
        maker: match token.owner {
            // A user's own tokens are nearly always created by that user.
            TokenOwner::User(_) => None,
            TokenOwner::Organization(_) => listed.maker,
        },
        creator: listed.creator.map(|creator| Creator {
            hint: creator.hint,
            has_ended: creator.has_ended,
        }),
        id: token.id.to_string(),
        name: token.name,
        hint: token.hint,
        scopes: token.scopes.iter().map(ToString::to_string).collect(),
        origin: token.client_id.map(|client| match token.device_name {
            Some(device) => format!("{client} on {device}"),
            None => client,
        }),
        limits: listed.limits,
        created: moment(token.created_at),
        expires: token.expires_at.map(moment),
        last_used: token.last_use.map(|last| LastUse {
            at: moment(last.at),
            address: Some(last.address.to_string()),
        }),
        advice,
    }
}
