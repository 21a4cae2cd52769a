//! The form for a new token.

use super::TokensRequest;
use super::secret::{storing_secret, to_secret};
use crate::web::failure::Failure;
use crate::web::pages::page_request::Answer;
use crate::web::pages::typed_form::{TypedForm, renamed};
use crate::web::pages::view::token::{
    Caveat, LimitChoices, NewTokenPage, ProjectGroup, RequiredScope, TokensOwner,
};
use crate::web::pages::view::{Choice, ScopeChoice, ScopeGroup};
use actix_web::http::StatusCode;
use app::project;
use app::token::{self, Choices, CreateToken};
use chrono::Duration;
use domain::Instant;
use domain::org::Membership;
use domain::page::Page;
use domain::policy::Longest;
use domain::project::Project;
use wire::form::Form;

/// Maximum number of projects in an organization's form; the API accepts any.
const PROJECTS: u16 = 100;

/// `GET /tokens/new`, or the organization's.
pub async fn show(req: TokensRequest) -> Answer {
    let typed = req.typed();
    let form = &typed.form;
    let is_fresh = !typed.was_sent();
    let choices = token::choices(&req, &req.owner_ref).await?;
    let scopes = req
        .app
        .config()
        .scopes
        .iter()
        .filter(|scope| choices.scopes.contains(&scope.name))
        .map(|scope| {
            let name = scope.name.as_str();
            let is_chosen = form.all("scope").any(|chosen| chosen == name);
            ScopeChoice::new(scope, is_chosen || is_fresh && scope.is_default)
        })
        .collect();
    let now = req.now();
    let date = |at: Instant| at.format("%Y-%m-%d").to_string();
    let page = NewTokenPage {
        chrome: req.chrome(),
        name: typed.text("name"),
        scopes: ScopeGroup::of(scopes),
        limits: limits(&req, &choices, form).await?,
        expiry: expiry_choices(&choices, form, now),
        expires_on: typed.text("expires_on"),
        earliest: date(now),
        // A token expires at the end of the chosen day, which must be within the limit.
        latest: choices
            .latest
            .map(|latest| date(latest - Duration::days(1))),
        form_nonce: token::form_nonce_for(&req)?,
        owner: req.owner.clone(),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// The possible limits of the token, and the organizations that it may be unable to reach.
async fn limits(
    req: &TokensRequest,
    choices: &Choices,
    form: &Form,
) -> Result<LimitChoices, Failure> {
    let all = &choices.organizations;
    let (projects, names) = match &req.owner {
        TokensOwner::Organization(head) => {
            let part = Page::first(PROJECTS);
            let mut found = project::list(req, Some(&head.slug), &part).await?;
            part.cut(&mut found);
            let name = |_: &Project| Some(head.name.clone());
            let names: Vec<_> = found.iter().map(name).collect();
            (found, names)
        }
        TokensOwner::User => {
            let found = project::list_reached(req).await?;
            let name = |project: &Project| {
                let mut all = all.iter();
                let of = all.find(|one| one.organization.id == project.organization_id)?;
                Some(of.organization.name.clone())
            };
            let names: Vec<_> = found.iter().map(name).collect();
            (found, names)
        }
    };
    let is_ticked = |id: &str| form.all("project").any(|one| one == id);
    let groups = project_groups(projects.into_iter().zip(names), is_ticked);
    Ok(LimitChoices {
        organizations: organizations(choices, form),
        projects: groups,
        caveats: all
            .iter()
            .filter_map(|one| caveat(one, all.len()))
            .collect(),
    })
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

/// The organizations to choose from; empty if there is no choice.
fn organizations(choices: &Choices, form: &Form) -> Vec<Choice> {
    let all = &choices.organizations;
    let chosen = form.value("organization").unwrap_or_default();
    let mut choices = match (choices.needs_limit, all.len()) {
        (true, _) => Vec::new(),
        (false, 0 | 1) => return Vec::new(),
        (false, _) => Choice::of(&[("", "All of mine")], chosen),
    };
    choices.extend(all.iter().map(|one| Choice {
        value: one.organization.id.to_string(),
        label: one.organization.name.clone(),
        selected: one.organization.id.as_str() == chosen,
    }));
    choices
}

/// Requirements of an organization's policy for this user's tokens. In a single organization, a
/// required expiry limits the form instead.
fn caveat(membership: &Membership, count: usize) -> Option<Caveat> {
    let policy = membership.organization.policy;
    let required = match policy.longest {
        _ if membership.role < policy.personal_tokens.least_role()
            || membership.role < policy.created_by.least_role() =>
        {
            RequiredScope::AdminsOnly
        }
        Longest::Days(1) if count > 1 => RequiredScope::ExpiresWithin("1 day".to_owned()),
        Longest::Days(days) if count > 1 => RequiredScope::ExpiresWithin(format!("{days} days")),
        Longest::Ending if count > 1 => RequiredScope::Expires,
        _ => return None,
    };
    Some(Caveat {
        organization: membership.organization.name.clone(),
        required,
    })
}

/// The choices within the longest lifetime. Selected is the form's value, or the one that is
/// nearest to the default.
fn expiry_choices(choices: &Choices, form: &Form, now: Instant) -> Vec<Choice> {
    let end = |choice: &Choice| match choice.value.as_str() {
        "30d" => Some(now + Duration::days(30)),
        "90d" => Some(now + Duration::days(90)),
        "1y" => Some(now + Duration::days(365)),
        _ => None,
    };
    let is_possible = |choice: &Choice| match (choices.latest, end(choice)) {
        (None, _) => true,
        (Some(latest), Some(end)) => end <= latest,
        (Some(_), None) => choice.value == "custom",
    };
    let default = match choices.default_end.map(|end| end - now) {
        None => "never",
        Some(default) if default >= Duration::days(365) => "1y",
        Some(default) if default >= Duration::days(90) => "90d",
        Some(default) if default >= Duration::days(30) => "30d",
        Some(_) => "custom",
    };
    let mut expiries = Choice::expiries(form.value("expires").unwrap_or(default));
    expiries.retain(is_possible);
    expiries
}

/// `POST /tokens/new`, or the organization's: leads to the page that shows the token once.
pub async fn submit(req: TokensRequest, form: Form) -> Answer {
    let input = input(&form);
    let form_id = token::token_of_form(&req, &input);
    let created = token::create(&storing_secret(&req)?, &req.owner_ref, input).await;
    match (created, form_id) {
        (Ok(new), _) => to_secret(&req, &new.token.id),
        // The browser sent the form twice.
        (Err(app::Error::Conflict(_)), Some(id)) => to_secret(&req, &id),
        (Err(error), _) => {
            let error = renamed(error, "projects", "project");
            req.again(TypedForm::refused(form, error)?).await
        }
    }
}

fn input(form: &Form) -> CreateToken {
    CreateToken {
        name: form.value("name").unwrap_or_default().to_owned(),
        scopes: form.all("scope").map(str::to_owned).collect(),
        expires: Some(form.value("expires").unwrap_or_default().to_owned()),
        expires_on: form.value("expires_on").map(str::to_owned),
        organization: form.value("organization").map(str::to_owned),
        projects: form.all("project").map(str::to_owned).collect(),
        form_nonce: form.value("form_nonce").map(str::to_owned),
    }
}
