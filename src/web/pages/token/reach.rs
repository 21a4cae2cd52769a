//! The organizations and projects that a new token can be limited to.

use super::TokensRequest;
use crate::web::failure::Failure;
use crate::web::pages::view::token::TokensOwner;
use crate::web::pages::view::token_form::{Reach, ReachOrganization, Requirement};
use crate::web::pages::view::{Choice, ProjectGroup};
use app::project;
use app::token::Choices;
use domain::org::Membership;
use domain::page::Page;
use domain::policy::Longest;
use domain::project::Project;
use wire::form::Form;

/// Maximum number of projects in an organization's form; the API accepts any.
const PROJECTS: u16 = 100;

/// The possible limits of a token, with those of the form selected.
pub async fn load(req: &TokensRequest, choices: &Choices, form: &Form) -> Result<Reach, Failure> {
    let is_ticked = |id: &str| form.all("project").any(|one| one == id);
    match &req.owner {
        TokensOwner::Organization(head) => {
            let part = Page::first(PROJECTS);
            let mut found = project::list(req, Some(&head.slug), &part).await?;
            part.cut(&mut found);
            let found = found.into_iter().map(|one| (one, Some(head.name.clone())));
            let only = |group| ReachOrganization {
                group,
                selected: false,
                required: None,
            };
            Ok(Reach {
                organizations: project_groups(found, is_ticked)
                    .into_iter()
                    .map(only)
                    .collect(),
                ..Reach::default()
            })
        }
        TokensOwner::User => {
            let found = project::list_reached(req).await?;
            let found = found.into_iter().map(|one| (one, None));
            let groups = project_groups(found, is_ticked);
            Ok(of_user(
                choices,
                groups,
                form.value("organization").unwrap_or_default(),
            ))
        }
    }
}

/// The limits of a personal token; `chosen` is the id of the selected organization, or empty.
fn of_user(choices: &Choices, mut groups: Vec<ProjectGroup>, chosen: &str) -> Reach {
    let all = &choices.organizations;
    let has_choice = choices.needs_limit || all.len() > 1;
    let mut organizations: Vec<_> = all
        .iter()
        .map(|one| {
            let id = one.organization.id.as_str();
            let at = groups.iter().position(|group| group.organization_id == id);
            let projects = at.map(|at| groups.swap_remove(at).projects);
            ReachOrganization {
                group: ProjectGroup {
                    organization_id: id.to_owned(),
                    organization: one.organization.name.clone(),
                    projects: projects.unwrap_or_default(),
                },
                selected: id == chosen,
                required: requirement(one, all.len()),
            }
        })
        .collect();
    if choices.needs_limit
        && !organizations.iter().any(|one| one.selected)
        && let Some(first) = organizations.iter_mut().find(|one| one.is_allowed())
    {
        first.selected = true;
    }
    Reach {
        has_choice,
        all: (has_choice && !choices.needs_limit)
            .then(|| !organizations.iter().any(|one| one.selected)),
        organizations,
    }
}

/// The projects to select, with the names of their organizations, by organization.
pub fn project_groups(
    projects: impl Iterator<Item = (Project, Option<String>)>,
    is_ticked: impl Fn(&str) -> bool,
) -> Vec<ProjectGroup> {
    let mut groups: Vec<ProjectGroup> = Vec::new();
    for (project, name) in projects {
        let id = project.organization_id.to_string();
        let choice = Choice {
            selected: is_ticked(project.id.as_str()),
            value: project.id.to_string(),
            label: project.name,
        };
        match groups.iter_mut().find(|group| group.organization_id == id) {
            Some(group) => group.projects.push(choice),
            None => groups.push(ProjectGroup {
                organization_id: id,
                organization: name.unwrap_or_default(),
                projects: vec![choice],
            }),
        }
    }
    groups
}

/// Requirement of an organization's policy for this user's tokens. In a single organization, a
/// required expiry limits the form instead.
fn requirement(membership: &Membership, count: usize) -> Option<Requirement> {
    let policy = membership.organization.policy;
    match policy.longest {
        _ if membership.role < policy.personal_tokens.least_role()
            || membership.role < policy.created_by.least_role() =>
        {
            Some(Requirement::AdminsOnly)
        }
        Longest::Days(1) if count > 1 => Some(Requirement::ExpiresWithin("1 day".to_owned())),
        Longest::Days(days) if count > 1 => {
            Some(Requirement::ExpiresWithin(format!("{days} days")))
        }
        Longest::Ending if count > 1 => Some(Requirement::Expires),
        _ => None,
    }
}
