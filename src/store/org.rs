//! Organizations and their members.

use super::schema::{membership, organization};
use super::{Conn, Error, read_value, stored};
use crate::domain::Instant;
use crate::domain::id::{AccountId, OrganizationId};
use crate::domain::org::{Membership, Organization, Role};
use diesel::prelude::*;

#[derive(Queryable, Insertable)]
#[diesel(table_name = organization)]
struct Row {
    id: String,
    slug: String,
    name: String,
    created_at: chrono::NaiveDateTime,
}

impl TryFrom<Row> for Organization {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: read_value(
                OrganizationId::parse(&row.id),
                "organization",
                "id",
                &row.id,
            )?,
            slug: row.slug,
            name: row.name,
            created_at: row.created_at.and_utc(),
        })
    }
}

/// Remembers a new organization. [`Error::Duplicate`] if its slug is taken.
pub fn insert_organization(conn: &mut Conn, new: &Organization) -> Result<(), Error> {
    let row = Row {
        id: new.id.to_string(),
        slug: new.slug.clone(),
        name: new.name.clone(),
        created_at: stored(new.created_at),
    };
    diesel::insert_into(organization::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

/// The organization with this slug.
pub fn find_organization(conn: &mut Conn, slug: &str) -> Result<Option<Organization>, Error> {
    organization::table
        .filter(organization::slug.eq(slug))
        .get_result::<Row>(conn)
        .optional()?
        .map(Organization::try_from)
        .transpose()
}

/// Adds a person to an organization. [`Error::Duplicate`] if it is a member already.
pub fn insert_membership(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    account_id: &AccountId,
    role: Role,
    now: Instant,
) -> Result<(), Error> {
    diesel::insert_into(membership::table)
        .values((
            membership::organization_id.eq(organization_id.as_str()),
            membership::account_id.eq(account_id.as_str()),
            membership::role.eq(role.as_str()),
            membership::created_at.eq(stored(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// The organizations of a person, by name.
pub fn list_memberships(conn: &mut Conn, account_id: &AccountId) -> Result<Vec<Membership>, Error> {
    membership::table
        .inner_join(organization::table)
        .filter(membership::account_id.eq(account_id.as_str()))
        .order((organization::name.asc(), organization::id.asc()))
        .select((organization::all_columns, membership::role))
        .get_results::<(Row, String)>(conn)?
        .into_iter()
        .map(|(row, role)| {
            Ok(Membership {
                role: read_value(
                    Role::parse(&role),
                    "membership",
                    "role",
                    account_id.as_str(),
                )?,
                organization: row.try_into()?,
            })
        })
        .collect()
}
