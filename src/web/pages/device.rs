//! Entering a code, consent and its result.

use super::view::device::{
    ClientCard, ClientTrust, CodePage, Confirm, ConsentPage, Outcome as Shown, ResultPage,
    Via as Source,
};
use super::view::{FieldErrors, Moment, ScopeChoice};
use super::visit::Visit;
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::route::{post, read, resource};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::device::consent::{self, Consent, Decided, Decision, Distance, NotDecided, Outcome, Via};
use domain::client::Credential;
use domain::scope::{ScopeName, ScopeSet};
use domain::user_code::UserCode;
use wire::form::Form;

const WRONG_CODE: &str = "This code is wrong, has expired or was already used. Compare it with \
     the screen of your device, or start the sign-in there again.";

/// The addresses of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/device", [read(show_code), post(submit_code)]))
        .service(resource("/device/decide", [post(submit_decision)]));
}

/// `GET /device`. It changes nothing: a code in the address only fills the field.
pub async fn show_code(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let query = extract::query(&request)?;
    let code = query.value("user_code").unwrap_or_default();
    let via = via_of_address(&visit, code, query.value("proof"));
    visit.person(&address(&visit, code, via))?;
    show(&visit, StatusCode::OK, code, via, FieldErrors::none())
}

/// How a code in an address came there: by link, unless this visitor is proven to have
/// typed it before signing in.
fn via_of_address(visit: &Visit, code: &str, proof: Option<&str>) -> Via {
    let is_typed = UserCode::parse(code)
        .zip(proof)
        .is_some_and(|(code, proof)| consent::is_typed(&visit.app, &visit.visitor, &code, proof));
    match is_typed || code.is_empty() {
        true => Via::Keyboard,
        false => Via::Link,
    }
}

/// The address of the code page with a code, to come back to.
fn address(visit: &Visit, code: &str, via: Via) -> String {
    let Some(code) = UserCode::parse(code) else {
        return "/device".to_owned();
    };
    match via {
        Via::Link => format!("/device?user_code={code}"),
        Via::Keyboard => {
            let proof = consent::typed_proof(&visit.app, &visit.visitor, &code);
            format!("/device?user_code={code}&proof={proof}")
        }
    }
}

fn show(
    visit: &Visit,
    status: StatusCode,
    code: &str,
    via: Via,
    errors: FieldErrors,
) -> Result<HttpResponse, Failure> {
    let page = CodePage {
        chrome: visit.chrome(),
        code: code.chars().take(50).collect(),
        via: match via {
            Via::Keyboard => Source::Keyboard,
            Via::Link => Source::Link,
        },
        errors,
    };
    visit.page(status, &page)
}

fn via_of_form(form: &Form) -> Via {
    match form.value("via") {
        Some("keyboard") => Via::Keyboard,
        _ => Via::Link,
    }
}

/// `POST /device`: the consent page for a code.
pub async fn submit_code(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    review(&visit, &form, via_of_form(&form), FieldErrors::none()).await
}

async fn review(
    visit: &Visit,
    form: &Form,
    via: Via,
    errors: FieldErrors,
) -> Result<HttpResponse, Failure> {
    let code = form.value("user_code").unwrap_or_default();
    let person = visit.person(&address(visit, code, via))?;
    if code.trim().is_empty() {
        let errors = FieldErrors::on("user_code", "Enter the code that your device shows.");
        return show(visit, StatusCode::UNPROCESSABLE_ENTITY, code, via, errors);
    }
    match consent::review(&visit.app, &visit.context, person, code, via).await {
        Ok(consent) => {
            let status = match errors.is_empty() {
                true => StatusCode::OK,
                false => StatusCode::BAD_REQUEST,
            };
            let page = consent_page(visit, form, consent, errors);
            visit.page(status, &page)
        }
        Err(app::Error::NotFound) => {
            let errors = FieldErrors::on("user_code", WRONG_CODE);
            show(visit, StatusCode::BAD_REQUEST, code, via, errors)
        }
        Err(error) => Err(error.into()),
    }
}

