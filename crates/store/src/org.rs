//! Organizations and their members.

use super::policy::Terms;
use super::schema::{membership, organization, users};
use super::user::Row as UserRow;
use super::{Conn, Error, read_value, stored};
use diesel::prelude::*;
use domain::Instant;
use domain::id::{OrganizationId, UserId};
use domain::org::{Member, Membership, Organization};
use domain::page::Page;
use domain::policy::{Plan, Policy};
use domain::role::Role;
use domain::user::User;

#[derive(Queryable, Insertable)]
#[diesel(table_name = organization, treat_none_as_default_value = false)]
struct Row {
    id: String,
    slug: String,
    name: String,
    created_at: chrono::NaiveDateTime,
    plan: String,
    personal_tokens: String,
    longest: String,
    longest_days: Option<i32>,
    deleted_at: Option<chrono::NaiveDateTime>,
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
            longest: terms.longest,
            longest_days: terms.longest_days,
            deleted_at: None,
        }
    }
}

impl TryFrom<Row> for Organization {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let read = "organization";
        let terms = Terms {
            plan: row.plan,
            personal_tokens: row.personal_tokens,
            longest: row.longest,
            longest_days: row.longest_days,
        };
        let (plan, policy) = terms.read(read, &row.id)?;
        Ok(Self {
            plan,
            policy,
            id: read_value(OrganizationId::parse(&row.id), read, "id", &row.id)?,
            slug: row.slug,
            name: row.name,
            created_at: row.created_at.and_utc(),
        })
    }
}

/// Inserts an organization. [`Error::Duplicate`] if its slug is taken.
pub fn insert_organization(conn: &mut Conn, new: &Organization) -> Result<(), Error> {
    diesel::insert_into(organization::table)
        .values(Row::from(new))
        .execute(conn)?;
    Ok(())
}

/// The organization with this slug.
pub fn find_organization_by_slug(
    conn: &mut Conn,
    slug: &str,
) -> Result<Option<Organization>, Error> {
    organization::table
        .filter(organization::slug.eq(slug))
        .filter(organization::deleted_at.is_null())
        .get_result::<Row>(conn)
        .optional()?
        .map(Organization::try_from)
        .transpose()
}

/// The organization with this id.
pub fn find_organization(
    conn: &mut Conn,
    id: &OrganizationId,
) -> Result<Option<Organization>, Error> {
    organization::table
        .filter(organization::id.eq(id.as_str()))
        .filter(organization::deleted_at.is_null())
        .get_result::<Row>(conn)
        .optional()?
        .map(Organization::try_from)
        .transpose()
}

/// Locks the organization against changes of it or its members until the transaction ends. On
/// SQLite the single writer is the lock.
pub fn lock_organization(
    conn: &mut Conn,
    id: &OrganizationId,
) -> Result<Option<Organization>, Error> {
    if let Conn::Postgres(conn) = conn {
        organization::table
            .filter(organization::id.eq(id.as_str()))
            .select(organization::id)
            .for_update()
            .get_result::<String>(conn)
            .optional()?;
    }
    find_organization(conn, id)
}

/// All organizations, the oldest first: a page, and one more.
pub fn list_organizations(conn: &mut Conn, page: &Page) -> Result<Vec<Organization>, Error> {
    let mut query = organization::table
        .filter(organization::deleted_at.is_null())
        .order((organization::created_at.asc(), organization::id.asc()))
        .limit(page.look_for())
        .into_boxed();
    if let Some((at, id)) = page.after() {
        let at = stored(at);
        query = query.filter(
            organization::created_at.gt(at).or(organization::created_at
                .eq(at)
                .and(organization::id.gt(id.to_owned()))),
        );
    }
    let rows = query.get_results::<Row>(conn)?;
    rows.into_iter().map(Organization::try_from).collect()
}

/// Renames an organization. Its slug stays, since URLs contain it.
pub fn update_name(conn: &mut Conn, id: &OrganizationId, name: &str) -> Result<(), Error> {
    diesel::update(organization::table.filter(organization::id.eq(id.as_str())))
        .set(organization::name.eq(name))
        .execute(conn)?;
    Ok(())
}

/// Changes an organization's plan and policy.
pub fn update_policy(
    conn: &mut Conn,
    id: &OrganizationId,
    plan: Plan,
    policy: Policy,
) -> Result<(), Error> {
    let terms = Terms::of(plan, policy);
    diesel::update(organization::table.filter(organization::id.eq(id.as_str())))
        .set((
            organization::plan.eq(terms.plan),
            organization::personal_tokens.eq(terms.personal_tokens),
            organization::longest.eq(terms.longest),
            organization::longest_days.eq(terms.longest_days),
        ))
        .execute(conn)?;
    Ok(())
}

