//! A token as a row of a page.

use crate::web::pages::page_request::PageRequest;
use crate::web::pages::view::Moment;
use crate::web::pages::view::token::{Creator, LastUse, TokenMark, TokenRow, TokenState};
use app::token::Listed;
use domain::advice::{self, Advice};
use domain::policy::Violation;
use domain::scope::{Catalogue, Risk, ScopeSet};
use domain::token::{State, TokenOwner};
use std::cmp::Reverse;

/// A token in a list or on a confirmation page.
pub fn row(req: &PageRequest, listed: Listed) -> TokenRow {
    let now = req.now();
    let moment = |at| Moment::new(at, now);
    let scopes = by_risk(&req.app.config().scopes, &listed.token.scopes);
    let mark = mark(req, &listed);
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
        high_risk: scopes
            .iter()
            .filter(|(risk, _)| *risk == Risk::High)
            .count(),
        scopes: scopes.into_iter().map(|(_, name)| name).collect(),
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
        mark,
    }
}

/// The names of scopes with their risk, the riskiest first. A scope that was removed from the
/// catalogue grants nothing.
fn by_risk(catalogue: &Catalogue, scopes: &ScopeSet) -> Vec<(Risk, String)> {
    let risk = |name| catalogue.find(name).map_or(Risk::Read, |scope| scope.risk);
    let mut named: Vec<_> = scopes
        .iter()
        .map(|name| (risk(name), name.to_string()))
        .collect();
    named.sort_by_key(|(risk, _)| Reverse(*risk));
    named
}

/// What is not normal about an active token, the worst of it.
fn mark(req: &PageRequest, listed: &Listed) -> Option<TokenMark> {
    let now = req.now();
    if listed.token.state(now) != State::Live {
        return None;
    }
    match listed.policy_decision {
        Err(Violation::Blocked) => return Some(TokenMark::BlockedByAdmin),
        Err(_) => return Some(TokenMark::Blocked),
        Ok(_) => {}
    }
    // A replaced token ends as intended and needs no advice.
    if listed.is_replaced {
        return Some(TokenMark::Replaced);
    }
    let catalogue = req.app.config().scopes.names();
    let moment = |at| Moment::new(at, now);
    let marks = advice::advise(&listed.token, listed.policy_decision, &catalogue, now)
        .into_iter()
        .filter_map(|advice| match advice {
            Advice::GraceEnds(at) => Some((0, TokenMark::GraceEnds(moment(at)))),
            Advice::ExpiresSoon(_) => Some((1, TokenMark::ExpiresSoon)),
            Advice::HoldsEverything => Some((2, TokenMark::HoldsEverything)),
            Advice::Unused(at) if advice.needs_attention(now) => {
                Some((3, TokenMark::Forgotten(moment(at))))
            }
            Advice::Unused(at) => Some((4, TokenMark::Unused(moment(at)))),
            Advice::NeverUsed => Some((5, TokenMark::NeverUsed)),
            // The column of the expiry says so.
            Advice::NeverExpires => None,
        });
    marks.min_by_key(|(rank, _)| *rank).map(|(_, mark)| mark)
}
