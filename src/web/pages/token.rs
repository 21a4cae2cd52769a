//! Personal access tokens.

use super::faults;
use super::view::token::{
    Holder, LastUse, LimitChoices, NewTokenPage, RevokeAllPage, RevokePage, TokenCreatedPage,
    TokenRight, TokenRow, TokenState, TokensNotice, TokensPage,
};
use super::view::{Choice, FieldErrors, Moment, ScopeChoice, ScopeGroup};
use super::visit::{Visit, see_other};
use crate::app;
use crate::app::caller::Caller;
use crate::app::receipt::Receipt;
use crate::app::session::SignedIn;
use crate::app::token::{self, Whose, Wish};
use crate::config::Lifetime;
use crate::domain::Instant;
use crate::domain::id::TokenId;
use crate::domain::page::Page;
use crate::domain::token::{State, Token};
use crate::web::extract;
use crate::web::failure::Failure;
use crate::wire::form::Form;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Duration;

/// How many tokens a page shows.
const SHOWN: u16 = 500;

/// The person, as the one who asks.
fn caller(person: &SignedIn) -> Caller {
    Caller::person(person)
}

/// `GET /tokens`.
pub async fn show_tokens(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let person = visit.person("/tokens")?;
    let tokens = token::list(
        &visit.app,
        &caller(person),
        &Whose::Own,
        &Page::first(SHOWN),
    )
    .await?;
    let query = extract::query(&request)?;
    let notice = match (query.value("revoked"), query.value("revoked-all")) {
        (Some(id), _) => tokens
            .iter()
            .find(|token| token.id.as_str() == id && token.revocation.is_some())
            .map(|token| TokensNotice::Revoked(token.name.clone())),
        (None, Some(count)) => count.parse().ok().map(TokensNotice::RevokedAll),
        (None, None) => None,
    };
    let now = visit.now();
    let page = TokensPage {
        chrome: visit.chrome(),
        holder: Holder::Person,
        right: TokenRight::Manage,
        tokens: tokens.into_iter().map(|token| row(token, now)).collect(),
        next: None,
        notice,
    };
    visit.page(StatusCode::OK, &page)
}

fn row(token: Token, now: Instant) -> TokenRow {
    let moment = |at| Moment::new(at, now);
    TokenRow {
        state: match (token.state(now), &token.revocation) {
            (State::Live, _) => TokenState::Live,
            (_, Some(revocation)) => TokenState::Revoked(moment(revocation.at)),
            (_, None) => TokenState::Expired,
        },
        id: token.id.to_string(),
        name: token.name,
        hint: token.hint,
        scopes: token.scopes.iter().map(ToString::to_string).collect(),
        origin: token.client_id.map(|client| match token.device_name {
            Some(device) => format!("{client} on {device}"),
            None => client,
        }),
        maker: None,
        limits: Vec::new(),
        created: moment(token.created_at),
        expires: token.expires_at.map(moment),
        last_used: token.last_use.map(|last| LastUse {
            at: moment(last.at),
            address: Some(last.address.to_string()),
        }),
        advice: Vec::new(),
    }
}

/// `GET /tokens/new`.
pub async fn show_new(visit: Visit) -> Result<HttpResponse, Failure> {
    let person = visit.person("/tokens/new")?;
    let page = new_page(&visit, person, &Form::default(), FieldErrors::none()).await?;
    visit.page(StatusCode::OK, &page)
}

async fn new_page(
    visit: &Visit,
    person: &SignedIn,
    form: &Form,
    errors: FieldErrors,
) -> Result<NewTokenPage, Failure> {
    let grantable = token::grantable(&visit.app, person).await?;
    let scopes = visit
        .app
        .config()
        .scopes
        .iter()
        .filter(|scope| grantable.contains(&scope.name))
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
    let latest = token::end_of(visit.app.config().tokens.max_expiry, now);
    Ok(NewTokenPage {
        chrome: visit.chrome(),
        holder: Holder::Person,
        name: form.value("name").unwrap_or_default().to_owned(),
        scopes: ScopeGroup::of(scopes),
        limits: LimitChoices::default(),
        expiry: expiry_choices(visit, form),
        expires_on: form.value("expires_on").unwrap_or_default().to_owned(),
        earliest: date(now),
        // A token ends with the chosen day, which must not go beyond the limit.
        latest: latest.map(|latest| date(latest - Duration::days(1))),
        reservation: token::reserve(&visit.app, person),
        errors,
    })
}

