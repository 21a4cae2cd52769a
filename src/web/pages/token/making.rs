//! The form for a new token, and the page that shows it once.

use super::{Shelf, shelf};
use crate::web::failure::Failure;
use crate::web::pages::faults_renamed;
use crate::web::pages::view::token::{
    Caveat, Demand, Holder, LimitChoices, NewTokenPage, ProjectGroup, TokenCreatedPage,
};
use crate::web::pages::view::{Choice, FieldErrors, Moment, ScopeChoice, ScopeGroup};
use crate::web::pages::visit::{Visit, see_other};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::project;
use app::receipt::Receipt;
use app::token::{self, Choices, Wish};
use chrono::Duration;
use domain::Instant;
use domain::org::Membership;
use domain::page::Page;
use domain::policy::Longest;
use domain::project::Project;
use wire::form::Form;

/// How many projects of an organization its form offers; the API takes any.
const PROJECTS: u16 = 100;

/// `GET /tokens/new`, or the organization's.
pub async fn show(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let shelf = shelf(&visit, &request).await?;
    let page = page(&visit, shelf, &Form::default(), FieldErrors::none()).await?;
    visit.page(StatusCode::OK, &page)
}

async fn page(
    visit: &Visit,
    shelf: Shelf,
    form: &Form,
    errors: FieldErrors,
) -> Result<NewTokenPage, Failure> {
    let choices = token::choices(&visit.app, &shelf.caller, &shelf.whose).await?;
    let person = visit.person(&shelf.path)?;
    let scopes = visit
        .app
        .config()
        .scopes
        .iter()
        .filter(|scope| choices.scopes.contains(&scope.name))
        .map(|scope| ScopeChoice {
            name: scope.name.to_string(),
            description: scope.description.clone(),
            ticked: form
                .all("scope")
                .any(|chosen| chosen == scope.name.as_str()),
        })
        .collect();
    let now = visit.now();
    let date = |at: Instant| at.format("%Y-%m-%d").to_string();
    Ok(NewTokenPage {
        chrome: visit.chrome(),
        name: form.value("name").unwrap_or_default().to_owned(),
        scopes: ScopeGroup::of(scopes),
        limits: limits(visit, &shelf, &choices, form).await?,
        expiry: expiry_choices(&choices, form, now),
        expires_on: form.value("expires_on").unwrap_or_default().to_owned(),
        earliest: date(now),
        // A token ends with the chosen day, which must not go beyond the limit.
        latest: choices
            .latest
            .map(|latest| date(latest - Duration::days(1))),
        reservation: token::reserve(&visit.app, person),
        holder: shelf.holder,
        errors,
    })
}

/// What the token can be limited to, and where it may not reach.
async fn limits(
    visit: &Visit,
    shelf: &Shelf,
    choices: &Choices,
    form: &Form,
) -> Result<LimitChoices, Failure> {
    let (app, caller) = (&visit.app, &shelf.caller);
    let all = &choices.organizations;
    let (projects, names) = match &shelf.holder {
        Holder::Organization(head) => {
            let part = Page::first(PROJECTS);
            let mut found = project::list(app, caller, Some(&head.slug), &part).await?;
            part.cut(&mut found);
            let name = |_: &Project| Some(head.name.clone());
            let names: Vec<_> = found.iter().map(name).collect();
            (found, names)
        }
        Holder::Person => {
            let found = project::list_reached(app, caller).await?;
            let name = |project: &Project| {
                let mut all = all.iter();
                let of = all.find(|one| one.organization.id == project.organization_id)?;
                Some(of.organization.name.clone())
            };
            let names: Vec<_> = found.iter().map(name).collect();
            (found, names)
        }
    };
    let mut groups: Vec<ProjectGroup> = Vec::new();
    for (project, name) in projects.into_iter().zip(names) {
        let id = project.organization_id.to_string();
        let choice = Choice {
            selected: form.all("project").any(|one| one == project.id.as_str()),
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
    Ok(LimitChoices {
        organizations: organizations(all, form),
        projects: groups,
        caveats: all
            .iter()
            .filter_map(|one| caveat(one, all.len()))
            .collect(),
    })
}

/// The organizations to choose from, for who is in several.
fn organizations(all: &[Membership], form: &Form) -> Vec<Choice> {
    if all.len() < 2 {
        return Vec::new();
    }
    let chosen = form.value("organization").unwrap_or_default();
    let mut choices = Choice::of(&[("", "All of mine")], chosen);
    choices.extend(all.iter().map(|one| Choice {
        value: one.organization.id.to_string(),
        label: one.organization.name.clone(),
        selected: one.organization.id.as_str() == chosen,
    }));
    choices
}

/// What an organization's policy asks of this person's tokens. An end that it asks for alone
/// bounds the form instead.
fn caveat(membership: &Membership, count: usize) -> Option<Caveat> {
    let policy = membership.organization.policy;
    let demand = match policy.longest {
        _ if membership.role < policy.personal_tokens.least_role() => Demand::AdminsOnly,
        Longest::Days(1) if count > 1 => Demand::ExpiresWithin("1 day".to_owned()),
        Longest::Days(days) if count > 1 => Demand::ExpiresWithin(format!("{days} days")),
        Longest::Ending if count > 1 => Demand::Expires,
        _ => return None,
    };
    Some(Caveat {
        organization: membership.organization.name.clone(),
        demand,
    })
}

/// The choices that the longest lifetime leaves; chosen is what the form says, or the one
/// that is nearest to the default.
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

/// `POST /tokens/new`, or the organization's: shows the token, this once.
pub async fn submit(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let shelf = shelf(&visit, &request).await?;
    let (app, context) = (&visit.app, &visit.context);
    let wish = wish(&form);
    match token::create(
        app,
        context,
        &shelf.caller,
        &shelf.whose,
        wish,
        Receipt::none(),
    )
    .await
    {
        Ok(new) => {
            let now = visit.now();
            let page = TokenCreatedPage {
                chrome: visit.chrome(),
                holder: shelf.holder,
                name: new.token.name,
                token: new.secret.expose().to_owned(),
                scopes: new.token.scopes.iter().map(ToString::to_string).collect(),
                expires: new.token.expires_at.map(|end| Moment::new(end, now)),
                replaced: None,
                me_url: app.config().server.public_url.join("/v1/me"),
            };
            visit.page(StatusCode::OK, &page)
        }
        // The page that showed the token was loaded again.
        Err(app::Error::Conflict(_)) => Ok(see_other(&shelf.path)),
        Err(error) => {
            let errors = faults_renamed(error, "projects", "project")?;
            let page = page(&visit, shelf, &form, errors).await?;
            visit.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

fn wish(form: &Form) -> Wish {
    Wish {
        name: form.value("name").unwrap_or_default().to_owned(),
        scopes: form.all("scope").map(str::to_owned).collect(),
        expires: Some(form.value("expires").unwrap_or_default().to_owned()),
        expires_on: form.value("expires_on").map(str::to_owned),
        organization: form.value("organization").map(str::to_owned),
        projects: form.all("project").map(str::to_owned).collect(),
        reservation: form.value("reservation").map(str::to_owned),
    }
}
