//! Code entry, consent page and result.

mod limits;

use crate::web::failure::Failure;
use crate::web::pages::page_request::{Answer, PageRequest, see_other};
use crate::web::pages::page_route::{form_on, read};
use crate::web::pages::typed_form::{TypedForm, faults, renamed};
use crate::web::pages::view::device::{
    ClientCard, ClientTrust, CodePage, Confirm, ConsentPage, ForbiddenBy, ForbiddenPage,
    LimitFields, Outcome as Shown, Owner, Proximity, ResultPage, Via as Source,
};
use crate::web::pages::view::{FieldErrors, Moment, ScopeChoice};
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::device::consent::{
    self, Consent, Decided, Decision, Distance, Forbidden, NotDecided, Outcome, Reviewed, Via,
};
use domain::client::Credential;
use domain::device::DeniedBecause;
use domain::network;
use domain::org::Membership;
use domain::scope::ScopeName;
use domain::secret::Digest;
use domain::user_code::UserCode;
use limits::{choice, limit_fields};
use std::cmp::Reverse;
use std::net::IpAddr;
use wire::form::Form;

const WRONG_CODE: &str = "This code is wrong, has expired or was already used. Compare it with \
     the screen of your device, or start the sign-in there again.";

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/device", read(show_code).post(submit_code)))
        .service(resource(
            "/device/decide",
            form_on("/device").post(submit_decision),
        ))
        .service(resource("/device/consent", read(show_consent)))
        .service(resource("/device/result", read(show_result)));
}

