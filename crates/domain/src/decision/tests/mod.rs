//! Every combination of the inputs of a decision, checked against the rules of CONTRACT. Each
//! rule is a separate condition; an access request is allowed if all are met.

mod unnamed;

use super::*;
use crate::Instant;
use crate::id::IdSeed;
use crate::policy::Violation;
use crate::scope::BuiltInNames;

fn organization(seed: u8) -> OrganizationId {
    let seed: IdSeed = [seed; 10];
    OrganizationId::new(Instant::UNIX_EPOCH, seed)
}

fn project(seed: u8) -> ProjectId {
    ProjectId::new(Instant::UNIX_EPOCH, [seed; 10])
}

fn scope(name: &str, min_role: Option<Role>) -> Scope {
    Scope {
        min_role,
        ..Scope::new(ScopeName::parse(name).unwrap(), "")
    }
}

/// The seeds of resources: `A` is the organization under test, `B` another.
const A: u8 = 1;
const B: u8 = 2;
const PROJECT_OF_A: u8 = 3;
const ANOTHER_OF_A: u8 = 4;

/// The scopes to request. The token carries all but `missing`.
fn scopes() -> Vec<Option<Scope>> {
    let mut scopes = vec![
        None,
        Some(scope("plain", None)),
        Some(scope("missing", None)),
    ];
    scopes.extend(Role::ALL.map(|role| Some(scope(role.as_str(), Some(role)))));
    scopes
}

fn carried() -> ScopeSet {
    ScopeSet::parse("plain member admin owner").unwrap()
}

fn resources() -> Vec<ResourceRef> {
    let of_a = |access| ResourceRef::Project {
        id: project(PROJECT_OF_A),
        organization_id: organization(A),
        access,
    };
    vec![
        ResourceRef::Any,
        ResourceRef::Own,
        ResourceRef::Missing,
        ResourceRef::Organization(organization(A)),
        ResourceRef::Organization(organization(B)),
        of_a(Access::Added),
        of_a(Access::NotAdded),
    ]
}

fn limits() -> Vec<Limits> {
    let of_a = |projects: Option<u8>| Limits {
        organization: Some(organization(A)),
        projects: projects.map(|seed| [project(seed)].into()),
    };
    vec![
        Limits::default(),
        of_a(None),
        of_a(Some(PROJECT_OF_A)),
        of_a(Some(ANOTHER_OF_A)),
        Limits {
            organization: Some(organization(B)),
            projects: None,
        },
    ]
}

const STANDINGS: [OrgStanding; 3] = [
    OrgStanding::UserMade,
    OrgStanding::OperatorMade,
    OrgStanding::Home,
];

const UNNAMED: [Unnamed; 3] = [
    Unnamed::NeedsHome,
    Unnamed::NeedsOrganization,
    Unnamed::NeedsNone,
];

/// The organization access of personal and organization tokens: allowed and denied by policy, in
/// organizations of every standing. There is one home at most.
fn org_access() -> Vec<Vec<OrgAccess>> {
    let both = [Ok(None), Err(Violation::Never)];
    let each = |seed, roles: &[Role]| {
        let mut all = Vec::new();
        for role in roles {
            for policy_decision in both {
                for standing in STANDINGS {
                    all.push(OrgAccess {
                        organization_id: organization(seed),
                        role: *role,
                        policy_decision,
                        standing,
                    });
                }
            }
        }
        all
    };
    let (of_a, of_b) = (each(A, &Role::ALL), each(B, &[Role::Owner]));
    let mut all = vec![vec![]];
    all.extend(of_b.iter().map(|b| vec![b.clone()]));
    for a in of_a {
        all.push(vec![a.clone()]);
        for b in &of_b {
            if (a.standing, b.standing) != (OrgStanding::Home, OrgStanding::Home) {
                all.push(vec![a.clone(), b.clone()]);
            }
        }
    }
    all
}

