//! Invitations: create, withdraw, accept. The link is a one-time secret: it is in the URL that
//! users open, in hidden fields, and nowhere else.

use super::faults;
use super::list;
use super::org_request::{OrgPageRequest, org_req, segment};
use super::page_request::{PageRequest, see_other};
use super::session::end_session;
use super::view::invitation::{
    Delivery, InvitationRow, InviteClosed, InviteClosedPage, InvitePage, InviteUserPage, Offer,
    WithdrawPage,
};
use super::view::org::OrganizationHead;
use super::view::{FieldErrors, Moment};
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::links::invitation_path;
use crate::web::route::{post, read, resource};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::mail;
use app::org::{self, Open};
use app::user::CreateUser;
use domain::id::InvitationId;
use domain::org::Organization;
use domain::secret::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/o/{org}/invitations/{id}/withdraw",
            [read(show_withdraw), post(submit_withdraw)],
        ))
        .service(resource(
            "/invite",
            [read(show_invite), post(submit_invite)],
        ))
        .service(resource("/invite/account", [post(submit_account)]));
}

/// The query parameter of the members page for the position in the list of invitations.
const PLACE: &str = "invited";

/// The page of open invitations that the query requests, and the URL of the next page.
pub async fn open(
    req: &PageRequest,
    org_req: &OrgPageRequest,
    query: &Form,
) -> Result<(Vec<InvitationRow>, Option<String>), Failure> {
    let part = list::page_after(query, PLACE);
    let mut open = org::list_invitations(&req.app, &org_req.caller, org_req.id(), &part).await?;
    let path = org_req.path("/members");
    let next = list::cut_after(&part, &mut open, &path, PLACE, |open| {
        (open.invitation.created_at, open.invitation.id.to_string())
    });
    Ok((open.into_iter().map(|open| row(req, open)).collect(), next))
}

fn row(req: &PageRequest, open: Open) -> InvitationRow {
    InvitationRow {
        id: open.invitation.id.to_string(),
        email: open.invitation.email,
        role: open.invitation.role,
        inviter: open.inviter,
        expires: Moment::new(open.invitation.expires_at, req.now()),
    }
}

/// How the link of an invitation with an email is delivered.
pub fn delivery(req: &PageRequest) -> Delivery {
    match mail::is_configured(&req.app) {
        true => Delivery::Mail,
        false => Delivery::ByHand,
    }
}

fn invitation_id(request: &HttpRequest) -> Result<InvitationId, Failure> {
    InvitationId::parse(segment(request, "id")).ok_or(Failure::NotFound)
}