fn consent_page(visit: &Visit, form: &Form, consent: Consent, errors: FieldErrors) -> ConsentPage {
    let now = visit.now();
    // On the way back from a fault the boxes are as the person left them.
    let is_ticked = |name: &ScopeName| {
        errors.is_empty() || form.all("scope").any(|chosen| chosen == name.as_str())
    };
    let catalogue = &visit.app.config().scopes;
    let here = visit.context.source().to_string();
    let user_code = consent.user_code.to_string();
    ConsentPage {
        ticket: consent.ticket,
        return_to: address(visit, &user_code, consent.via),
        user_code,
        client: ClientCard {
            name: consent.client.name,
            id: consent.client.id,
            trust: match consent.client.credential {
                Credential::Public => ClientTrust::Unverified,
                Credential::Confidential(_) => ClientTrust::Registered,
            },
        },
        device_name: consent.grant.device_name,
        address: consent.grant.address.to_string(),
        requested: Moment::new(consent.grant.created_at, now),
        code_expires: Moment::new(consent.grant.expires_at, now),
        token_ends: consent.token_expires_at.map(|end| Moment::new(end, now)),
        scopes: consent
            .scopes
            .iter()
            .filter_map(|name| catalogue.find(name))
            .map(|scope| ScopeChoice {
                name: scope.name.to_string(),
                description: scope.description.clone(),
                ticked: is_ticked(&scope.name),
            })
            .collect(),
        withheld: consent
            .grant
            .scopes
            .iter()
            .filter(|name| !consent.scopes.contains(name))
            .map(ToString::to_string)
            .collect(),
        confirm: match (consent.via, consent.distance) {
            (Via::Keyboard, Distance::Near) => Confirm::NotAsked,
            (Via::Link, Distance::Near) => Confirm::ByLink,
            (Via::Keyboard, Distance::Far) => Confirm::OtherNetwork(here),
            (Via::Link, Distance::Far) => Confirm::ByLinkFromOtherNetwork(here),
        },
        chrome: visit.chrome(),
        errors,
    }
}

/// `POST /device/decide`.
pub async fn submit_decision(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let code = form.value("user_code").unwrap_or_default();
    let person = visit.person(&address(&visit, code, Via::Link))?;
    let decision = match form.value("decision") {
        Some("approve") => Decision::Approve(
            form.all("scope")
                .filter_map(ScopeName::parse)
                .collect::<ScopeSet>(),
        ),
        Some("deny") => Decision::Deny,
        _ => return Err(Failure::Malformed("The decision is missing.")),
    };
    let ticket = form.value("ticket").unwrap_or_default();
    let is_confirmed = form.value("confirm") == Some("yes");
    let decided = consent::decide(
        &visit.app,
        &visit.context,
        person,
        ticket,
        is_confirmed,
        decision,
    )
    .await?;
    match decided {
        Ok(decided) => result(&visit, decided),
        // Somebody else looked at this request, or in another session: look again.
        Err(NotDecided::NotReviewed) => {
            let errors = FieldErrors::whole(
                "You signed in again since this page was opened. Review the request once more.",
            );
            review(&visit, &form, Via::Link, errors).await
        }
        Err(NotDecided::NotConfirmed) => {
            let errors = FieldErrors::on(
                "confirm",
                "Tick this box if you started the sign-in yourself. If you did not, press Deny.",
            );
            review(&visit, &form, Via::Link, errors).await
        }
    }
}

fn result(visit: &Visit, decided: Decided) -> Result<HttpResponse, Failure> {
    let now = visit.now();
    let (status, outcome) = match decided.outcome {
        Outcome::Approved(scopes) => (
            StatusCode::OK,
            Shown::Approved {
                scopes: scopes.iter().map(ToString::to_string).collect(),
                token_ends: decided.token_expires_at.map(|end| Moment::new(end, now)),
            },
        ),
        Outcome::Denied => (StatusCode::OK, Shown::Denied),
        Outcome::Expired => (StatusCode::GONE, Shown::Expired),
        Outcome::AlreadyDecided => (StatusCode::CONFLICT, Shown::AlreadyDecided),
    };
    let page = ResultPage {
        chrome: visit.chrome(),
        client: decided.client_name,
        outcome,
    };
    visit.page(status, &page)
}