/// The choices that the longest lifetime leaves; chosen is what the form says, or the one
/// that is nearest to the default.
fn expiry_choices(visit: &Visit, form: &Form) -> Vec<Choice> {
    let tokens = &visit.app.config().tokens;
    let days = |choice: &Choice| match choice.value.as_str() {
        "30d" => Some(30),
        "90d" => Some(90),
        "1y" => Some(365),
        _ => None,
    };
    let is_possible = |choice: &Choice| match (tokens.max_expiry, days(choice)) {
        (Lifetime::Never, _) => true,
        (Lifetime::For(longest), Some(days)) => longest.as_secs() >= days * 86_400,
        (Lifetime::For(_), None) => choice.value == "custom",
    };
    let default = match tokens.default_expiry {
        Lifetime::Never => "never",
        Lifetime::For(default) if default.as_secs() >= 365 * 86_400 => "1y",
        Lifetime::For(default) if default.as_secs() >= 90 * 86_400 => "90d",
        Lifetime::For(default) if default.as_secs() >= 30 * 86_400 => "30d",
        Lifetime::For(_) => "custom",
    };
    let mut choices = Choice::expiries(form.value("expires").unwrap_or(default));
    choices.retain(is_possible);
    choices
}

/// `POST /tokens/new`: shows the token, this once.
pub async fn submit_new(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let person = visit.person("/tokens/new")?;
    let wish = Wish {
        name: form.value("name").unwrap_or_default().to_owned(),
        scopes: form.all("scope").map(str::to_owned).collect(),
        expires: Some(form.value("expires").unwrap_or_default().to_owned()),
        expires_on: form.value("expires_on").map(str::to_owned),
        reservation: form.value("reservation").map(str::to_owned),
        ..Wish::default()
    };
    let caller = caller(person);
    let (app, context) = (&visit.app, &visit.context);
    match token::create(app, context, &caller, &Whose::Own, wish, Receipt::none()).await {
        Ok(new) => {
            let now = visit.now();
            let page = TokenCreatedPage {
                chrome: visit.chrome(),
                holder: Holder::Person,
                name: new.token.name,
                token: new.secret.expose().to_owned(),
                scopes: new.token.scopes.iter().map(ToString::to_string).collect(),
                expires: new.token.expires_at.map(|end| Moment::new(end, now)),
                replaced: None,
                me_url: visit.app.config().server.public_url.join("/v1/me"),
            };
            visit.page(StatusCode::OK, &page)
        }
        // The page that showed the token was loaded again.
        Err(app::Error::Conflict(_)) => Ok(see_other("/tokens")),
        Err(error) => {
            let page = new_page(&visit, person, &form, faults(error)?).await?;
            visit.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

fn token_id(path: &str) -> Result<TokenId, Failure> {
    TokenId::parse(path).ok_or(Failure::NotFound)
}

/// `GET /tokens/{id}/revoke`: asks for confirmation.
pub async fn show_revoke(visit: Visit, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let id = token_id(&id)?;
    let person = visit.person(&format!("/tokens/{id}/revoke"))?;
    let token = token::find(&visit.app, &caller(person), &Whose::Own, id.as_str()).await?;
    let page = RevokePage {
        chrome: visit.chrome(),
        holder: Holder::Person,
        token: row(token, visit.now()),
    };
    visit.page(StatusCode::OK, &page)
}

/// `POST /tokens/{id}/revoke`.
pub async fn submit_revoke(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    visit.form(&request, payload).await?;
    let id = token_id(&id)?;
    let person = visit.person("/tokens")?;
    let caller = caller(person);
    token::revoke(
        &visit.app,
        &visit.context,
        &caller,
        &Whose::Own,
        id.as_str(),
    )
    .await?;
    Ok(see_other(&format!("/tokens?revoked={id}")))
}

/// `GET /tokens/revoke-all`: asks for confirmation.
pub async fn show_revoke_all(visit: Visit) -> Result<HttpResponse, Failure> {
    let person = visit.person("/tokens/revoke-all")?;
    let now = visit.now();
    let tokens = token::list(
        &visit.app,
        &caller(person),
        &Whose::Own,
        &Page::first(SHOWN),
    )
    .await?;
    let page = RevokeAllPage {
        chrome: visit.chrome(),
        holder: Holder::Person,
        tokens: tokens
            .into_iter()
            .filter(|token| token.state(now) == State::Live)
            .map(|token| row(token, now))
            .collect(),
    };
    visit.page(StatusCode::OK, &page)
}

/// `POST /tokens/revoke-all`.
pub async fn submit_revoke_all(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    visit.form(&request, payload).await?;
    let person = visit.person("/tokens")?;
    let caller = caller(person);
    let count = token::revoke_all(
        &visit.app,
        &visit.context,
        &caller,
        &Whose::Own,
        None,
        Receipt::none(),
    )
    .await?;
    Ok(see_other(&format!("/tokens?revoked-all={count}")))
}
