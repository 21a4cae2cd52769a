//! Clients, in the operator console.

use super::AdminRequest;
use crate::web::failure::Failure;
use crate::web::pages::list;
use crate::web::pages::page_request::{Answer, see_other};
use crate::web::pages::page_route::{form_on, read};
use crate::web::pages::typed_form::{TypedForm, faults};
use crate::web::pages::view::Moment;
use crate::web::pages::view::admin_client::{
    ClientNotice, ClientPage, ClientRow, ClientScope, ClientScopesPage, ClientsPage,
    DisableClientPage, RotateSecretPage, SecretPage,
};
use crate::web::pages::view::token::{overlaps, read_overlap};
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::client::{self, Registered, ScopeChoice, UpdateClient};
use domain::Instant;
use domain::client::{Client, Credential, Standing};
use domain::scope::{Scope, ScopeSet};
use domain::secret::Secret;
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/admin/clients", read(show_clients)))
        .service(resource("/admin/clients/{client}", read(show_client)))
        .service(resource(
            "/admin/clients/{client}/scopes",
            read(show_scopes).post(submit_scopes),
        ))
        .service(resource(
            "/admin/clients/{client}/rotate",
            read(show_rotate).post(submit_rotate),
        ))
        .service(resource(
            "/admin/clients/{client}/secret",
            read(show_secret),
        ))
        .service(resource(
            "/admin/clients/{client}/disable",
            read(show_disable).post(submit_disable),
        ))
        .service(resource(
            "/admin/clients/{client}/enable",
            form_on("/admin/clients/{client}").post(submit_enable),
        ));
}

fn row(client: &Client, now: Instant) -> ClientRow {
    let previous = match &client.credential {
        Credential::Confidential(secret) => secret.previous.as_ref(),
        Credential::Public => None,
    };
    ClientRow {
        id: client.id.clone(),
        name: client.name.clone(),
        is_confidential: client.credential != Credential::Public,
        is_active: client.standing == Standing::Active,
        scopes: client.scopes.iter().map(ToString::to_string).collect(),
        previous_secret_ends: previous
            .filter(|previous| previous.ends_at > now)
            .map(|previous| Moment::new(previous.ends_at, now)),
    }
}

/// The client that the path names.
async fn find(req: &AdminRequest) -> Result<Client, Failure> {
    Ok(client::show(&req.operator, req.segment("client")).await?)
}

/// The path of the page of a client. The characters of an id need no escape.
fn path(client: &Client) -> String {
    format!("/admin/clients/{}", client.id)
}

/// `GET /admin/clients`.
async fn show_clients(req: AdminRequest) -> Answer {
    let query = req.query()?;
    let part = list::page(&query);
    let mut found = client::list(&req.operator, &part).await?;
    let next = list::cut(&part, &mut found, "/admin/clients", |client| {
        // The list is sorted by id, so the id alone is the position.
        (Instant::UNIX_EPOCH, client.id.clone())
    });
    let page = ClientsPage {
        chrome: req.chrome(),
        clients: found.iter().map(|client| row(client, req.now())).collect(),
        next,
    };
    req.page(StatusCode::OK, &page)
}

/// `GET /admin/clients/{client}`.
async fn show_client(req: AdminRequest) -> Answer {
    let found = find(&req).await?;
    let notice = match req.query()?.value("done") {
        Some("scopes") => Some(ClientNotice::Scopes),
        Some("disabled") => Some(ClientNotice::Disabled),
        Some("enabled") => Some(ClientNotice::Enabled),
        _ => None,
    };
    let page = ClientPage {
        chrome: req.chrome(),
        client: row(&found, req.now()),
        default_scopes: found
            .default_scopes
            .iter()
            .map(ToString::to_string)
            .collect(),
        follows_settings: found.follows_settings,
        tokens: client::count_tokens(&req.operator, &found.id).await?,
        notice,
    };
    req.page(StatusCode::OK, &page)
}

