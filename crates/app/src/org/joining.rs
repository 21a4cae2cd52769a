//! Adding a user to an organization by its name, which creates the organization if the user becomes
//! its owner.

use crate::Error;
use crate::audit::Target;
use crate::tx::Tx;
use domain::Fault;
use domain::audit::Action;
use domain::id::{OrganizationId, UserId};
use domain::name::NameRules;
use domain::org::{self, Maker, Organization};
use domain::role::Role;
use serde_json::json;

/// A valid membership in a named organization.
pub(crate) struct Joining {
    name: String,
    slug: String,
    role: Option<Role>,
}

/// Checks the name of the organization that a user joins with this role. Without a role, the user
/// becomes a member, or the owner of an organization that does not exist yet.
pub(crate) fn joining(names: &NameRules, name: &str, role: Option<Role>) -> Result<Joining, Fault> {
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

/// Adds the user, which the transaction has created or locked. Returns the organization if this
/// created it. Only an id names an organization that a user created, because the user chose its
/// name.
pub(crate) fn join(
    tx: &mut Tx<'_>,
    user_id: &UserId,
    joining: &Joining,
) -> Result<Option<Organization>, Error> {
    let found = match OrganizationId::parse(&joining.name) {
        Some(id) => Some(store::org::lock_organization(tx.conn, &id)?.ok_or_else(|| {
            Fault::new(
                "organization",
                "There is no organization with this ID. Check its spelling.",
            )
        })?),
        None => find(tx, joining)?,
    };
    let (organization, role, is_new) = match (found, joining.role) {
        (Some(found), role) => (found, role.unwrap_or(Role::Member), false),
        (None, None | Some(Role::Owner)) => (create(tx, joining)?, Role::Owner, true),
        // An organization needs an owner, and the name may have a typo.
        (None, Some(role)) => {
            return Err(Fault::new(
                "organization",
                format!(
                    "There is no organization {}. Check the spelling. To create it, choose the \
                     role owner instead of {}.",
                    joining.name,
                    role.as_str()
                ),
            )
            .into());
        }
    };
    store::org::insert_membership(tx.conn, &organization, user_id, role, tx.now)?;
    tx.record_as(
        Action::MemberAdded,
        Target::within(&organization.id, user_id.as_str()),
        json!({"role": role.as_str()}),
    )?;
    Ok(is_new.then_some(organization))
}

/// The organization with this name or slug that the operator created, locked.
fn find(tx: &mut Tx<'_>, joining: &Joining) -> Result<Option<Organization>, Error> {
    match store::org::find_organization_by_slug(tx.conn, &joining.slug)? {
        Some(found) if found.made_by != Maker::Operator => Err(Error::Conflict(
            "An organization that a user created has the address that results from this name. Choose another name. To add the user to that organization, enter its ID.",
        )),
        // If it was deleted since the query, the retry does not find it.
        Some(found) if joining.means(&found) => {
            let locked = store::org::lock_organization(tx.conn, &found.id)?;
            Ok(Some(locked.ok_or(store::Error::Collision)?))
        }
        Some(_) => Err(Error::Conflict(
            "Another organization has the address that results from this name. Use its name or address, or choose another name.",
        )),
        None if store::org::is_slug_of_deleted(tx.conn, &joining.slug)? => Err(Error::Conflict(
            "A deleted organization had the address that results from this name. Choose another name.",
        )),
        None => Ok(None),
    }
}

fn create(tx: &mut Tx<'_>, joining: &Joining) -> Result<Organization, Error> {
    let new = Organization {
        id: tx.id(OrganizationId::new),
        slug: joining.slug.clone(),
        name: joining.name.clone(),
        created_at: tx.now,
        plan: tx.config().new_organizations.plan,
        policy: tx.config().new_organizations.policy,
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
