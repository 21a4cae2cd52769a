//! Tokens of a user or an organization: the same pages under two paths.

mod activity;
mod confirm;
mod create;
mod expiry;
mod list;
mod prefill;
mod reach;
mod rename;
mod revoke;
mod rotate;
mod row;
mod secret;

pub use reach::project_groups;
pub use row::row;

use super::org_request::OrgPageRequest;
use super::page_request::PageRequest;
use super::page_route::{Guard, form_on, read};
use super::view::token::{TokenRight, TokensOwner};
use crate::web::failure::Failure;
use crate::web::route::resource;
use actix_web::web;
use app::token::{self, OwnerRef};
use domain::policy::{Plan, Violation};
use domain::role::Role;
use std::ops::Deref;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/tokens", read(list::show)))
        .service(resource(
            "/tokens/new",
            read(create::show).post(create::submit),
        ))
        .service(resource(
            "/tokens/revoke-all",
            read(revoke::show_all).post(revoke::submit_all),
        ))
        .service(resource(
            "/tokens/{id}/revoke",
            read(revoke::show).post(revoke::submit),
        ))
        .service(resource(
            "/tokens/{id}/rotate",
            read(rotate::show).post(rotate::submit),
        ))
        .service(resource(
            "/tokens/{id}/confirm",
            read(confirm::show).post(confirm::submit),
        ))
        .service(resource("/tokens/{id}/secret", read(secret::show)))
        .service(resource(
            "/tokens/{id}/name",
            form_on("/tokens/{id}").post(rename::submit),
        ))
        .service(resource("/tokens/{id}", read(activity::show)))
        .service(resource("/o/{org}/settings/api-tokens", read(list::show)))
        .service(resource(
            "/o/{org}/settings/api-tokens/new",
            read(create::show).post(create::submit),
        ))
        .service(resource(
            "/o/{org}/settings/api-tokens/revoke-all",
            read(revoke::show_all).post(revoke::submit_all),
        ))
        .service(resource(
            "/o/{org}/settings/api-tokens/{id}/revoke",
            read(revoke::show).post(revoke::submit),
        ))
        .service(resource(
            "/o/{org}/settings/api-tokens/{id}/rotate",
            read(rotate::show).post(rotate::submit),
        ))
        .service(resource(
            "/o/{org}/settings/api-tokens/{id}/secret",
            read(secret::show),
        ))
        .service(resource(
            "/o/{org}/settings/api-tokens/{id}/name",
            form_on("/o/{org}/settings/api-tokens/{id}").post(rename::submit),
        ))
        .service(resource(
            "/o/{org}/settings/api-tokens/{id}",
            read(activity::show),
        ));
}

/// A signed-in user's request for a page of tokens, with their owner.
struct TokensRequest {
    req: PageRequest,
    owner_ref: OwnerRef,
    owner: TokensOwner,
    right: TokenRight,
    /// Whether the user can create personal tokens.
    can_create_own: bool,
    /// Path of the list.
    path: String,
}

impl Deref for TokensRequest {
    type Target = PageRequest;

    fn deref(&self) -> &PageRequest {
        &self.req
    }
}

impl Guard for TokensRequest {
    /// Finds the owner of the tokens: the organization if the path has `{org}`, otherwise the
    /// user.
    async fn admit(req: PageRequest) -> Result<Self, Failure> {
        if req.segment("org").is_empty() {
            req.signed_in(&req.return_to())?;
            let refusal = token::own_refusal(&req).await?;
            return Ok(Self {
                req,
                owner_ref: OwnerRef::Own,
                owner: TokensOwner::User,
                right: refusal.map_or(TokenRight::Manage, TokenRight::Revoke),
                can_create_own: refusal.is_none(),
                path: "/tokens".to_owned(),
            });
        }
        let req = OrgPageRequest::admit(req).await?;
        Ok(Self {
            can_create_own: token::own_refusal(&req).await?.is_none(),
            owner_ref: OwnerRef::Organization(req.id().to_owned()),
            owner: TokensOwner::Organization(req.head()),
            right: match (req.role(), req.seen.organization.plan) {
                (Role::Member, _) => TokenRight::View,
                (_, Plan::Free) => TokenRight::Revoke(Violation::Plan),
                (_, Plan::Team) => TokenRight::Manage,
            },
            path: req.path("/settings/api-tokens"),
            req: req.into_page_request(),
        })
    }
}
