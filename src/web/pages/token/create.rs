//! The form for a new token.

use super::TokensRequest;
use super::prefill::{self, ACCESS, NONE};
use super::secret::{storing_secret, to_secret};
use super::{expiry, reach};
use crate::web::pages::page_request::Answer;
use crate::web::pages::typed_form::{TypedForm, renamed};
use crate::web::pages::view::ScopeChoice;
use crate::web::pages::view::token_form::{NewTokenPage, Resource};
use actix_web::http::StatusCode;
use app::token::{self, CreateToken};
use chrono::Duration;
use domain::Instant;
use domain::scope::{Catalogue, ScopeName};
use wire::form::Form;

/// `GET /tokens/new`, or the organization's. `from` names a token to copy, `preset` a preset.
pub async fn show(req: TokensRequest) -> Answer {
    let choices = token::choices(&req, &req.owner_ref).await?;
    let query = req.query()?;
    let original = match query.value("from") {
        Some(id) => Some(token::find(&req, &req.owner_ref, id).await?.token),
        None => None,
    };
    let catalogue = &req.app.config().scopes;
    let presets = prefill::presets(req.app.config(), &choices.scopes);
    let preset = query
        .value("preset")
        .and_then(|word| presets.iter().find(|preset| preset.word == word));
    let now = choices.now;
    let typed = req.typed_or(prefill::form((original.as_ref(), preset), catalogue, now));
    let form = &typed.form;
    let selected = selected_scopes(form, catalogue);
    let scopes: Vec<_> = catalogue
        .iter()
        .filter(|scope| choices.scopes.contains(&scope.name))
        .map(|scope| {
            let is_selected = selected.iter().any(|name| name == scope.name.as_str());
            ScopeChoice::new(scope, is_selected)
        })
        .collect();
    let reach = reach::load(&req, &choices, form).await?;
    let date = |at: Instant| at.format("%Y-%m-%d").to_string();
    let page = NewTokenPage {
        chrome: req.chrome(),
        name: typed.text("name"),
        expiry: expiry::choices(&choices, form),
        expires_on: typed.text("expires_on"),
        earliest: date(now),
        // A token expires at the end of the chosen day, which must be within the limit.
        latest: choices
            .latest
            .map(|latest| date(latest - Duration::days(1))),
        presets: prefill::links(&presets, &scopes, &format!("{}/new", req.path), &query),
        left_out: match typed.was_sent() {
            true => Vec::new(),
            false => prefill::left_out(original.as_ref(), &choices.scopes, &reach),
        },
        resources: Resource::of(scopes),
        unscoped: req.app.config().routes.unscoped(),
        reach,
        form_nonce: token::form_nonce_for(&req)?,
        owner: req.owner.clone(),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /tokens/new`, or the organization's: leads to the page that shows the token once.
pub async fn submit(req: TokensRequest, form: Form) -> Answer {
    let input = input(&form, &req.app.config().scopes);
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

fn input(form: &Form, catalogue: &Catalogue) -> CreateToken {
    CreateToken {
        name: form.value("name").unwrap_or_default().to_owned(),
        scopes: selected_scopes(form, catalogue),
        expires: Some(form.value("expires").unwrap_or_default().to_owned()),
        expires_on: form.value("expires_on").map(str::to_owned),
        organization: form.value("organization").map(str::to_owned),
        projects: form.all("project").map(str::to_owned).collect(),
        form_nonce: form.value("form_nonce").map(str::to_owned),
    }
}

/// The scopes that a form selects: its checkboxes, and the choice of each resource, in which
/// writing includes reading.
fn selected_scopes(form: &Form, catalogue: &Catalogue) -> Vec<String> {
    let mut selected: Vec<String> = form.all("scope").map(str::to_owned).collect();
    let choices = form
        .names()
        .filter(|name| name.starts_with(ACCESS))
        .filter_map(|name| form.value(name))
        .filter(|choice| *choice != NONE);
    for choice in choices {
        let read = choice
            .strip_suffix(":write")
            .and_then(|resource| ScopeName::parse(&format!("{resource}:read")))
            .filter(|read| catalogue.find(read).is_some());
        selected.push(choice.to_owned());
        selected.extend(read.map(|read| read.to_string()));
    }
    selected
}
