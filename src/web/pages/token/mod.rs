//! Tokens, a person's own and an organization's: the same pages at two addresses.

mod activity;
mod ending;
mod list;
mod making;
mod rotation;
mod row;

use super::inside::{inside, segment};
use super::view::token::{Holder, TokenRight};
use super::visit::Visit;
use crate::web::failure::Failure;
use crate::web::route::{post, read, resource};
use actix_web::{HttpRequest, web};
use app::caller::Caller;
use app::token::Whose;
use domain::org::Role;
use domain::policy::Plan;

/// The addresses of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/tokens", [read(list::show)]))
        .service(resource(
            "/tokens/new",
            [read(making::show), post(making::submit)],
        ))
        .service(resource(
            "/tokens/revoke-all",
            [read(ending::show_all), post(ending::submit_all)],
        ))
        .service(resource(
            "/tokens/{id}/revoke",
            [read(ending::show), post(ending::submit)],
        ))
        .service(resource(
            "/tokens/{id}/rotate",
            [read(rotation::show), post(rotation::submit)],
        ))
        .service(resource("/tokens/{id}", [read(activity::show)]))
        .service(resource("/o/{org}/settings/api-tokens", [read(list::show)]))
        .service(resource(
            "/o/{org}/settings/api-tokens/new",
            [read(making::show), post(making::submit)],
        ))
        .service(resource(
            "/o/{org}/settings/api-tokens/revoke-all",
            [read(ending::show_all), post(ending::submit_all)],
        ))
        .service(resource(
            "/o/{org}/settings/api-tokens/{id}/revoke",
            [read(ending::show), post(ending::submit)],
        ))
        .service(resource(
            "/o/{org}/settings/api-tokens/{id}/rotate",
            [read(rotation::show), post(rotation::submit)],
        ))
        .service(resource(
            "/o/{org}/settings/api-tokens/{id}",
            [read(activity::show)],
        ));
}

/// Whose tokens an address is about, and who asks.
struct Shelf {
    caller: Caller,
    whose: Whose,
    holder: Holder,
    right: TokenRight,
    /// Where the list is.
    path: String,
}

/// The tokens that an address is about: with `{org}` in it an organization's, else the
/// person's own.
async fn shelf(visit: &Visit, request: &HttpRequest) -> Result<Shelf, Failure> {
    if segment(request, "org").is_empty() {
        let return_to = match request.method().is_safe() {
            true => request.path(),
            false => "/tokens",
        };
        return Ok(Shelf {
            caller: visit.caller(return_to)?,
            whose: Whose::Own,
            holder: Holder::Person,
            right: TokenRight::Manage,
            path: "/tokens".to_owned(),
        });
    }
    let inside = inside(visit, request).await?;
    Ok(Shelf {
        whose: Whose::Organization(inside.id().to_owned()),
        holder: Holder::Organization(inside.head()),
        right: match (inside.role(), inside.seen.organization.plan) {
            (Role::Member, _) => TokenRight::View,
            (_, Plan::Free) => TokenRight::Revoke,
            (_, Plan::Team) => TokenRight::Manage,
        },
        path: inside.path("/settings/api-tokens"),
        caller: inside.caller,
    })
}
