//! Organization data for the pages: size, members, and the effects of deleting the organization
//! or a membership.

use super::{MOST_READ, OrganizationView, READ, WRITE};
use crate::access::Denial;
use crate::tx::Tx;
use crate::{App, Error, Request};
use domain::Instant;
use domain::id::{OrganizationId, UserId};
use domain::org::{Member, Membership};
use domain::page::Page;
use domain::role::Role;
use domain::token::{Token, TokenOwner};
use std::collections::BTreeMap;
use store::project::Wanted;
use store::token_filter::TokenFilter;

/// Size of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Number of members.
    pub members: usize,
    /// Number of owners among them.
    pub owners: usize,
    /// Number of admins among them.
    pub admins: usize,
    /// Number of projects that the caller can access.
    pub projects: usize,
}

/// Numbers of members and of projects that the caller can access.
pub async fn size(req: &Request, named: &str) -> Result<Size, Error> {
    let named = named.to_owned();
    req.read(move |tx| {
        let organization = tx.organization(&named, READ, Role::Member)?;
        let user = tx.caller().user_id();
        measure(tx, &organization.id, user)
    })
    .await
}

/// Number of active tokens with access to an organization that need the plan `team`.
pub async fn count_gated(req: &Request, named: &str) -> Result<usize, Error> {
    let named = named.to_owned();
    req.read(move |tx| {
        let id = tx.organization(&named, READ, Role::Admin)?.id;
        let gated = tx.config().organizations.plan_needed_for;
        let count = store::policy::count_gated(tx.conn, &id, gated, tx.now)?;
        Ok(usize::try_from(count).unwrap_or_default())
    })
    .await
}