/// `GET /device`. A code that came by link shows its consent page at once, which changes nothing.
pub async fn show_code(req: PageRequest) -> Answer {
    let query = req.query()?;
    let code = query.value("user_code").unwrap_or_default();
    let via = via_of_address(&req, code, query.value("proof"));
    req.signed_in(&address(&req, code, via))?;
    let code_field = Form::from_pairs(vec![("user_code".to_owned(), code.to_owned())]);
    let mut typed = req.typed_or(code_field);
    // A new sign-in has interrupted the decision.
    let was_reviewed = typed.form.value("decision").is_some();
    let opens = was_reviewed || via == Via::Link && !typed.was_sent();
    if opens && UserCode::parse(code).is_some() && is_chosen(&req) {
        match consent::follow_link(&req, code, via).await {
            Ok(Reviewed::Pending(consent)) => return show_pending(&req, *consent).await,
            Ok(Reviewed::Decided { ticket, id }) => {
                return Ok(see_other(&result_path(&ticket, &id)));
            }
            Err(app::Error::NotFound) => {
                typed = TypedForm::wrong(typed.form, "user_code", WRONG_CODE);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let page = CodePage {
        chrome: req.chrome(),
        code: typed.text("user_code").chars().take(50).collect(),
        via: match via {
            Via::Keyboard => Source::Keyboard,
            Via::Link => Source::Link,
        },
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// Whether the user chose to open this page. A browser that prefetches must not count a guess, and
/// a page of another site must not use up the guesses of the user.
fn is_chosen(req: &PageRequest) -> bool {
    let header = |name| req.http.headers().get(name);
    let is_foreign = header("sec-fetch-site").is_some_and(|site| site == "cross-site");
    !is_foreign && header("sec-purpose").is_none() && header("purpose").is_none()
}

/// How the code in the URL got there: by link, unless the proof shows that this visitor typed it
/// before signing in.
fn via_of_address(req: &PageRequest, code: &str, proof: Option<&str>) -> Via {
    let is_typed = UserCode::parse(code)
        .zip(proof)
        .is_some_and(|(code, proof)| consent::is_typed(&req.app, &req.visitor, &code, proof));
    match is_typed || code.is_empty() {
        true => Via::Keyboard,
        false => Via::Link,
    }
}

/// The URL of the code page with a code, to return to.
fn address(req: &PageRequest, code: &str, via: Via) -> String {
    let Some(code) = UserCode::parse(code) else {
        return "/device".to_owned();
    };
    match via {
        Via::Link => format!("/device?user_code={code}"),
        Via::Keyboard => {
            let proof = consent::typed_proof(&req.app, &req.visitor, &code);
            format!("/device?user_code={code}&proof={proof}")
        }
    }
}

fn via_of_form(form: &Form) -> Via {
    match form.value("via") {
        Some("keyboard") => Via::Keyboard,
        _ => Via::Link,
    }
}

/// `POST /device`: leads to the consent page for a code.
pub async fn submit_code(req: PageRequest, form: Form) -> Answer {
    let via = via_of_form(&form);
    review(&req, via, TypedForm::filled(form)).await
}

/// Reviews a code, and leads to its consent page with the errors of the form, if any.
async fn review(req: &PageRequest, via: Via, typed: TypedForm) -> Answer {
    let code = typed.text("user_code");
    let code_page = address(req, &code, via);
    req.signed_in(&code_page)?;
    if code.trim().is_empty() {
        let message = "Enter the code that your device shows.";
        let typed = TypedForm::wrong(typed.form, "user_code", message);
        return req.again_on(&code_page, typed).await;
    }
    match consent::review(req, &code, via).await {
        Ok(Reviewed::Decided { ticket, id }) => Ok(see_other(&result_path(&ticket, &id))),
        Ok(Reviewed::Pending(consent)) => {
            let page = consent_path(&consent.user_code.to_string(), &consent.ticket);
            match typed.errors.is_empty() {
                true => Ok(see_other(&page)),
                false => req.again_on(&page, typed).await,
            }
        }
        Err(app::Error::NotFound) => {
            let typed = TypedForm::wrong(typed.form, "user_code", WRONG_CODE);
            req.again_on(&code_page, typed.with_status(StatusCode::BAD_REQUEST))
                .await
        }
        Err(error) => Err(error.into()),
    }
}

fn consent_path(code: &str, ticket: &str) -> String {
    format!("/device/consent?user_code={code}&ticket={ticket}")
}

fn result_path(ticket: &str, id: &Digest) -> String {
    format!("/device/result?ticket={ticket}&decision={}", id.as_str())
}

/// `GET /device/consent`: the consent page of a code that this session has reviewed.
pub async fn show_consent(req: PageRequest) -> Answer {
    let query = req.query()?;
    let code = query.value("user_code").unwrap_or_default();
    let ticket = query.value("ticket").unwrap_or_default();
    req.signed_in(&address(&req, code, Via::Link))?;
    let consent = match consent::find_reviewed(&req, code, ticket).await {
        Ok(consent) => consent,
        // The code page takes the code again, and explains when it is closed.
        Err(app::Error::NotFound) => return Ok(see_other(&address(&req, code, Via::Link))),
        Err(error) => return Err(error.into()),
    };
    show_pending(&req, consent).await
}

/// The consent page of a pending device grant, or the rule that forbids an approval.
async fn show_pending(req: &PageRequest, consent: Consent) -> Answer {
    match &consent.forbidden {
        Some(forbidden) => {
            let rule = forbidden_by(forbidden);
            req.page(StatusCode::OK, &forbidden_page(req, consent, rule))
        }
        None => {
            let typed = req.typed();
            let limits = limit_fields(req, &consent, &typed).await?;
            req.page(StatusCode::OK, &consent_page(req, consent, limits, typed))
        }
    }
}

fn forbidden_by(forbidden: &Forbidden) -> ForbiddenBy {
    match (forbidden.because, &forbidden.membership) {
        (DeniedBecause::PersonalTokens, Some(Membership { organization, role })) => {
            let (name, slug) = (organization.name.clone(), organization.slug.clone());
            ForbiddenBy::PersonalTokens(name, slug, role.as_str())
        }
        (because, _) => ForbiddenBy::Other(because.explain()),
    }
}

fn forbidden_page(req: &PageRequest, consent: Consent, rule: ForbiddenBy) -> ForbiddenPage {
    let user_code = consent.user_code.to_string();
    ForbiddenPage {
        chrome: req.chrome(),
        ticket: consent.ticket,
        return_to: address(req, &user_code, consent.via),
        user_code,
        client: consent.client.name,
        device_name: consent.grant.device_name,
        owners: consent
            .forbidden
            .into_iter()
            .flat_map(|forbidden| forbidden.owners)
            .map(|owner| Owner {
                name: owner.user.name,
                email: owner.user.email,
            })
            .collect(),
        rule,
    }
}

fn consent_page(
    req: &PageRequest,
    consent: Consent,
    limits: LimitFields,
    typed: TypedForm,
) -> ConsentPage {
    let now = req.now();
    let chosen = limits.organizations.iter().find(|choice| choice.selected);
    let chosen = chosen
        .map(|choice| choice.value.as_str())
        .unwrap_or_default();
    let token_ends = consent.expiry_for(chosen);
    let was_sent = typed.was_sent();
    let TypedForm { form, errors, .. } = typed;
    // After an error, the boxes keep the user's choice.
    let is_ticked =
        |name: &ScopeName| !was_sent || form.all("scope").any(|chosen| chosen == name.as_str());
    let catalogue = &req.app.config().scopes;
    let mut scopes: Vec<_> = catalogue
        .iter()
        .filter(|scope| consent.scopes.contains(&scope.name))
        .map(|scope| ScopeChoice::new(scope, is_ticked(&scope.name)))
        .collect();
    scopes.sort_by_key(|scope| Reverse(scope.risk));
    let here = req.context.source().to_string();
    let user_code = consent.user_code.to_string();
    ConsentPage {
        ticket: consent.ticket,
        return_to: address(req, &user_code, consent.via),
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
        proximity: proximity(req, consent.grant.address),
        address: consent.grant.address.to_string(),
        requested: Moment::new(consent.grant.created_at, now),
        code_expires: Moment::new(consent.grant.expires_at, now),
        token_ends: token_ends.map(|end| Moment::new(end, now)),
        limits,
        scopes,
        unscoped: req.app.config().routes.unscoped(),
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
        chrome: req.chrome(),
        errors,
    }
}

/// Whether the browser is certainly in the network of this address. Through a proxy that is not
/// configured, all clients have its address; a loopback address says something only where the
/// server is used on one machine.
fn proximity(req: &PageRequest, address: IpAddr) -> Proximity {
    let here = req.context.source();
    let is_same = network::source(address) == network::source(here);
    let is_client = match network::canonical(here).is_loopback() {
        true => req.app.config().server.public_url.is_loopback(),
        false => !network::is_unknown(here),
    };
    match is_same && is_client && req.is_address_certain() {
        true => Proximity::SameNetwork,
        false => Proximity::Uncertain,
    }
}

/// `POST /device/decide`.
pub async fn submit_decision(req: PageRequest, form: Form) -> Answer {
    let code = &form.value("user_code").unwrap_or_default().to_owned();
    req.signed_in(&address(&req, code, Via::Link))?;
    let decision = match form.value("decision") {
        Some("approve") => Decision::Approve(choice(&form)),
        Some("deny") => Decision::Deny,
        _ => return Err(Failure::Malformed("The decision is missing.")),
    };
    let ticket = &form.value("ticket").unwrap_or_default().to_owned();
    let is_confirmed = form.value("confirm") == Some("yes");
    let errors = match consent::decide(&req, ticket, is_confirmed, decision).await {
        // The client was removed or deactivated.
        Err(app::Error::NotFound) => {
            let page = address(&req, code, Via::Link);
            let typed = TypedForm::wrong(form, "user_code", WRONG_CODE);
            return req
                .again_on(&page, typed.with_status(StatusCode::NOT_FOUND))
                .await;
        }
        Err(app::Error::SignInTooOld) => {
            let via = consent::via_of_ticket(&req, ticket);
            return Err(Failure::SignInAgain(address(&req, code, via)));
        }
        Err(error) => faults(renamed(error, "projects", "project"))?,
        Ok(Ok(decided)) => {
            return Ok(see_other(&result_path(ticket, &decided.id)));
        }
        Ok(Err(NotDecided::NotConfirmed)) => FieldErrors::on(
            "confirm",
            "Tick this box if you started the sign-in yourself. If you did not, press Deny.",
        ),
        // Another user or session reviewed this grant: review it again.
        Ok(Err(NotDecided::NotReviewed)) => {
            let errors = FieldErrors::whole(
                "You signed in again since this page was opened. Review the request once more.",
            );
            let typed = TypedForm::with_errors(form, errors);
            return review(&req, Via::Link, typed.with_status(StatusCode::BAD_REQUEST)).await;
        }
    };
    let page = consent_path(code, ticket);
    let typed = TypedForm::with_errors(form, errors);
    req.again_on(&page, typed.with_status(StatusCode::BAD_REQUEST))
        .await
}

/// `GET /device/result`: the outcome of a decision.
pub async fn show_result(req: PageRequest) -> Answer {
    req.signed_in("/device")?;
    let query = req.query()?;
    let ticket = query.value("ticket").unwrap_or_default();
    let id = Digest::from_stored(query.value("decision").unwrap_or_default().to_owned());
    match consent::find_decided(&req, ticket, &id).await {
        Ok(decided) => result(&req, decided),
        // Of another session, or purged.
        Err(app::Error::NotFound) => Ok(see_other("/device")),
        Err(error) => Err(error.into()),
    }
}

fn result(req: &PageRequest, decided: Decided) -> Answer {
    let now = req.now();
    let (status, outcome) = match decided.outcome {
        Outcome::Approved(granted) => (
            StatusCode::OK,
            Shown::Approved {
                scopes: granted.scopes.iter().map(ToString::to_string).collect(),
                token_ends: granted.expires_at.map(|end| Moment::new(end, now)),
                limited_to: granted.limited_to,
            },
        ),
        Outcome::Forbidden(because) => (StatusCode::OK, Shown::Forbidden(because.explain())),
        Outcome::Denied => (StatusCode::OK, Shown::Denied),
        Outcome::Expired => (StatusCode::GONE, Shown::Expired),
        Outcome::AlreadyDecided => (StatusCode::CONFLICT, Shown::AlreadyDecided),
    };
    let page = ResultPage {
        chrome: req.chrome(),
        client: decided.client_name,
        outcome,
    };
    req.page(status, &page)
}
