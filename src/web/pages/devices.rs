//! Browsers and terminals that are signed in as the user.

use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::read;
use super::view::devices::{
    DeviceKind, DeviceRow, DevicesNotice, DevicesPage, SignOutOthersPage, SignOutPage,
};
use super::view::{Moment, agent_name, is_phone};
use crate::web::failure::Failure;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::session;
use app::terminal::{self, SignedInTerminal};
use chrono::DateTime;
use domain::Instant;
use domain::id::SessionId;
use domain::scope::{Risk, ScopeSet};
use domain::user::Session;
use std::cmp::Reverse;
use wire::form::Form;

/// The path of the page.
const PAGE: &str = "/devices";

/// Number of devices on a page.
const SHOWN: usize = 50;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/devices", read(show)))
        .service(resource(
            "/devices/sign-out-others",
            read(ask_others).post(submit_others),
        ))
        .service(resource(
            "/devices/browsers/{id}/sign-out",
            read(ask_browser).post(submit_browser),
        ))
        .service(resource(
            "/devices/terminals/{id}/sign-out",
            read(ask_terminal).post(submit_terminal),
        ));
}

/// `GET /devices`.
async fn show(req: PageRequest) -> Answer {
    req.signed_in(&req.return_to())?;
    let query = req.query()?;
    let mut devices = list(&req).await?;
    let all = devices.len();
    let page = query.value("page").and_then(|page| page.parse().ok());
    let page = page.map_or(0, |page: usize| page.saturating_sub(1));
    let page = page.min(all.saturating_sub(1) / SHOWN);
    devices = devices.into_iter().skip(page * SHOWN).take(SHOWN).collect();
    let page = DevicesPage {
        chrome: req.chrome(),
        notice: match query.value("done") {
            Some("browser") => Some(DevicesNotice::Browser),
            Some("terminal") => Some(DevicesNotice::Terminal),
            Some("others") => Some(DevicesNotice::Others),
            _ => None,
        },
        devices,
        all,
        first: page * SHOWN + 1,
        newer: (page > 0).then(|| format!("{PAGE}?page={page}")),
        older: ((page + 1) * SHOWN < all).then(|| format!("{PAGE}?page={}", page + 2)),
    };
    req.page(StatusCode::OK, &page)
}

/// `GET /devices/browsers/{id}/sign-out`: the confirmation page.
async fn ask_browser(req: PageRequest) -> Answer {
    let own = req.signed_in(&req.return_to())?.session.id.clone();
    let id = SessionId::parse(req.segment("id")).ok_or(Failure::NotFound)?;
    let sessions = session::list(&req).await?;
    match sessions.into_iter().find(|session| session.id == id) {
        Some(session) => ask(&req, browser_row(&req, session, &own)),
        None => Err(Failure::NotFound),
    }
}

/// `POST /devices/browsers/{id}/sign-out`.
async fn submit_browser(req: PageRequest, _: Form) -> Answer {
    let own = req.signed_in(PAGE)?.session.id.clone();
    let id = SessionId::parse(req.segment("id")).ok_or(Failure::NotFound)?;
    match session::end(&req, &id).await {
        Ok(()) if id == own => Ok(req.end("/login?notice=signed-out")),
        // It signed out itself in the meantime, or the form was sent twice.
        Ok(()) | Err(app::Error::NotFound) => Ok(see_other("/devices?done=browser")),
        Err(error) => Err(error.into()),
    }
}

/// `GET /devices/terminals/{id}/sign-out`, with the id of one of its tokens: the confirmation page.
async fn ask_terminal(req: PageRequest) -> Answer {
    req.signed_in(&req.return_to())?;
    let found = terminal::find(&req, req.segment("id")).await?;
    ask(&req, terminal_row(&req, found))
}

/// `POST /devices/terminals/{id}/sign-out`.
async fn submit_terminal(req: PageRequest, _: Form) -> Answer {
    req.signed_in(PAGE)?;
    terminal::sign_out(&req, req.segment("id")).await?;
    Ok(see_other("/devices?done=terminal"))
}