/// `GET /admin/clients/{client}/scopes`.
async fn show_scopes(req: AdminRequest) -> Answer {
    let found = find(&req).await?;
    let typed = req.typed();
    let was_sent = typed.was_sent();
    let is_ticked = |field: &str, present: &ScopeSet, scope: &Scope| match was_sent {
        true => typed
            .form
            .all(field)
            .any(|name| name == scope.name.as_str()),
        false => present.contains(&scope.name),
    };
    let scopes = req.app.config().scopes.iter();
    let page = ClientScopesPage {
        chrome: req.chrome(),
        client: row(&found, req.now()),
        follows_settings: found.follows_settings,
        scopes: scopes
            .map(|scope| ClientScope {
                name: scope.name.to_string(),
                description: scope.description.clone(),
                risk: scope.risk,
                is_allowed: is_ticked("scope", &found.scopes, scope),
                is_default: is_ticked("default_scope", &found.default_scopes, scope),
            })
            .collect(),
        errors: typed.errors.clone(),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /admin/clients/{client}/scopes`.
async fn submit_scopes(req: AdminRequest, form: Form) -> Answer {
    let names = |field| form.all(field).map(str::to_owned).collect();
    let input = UpdateClient {
        scopes: Some(ScopeChoice::These(names("scope"))),
        default_scopes: Some(names("default_scope")),
        ..UpdateClient::default()
    };
    match client::update(&req.operator, req.segment("client"), input).await {
        Ok(changed) => Ok(see_other(&format!("{}?done=scopes", path(&changed)))),
        Err(error) => {
            let typed = TypedForm::with_errors(form, faults(error)?);
            req.again(typed).await
        }
    }
}

/// `GET /admin/clients/{client}/rotate`: offers the overlaps.
async fn show_rotate(req: AdminRequest) -> Answer {
    let found = find(&req).await?;
    if found.credential == Credential::Public {
        return Ok(see_other(&path(&found)));
    }
    let typed = req.typed();
    let overlap = match typed.was_sent() {
        true => typed.form.value("overlap").unwrap_or_default(),
        false => "24h",
    };
    let page = RotateSecretPage {
        chrome: req.chrome(),
        client: row(&found, req.now()),
        overlap: overlaps(overlap),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// The object whose secret the page of a new client secret shows.
fn secret_of(id: &str) -> String {
    format!("secret of {id}")
}

/// `POST /admin/clients/{client}/rotate`: leads to the page that shows the new secret once.
async fn submit_rotate(req: AdminRequest, form: Form) -> Answer {
    let Some(overlap) = read_overlap(form.value("overlap").unwrap_or_default()) else {
        let message = "Choose how long the old one still works.";
        return req.again(TypedForm::wrong(form, "overlap", message)).await;
    };
    let storing = req
        .storing_secret(|new: &Registered| {
            let secret = new.secret.clone().unwrap_or_else(|| Secret::new(""));
            (secret_of(&new.client.id), secret)
        })?
        .with_caller(req.operator.caller.clone());
    match client::rotate_secret(&storing, req.segment("client"), overlap).await {
        Ok(new) => {
            let page = format!("{}/secret", path(&new.client));
            req.to_secret(&secret_of(&new.client.id), &page)
        }
        Err(error) => {
            let typed = TypedForm::with_errors(form, faults(error)?);
            req.again(typed).await
        }
    }
}

/// `GET /admin/clients/{client}/secret`.
async fn show_secret(req: AdminRequest) -> Answer {
    let found = find(&req).await?;
    if found.credential == Credential::Public {
        return Ok(see_other(&path(&found)));
    }
    let secret = req.take_secret(&secret_of(&found.id)).await?;
    let page = SecretPage {
        chrome: req.chrome(),
        client: row(&found, req.now()),
        secret: secret.map(|secret| secret.expose().to_owned()),
    };
    req.secret_page(&page)
}

/// `GET /admin/clients/{client}/disable`: the confirmation page.
async fn show_disable(req: AdminRequest) -> Answer {
    let found = find(&req).await?;
    if found.standing == Standing::Disabled {
        return Ok(see_other(&path(&found)));
    }
    let page = DisableClientPage {
        chrome: req.chrome(),
        client: row(&found, req.now()),
        tokens: client::count_tokens(&req.operator, &found.id).await?,
    };
    req.page(StatusCode::OK, &page)
}

async fn set_standing(req: &AdminRequest, standing: Standing, done: &str) -> Answer {
    let input = UpdateClient {
        standing: Some(standing),
        ..UpdateClient::default()
    };
    let changed = client::update(&req.operator, req.segment("client"), input).await?;
    Ok(see_other(&format!("{}?done={done}", path(&changed))))
}

/// `POST /admin/clients/{client}/disable`.
async fn submit_disable(req: AdminRequest, _: Form) -> Answer {
    set_standing(&req, Standing::Disabled, "disabled").await
}

/// `POST /admin/clients/{client}/enable`.
async fn submit_enable(req: AdminRequest, _: Form) -> Answer {
    set_standing(&req, Standing::Active, "enabled").await
}
