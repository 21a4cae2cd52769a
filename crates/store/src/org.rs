//! Organizations and their members.

use super::policy::Terms;
use super::schema::{membership, organization, users};
use super::statement::{ReadRow, RowId, Statement, lock_row, one_page};
use super::user::Row as UserRow;
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::id::{OrganizationId, UserId};
use domain::org::{Maker, Member, Membership, Organization};
use domain::page::Page;
use domain::policy::{Plan, Policy};
use domain::role::Role;

#[derive(Queryable, Insertable)]
#[diesel(table_name = organization, treat_none_as_default_value = false)]
struct Row {
    id: String,
    slug: String,
    name: String,
    created_at: NaiveDateTime,
    plan: String,
    personal_tokens: String,
    personal_tokens_created_by: String,
    longest: String,
    longest_days: Option<i32>,
    deleted_at: Option<NaiveDateTime>,
    made_by: String,
}

impl From<&Organization> for Row {
    fn from(organization: &Organization) -> Self {
        let terms = Terms::of(organization.plan, organization.policy);
        Self {
            id: organization.id.to_string(),
            slug: organization.slug.clone(),
            name: organization.name.clone(),
            created_at: stored(organization.created_at),
            plan: terms.plan,
            personal_tokens: terms.personal_tokens,
            personal_tokens_created_by: terms.personal_tokens_created_by,
            longest: terms.longest,
            longest_days: terms.longest_days,
            deleted_at: None,
            made_by: organization.made_by.as_str().to_owned(),
        }
    }
}

impl ReadRow for Row {
    type Value = Organization;

    fn read(self) -> Result<Organization, Error> {
        let row = RowId("organization", &self.id);
        let terms = Terms {
            plan: self.plan,
            personal_tokens: self.personal_tokens,
            personal_tokens_created_by: self.personal_tokens_created_by,
            longest: self.longest,
            longest_days: self.longest_days,
        };
        let (plan, policy) = terms.read(row)?;
        Ok(Organization {
            plan,
            policy,
            made_by: row.read("made_by", Maker::parse(&self.made_by))?,
            id: row.read("id", OrganizationId::parse(&self.id))?,
            slug: self.slug,
            name: self.name,
            created_at: self.created_at.and_utc(),
        })
    }
}

/// Inserts an organization. [`Error::Duplicate`] if its slug is taken.
pub fn insert_organization(conn: &mut Conn, new: &Organization) -> Result<(), Error> {
    diesel::insert_into(organization::table)
        .values(Row::from(new))
        .run(conn)
}

/// The organization with this slug.
pub fn find_organization_by_slug(
    conn: &mut Conn,
    slug: &str,
) -> Result<Option<Organization>, Error> {
    organization::table
        .filter(organization::slug.eq(slug))
        .filter(organization::deleted_at.is_null())
        .read_one::<Row>(conn)
}

/// Whether a deleted organization had this slug.
pub fn is_slug_of_deleted(conn: &mut Conn, slug: &str) -> Result<bool, Error> {
    let found = organization::table
        .filter(organization::slug.eq(slug))
        .filter(organization::deleted_at.is_not_null());
    Ok(diesel::select(diesel::dsl::exists(found)).row(conn)?)
}

/// The organization with this id.
pub fn find_organization(
    conn: &mut Conn,
    id: &OrganizationId,
) -> Result<Option<Organization>, Error> {
    organization::table
        .find(id.as_str())
        .filter(organization::deleted_at.is_null())
        .read_one::<Row>(conn)
}

/// The id of the organization that the operator created, if there is exactly one. Deleted ones
/// count, so that no deletion gives another organization this place.
pub fn find_only_made_by_operator(conn: &mut Conn) -> Result<Option<OrganizationId>, Error> {
    let found = organization::table
        .filter(organization::made_by.eq(Maker::Operator.as_str()))
        .select(organization::id)
        .limit(2)
        .rows::<String>(conn)?;
    match &found[..] {
        [id] => RowId("organization", id)
            .read("id", OrganizationId::parse(id))
            .map(Some),
        _ => Ok(None),
    }
}