/// `GET /o/{org}/invitations/{id}/withdraw`: the confirmation page.
async fn show_withdraw(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let org_req = org_req(&req, &request).await?;
    let id = invitation_id(&request)?;
    let open = org::find_invitation(&req.app, &org_req.caller, org_req.id(), &id).await?;
    let page = WithdrawPage {
        chrome: req.chrome(),
        org: org_req.head(),
        invitation: row(&req, open),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/invitations/{id}/withdraw`. An invitation that is already gone is no error.
async fn submit_withdraw(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    req.form(&request, payload).await?;
    let org_req = org_req(&req, &request).await?;
    let id = invitation_id(&request)?;
    let (app, context) = (&req.app, &req.context);
    match org::withdraw(app, context, &org_req.caller, org_req.id(), &id).await {
        Ok(()) | Err(app::Error::NotFound) => {
            Ok(see_other(&org_req.path("/members?done=withdrawn")))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /invite`. Read-only: only submitting the form uses the link.
async fn show_invite(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let query = extract::query(&request)?;
    let link = link(&query);
    let offer = match org::look_at(&req.app, &link).await {
        Ok(offer) => offer,
        Err(error) => return closed(&req, error),
    };
    let Some(signed_in) = &req.signed_in else {
        let email = offer.invitation.email.clone().unwrap_or_default();
        let form = Form::from_pairs(vec![("email".to_owned(), email)]);
        let page = account_page(&req, &link, offer, &form, FieldErrors::none());
        return req.page(StatusCode::OK, &page);
    };
    if org::is_member(&req.app, signed_in, &offer.organization.id).await? {
        return already(&req, StatusCode::OK, offer.organization);
    }
    let page = invite_page(&req, &link, offer, FieldErrors::none());
    req.page(StatusCode::OK, &page)
}

/// The secret of the link.
fn link(form: &Form) -> Secret {
    Secret::new(form.value("link").unwrap_or_default())
}

fn closed(req: &PageRequest, error: app::Error) -> Result<HttpResponse, Failure> {
    match error {
        app::Error::NotFound => {
            let page = InviteClosedPage {
                chrome: req.chrome(),
                reason: InviteClosed::BadLink,
            };
            req.page(StatusCode::NOT_FOUND, &page)
        }
        error => Err(error.into()),
    }
}

fn already(
    req: &PageRequest,
    status: StatusCode,
    organization: Organization,
) -> Result<HttpResponse, Failure> {
    let page = InviteClosedPage {
        chrome: req.chrome(),
        reason: InviteClosed::AlreadyMember(OrganizationHead {
            slug: organization.slug,
            name: organization.name,
        }),
    };
    req.page(status, &page)
}

fn shown(req: &PageRequest, offer: org::Offer) -> Offer {
    Offer {
        organization: offer.organization.name,
        role: offer.invitation.role,
        inviter: offer.inviter,
        email: offer.invitation.email,
        expires: Moment::new(offer.invitation.expires_at, req.now()),
    }
}

fn invite_page(
    req: &PageRequest,
    link: &Secret,
    offer: org::Offer,
    errors: FieldErrors,
) -> InvitePage {
    InvitePage {
        chrome: req.chrome(),
        link: link.expose().to_owned(),
        offer: shown(req, offer),
        return_to: invitation_path(link.expose()),
        errors,
    }
}

fn account_page(
    req: &PageRequest,
    link: &Secret,
    offer: org::Offer,
    form: &Form,
    errors: FieldErrors,
) -> InviteUserPage {
    let typed = |name| form.value(name).unwrap_or_default().to_owned();
    let return_to = invitation_path(link.expose());
    let return_to = utf8_percent_encode(&return_to, NON_ALPHANUMERIC);
    InviteUserPage {
        chrome: req.chrome(),
        link: link.expose().to_owned(),
        offer: shown(req, offer),
        login_path: format!("/login?return_to={return_to}"),
        name: typed("name"),
        email: typed("email"),
        errors,
    }
}

/// `POST /invite`: a signed-in user joins.
async fn submit_invite(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let link = link(&form);
    let signed_in = req.signed_in(&invitation_path(link.expose()))?;
    let (app, context) = (&req.app, &req.context);
    let error = match org::accept(app, context, signed_in, &link).await {
        Ok(joined) => return Ok(see_other(&format!("/o/{}?done=joined", joined.slug))),
        Err(error) => error,
    };
    let offer = match org::look_at(app, &link).await {
        Ok(offer) => offer,
        Err(error) => return closed(&req, error),
    };
    match error {
        app::Error::Conflict(_) => already(&req, StatusCode::CONFLICT, offer.organization),
        app::Error::Invalid(faults) => {
            // The errors are about the user, which is no field of the form.
            let mut errors = FieldErrors::none();
            for fault in faults {
                errors.push("", fault.message);
            }
            let page = invite_page(&req, &link, offer, errors);
            req.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        error => Err(error.into()),
    }
}

/// `POST /invite/account`: a visitor without a login creates a user and joins.
async fn submit_account(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let link = link(&form);
    let typed = |name| form.value(name).unwrap_or_default().to_owned();
    let new = CreateUser {
        name: typed("name"),
        email: typed("email"),
        password: Secret::new(typed("password")),
        organization: None,
    };
    let (app, context) = (&req.app, &req.context);
    let offer = match org::look_at(app, &link).await {
        Ok(offer) => offer,
        Err(error) => return closed(&req, error),
    };
    match org::accept_as_new(app, context, &link, new).await {
        Ok(session) => {
            if let Some(signed_in) = &req.signed_in {
                end_session(&req, signed_in).await?;
            }
            let path = format!("/o/{}?done=joined", offer.organization.slug);
            Ok(req.begin(&session, &path))
        }
        // Another request used the link in the meantime.
        Err(app::Error::NotFound) => closed(&req, app::Error::NotFound),
        Err(error) => {
            let page = account_page(&req, &link, offer, &form, faults(error)?);
            req.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}
