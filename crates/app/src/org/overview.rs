//! Organization data for the pages: size, members, and the effects of deleting the organization
//! or a membership.

use super::{OrganizationView, READ, WRITE};
use crate::access::{Caller, Denial};
use crate::session::SignedIn;
use crate::{App, Error};
use domain::Instant;
use domain::id::{OrganizationId, UserId};
use domain::org::Member;
use domain::page::Page;
use domain::role::Role;
use domain::token::{Token, TokenOwner};
use std::collections::BTreeMap;
use store::Conn;
use store::project::Wanted;
use store::token_filter::TokenFilter;

/// Size of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Number of members.
    pub members: usize,
    /// Number of projects that the caller can access.
    pub projects: usize,
}

/// Numbers of members and of projects that the caller can access.
pub async fn size(app: &App, caller: &Caller, named: &str) -> Result<Size, Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let organization = authority.organization(conn, &named, READ, Role::Member)?;
            measure(conn, &organization.id, caller.user_id())
        })
        .await
}

fn measure(conn: &mut Conn, id: &OrganizationId, user: Option<&UserId>) -> Result<Size, Error> {
    let wanted = Wanted {
        organizations: Some(&[id.to_string()]),
        user,
        among: None,
    };
    let members = store::org::count_members(conn, id)?;
    Ok(Size {
        members: usize::try_from(members).unwrap_or_default(),
        projects: store::project::list_projects(conn, wanted, None, i64::MAX)?.len(),
    })
}

/// The effects of deleting an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Its members and projects.
    pub size: Size,
    /// Number of active tokens that it owns or that are limited to it.
    pub tokens: usize,
}

/// The effects of deleting an organization, for its owners.
pub async fn extent(app: &App, caller: &Caller, named: &str) -> Result<Extent, Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let now = app.now();
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let organization = authority.organization(conn, &named, WRITE, Role::Owner)?;
            let filter = TokenFilter::Organization(organization.id.clone());
            Ok(Extent {
                size: measure(conn, &organization.id, None)?,
                tokens: usize::try_from(store::token_filter::count_living(conn, &filter, now)?)
                    .unwrap_or_default(),
            })
        })
        .await
}

/// One page of members, for those who manage them.
#[derive(Debug, Clone)]
pub struct Roster {
    /// The members, in order of joining: one page plus one entry if more follow.
    pub members: Vec<Member>,
    /// Last activity by user id; filled for admins and owners only.
    pub last_active: BTreeMap<String, Instant>,
    /// Whether the organization has at most one active owner.
    pub has_one_owner: bool,
}

/// The members of an organization with their details.
pub async fn roster(app: &App, caller: &Caller, named: &str, page: &Page) -> Result<Roster, Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let page = page.clone();
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let organization = authority.organization(conn, &named, READ, Role::Member)?;
            let (id, limit) = (&organization.id, page.look_for());
            let members = store::org::list_members(conn, id, page.after(), limit)?;
            let last_active = match authority.role_in(id) >= Some(Role::Admin) {
                true => {
                    let ids: Vec<_> = members
                        .iter()
                        .map(|member| member.user.id.to_string())
                        .collect();
                    store::activity::list_last_active(conn, &ids)?
                }
                false => BTreeMap::new(),
            };
            Ok(Roster {
                members,
                last_active,
                has_one_owner: store::org::count_owners(conn, id, None)? <= 1,
            })
        })
        .await
}

/// The effects of removing a member.
#[derive(Debug, Clone)]
pub struct Departure {
    /// The member.
    pub member: Member,
    /// Whether the member is the last active owner, who must stay.
    pub is_last_owner: bool,
    /// Whether it is the user's only organization, so that all personal tokens end.
    pub is_from_last: bool,
    /// The active tokens that would be revoked.
    pub tokens: Vec<Token>,
}

/// The effects of removing a member, for callers allowed to do so: see
/// [`remove_member`](super::remove_member).
pub async fn departure(
    app: &App,
    caller: &Caller,
    named: &str,
    user_id: &UserId,
) -> Result<Departure, Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let (user_id, now) = (user_id.clone(), app.now());
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let least = match caller.user_id() == Some(&user_id) {
                true => Role::Member,
                false => Role::Admin,
            };
            let organization = authority.organization(conn, &named, WRITE, least)?;
            let id = &organization.id;
            let member = store::org::find_member(conn, id, &user_id)?.ok_or(Error::NotFound)?;
            let is_owner = member.role == Role::Owner;
            if is_owner && authority.role_in(id) < Some(Role::Owner) {
                return Err(Denial::Role(Role::Owner).into());
            }
            let is_from_last = store::org::list_memberships(conn, &user_id)?.len() == 1;
            let filter = match is_from_last {
                true => TokenFilter::Owner(TokenOwner::User(user_id.clone())),
                false => TokenFilter::LimitedTo(user_id.clone(), id.clone()),
            };
            Ok(Departure {
                member,
                is_last_owner: is_owner && store::org::count_owners(conn, id, Some(&user_id))? == 0,
                is_from_last,
                tokens: store::token_filter::list_living(conn, &filter, now)?,
            })
        })
        .await
}

/// One member of an organization. Fails with [`Error::NotFound`] if the user is not a member.
pub async fn find_member(
    app: &App,
    caller: &Caller,
    named: &str,
    user_id: &UserId,
) -> Result<Member, Error> {
    let (handle, caller, named) = (app.clone(), caller.clone(), named.to_owned());
    let user_id = user_id.clone();
    app.store()
        .read(move |conn| {
            let authority = caller.authority(&handle, conn)?;
            let organization = authority.organization(conn, &named, READ, Role::Member)?;
            store::org::find_member(conn, &organization.id, &user_id)?.ok_or(Error::NotFound)
        })
        .await
}

/// Whether a user is a member of an organization.
pub async fn is_member(
    app: &App,
    signed_in: &SignedIn,
    id: &OrganizationId,
) -> Result<bool, Error> {
    let (user_id, id) = (signed_in.user.id.clone(), id.clone());
    app.store()
        .read(move |conn| Ok(store::org::find_role(conn, &id, &user_id)?.is_some()))
        .await
}

impl OrganizationView {
    /// The caller's role; the operator has that of an owner.
    pub fn role_or_owner(&self) -> Role {
        self.role.unwrap_or(Role::Owner)
    }
}