fn measure(tx: &mut Tx<'_>, id: &OrganizationId, user: Option<&UserId>) -> Result<Size, Error> {
    let organizations = [id.to_string()];
    let wanted = Wanted {
        organizations: Some(&organizations),
        user,
        among: None,
    };
    let counts = store::org::count_members(tx.conn, id)?;
    let members = |roles: &[Role]| -> usize {
        let counts = counts.iter().filter(|(role, _)| roles.contains(role));
        counts
            .map(|(_, count)| usize::try_from(*count).unwrap_or_default())
            .sum()
    };
    Ok(Size {
        members: members(&Role::ALL),
        owners: members(&[Role::Owner]),
        admins: members(&[Role::Admin]),
        projects: store::project::count_projects(tx.conn, wanted)?,
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
pub async fn extent(req: &Request, named: &str) -> Result<Extent, Error> {
    let named = named.to_owned();
    req.read(move |tx| {
        let organization = tx.organization(&named, WRITE, Role::Owner)?;
        let filter = TokenFilter::Organization(organization.id.clone());
        let size = measure(tx, &organization.id, None)?;
        let tokens = store::token_filter::count_living(tx.conn, &filter, tx.now)?;
        Ok(Extent {
            size,
            tokens: usize::try_from(tokens).unwrap_or_default(),
        })
    })
    .await
}

/// Members of an organization with their details.
#[derive(Debug, Clone)]
pub struct Roster {
    /// The members: one page plus one entry if more follow.
    pub members: Vec<Member>,
    /// Last activity by user id; filled for admins and owners only.
    pub last_active: BTreeMap<String, Instant>,
    /// Whether the organization has at most one active owner.
    pub has_one_owner: bool,
}

/// One page of members, in order of joining.
pub async fn roster(req: &Request, named: &str, page: &Page) -> Result<Roster, Error> {
    let (named, page) = (named.to_owned(), page.clone());
    req.read(move |tx| {
        let id = tx.organization(&named, READ, Role::Member)?.id;
        let members = store::org::list_members(tx.conn, &id, &page)?;
        describe_members(tx, &id, members)
    })
    .await
}

fn describe_members(
    tx: &mut Tx<'_>,
    id: &OrganizationId,
    members: Vec<Member>,
) -> Result<Roster, Error> {
    let last_active = match tx.authority()?.role_in(id) >= Some(Role::Admin) {
        true => {
            let ids: Vec<_> = members
                .iter()
                .map(|member| member.user.id.to_string())
                .collect();
            store::activity::list_last_active(tx.conn, &ids)?
        }
        false => BTreeMap::new(),
    };
    Ok(Roster {
        members,
        last_active,
        has_one_owner: store::org::count_owners(tx.conn, id, None)? <= 1,
    })
}

/// A search for members.
#[derive(Debug, Clone, Default)]
pub struct MemberSearch {
    /// Words that the name and the email contain, in any order.
    pub text: String,
    /// The role; `None` for all.
    pub role: Option<Role>,
    /// How many members are left out at the start.
    pub skip: usize,
    /// Maximum number of members.
    pub limit: usize,
}

impl MemberSearch {
    fn matches(&self, member: &Member) -> bool {
        let about = format!("{}\n{}", member.user.name, member.user.email).to_lowercase();
        let text = self.text.to_lowercase();
        self.role.is_none_or(|role| role == member.role)
            && text.split_whitespace().all(|word| about.contains(word))
    }
}

/// Finds members by name or email, in the order of their names, plus one if more follow. Reads at
/// most [`MOST_READ`] members, those who joined last.
pub async fn search_members(
    req: &Request,
    named: &str,
    search: MemberSearch,
) -> Result<Roster, Error> {
    let named = named.to_owned();
    req.read(move |tx| {
        let id = tx.organization(&named, READ, Role::Member)?.id;
        let found = store::token_access::list_newest_members(tx.conn, &id, MOST_READ.into())?;
        let mut members: Vec<_> = found.into_values().collect();
        members.retain(|member| search.matches(member));
        members.sort_by_cached_key(|member| (member.user.name.to_lowercase(), member.joined_at));
        let members = members.into_iter().skip(search.skip).take(search.limit + 1);
        describe_members(tx, &id, members.collect())
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
pub async fn departure(req: &Request, named: &str, user_id: &UserId) -> Result<Departure, Error> {
    let (named, user_id) = (named.to_owned(), user_id.clone());
    req.read(move |tx| {
        let least = match tx.caller().user_id() == Some(&user_id) {
            true => Role::Member,
            false => Role::Admin,
        };
        let id = tx.organization(&named, WRITE, least)?.id;
        let member = store::org::find_member(tx.conn, &id, &user_id)?.ok_or(Error::NotFound)?;
        let is_owner = member.role == Role::Owner;
        if is_owner && tx.authority()?.role_in(&id) < Some(Role::Owner) {
            return Err(Denial::Role(Role::Owner).into());
        }
        let is_last_owner =
            is_owner && store::org::count_owners(tx.conn, &id, Some(&user_id))? == 0;
        let is_from_last = store::org::list_memberships(tx.conn, &user_id)?.len() == 1;
        let filter = match is_from_last {
            true => TokenFilter::Owner(TokenOwner::User(user_id.clone())),
            false => TokenFilter::LimitedTo(user_id.clone(), id),
        };
        Ok(Departure {
            member,
            is_last_owner,
            is_from_last,
            tokens: store::token_filter::list_living(tx.conn, &filter, tx.now)?,
        })
    })
    .await
}

/// One member of an organization. Fails with [`Error::NotFound`] if the user is not a member.
pub async fn find_member(req: &Request, named: &str, user_id: &UserId) -> Result<Member, Error> {
    let (named, user_id) = (named.to_owned(), user_id.clone());
    req.read(move |tx| {
        let organization = tx.organization(&named, READ, Role::Member)?;
        store::org::find_member(tx.conn, &organization.id, &user_id)?.ok_or(Error::NotFound)
    })
    .await
}

/// Whether the signed-in user is a member of an organization.
pub async fn is_member(req: &Request, id: &OrganizationId) -> Result<bool, Error> {
    let (user_id, id) = (req.caller.signed_in()?.user.id.clone(), id.clone());
    req.read(move |tx| Ok(store::org::find_role(tx.conn, &id, &user_id)?.is_some()))
        .await
}

/// The first organizations of a user by name, with the user's role, at most `limit`.
pub async fn first_of_user(
    app: &App,
    user_id: &UserId,
    limit: u8,
) -> Result<Vec<Membership>, Error> {
    let user_id = user_id.clone();
    app.store()
        .read_one(move |conn| {
            let limit = i64::from(limit);
            Ok::<_, Error>(store::org::list_first_memberships(conn, &user_id, limit)?)
        })
        .await
}

impl OrganizationView {
    /// The caller's role; the operator has that of an owner.
    pub fn role_or_owner(&self) -> Role {
        self.role.unwrap_or(Role::Owner)
    }
}
