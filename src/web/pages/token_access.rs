//! The tokens with access to an organization, for its admins: the list, the block of one, and the
//! request to rotate one.

use super::org_request::OrgPageRequest;
use super::page_request::{Answer, see_other};
use super::page_route::{form_on, read};
use super::token::row;
use super::view::Moment;
use super::view::token::{LastUse, TokensOwner};
use super::view::token_access::{
    AccessChip, AccessControl, AccessNotice, AccessOwner, AccessPage, AccessRow, BlockPage,
};
use crate::web::failure::Failure;
use crate::web::links::absolute;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::mail::MailStatus;
use app::org::{self, AccessPart, AccessSearch, FoundAccess, MOST_READ, SHOWN, TokenAccess};
use domain::id::UserId;
use domain::role::Role;
use url::form_urlencoded;
use wire::form::Form;

/// The page below the organization's.
const PAGE: &str = "/tokens";

/// The longest text that is searched for.
const LONGEST_TEXT: usize = 100;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/o/{org}/tokens", read(show)))
        .service(resource(
            "/o/{org}/tokens/{id}/block",
            read(show_block).post(submit_block),
        ))
        .service(resource(
            "/o/{org}/tokens/{id}/unblock",
            form_on("/o/{org}/tokens").post(submit_unblock),
        ))
        .service(resource(
            "/o/{org}/tokens/{id}/ask-to-rotate",
            form_on("/o/{org}/tokens").post(submit_request),
        ));
}

/// The value of a part in the URL, and its name.
fn words(part: AccessPart) -> (&'static str, &'static str) {
    match part {
        AccessPart::All => ("", "All"),
        AccessPart::Grace => ("grace", "Grace period"),
        AccessPart::ExpiresSoon => ("expiring", "Expires soon"),
        AccessPart::Replaced => ("replaced", "Replaced"),
        AccessPart::Unused => ("unused", "Unused"),
        AccessPart::NeverExpires => ("never", "Never expires"),
        AccessPart::Blocked => ("blocked", "Blocked"),
    }
}

/// The URL of the tokens of a part, below the organization's.
pub fn part_path(part: AccessPart) -> String {
    format!("{PAGE}?show={}", words(part).0)
}

/// What the query asks for. Unknown values mean the default.
fn read_search(query: &Form) -> AccessSearch {
    let asked = query.value("show").unwrap_or_default();
    let part = AccessPart::ALL
        .into_iter()
        .find(|part| words(*part).0 == asked);
    let text = query.value("q").unwrap_or_default().trim();
    let page = query.value("page").and_then(|page| page.parse().ok());
    AccessSearch {
        part: part.unwrap_or_default(),
        text: text.chars().take(LONGEST_TEXT).collect(),
        member: query.value("member").and_then(UserId::parse),
        page: page.map_or(0, |page: usize| page.saturating_sub(1)),
    }
}

/// The URL of a page of the list, counted from 0.
fn url_of(req: &OrgPageRequest, search: &AccessSearch, page: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let number = (page + 1).to_string();
    let member = search.member.as_ref().map_or("", UserId::as_str);
    for (name, value) in [
        ("show", words(search.part).0),
        ("q", search.text.as_str()),
        ("member", member),
        ("page", if page > 0 { number.as_str() } else { "" }),
    ] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        query if query.is_empty() => req.path(PAGE),
        query => req.path(&format!("{PAGE}?{query}")),
    }
}

/// `GET /o/{org}/tokens`.
async fn show(req: OrgPageRequest) -> Answer {
    req.require(Role::Admin)?;
    let query = req.query()?;
    let search = read_search(&query);
    let found = org::search_access(&req, req.id(), search.clone()).await?;
    let notice = notice(&req, &query).await?;
    req.page(StatusCode::OK, &page(&req, &search, (found, notice)))
}

fn page(
    req: &OrgPageRequest,
    search: &AccessSearch,
    (found, notice): (FoundAccess, Option<AccessNotice>),
) -> AccessPage {
    let FoundAccess { page, matches, .. } = found;
    let goes_on = (page + 1) * SHOWN < matches;
    let chip = |part: AccessPart| AccessChip {
        label: words(part).1,
        count: found.counts.get(&part).copied().unwrap_or_default(),
        href: url_of(
            req,
            &AccessSearch {
                part,
                member: search.member.clone(),
                ..AccessSearch::default()
            },
            0,
        ),
        is_current: part == search.part,
    };
    let is_shown = |chip: &AccessChip| chip.is_current || chip.count > 0;
    AccessPage {
        chrome: req.chrome(),
        org: req.head(),
        parts: AccessPart::ALL
            .map(chip)
            .into_iter()
            .filter(is_shown)
            .collect(),
        text: search.text.clone(),
        part: words(search.part).0,
        member: found.member.map(|user| (user.id.to_string(), user.name)),
        first: page * SHOWN + 1,
        matches,
        cut: found.is_cut.then_some(MOST_READ),
        newer: (page > 0).then(|| url_of(req, search, page - 1)),
        older: goes_on.then(|| url_of(req, search, page + 1)),
        tokens: found
            .tokens
            .into_iter()
            .map(|one| access_row(req, one))
            .collect(),
        notice,
    }
}

