//! Adding a user to an organization by its name, which creates the organization if necessary.

use crate::{App, Context, Error, Event};
use domain::Fault;
use domain::audit::{Action, Actor};
use domain::id::{OrganizationId, UserId};
use domain::org::{self, Organization};
use domain::policy::{Plan, Policy};
use domain::role::Role;
use serde_json::json;
use store::Conn;

/// A prepared membership in a named organization, which is created if it does not exist.
#[derive(Clone)]
pub(crate) struct Joining {
    name: String,
    slug: String,
    role: Role,
    organization_id: OrganizationId,
    created: Event,
    added: Event,
}

/// Prepares to add a user to the organization with this name.
pub(crate) fn join(
    app: &App,
    context: &Context,
    actor: &Actor,
    name: &str,
    role: Role,
) -> Result<Joining, Fault> {
    let name = domain::name("organization", name)?;
    Ok(Joining {
        slug: org::slug("organization", &name)?,
        name,
        role,
        organization_id: OrganizationId::new(app.now(), app.id_seed()),
        created: app.event(context, actor.clone(), Action::OrganizationCreated),
        added: app.event(context, actor.clone(), Action::MemberAdded),
    })
}

impl Joining {
    /// Whether this is the named organization, by its name or slug.
    fn means(&self, organization: &Organization) -> bool {
        organization.slug == self.name
            || organization.name.to_lowercase() == self.name.to_lowercase()
    }

    /// Adds the user, in the caller's transaction, which has created or locked the user.
    pub(crate) fn write(&self, conn: &mut Conn, user_id: &UserId) -> Result<(), Error> {
        let now = self.created.at;
        let organization = match store::org::find_organization_by_slug(conn, &self.slug)? {
            // If it was deleted since the query, the retry does not find it.
            Some(found) if self.means(&found) => {
                store::org::lock_organization(conn, &found.id)?.ok_or(store::Error::Collision)?
            }
            Some(_) => {
                return Err(Error::Conflict(
                    "Another organization has the address that results from this name. Use its name or address, or choose another name.",
                ));
            }
            None => {
                let new = Organization {
                    id: self.organization_id.clone(),
                    slug: self.slug.clone(),
                    name: self.name.clone(),
                    created_at: now,
                    plan: Plan::Team,
                    policy: Policy::default(),
                };
                // A concurrent transaction created the organization. The retry finds it.
                store::org::insert_organization(conn, &new).map_err(|error| match error {
                    store::Error::Duplicate => store::Error::Collision,
                    error => error,
                })?;
                self.created.write_in(
                    conn,
                    Some(&new.id),
                    Some(new.id.as_str()),
                    json!({"name": new.name}),
                )?;
                new
            }
        };
        store::org::insert_membership(conn, &organization.id, user_id, self.role, now)?;
        self.added.write_in(
            conn,
            Some(&organization.id),
            Some(user_id.as_str()),
            json!({"role": self.role.as_str()}),
        )
    }
}