/// Marks an organization as deleted. The row stays, since its tokens reference it; its slug is
/// free again.
pub fn mark_deleted(conn: &mut Conn, id: &OrganizationId, now: Instant) -> Result<(), Error> {
    diesel::delete(membership::table.filter(membership::organization_id.eq(id.as_str())))
        .execute(conn)?;
    diesel::update(organization::table.filter(organization::id.eq(id.as_str())))
        .set((
            organization::slug.eq(id.as_str()),
            organization::deleted_at.eq(stored(now)),
        ))
        .execute(conn)?;
    Ok(())
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

/// Adds a user to an organization. [`Error::Duplicate`] if already a member.
pub fn insert_membership(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    user_id: &UserId,
    role: Role,
    now: Instant,
) -> Result<(), Error> {
    diesel::insert_into(membership::table)
        .values((
            membership::organization_id.eq(organization_id.as_str()),
            membership::user_id.eq(user_id.as_str()),
            membership::role.eq(role.as_str()),
            membership::created_at.eq(stored(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Changes a member's role; `false` if the user is no member.
pub fn update_role(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    user_id: &UserId,
    role: Role,
) -> Result<bool, Error> {
    let changed = diesel::update(
        membership::table
            .filter(membership::organization_id.eq(organization_id.as_str()))
            .filter(membership::user_id.eq(user_id.as_str())),
    )
    .set(membership::role.eq(role.as_str()))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Removes a user from an organization; `false` if the user was no member.
pub fn delete_membership(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<bool, Error> {
    let deleted = diesel::delete(
        membership::table
            .filter(membership::organization_id.eq(organization_id.as_str()))
            .filter(membership::user_id.eq(user_id.as_str())),
    )
    .execute(conn)?;
    Ok(deleted == 1)
}

/// A user's role in an organization; `None` if not a member.
pub fn find_role(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<Option<Role>, Error> {
    membership::table
        .filter(membership::organization_id.eq(organization_id.as_str()))
        .filter(membership::user_id.eq(user_id.as_str()))
        .select(membership::role)
        .get_result::<String>(conn)
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
        .get_result(conn)?)
}

/// The number of members of an organization.
pub fn count_members(conn: &mut Conn, organization_id: &OrganizationId) -> Result<i64, Error> {
    Ok(membership::table
        .filter(membership::organization_id.eq(organization_id.as_str()))
        .count()
        .get_result(conn)?)
}

/// The organizations of a user, by name.
pub fn list_memberships(conn: &mut Conn, user_id: &UserId) -> Result<Vec<Membership>, Error> {
    membership::table
        .inner_join(organization::table)
        .filter(membership::user_id.eq(user_id.as_str()))
        .order((organization::name.asc(), organization::id.asc()))
        .select((organization::all_columns, membership::role))
        .get_results::<(Row, String)>(conn)?
        .into_iter()
        .map(|(row, role)| {
            Ok(Membership {
                role: read_role(&role, user_id.as_str())?,
                organization: row.try_into()?,
            })
        })
        .collect()
}

/// The members of an organization, in the order of joining: a page, and one more.
pub fn list_members(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    page: &Page,
) -> Result<Vec<Member>, Error> {
    let mut query = membership::table
        .inner_join(users::table)
        .filter(membership::organization_id.eq(organization_id.as_str()))
        .order((membership::created_at.asc(), membership::user_id.asc()))
        .select((users::all_columns, membership::role, membership::created_at))
        .limit(page.look_for())
        .into_boxed();
    if let Some((at, id)) = page.after() {
        let at = stored(at);
        query = query.filter(
            membership::created_at.gt(at).or(membership::created_at
                .eq(at)
                .and(membership::user_id.gt(id.to_owned()))),
        );
    }
    query
        .get_results::<(UserRow, String, chrono::NaiveDateTime)>(conn)?
        .into_iter()
        .map(read_member)
        .collect()
}

/// A member of an organization.
pub fn find_member(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    user_id: &UserId,
) -> Result<Option<Member>, Error> {
    membership::table
        .inner_join(users::table)
        .filter(membership::organization_id.eq(organization_id.as_str()))
        .filter(membership::user_id.eq(user_id.as_str()))
        .select((users::all_columns, membership::role, membership::created_at))
        .get_result::<(UserRow, String, chrono::NaiveDateTime)>(conn)
        .optional()?
        .map(read_member)
        .transpose()
}

fn read_member(
    (row, role, joined_at): (UserRow, String, chrono::NaiveDateTime),
) -> Result<Member, Error> {
    let user = User::try_from(row)?;
    Ok(Member {
        role: read_role(&role, user.id.as_str())?,
        user,
        joined_at: joined_at.and_utc(),
    })
}

fn read_role(text: &str, user_id: &str) -> Result<Role, Error> {
    read_value(Role::parse(text), "membership", "role", user_id)
}