fn access_row(req: &OrgPageRequest, access: TokenAccess) -> AccessRow {
    let moment = |at| Moment::new(at, req.now());
    let is_you = |owner: &domain::org::Member| req.caller.user_id() == Some(&owner.user.id);
    let mut token = row(req, access.listed);
    // What a token does elsewhere is not for this organization.
    token.last_used = access.last_use.map(|at| LastUse {
        at: moment(at),
        address: None,
    });
    AccessRow {
        pages: match &access.owner {
            None => Some(TokensOwner::Organization(req.head())),
            Some(owner) => is_you(owner).then_some(TokensOwner::User),
        },
        control: match &access.owner {
            None => AccessControl::Unblock,
            Some(owner) if owner.role == Role::Owner && req.role() < Role::Owner => {
                AccessControl::Nothing
            }
            Some(_) => AccessControl::Manage,
        },
        rotation_requested: access.rotation_requested_at.map(moment),
        owner: access.owner.map(|owner| AccessOwner {
            is_you: is_you(&owner),
            name: owner.user.name,
            email: owner.user.email,
        }),
        token,
    }
}

/// The notice for the action in the query.
async fn notice(req: &OrgPageRequest, query: &Form) -> Result<Option<AccessNotice>, Failure> {
    let Some(id) = query.value("token") else {
        return Ok(None);
    };
    let found = match org::find_reaching(req, req.id(), id).await {
        Ok(found) => found,
        Err(app::Error::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let count = query.value("further").and_then(|count| count.parse().ok());
    let name = found.token.name;
    Ok(match (query.value("done"), found.owner) {
        (Some("blocked"), _) => Some(AccessNotice::Blocked(name, count.unwrap_or_default())),
        (Some("unblocked"), _) => Some(AccessNotice::Unblocked(name)),
        (Some("asked"), Some(owner)) => Some(AccessNotice::Asked {
            token: name,
            owner: owner.user.name,
            mail: match query.value("mail") {
                Some("sent") => MailStatus::Sent,
                _ => MailStatus::NotSent,
            },
        }),
        _ => None,
    })
}

/// `GET /o/{org}/tokens/{id}/block`: the confirmation page.
async fn show_block(req: OrgPageRequest) -> Answer {
    req.require(Role::Admin)?;
    let found = org::find_reaching(&req, req.id(), req.segment("id")).await?;
    let owner = found.owner.ok_or(Failure::NotFound)?;
    if owner.role == Role::Owner {
        req.require(Role::Owner)?;
    }
    let page = BlockPage {
        chrome: req.chrome(),
        org: req.head(),
        id: found.token.id.to_string(),
        scopes: found.token.scopes.iter().map(ToString::to_string).collect(),
        name: found.token.name,
        hint: found.token.hint,
        owner: owner.user.name,
        descendants: found.descendants,
    };
    req.page(StatusCode::OK, &page)
}

/// Redirects to the list with a notice about the token of the path.
fn done(req: &OrgPageRequest, what: &str) -> Answer {
    let id = req.segment("id");
    Ok(see_other(
        &req.path(&format!("{PAGE}?token={id}&done={what}")),
    ))
}

/// `POST /o/{org}/tokens/{id}/block`.
async fn submit_block(req: OrgPageRequest, _: Form) -> Answer {
    let further = org::block(&req, req.id(), req.segment("id")).await?;
    done(&req, &format!("blocked&further={further}"))
}

/// `POST /o/{org}/tokens/{id}/unblock`.
async fn submit_unblock(req: OrgPageRequest, _: Form) -> Answer {
    org::unblock(&req, req.id(), req.segment("id")).await?;
    done(&req, "unblocked")
}

/// `POST /o/{org}/tokens/{id}/ask-to-rotate`: mails the owner, if possible.
async fn submit_request(req: OrgPageRequest, _: Form) -> Answer {
    let new = org::request_rotation(&req, req.id(), req.segment("id")).await?;
    let url = absolute(&req.app, &format!("/tokens/{}", new.token.id));
    org::send_rotation_request(&req, &new, &url);
    done(&req, &format!("asked&mail={}", new.mail.as_str()))
}
