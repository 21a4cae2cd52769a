//! The members whose only organization is this one. Their access depends on it alone.

use super::{Conn, Error};
use diesel::prelude::*;
use domain::id::OrganizationId;
use std::collections::BTreeSet;

/// A query of their ids, also as a subquery. A macro, since its type has no name that both
/// databases share.
macro_rules! single_org_members {
    ($organization_id:expr) => {{
        use $crate::schema::membership;
        let id: String = $organization_id.to_string();
        let elsewhere = diesel::alias!(membership as elsewhere);
        let others = elsewhere
            .filter(elsewhere.field(membership::user_id).eq(membership::user_id))
            .filter(elsewhere.field(membership::organization_id).ne(id.clone()));
        membership::table
            .filter(membership::organization_id.eq(id))
            .filter(diesel::dsl::not(diesel::dsl::exists(others)))
            .select(membership::user_id)
    }};
}
pub(super) use single_org_members;

/// Their ids.
pub fn list_single_org_members(
    conn: &mut Conn,
    id: &OrganizationId,
) -> Result<BTreeSet<String>, Error> {
    let ids = single_org_members!(id).get_results::<String>(conn)?;
    Ok(ids.into_iter().collect())
}