/// The rules, one condition each.
fn is_allowed(facts: &Facts, scope: Option<&Scope>, resource: &ResourceRef) -> bool {
    let is_live = facts.token == TokenStatus::Active;
    let is_owner_active = facts.owner == TokenStatus::Active;
    let is_carried = scope.is_none_or(|scope| scope.name.as_str() != "missing");

    let is_not_limited_from = |org_access: &OrgAccess| match &facts.limits.organization {
        Some(limit) => *limit == org_access.organization_id,
        None => true,
    };
    let usable: Vec<&OrgAccess> = facts
        .org_access
        .iter()
        .filter(|org_access| is_not_limited_from(org_access) && org_access.policy_decision.is_ok())
        .collect();
    let here = |id: &OrganizationId| {
        usable
            .iter()
            .find(|org_access| org_access.organization_id == *id)
    };
    let (is_reached, role) = match resource {
        ResourceRef::Any | ResourceRef::Own => {
            let is_limited = facts.limits.organization.is_some();
            let needs_none = !is_limited && facts.unnamed == Unnamed::NeedsNone;
            let mut own = facts.org_access.iter();
            let counts_any = own.any(|one| one.standing != OrgStanding::UserMade);
            let counts = |org_access: &&OrgAccess| match resource {
                ResourceRef::Own => counts_any || !needs_none,
                _ => match facts.unnamed {
                    Unnamed::NeedsHome => org_access.standing == OrgStanding::Home,
                    _ => org_access.standing != OrgStanding::UserMade,
                },
            };
            let mut candidates = facts.org_access.iter();
            let has_any = candidates.any(|one| is_not_limited_from(one) && counts(&one));
            let usable: Vec<_> = usable.iter().copied().filter(counts).collect();
            let of_role = |one: &&OrgAccess| is_limited || one.standing == OrgStanding::Home;
            let role = usable.iter().copied().find(of_role).map(|one| one.role);
            match has_any {
                true => (!usable.is_empty(), role),
                false => (needs_none, None),
            }
        }
        ResourceRef::Missing => (false, None),
        ResourceRef::Organization(id) => (
            here(id).is_some() && facts.limits.projects.is_none(),
            here(id).map(|org_access| org_access.role),
        ),
        ResourceRef::Project {
            id,
            organization_id,
            access,
        } => {
            let org_access = here(organization_id);
            let is_member = org_access.is_some_and(|org_access| {
                *access == Access::Added || org_access.role != Role::Member
            });
            let is_within = match &facts.limits.projects {
                Some(projects) => projects.contains(id),
                None => true,
            };
            (
                is_member && is_within,
                org_access.map(|org_access| org_access.role),
            )
        }
    };
    let is_role_enough = scope.and_then(|scope| scope.min_role).is_none_or(|least| {
        role.is_some_and(|role| match least {
            Role::Member => true,
            Role::Admin => role != Role::Member,
            Role::Owner => role == Role::Owner,
        })
    });
    is_live && is_owner_active && is_carried && is_reached && is_role_enough
}

#[test]
fn every_combination() {
    let (mut seen, mut allowed) = (0, 0);
    for token in [TokenStatus::Active, TokenStatus::Inactive] {
        for owner in [TokenStatus::Active, TokenStatus::Inactive] {
            for org_access in org_access() {
                let variants = limits()
                    .into_iter()
                    .flat_map(|limits| UNNAMED.map(|unnamed| (limits.clone(), unnamed)));
                for (limits, unnamed) in variants {
                    let facts = Facts {
                        token,
                        owner,
                        scopes: carried(),
                        limits,
                        org_access: org_access.clone(),
                        unnamed,
                    };
                    for scope in scopes() {
                        for resource in resources() {
                            let scope = scope.as_ref();
                            let decision = decide(
                                &facts,
                                AccessRequest {
                                    scope,
                                    resource: &resource,
                                },
                            );
                            let expected = is_allowed(&facts, scope, &resource);
                            assert_eq!(
                                decision.is_ok(),
                                expected,
                                "{facts:?} {scope:?} {resource:?}: {decision:?}"
                            );
                            // An inactive token is 401; every other denial is 403.
                            let is_inactive =
                                token == TokenStatus::Inactive || owner == TokenStatus::Inactive;
                            assert_eq!(decision == Err(DenyReason::Inactive), is_inactive);
                            seen += 1;
                            allowed += u32::from(expected);
                        }
                    }
                }
            }
        }
    }
    assert_eq!(seen, 2 * 2 * (1 + 6 + 18 * (1 + 6) - 6 * 2) * 5 * 3 * 6 * 7);
    assert!(allowed > 10_000, "{allowed}");
}

