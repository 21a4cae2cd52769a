//! The members whose access depends on this organization alone. If the operator created it, their
//! organizations that users created do not count.

use super::{Conn, Error};
use crate::statement::Statement;
use diesel::prelude::*;
use domain::id::OrganizationId;
use std::collections::BTreeSet;

/// Portable SQL about a row of `membership`, since the query builder joins no two aliases.
pub(super) const IS_SINGLE: &str = "
    EXISTS (
        SELECT 1 FROM users
        WHERE users.id = membership.user_id AND users.needs_organization
    )
    AND NOT EXISTS (
        SELECT 1 FROM membership AS elsewhere
        JOIN organization AS other ON other.id = elsewhere.organization_id
        JOIN organization AS own ON own.id = membership.organization_id
        WHERE elsewhere.user_id = membership.user_id
        AND elsewhere.organization_id <> membership.organization_id
        AND (other.made_by = 'operator' OR own.made_by <> 'operator')
    )";

/// A query of their ids, also as a subquery. A macro, since its type has no name that both
/// databases share.
macro_rules! single_org_members {
    ($organization_id:expr) => {{
        use $crate::schema::membership;
        let id: String = $organization_id.to_string();
        membership::table
            .filter(membership::organization_id.eq(id))
            .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(
                $crate::single_org::IS_SINGLE,
            ))
            .select(membership::user_id)
    }};
}
pub(super) use single_org_members;

/// Their ids.
pub fn list_single_org_members(
    conn: &mut Conn,
    id: &OrganizationId,
) -> Result<BTreeSet<String>, Error> {
    let ids = single_org_members!(id).rows::<String>(conn)?;
    Ok(ids.into_iter().collect())
}
