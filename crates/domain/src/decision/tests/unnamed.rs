//! Requests that name no organization.

use super::*;

/// What an organization that a user created changes where a request names none: nothing.
#[test]
fn organization_of_a_user_counts_only_where_it_is_named() {
    let org_access = |seed, role, standing| OrgAccess {
        organization_id: organization(seed),
        role,
        policy_decision: Ok(None),
        standing,
    };
    let facts = |org_access| Facts {
        token: TokenStatus::Active,
        owner: TokenStatus::Active,
        scopes: carried(),
        limits: Limits::default(),
        org_access,
        unnamed: Unnamed::NeedsOrganization,
    };
    let scopes = |facts: &Facts, resource: &ResourceRef| {
        let catalogue = scopes().into_iter().flatten().collect();
        scopes_at(
            facts,
            &Catalogue::new(&BuiltInNames::Plain, catalogue).unwrap(),
            resource,
        )
        .to_string()
    };
    let own = org_access(B, Role::Owner, OrgStanding::UserMade);
    let alone = facts(vec![own.clone()]);
    assert_eq!(scopes(&alone, &ResourceRef::Any), "");
    let b = ResourceRef::Organization(organization(B));
    assert_eq!(scopes(&alone, &b), "admin member owner plain");

    let member = facts(vec![
        org_access(A, Role::Member, OrgStanding::Home),
        own.clone(),
    ]);
    assert_eq!(scopes(&member, &ResourceRef::Any), "member plain");
    let several = facts(vec![
        org_access(A, Role::Owner, OrgStanding::OperatorMade),
        own,
    ]);
    assert_eq!(scopes(&several, &ResourceRef::Any), "plain");
}