/// Whether the operator created more than one organization, deleted ones included.
pub fn has_several_made_by_operator(conn: &mut Conn) -> Result<bool, Error> {
    let found = organization::table
        .filter(organization::made_by.eq(Maker::Operator.as_str()))
        .count()
        .row::<i64>(conn)?;
    Ok(found > 1)
}

/// Locks the organization against changes of it or its members until the transaction ends. On
/// SQLite the single writer is the lock.
pub fn lock_organization(
    conn: &mut Conn,
    id: &OrganizationId,
) -> Result<Option<Organization>, Error> {
    lock_row!(conn, organization, id);
    find_organization(conn, id)
}

/// All organizations, the oldest first: one page plus one row if more follow.
pub fn list_organizations(conn: &mut Conn, page: &Page) -> Result<Vec<Organization>, Error> {
    let query = organization::table
        .filter(organization::deleted_at.is_null())
        .into_boxed();
    one_page!(query, page, oldest(organization, id)).read_all::<Row>(conn)
}

/// Renames an organization. Its slug stays, since URLs contain it.
pub fn update_name(conn: &mut Conn, id: &OrganizationId, name: &str) -> Result<(), Error> {
    diesel::update(organization::table.find(id.as_str()))
        .set(organization::name.eq(name))
        .run(conn)
}

/// Changes an organization's plan and policy.
pub fn update_policy(
    conn: &mut Conn,
    id: &OrganizationId,
    plan: Plan,
    policy: Policy,
) -> Result<(), Error> {
    let terms = Terms::of(plan, policy);
    diesel::update(organization::table.find(id.as_str()))
        .set((
            organization::plan.eq(terms.plan),
            organization::personal_tokens.eq(terms.personal_tokens),
            organization::personal_tokens_created_by.eq(terms.personal_tokens_created_by),
            organization::longest.eq(terms.longest),
            organization::longest_days.eq(terms.longest_days),
        ))
        .run(conn)
}

/// Marks an organization as deleted. The row stays, since its tokens reference it, and keeps its
/// slug, which no other organization gets.
pub fn mark_deleted(conn: &mut Conn, id: &OrganizationId, now: Instant) -> Result<(), Error> {
    diesel::delete(membership::table.filter(membership::organization_id.eq(id.as_str())))
        .changes(conn)?;
    diesel::update(organization::table.find(id.as_str()))
        .set(organization::deleted_at.eq(stored(now)))
        .run(conn)
}

/// Locks the organizations of a user against deletion until the transaction ends.
pub fn lock_organizations_shared(conn: &mut Conn, user_id: &UserId) -> Result<(), Error> {
    if let Conn::Postgres(conn) = conn {
        let own = membership::table
            .filter(membership::user_id.eq(user_id.as_str()))
            .select(membership::organization_id);
        organization::table
            .filter(organization::id.eq_any(own))
            .select(organization::id)
            .for_share()
            .get_results::<String>(conn)?;
    }
    Ok(())
}

/// Adds a user to an organization. If the operator created it, the user's tokens need an
/// organization from now on. [`Error::Duplicate`] if already a member.
pub fn insert_membership(
    conn: &mut Conn,
    organization: &Organization,
    user_id: &UserId,
    role: Role,
    now: Instant,
) -> Result<(), Error> {
    if organization.made_by == Maker::Operator {
        diesel::update(users::table.find(user_id.as_str()))
            .filter(users::needs_organization.eq(false))
            .set(users::needs_organization.eq(true))
            .changes(conn)?;
    }
    diesel::insert_into(membership::table)
        .values((
            membership::organization_id.eq(organization.id.as_str()),
            membership::user_id.eq(user_id.as_str()),
            membership::role.eq(role.as_str()),
            membership::created_at.eq(stored(now)),
        ))
        .run(conn)
}

/// Changes a member's role; `false` if the user is no member.
pub fn update_role(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    user_id: &UserId,
    role: Role,
) -> Result<bool, Error> {
    diesel::update(membership::table.find((organization_id.as_str(), user_id.as_str())))
        .set(membership::role.eq(role.as_str()))
        .changes_one(conn)
}