/// `GET /devices/sign-out-others`: the confirmation page.
async fn ask_others(req: PageRequest) -> Answer {
    req.signed_in(&req.return_to())?;
    let devices = list(&req).await?;
    let others = devices.into_iter().filter(|one| !one.is_this_browser);
    let page = SignOutOthersPage {
        chrome: req.chrome(),
        devices: others.collect(),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /devices/sign-out-others`.
async fn submit_others(req: PageRequest, _: Form) -> Answer {
    req.signed_in(PAGE)?;
    match terminal::sign_out_others(&req).await {
        Ok(()) => Ok(see_other("/devices?done=others")),
        Err(app::Error::Unauthenticated) => Err(Failure::SignIn(PAGE.to_owned())),
        Err(error) => Err(error.into()),
    }
}

fn ask(req: &PageRequest, device: DeviceRow) -> Answer {
    let page = SignOutPage {
        chrome: req.chrome(),
        device,
    };
    req.page(StatusCode::OK, &page)
}

/// All devices: this browser, then the others, the last active first.
async fn list(req: &PageRequest) -> Result<Vec<DeviceRow>, Failure> {
    let own = req.signed_in(PAGE)?.session.id.clone();
    let mut devices: Vec<(Instant, DeviceRow)> = Vec::new();
    for session in session::list(req).await? {
        devices.push((session.last_seen_at, browser_row(req, session, &own)));
    }
    for found in terminal::list(req).await? {
        let active = last_use(&found).map_or_else(|| since(&found), |(at, _)| at);
        devices.push((active, terminal_row(req, found)));
    }
    devices.sort_by_key(|(active, device)| (!device.is_this_browser, Reverse(*active)));
    Ok(devices.into_iter().map(|(_, device)| device).collect())
}

fn browser_row(req: &PageRequest, session: Session, own: &SessionId) -> DeviceRow {
    let now = req.now();
    let ends = session
        .created_at
        .checked_add_signed(session::limits(&req.app).absolute);
    DeviceRow {
        kind: match is_phone(&session.user_agent) {
            true => DeviceKind::Phone,
            false => DeviceKind::Browser,
        },
        is_this_browser: session.id == *own,
        path: format!("{PAGE}/browsers/{}", session.id),
        name: agent_name(&session.user_agent),
        client: None,
        since: Moment::new(session.created_at, now),
        last_active: Some(Moment::new(session.last_seen_at, now)),
        address: Some(session.address.to_string()),
        ends: ends.map(|at| Moment::new(at, now)),
        scopes: 0,
        high_risk: 0,
        tokens: 0,
    }
}

fn terminal_row(req: &PageRequest, found: SignedInTerminal) -> DeviceRow {
    let now = req.now();
    let moment = |at| Moment::new(at, now);
    let last = last_use(&found);
    let since = since(&found);
    let scopes: ScopeSet = found
        .tokens
        .iter()
        .flat_map(|token| token.scopes.iter().cloned())
        .collect();
    let catalogue = &req.app.config().scopes;
    let is_high = |name: &_| {
        let known = catalogue.find(name);
        known.is_some_and(|scope| scope.risk == Risk::High)
    };
    let ends: Option<Vec<_>> = found.tokens.iter().map(|token| token.expires_at).collect();
    let newest = found.tokens.first().map(|token| token.id.to_string());
    DeviceRow {
        kind: DeviceKind::Terminal,
        is_this_browser: false,
        path: format!("{PAGE}/terminals/{}", newest.unwrap_or_default()),
        name: found.terminal.device_name.unwrap_or_default(),
        client: Some(found.client_name),
        since: moment(since),
        last_active: last.map(|(at, _)| moment(at)),
        address: last.map(|(_, address)| address.to_string()),
        ends: ends.and_then(|ends| ends.into_iter().max()).map(moment),
        scopes: scopes.iter().count(),
        high_risk: scopes.iter().filter(|name| is_high(name)).count(),
        tokens: found.tokens.len(),
    }
}

/// The last use of a token of the terminal: the time and the address.
fn last_use(found: &SignedInTerminal) -> Option<(Instant, std::net::IpAddr)> {
    let uses = found
        .tokens
        .iter()
        .filter_map(|token| token.last_use.as_ref());
    uses.map(|last| (last.at, last.address)).max()
}

/// When its newest token was created.
fn since(found: &SignedInTerminal) -> Instant {
    let newest = found.tokens.first();
    newest.map_or(DateTime::UNIX_EPOCH, |token| token.created_at)
}
