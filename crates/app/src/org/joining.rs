//! Adding a user to an organization by its name, which creates the organization if necessary.

use crate::Error;
use crate::audit::Target;
use crate::tx::Tx;
use domain::Fault;
use domain::audit::Action;
use domain::id::{OrganizationId, UserId};
use domain::name::NameRules;
use domain::org::{self, Maker, Organization};
use domain::policy::{Plan, Policy};
use domain::role::Role;
use serde_json::json;

/// A valid membership in a named organization, which is created if it does not exist.
pub(crate) struct Joining {
    name: String,
    slug: String,
    role: Role,
}

/// Checks the name of the organization that a user joins with this role.
pub(crate) fn joining(names: &NameRules, name: &str, role: Role) -> Result<Joining, Fault> {
    let name = names.check("organization", name)?;
    Ok(Joining {
        slug: org::slug("organization", &name)?,
        name,
        role,
    })
}

impl Joining {
    /// Whether this is the named organization, by its name or slug.
    fn means(&self, organization: &Organization) -> bool {
        organization.slug == self.name
            || organization.name.to_lowercase() == self.name.to_lowercase()
    }
}

/// Adds the user, which the transaction has created or locked. Only an id names an organization
/// that a user created, because the user chose its name.
pub(crate) fn join(tx: &mut Tx<'_>, user_id: &UserId, joining: &Joining) -> Result<(), Error> {
    let organization = match OrganizationId::parse(&joining.name) {
        Some(id) => store::org::lock_organization(tx.conn, &id)?.ok_or_else(|| {
            Fault::new(
                "organization",
                "There is no organization with this ID. Check its spelling.",
            )
        })?,
        None => find_or_create(tx, joining)?,
    };
    let (id, role) = (&organization.id, joining.role);
    store::org::insert_membership(tx.conn, &organization, user_id, role, tx.now)?;
    tx.record_as(
        Action::MemberAdded,
        Target::within(id, user_id.as_str()),
        json!({"role": role.as_str()}),
    )
}

/// The organization with this name or slug that the operator created, locked, or a new one.
fn find_or_create(tx: &mut Tx<'_>, joining: &Joining) -> Result<Organization, Error> {
    match store::org::find_organization_by_slug(tx.conn, &joining.slug)? {
        Some(found) if found.made_by != Maker::Operator => Err(Error::Conflict(
            "An organization that a user created has the address that results from this name. Choose another name. To add the user to that organization, enter its ID.",
        )),
        // If it was deleted since the query, the retry does not find it.
        Some(found) if joining.means(&found) => Ok(store::org::lock_organization(
            tx.conn, &found.id,
        )?
        .ok_or(store::Error::Collision)?),
        Some(_) => Err(Error::Conflict(
            "Another organization has the address that results from this name. Use its name or address, or choose another name.",
        )),
        None if store::org::is_slug_of_deleted(tx.conn, &joining.slug)? => Err(Error::Conflict(
            "A deleted organization had the address that results from this name. Choose another name.",
        )),
        None => create(tx, joining),
    }
}

fn create(tx: &mut Tx<'_>, joining: &Joining) -> Result<Organization, Error> {
    let new = Organization {
        id: tx.id(OrganizationId::new),
        slug: joining.slug.clone(),
        name: joining.name.clone(),
        created_at: tx.now,
        plan: Plan::Team,
        policy: Policy::default(),
        // Only the operator, and the first user with the setup link, create an organization by
        // name.
        made_by: Maker::Operator,
    };
    // A concurrent transaction created the organization. The retry finds it.
    store::org::insert_organization(tx.conn, &new).map_err(|error| match error {
        store::Error::Duplicate => store::Error::Collision,
        error => error,
    })?;
    let detail = json!({"name": new.name});
    tx.record_as(Action::OrganizationCreated, &new, detail)?;
    Ok(new)
}