/// Removes a user from an organization; `false` if the user was no member.
pub fn delete_membership(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<bool, Error> {
    diesel::delete(membership::table.find((organization_id.as_str(), user_id.as_str())))
        .changes_one(conn)
}

/// A user's role in an organization; `None` if not a member.
pub fn find_role(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<Option<Role>, Error> {
    membership::table
        .find((organization_id.as_str(), user_id.as_str()))
        .select(membership::role)
        .row::<String>(conn)
        .optional()?
        .map(|role| read_role(&role, user_id.as_str()))
        .transpose()
}

/// The number of active owners of an organization, without this user if given.
pub fn count_owners(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    besides: Option<&UserId>,
) -> Result<i64, Error> {
    Ok(membership::table
        .inner_join(users::table)
        .filter(membership::organization_id.eq(organization_id.as_str()))
        .filter(membership::user_id.ne(besides.map_or("", UserId::as_str)))
        .filter(membership::role.eq(Role::Owner.as_str()))
        .filter(users::state.eq("active"))
        .count()
        .row(conn)?)
}

/// Active owners of an organization, in the order of joining, up to a limit.
pub fn list_owners(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    limit: i64,
) -> Result<Vec<Member>, Error> {
    membership::table
        .inner_join(users::table)
        .filter(membership::organization_id.eq(organization_id.as_str()))
        .filter(membership::role.eq(Role::Owner.as_str()))
        .filter(users::state.eq("active"))
        .order((membership::created_at.asc(), membership::user_id.asc()))
        .limit(limit)
        .select((users::all_columns, membership::role, membership::created_at))
        .read_all::<MemberRow>(conn)
}

/// The numbers of members of an organization by role; a role without members is left out.
pub fn count_members(
    conn: &mut Conn,
    organization_id: &OrganizationId,
) -> Result<Vec<(Role, i64)>, Error> {
    let counts: Vec<(String, i64)> = membership::table
        .filter(membership::organization_id.eq(organization_id.as_str()))
        .group_by(membership::role)
        .select((membership::role, diesel::dsl::count_star()))
        .rows(conn)?;
    let read = |(role, count): (String, i64)| Some((Role::parse(&role)?, count));
    Ok(counts.into_iter().filter_map(read).collect())
}

/// The organizations of a user, by name.
pub fn list_memberships(conn: &mut Conn, user_id: &UserId) -> Result<Vec<Membership>, Error> {
    list_first_memberships(conn, user_id, i64::MAX)
}

/// The first organizations of a user by name, at most `limit`.
pub fn list_first_memberships(
    conn: &mut Conn,
    user_id: &UserId,
    limit: i64,
) -> Result<Vec<Membership>, Error> {
    membership::table
        .inner_join(organization::table)
        .filter(membership::user_id.eq(user_id.as_str()))
        .order((organization::name.asc(), organization::id.asc()))
        .select((organization::all_columns, membership::role))
        .limit(limit)
        .get_results::<(Row, String)>(conn)?
        .into_iter()
        .map(|(row, role)| {
            Ok(Membership {
                role: read_role(&role, user_id.as_str())?,
                organization: row.read()?,
            })
        })
        .collect()
}

/// The members of an organization, in the order of joining: one page plus one row if more follow.
pub fn list_members(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    page: &Page,
) -> Result<Vec<Member>, Error> {
    let query = membership::table
        .inner_join(users::table)
        .filter(membership::organization_id.eq(organization_id.as_str()))
        .select((users::all_columns, membership::role, membership::created_at))
        .into_boxed();
    one_page!(query, page, oldest(membership, user_id)).read_all::<MemberRow>(conn)
}

/// A member of an organization.
pub fn find_member(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<Option<Member>, Error> {
    membership::table
        .find((organization_id.as_str(), user_id.as_str()))
        .inner_join(users::table)
        .select((users::all_columns, membership::role, membership::created_at))
        .read_one::<MemberRow>(conn)
}

/// A member with the role and the time of joining.
pub(super) type MemberRow = (UserRow, String, NaiveDateTime);

impl ReadRow for MemberRow {
    type Value = Member;

    fn read(self) -> Result<Member, Error> {
        let (user, role, joined_at) = self;
        let user = user.read()?;
        Ok(Member {
            role: read_role(&role, user.id.as_str())?,
            user,
            joined_at: joined_at.and_utc(),
        })
    }
}

fn read_role(text: &str, user_id: &str) -> Result<Role, Error> {
    RowId("membership", user_id).read("role", Role::parse(text))
}
