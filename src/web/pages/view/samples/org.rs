//! Organizations, in every state.

use super::super::FieldErrors;
use super::super::log_badge::{LogBadge, LogState};
use super::super::org::*;
use super::super::org_overview::*;
use super::audit::{changes, verified};
use super::{HOSTILE, LONG, Sample, acme, ada, days, ending, hostile_org, sample};
use domain::role::Role;

fn list(notice: Option<OrganizationsNotice>) -> OrganizationsPage {
    OrganizationsPage {
        chrome: ada(),
        organizations: vec![
            acme(),
            OrganizationHead {
                slug: "analytical-engines".into(),
                name: "Analytical Engines".into(),
                role: Role::Admin,
            },
            hostile_org(),
        ],
        can_make: true,
        notice,
    }
}

fn new_organization() -> NewOrganizationPage {
    NewOrganizationPage {
        chrome: ada(),
        name: String::new(),
        errors: FieldErrors::none(),
    }
}

fn overview(access: Access, notice: Option<OrganizationNotice>) -> OrganizationPage {
    OrganizationPage {
        chrome: ada(),
        org: acme(),
        org_id: "org_01935a7c-1d2e-7f00-8a11-3c4d5e6f7a8b".into(),
        plan: "team",
        role: match access {
            Access::View => Role::Member,
            Access::Manage => Role::Admin,
            Access::Own => Role::Owner,
        },
        created: days(-400),
        members: 12,
        projects: 1,
        access,
        admin: access.can_manage().then(|| admin(Vec::new())),
        rights: vec![
            rights(Role::Owner, 2, &["orgs:write", "billing:write"]),
            rights(Role::Admin, 1, &["audit:read"]),
            rights(Role::Member, 9, &[]),
        ],
        name: "Acme".into(),
        notice,
        errors: FieldErrors::none(),
    }
}

fn admin(todo: Vec<TodoLine>) -> AdminOverview {
    AdminOverview {
        todo,
        own_tokens: 6,
        personal_tokens: 52,
        is_cut: false,
        log: verified(),
        changes: changes(),
        log_path: "/o/acme/audit".into(),
    }
}

fn rights(role: Role, members: usize, scopes: &[&str]) -> RoleRights {
    RoleRights {
        role,
        members,
        scopes: scopes.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn todo([expiring, unused]: [&str; 2]) -> Vec<TodoLine> {
    let item = |name: &str, ends| TodoItem {
        name: name.into(),
        ends,
    };
    let line = |count, what, named| TodoLine {
        count,
        is_warn: true,
        what,
        named,
        href: "/o/acme/tokens?show=expiring".into(),
        verb: "Review",
    };
    let deploys = item("Production deploys", Some(days(2)));
    vec![
        line(
            23,
            "tokens lose access when their grace period ends",
            vec![deploys.clone(), item(expiring, Some(days(3)))],
        ),
        line(1, "token expires within 7 days", vec![deploys]),
        TodoLine {
            is_warn: false,
            ..line(
                5,
                "tokens are unused for more than 30 days",
                vec![item(unused, None)],
            )
        },
        TodoLine {
            is_warn: false,
            ..line(2, "invitations wait for an answer", Vec::new())
        },
    ]
}

fn leave(departure: Option<Departure>) -> LeavePage {
    LeavePage {
        chrome: ada(),
        org: acme(),
        departure,
    }
}

fn delete(members: usize, projects: usize, tokens: usize) -> DeleteOrganizationPage {
    DeleteOrganizationPage {
        chrome: ada(),
        org: acme(),
        members,
        projects,
        tokens,
        name: String::new(),
        errors: FieldErrors::none(),
    }
}

/// Organizations.
pub fn samples() -> Vec<Sample> {
    let empty = OrganizationsPage {
        organizations: Vec::new(),
        ..list(Some(OrganizationsNotice::Left))
    };
    let kept = OrganizationsPage {
        organizations: Vec::new(),
        can_make: false,
        ..list(None)
    };
    let new_with_errors = NewOrganizationPage {
        name: HOSTILE.into(),
        errors: FieldErrors::on("name", "Enter a name."),
        ..new_organization()
    };
    let hostile = OrganizationPage {
        org: hostile_org(),
        plan: "free",
        name: String::new(),
        errors: FieldErrors::on("name", "Enter a name."),
        ..overview(Access::Manage, None)
    };
    let seen = |state, access, notice| sample("org", state, &overview(access, notice));
    let busy = OrganizationPage {
        admin: Some(AdminOverview {
            is_cut: true,
            log: LogBadge {
                state: LogState::Contradicted(days(-1), 7),
                checkpoint: None,
            },
            ..admin(todo([LONG, HOSTILE]))
        }),
        ..overview(Access::Own, None)
    };
    let ordinary = OrganizationPage {
        admin: Some(admin(todo(["ERP sync", "zapier by Bob Byron"]))),
        ..overview(Access::Own, None)
    };
    let unverified = OrganizationPage {
        admin: Some(AdminOverview {
            log: LogBadge {
                state: LogState::Unverified,
                checkpoint: None,
            },
            ..admin(todo([LONG, HOSTILE]).split_off(1))
        }),
        ..overview(Access::Manage, None)
    };
    let leaving = |state, extent, tokens| {
        sample(
            "org-leave",
            state,
            &leave(Some(Departure { extent, tokens })),
        )
    };
    let delete_with_errors = DeleteOrganizationPage {
        org: hostile_org(),
        name: LONG.into(),
        errors: FieldErrors::on("name", "That is not its name."),
        ..delete(12, 3, 7)
    };
    vec![
        sample("orgs", "several", &list(None)),
        sample("orgs", "deleted", &list(Some(OrganizationsNotice::Deleted))),
        sample("orgs", "empty", &empty),
        sample("orgs", "made-by-operator", &kept),
        sample("org-new", "empty", &new_organization()),
        sample("org-new", "errors", &new_with_errors),
        seen("member", Access::View, None),
        seen("joined", Access::View, Some(OrganizationNotice::Joined)),
        seen("admin", Access::Manage, Some(OrganizationNotice::Renamed)),
        sample("org", "ordinary", &ordinary),
        seen("owner", Access::Own, Some(OrganizationNotice::Created)),
        sample("org", "errors", &hostile),
        sample("org", "attention", &busy),
        sample("org", "unverified", &unverified),
        sample("org-leave", "last-owner", &leave(None)),
        leaving("no-tokens", DepartureExtent::LimitedToIt, Vec::new()),
        leaving("limited", DepartureExtent::LimitedToIt, ending()),
        leaving("only", DepartureExtent::All, ending()),
        sample("org-delete", "full", &delete(12, 3, 1)),
        sample("org-delete", "bare", &delete(1, 0, 0)),
        sample("org-delete", "errors", &delete_with_errors),
    ]
}
