//! The fields of the consent page that limit the token.

use crate::web::failure::Failure;
use crate::web::pages::page_request::PageRequest;
use crate::web::pages::token::project_groups;
use crate::web::pages::typed_form::TypedForm;
use crate::web::pages::view::Choice;
use crate::web::pages::view::device::LimitFields;
use app::device::consent::{self, Consent};
use app::project;
use chrono::Duration;
use domain::Instant;
use domain::project::Project;
use domain::scope::ScopeName;
use wire::form::Form;

/// The choices of limits. Those that the device requested are preselected.
pub(super) async fn limit_fields(
    req: &PageRequest,
    consent: &Consent,
    typed: &TypedForm,
) -> Result<LimitFields, Failure> {
    let (now, grant) = (req.now(), &consent.grant);
    let is_first = !typed.was_sent();
    let projects = project::list_reached(req).await?;
    let asked = projects
        .iter()
        .find(|project| Some(&project.id) == grant.project.as_ref());
    let asked_organization = match (asked, &grant.organization) {
        (Some(project), _) => Some(project.organization_id.as_str()),
        (None, organization) => organization.as_deref(),
    };
    let memberships = || {
        consent
            .options
            .iter()
            .filter_map(|one| one.membership.as_ref())
    };
    // Only an organization whose policy lets the user approve.
    let found = asked_organization
        .and_then(|named| memberships().find(|one| one.organization.is_named(named)));
    let out_of_reach = match (&grant.project, &grant.organization) {
        (Some(id), _) if asked.is_none() || found.is_none() => {
            Some(("the project", id.to_string()))
        }
        (_, Some(named)) if found.is_none() => Some(("the organization", named.clone())),
        _ => None,
    };
    let selected = match is_first {
        true => found.map(|one| one.organization.id.to_string()),
        false => typed.form.value("organization").map(str::to_owned),
    }
    .unwrap_or_default();
    let must_limit = consent
        .options
        .first()
        .is_some_and(|option| option.membership.is_some());
    let has_choice = consent.has_organizations || must_limit || found.is_some();
    let organizations = consent.options.iter().map(|option| {
        let (value, label) = match &option.membership {
            None => (String::new(), "All of mine".to_owned()),
            Some(one) => (
                one.organization.id.to_string(),
                one.organization.name.clone(),
            ),
        };
        Choice {
            selected: value == selected,
            value,
            label,
        }
    });
    let latest = consent.expiry_for(&selected);
    let name = |project: &Project| {
        let of = memberships().find(|one| one.organization.id == project.organization_id)?;
        Some(of.organization.name.clone())
    };
    let names: Vec<_> = projects.iter().map(name).collect();
    let groups = projects
        .iter()
        .cloned()
        .zip(names)
        .filter(|(_, name)| name.is_some());
    let is_ticked = |id: &str| match is_first {
        true => asked.is_some_and(|project| project.id.as_str() == id),
        false => typed.form.all("project").any(|one| one == id),
    };
    let date = |at: Instant| at.format("%Y-%m-%d").to_string();
    Ok(LimitFields {
        are_open: must_limit || found.is_some() || out_of_reach.is_some() || !is_first,
        organizations: match has_choice {
            true => organizations.collect(),
            false => Vec::new(),
        },
        projects: project_groups(groups, is_ticked),
        expiry: expiry_choices(now, latest, &typed.text("expires")),
        expires_on: typed.text("expires_on"),
        // A token expires at the end of the chosen day, which must be within the limit.
        dates: (
            date(now),
            latest.map(|latest| date(latest - Duration::days(1))),
        ),
        out_of_reach,
    })
}

/// The default expiry, and those before it.
fn expiry_choices(now: Instant, latest: Option<Instant>, chosen: &str) -> Vec<Choice> {
    let default = match latest {
        Some(latest) => format!("On {} (default)", latest.format("%-d %B %Y")),
        None => "Never (default)".to_owned(),
    };
    let shorter = [
        ("1d", "In 1 day", 1),
        ("7d", "In 7 days", 7),
        ("30d", "In 30 days", 30),
        ("90d", "In 90 days", 90),
        ("1y", "In 1 year", 365),
    ];
    let shorter = shorter
        .into_iter()
        .filter(|(_, _, days)| latest.is_none_or(|latest| now + Duration::days(*days) < latest))
        .map(|(value, label, _)| (value, label.to_owned()));
    [("", default)]
        .into_iter()
        .chain(shorter)
        .chain([("custom", "On a date I choose".to_owned())])
        .map(|(value, label)| Choice {
            selected: value == chosen,
            value: value.to_owned(),
            label,
        })
        .collect()
}

/// The token that the form grants.
pub(super) fn choice(form: &Form) -> consent::Choice {
    let filled = |name| form.value(name).filter(|value| !value.is_empty());
    consent::Choice {
        scopes: form.all("scope").filter_map(ScopeName::parse).collect(),
        organization: filled("organization").map(str::to_owned),
        projects: form.all("project").map(str::to_owned).collect(),
        expires: filled("expires").map(str::to_owned),
        expires_on: filled("expires_on").map(str::to_owned),
    }
}
