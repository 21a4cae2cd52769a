//! Memberships that groups of a provider give.

use crate::access::find_organization;
use crate::audit::Target;
use crate::tx::Tx;
use crate::{Error, org};
use config::Provider;
use domain::audit::Action;
use domain::id::{OrganizationId, UserId};
use domain::org::Maker;
use domain::role::Role;
use serde_json::json;
use std::collections::BTreeMap;

/// Gives a user, whom the transaction has locked, the memberships of the groups, with the highest of
/// several roles, and ends those that only a rule gave and no group gives any more. Memberships that
/// users or the operator gave stay as they are.
pub(super) fn apply(
    tx: &mut Tx<'_>,
    provider: &Provider,
    user_id: &UserId,
    groups: &[String],
) -> Result<(), Error> {
    let mut roles: BTreeMap<OrganizationId, Option<Role>> = BTreeMap::new();
    for id in store::identity::list_given_by(tx.conn, user_id, &provider.issuer)? {
        roles.insert(id, None);
    }
    let rules = &provider.entry.rules;
    for rule in rules.iter().filter(|rule| groups.contains(&rule.group)) {
        let named = rule.organization.as_str();
        let found = find_organization(tx.conn, named)?;
        // An organization that a user created must not match by its slug, which that user chose.
        let found = found.filter(|organization| {
            organization.made_by == Maker::Operator || organization.id.as_str() == named
        });
        match found {
            Some(organization) => {
                let role = roles.entry(organization.id).or_default();
                *role = (*role).max(Some(rule.role));
            }
            None => tracing::warn!(
                organization = named,
                "a rule of [[sign_in]] names an organization that the operator has not created"
            ),
        }
    }
    // In the order of the ids, so that two sign-ins lock organizations in the same order.
    for (id, role) in roles {
        set(tx, &provider.issuer, (&id, user_id), role)?;
    }
    Ok(())
}

/// Ends all memberships that the rules of an issuer gave.
pub(super) fn leave_all(tx: &mut Tx<'_>, issuer: &str, user_id: &UserId) -> Result<(), Error> {
    for id in store::identity::list_given_by(tx.conn, user_id, issuer)? {
        set(tx, issuer, (&id, user_id), None)?;
    }
    Ok(())
}

fn set(
    tx: &mut Tx<'_>,
    issuer: &str,
    (id, user_id): (&OrganizationId, &UserId),
    role: Option<Role>,
) -> Result<(), Error> {
    let Some(organization) = store::org::lock_organization(tx.conn, id)? else {
        return Ok(());
    };
    let present = store::org::find_role(tx.conn, id, user_id)?;
    let is_given = store::identity::list_given_by(tx.conn, user_id, issuer)?.contains(id);
    let target = Target::within(id, user_id.as_str());
    match (present, role) {
        (None, Some(role)) => {
            store::org::insert_membership(tx.conn, &organization, user_id, role, tx.now)?;
            store::identity::mark_given_by(tx.conn, id, user_id, Some(issuer))?;
            let detail = json!({"role": role.as_str(), "issuer": issuer});
            tx.record_as(Action::MemberAdded, target, detail)
        }
        (Some(present), Some(role)) if is_given && present != role => {
            store::org::update_role(tx.conn, id, user_id, role)?;
            let detail = json!({"from": present.as_str(), "to": role.as_str(), "issuer": issuer});
            tx.record_as(Action::MemberChanged, target, detail)
        }
        (Some(present), None) if is_given => {
            // Recorded first: the cause before its consequences.
            let detail = json!({"role": present.as_str(), "issuer": issuer});
            tx.record_as(Action::MemberRemoved, target, detail)?;
            org::depart(tx, &organization, user_id)
        }
        _ => Ok(()),
    }
}
