//! Invitations: making, withdrawing and accepting one. The link is a one-time secret: it is in
//! the address that people open, in hidden fields, and nowhere else.

use super::list;
use super::member::again;
use super::org_request::{OrgPageRequest, org_req, segment};
use super::page_request::{PageRequest, see_other};
use super::session::end_session;
use super::view::invitation::{
    Delivery, InvitationCreatedPage, InvitationRow, InviteClosed, InviteClosedPage, InvitePage,
    InviteUserPage, Offer, WithdrawPage,
};
use super::view::org::OrganizationHead;
use super::view::{FieldErrors, Moment};
use super::{faults, invitation_path};
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::route::{post, read, resource};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::idempotency::IdempotencyRecord;
use app::mail;
use app::org::{self, CreateInvitation, Open};
use app::user::CreateUser;
use domain::id::InvitationId;
use domain::org::{Organization, Role};
use domain::secret::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wire::form::Form;

/// The addresses of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/o/{org}/invitations", [post(submit_invitation)]))
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

/// The parameter of the members' address that holds the place in the list of invitations.
const PLACE: &str = "invited";

/// The part of the invitations of an organization that an address asks for, and the address at
/// which they go on.
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

/// What becomes of the link of an invitation that names an email.
pub fn delivery(req: &PageRequest) -> Delivery {
    match mail::is_configured(&req.app) {
        true => Delivery::Mail,
        false => Delivery::ByHand,
    }
}

/// `POST /o/{org}/invitations`: shows the link, this once, and sends it if it can.
async fn submit_invitation(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let org_req = org_req(&req, &request).await?;
    let Some(role) = form.value("role").and_then(Role::parse) else {
        let errors = FieldErrors::on("role", "Choose a role from the list.");
        return again(&req, &org_req, &form, errors).await;
    };
    let (app, context, caller) = (&req.app, &req.context, &org_req.caller);
    let input = CreateInvitation {
        email: form.value("email").map(str::to_owned),
        role,
        form_nonce: form.value("form_nonce").map(str::to_owned),
    };
    match org::invite(
        app,
        context,
        caller,
        org_req.id(),
        input,
        IdempotencyRecord::none(),
    )
    .await
    {
        Ok(new) => {
            let url = app
                .config()
                .server
                .public_url
                .join(&invitation_path(new.link.expose()));
            org::send_invitation(app, caller, &new, &url);
            let page = InvitationCreatedPage {
                chrome: req.chrome(),
                org: org_req.head(),
                url,
                email: new.invitation.email,
                role,
                expires: Moment::new(new.invitation.expires_at, req.now()),
                delivery: delivery(&req),
            };
            req.page(StatusCode::OK, &page)
        }
        // The page that showed the link was loaded again.
        Err(app::Error::Conflict(_)) => Ok(see_other(&org_req.path("/members"))),
        Err(error) => again(&req, &org_req, &form, faults(error)?).await,
    }
}

fn invitation_id(request: &HttpRequest) -> Result<InvitationId, Failure> {
    InvitationId::parse(segment(request, "id")).ok_or(Failure::NotFound)
}

/// `GET /o/{org}/invitations/{id}/withdraw`: asks for confirmation.
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

/// `POST /o/{org}/invitations/{id}/withdraw`. One that is gone already is no fault.
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

/// `GET /invite`. It changes nothing: the link is used by the press of a button.
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

/// `POST /invite`: somebody who is signed in joins.
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
            // What is wrong is the account, which is no field of the form.
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

/// `POST /invite/user`: somebody without an account makes one and joins.
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
        // Somebody else was faster.
        Err(app::Error::NotFound) => closed(&req, app::Error::NotFound),
        Err(error) => {
            let page = account_page(&req, &link, offer, &form, faults(error)?);
            req.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}
