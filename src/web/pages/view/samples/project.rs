//! Projects, in every state.

use super::super::org::Access;
use super::super::project::*;
use super::super::{Choice, FieldErrors};
use super::{HOSTILE, LONG, Sample, acme, ada, days, hostile_org, sample};

fn head(name: &str) -> ProjectHead {
    ProjectHead {
        id: "prj_01935a7c-1d2e-7f00-8a11-3c4d5e6f7a8b".into(),
        name: name.into(),
    }
}

fn projects(access: Access, names: &[&str]) -> ProjectsPage {
    let row = |name: &&str| ProjectRow {
        project: head(name),
        members: 3,
        created: days(-40),
    };
    ProjectsPage {
        chrome: ada(),
        org: acme(),
        projects: names.iter().map(row).collect(),
        next: None,
        access,
        notice: None,
    }
}

fn member(id: &str, name: &str) -> ProjectMemberRow {
    ProjectMemberRow {
        id: format!("usr_{id}"),
        name: name.into(),
        email: format!("{id}@example.com"),
        since: days(-12),
    }
}

fn project(access: Access, notice: Option<ProjectNotice>) -> ProjectPage {
    ProjectPage {
        chrome: ada(),
        org: acme(),
        project: head("Website"),
        created: days(-40),
        members: vec![member("bob", "Bob Byron"), member(LONG, HOSTILE)],
        next: Some("/o/acme/projects/prj_x?after=0.usr_x".into()),
        candidates: Choice::of(
            &[
                ("usr_mary", "Mary Somerville (mary@example.com)"),
                ("usr_x", HOSTILE),
            ],
            "usr_mary",
        ),
        access,
        name: "Website".into(),
        notice,
        errors: FieldErrors::none(),
    }
}

/// Projects.
pub fn samples() -> Vec<Sample> {
    let deleted = ProjectsPage {
        notice: Some(ProjectsNotice::Deleted),
        ..projects(Access::Manage, &[])
    };
    let new = NewProjectPage {
        chrome: ada(),
        org: acme(),
        name: String::new(),
        errors: FieldErrors::none(),
    };
    let new_with_errors = NewProjectPage {
        chrome: ada(),
        org: hostile_org(),
        name: HOSTILE.into(),
        errors: FieldErrors::on("name", "Use at most 100 characters."),
    };
    let empty = |access, notice| ProjectPage {
        members: Vec::new(),
        next: None,
        candidates: Vec::new(),
        ..project(access, notice)
    };
    let mut errors = FieldErrors::on("name", "Enter a name.");
    errors.push("member", "Choose a member of the organization.");
    let again = ProjectPage {
        org: hostile_org(),
        project: head(LONG),
        name: String::new(),
        errors,
        ..project(Access::Manage, None)
    };
    let remove = RemoveProjectMemberPage {
        chrome: ada(),
        org: acme(),
        project: head(LONG),
        member: member("x", HOSTILE),
    };
    let delete = |name, tokens| DeleteProjectPage {
        chrome: ada(),
        org: acme(),
        project: head(name),
        tokens,
    };
    let names = ["Website", HOSTILE, LONG];
    let (manage, view) = (Access::Manage, Access::View);
    let done = |state, notice| sample("project", state, &project(manage, Some(notice)));
    let created = empty(manage, Some(ProjectNotice::Created));
    vec![
        sample("projects", "admin", &projects(manage, &names)),
        sample("projects", "member", &projects(view, &names[..1])),
        sample("projects", "member-empty", &projects(view, &[])),
        sample("projects", "deleted", &deleted),
        sample("project-new", "empty", &new),
        sample("project-new", "errors", &new_with_errors),
        sample("project", "admin", &project(manage, None)),
        sample("project", "member", &project(view, None)),
        sample("project", "member-empty", &empty(view, None)),
        sample("project", "created", &created),
        done("renamed", ProjectNotice::Renamed),
        done("added", ProjectNotice::Added("Bob Byron".into())),
        done("removed", ProjectNotice::Removed(HOSTILE.into())),
        sample("project", "errors", &again),
        sample("project-member-remove", "hostile", &remove),
        sample("project-delete", "no-tokens", &delete("Website", 0)),
        sample("project-delete", "one-token", &delete(HOSTILE, 1)),
        sample("project-delete", "tokens", &delete(LONG, 4)),
    ]
}