#[test]
fn the_first_reason_is_named() {
    let facts = Facts {
        token: TokenStatus::Active,
        owner: TokenStatus::Active,
        scopes: carried(),
        limits: Limits::default(),
        org_access: vec![OrgAccess {
            organization_id: organization(A),
            role: Role::Member,
            policy_decision: Ok(None),
            standing: OrgStanding::Home,
        }],
        unnamed: Unnamed::NeedsOrganization,
    };
    let ask = |facts: &Facts, name: &str, min_role, resource: &ResourceRef| {
        let scope = scope(name, min_role);
        decide(
            facts,
            AccessRequest {
                scope: Some(&scope),
                resource,
            },
        )
    };
    let a = ResourceRef::Organization(organization(A));
    let b = ResourceRef::Organization(organization(B));
    assert_eq!(ask(&facts, "plain", None, &a), Ok(Some(Role::Member)));
    assert_eq!(
        ask(&facts, "admin", Some(Role::Admin), &a),
        Err(DenyReason::Role(Role::Admin))
    );
    // The decision does not reveal whether the other organization exists.
    assert_eq!(ask(&facts, "plain", None, &b), Err(DenyReason::NoAccess));
    assert_eq!(
        ask(&facts, "plain", None, &ResourceRef::Missing),
        Err(DenyReason::NoAccess)
    );
    let missing = ScopeName::parse("missing").unwrap();
    assert_eq!(
        ask(&facts, "missing", None, &b),
        Err(DenyReason::Scope(missing))
    );
    let mut limited = facts.clone();
    limited.limits.organization = Some(organization(A));
    limited.limits.projects = Some([project(PROJECT_OF_A)].into());
    assert_eq!(ask(&limited, "plain", None, &a), Err(DenyReason::Limited));
    let mut refused = facts;
    refused.org_access[0].policy_decision = Err(Violation::TooLong(30));
    for resource in [&a, &ResourceRef::Any] {
        assert_eq!(
            ask(&refused, "plain", None, resource),
            Err(DenyReason::Policy(Violation::TooLong(30)))
        );
    }
}

#[test]
fn usable_scopes_depend_on_role_and_policy() {
    let catalogue = Catalogue::new(
        &BuiltInNames::Plain,
        vec![scope("plain", None), scope("admin", Some(Role::Admin))],
    )
    .unwrap();
    let mut facts = Facts {
        token: TokenStatus::Active,
        owner: TokenStatus::Active,
        scopes: ScopeSet::parse("plain admin gone").unwrap(),
        limits: Limits::default(),
        org_access: vec![OrgAccess {
            organization_id: organization(A),
            role: Role::Member,
            policy_decision: Ok(None),
            standing: OrgStanding::Home,
        }],
        unnamed: Unnamed::NeedsOrganization,
    };
    assert_eq!(super::scopes(&facts, &catalogue).to_string(), "plain");
    facts.org_access[0].role = Role::Admin;
    assert_eq!(super::scopes(&facts, &catalogue).to_string(), "admin plain");
    facts.org_access[0].policy_decision = Err(Violation::Never);
    assert!(super::scopes(&facts, &catalogue).is_empty());
}

#[test]
fn the_best_policy_decision_within_the_limits_counts() {
    let at = |seconds| Instant::UNIX_EPOCH + chrono::Duration::seconds(seconds);
    let of_a = Limits {
        organization: Some(organization(A)),
        projects: None,
    };
    let (grace, longer) = (Ok(Some(at(1))), Ok(Some(at(2))));
    let refused = Err(Violation::Never);
    for (a, b, anywhere) in [
        (Ok(None), Ok(None), Ok(None)),
        (grace, Ok(None), Ok(None)),
        (grace, longer, longer),
        (longer, grace, longer),
        (grace, refused, grace),
        (refused, grace, grace),
        (refused, Err(Violation::Role), refused),
    ] {
        let org_access = [(A, a), (B, b)].map(|(seed, policy_decision)| OrgAccess {
            organization_id: organization(seed),
            role: Role::Member,
            policy_decision,
            standing: OrgStanding::OperatorMade,
        });
        assert_eq!(
            policy_decision(&Limits::default(), &org_access),
            anywhere,
            "{a:?} {b:?}"
        );
        assert_eq!(policy_decision(&of_a, &org_access), a, "{a:?} {b:?}");
        assert_eq!(policy_decision(&of_a, &org_access[1..]), Ok(None));
    }
    assert_eq!(policy_decision(&Limits::default(), &[]), Ok(None));
}
