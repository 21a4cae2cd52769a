//! Invitations: making, withdrawing and accepting one. The link is a one-time secret: it is in
//! the address that people open, in hidden fields, and nowhere else.

use super::inside::{Inside, inside, segment};
use super::list;
use super::member::again;
use super::session::end_session;
use super::view::invitation::{
    Delivery, InvitationCreatedPage, InvitationRow, InviteClosed, InviteClosedPage, InvitePage,
    InviteUserPage, Offer, WithdrawPage,
};
use super::view::org::OrganizationHead;
use super::view::{FieldErrors, Moment};
use super::visit::{Visit, see_other};
use super::{faults, invitation_path};
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::route::{post, read, resource};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::mail;
use app::org::{self, InvitationWish, Open};
use app::receipt::Receipt;
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
    visit: &Visit,
    inside: &Inside,
    query: &Form,
) -> Result<(Vec<InvitationRow>, Option<String>), Failure> {
    let part = list::page_after(query, PLACE);
    let mut open = org::list_invitations(&visit.app, &inside.caller, inside.id(), &part).await?;
    let path = inside.path("/members");
    let next = list::cut_after(&part, &mut open, &path, PLACE, |open| {
        (open.invitation.created_at, open.invitation.id.to_string())
    });
    Ok((
        open.into_iter().map(|open| row(visit, open)).collect(),
        next,
    ))
}

fn row(visit: &Visit, open: Open) -> InvitationRow {
    InvitationRow {
        id: open.invitation.id.to_string(),
        email: open.invitation.email,
        role: open.invitation.role,
        inviter: open.inviter,
        expires: Moment::new(open.invitation.expires_at, visit.now()),
    }
}

/// What becomes of the link of an invitation that names an email.
pub fn delivery(visit: &Visit) -> Delivery {
    match mail::is_configured(&visit.app) {
        true => Delivery::Mail,
        false => Delivery::ByHand,
    }
}

/// `POST /o/{org}/invitations`: shows the link, this once, and sends it if it can.
async fn submit_invitation(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let inside = inside(&visit, &request).await?;
    let Some(role) = form.value("role").and_then(Role::parse) else {
        let errors = FieldErrors::on("role", "Choose a role from the list.");
        return again(&visit, &inside, &form, errors).await;
    };
    let (app, context, caller) = (&visit.app, &visit.context, &inside.caller);
    let wish = InvitationWish {
        email: form.value("email").map(str::to_owned),
        role,
        reservation: form.value("reservation").map(str::to_owned),
    };
    match org::invite(app, context, caller, inside.id(), wish, Receipt::none()).await {
        Ok(new) => {
            let url = app
                .config()
                .server
                .public_url
                .join(&invitation_path(new.link.expose()));
            org::send_invitation(app, caller, &new, &url);
            let page = InvitationCreatedPage {
                chrome: visit.chrome(),
                org: inside.head(),
                url,
                email: new.invitation.email,
                role,
                expires: Moment::new(new.invitation.expires_at, visit.now()),
                delivery: delivery(&visit),
            };
            visit.page(StatusCode::OK, &page)
        }
        // The page that showed the link was loaded again.
        Err(app::Error::Conflict(_)) => Ok(see_other(&inside.path("/members"))),
        Err(error) => again(&visit, &inside, &form, faults(error)?).await,
    }
}

fn invitation_id(request: &HttpRequest) -> Result<InvitationId, Failure> {
    InvitationId::parse(segment(request, "id")).ok_or(Failure::NotFound)
}

/// `GET /o/{org}/invitations/{id}/withdraw`: asks for confirmation.
async fn show_withdraw(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    let id = invitation_id(&request)?;
    let open = org::find_invitation(&visit.app, &inside.caller, inside.id(), &id).await?;
    let page = WithdrawPage {
        chrome: visit.chrome(),
        org: inside.head(),
        invitation: row(&visit, open),
    };
    visit.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/invitations/{id}/withdraw`. One that is gone already is no fault.
async fn submit_withdraw(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    visit.form(&request, payload).await?;
    let inside = inside(&visit, &request).await?;
    let id = invitation_id(&request)?;
    let (app, context) = (&visit.app, &visit.context);
    match org::withdraw(app, context, &inside.caller, inside.id(), &id).await {
        Ok(()) | Err(app::Error::NotFound) => {
            Ok(see_other(&inside.path("/members?done=withdrawn")))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /invite`. It changes nothing: the link is used by the press of a button.
async fn show_invite(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let query = extract::query(&request)?;
    let link = link(&query);
    let offer = match org::look_at(&visit.app, &link).await {
        Ok(offer) => offer,
        Err(error) => return closed(&visit, error),
    };
    let Some(person) = &visit.person else {
        let email = offer.invitation.email.clone().unwrap_or_default();
        let form = Form::from_pairs(vec![("email".to_owned(), email)]);
        let page = account_page(&visit, &link, offer, &form, FieldErrors::none());
        return visit.page(StatusCode::OK, &page);
    };
    if org::is_member(&visit.app, person, &offer.organization.id).await? {
        return already(&visit, StatusCode::OK, offer.organization);
    }
    let page = invite_page(&visit, &link, offer, FieldErrors::none());
    visit.page(StatusCode::OK, &page)
}

/// The secret of the link.
fn link(form: &Form) -> Secret {
    Secret::new(form.value("link").unwrap_or_default())
}

fn closed(visit: &Visit, error: app::Error) -> Result<HttpResponse, Failure> {
    match error {
        app::Error::NotFound => {
            let page = InviteClosedPage {
                chrome: visit.chrome(),
                reason: InviteClosed::BadLink,
            };
            visit.page(StatusCode::NOT_FOUND, &page)
        }
        error => Err(error.into()),
    }
}

fn already(
    visit: &Visit,
    status: StatusCode,
    organization: Organization,
) -> Result<HttpResponse, Failure> {
    let page = InviteClosedPage {
        chrome: visit.chrome(),
        reason: InviteClosed::AlreadyMember(OrganizationHead {
            slug: organization.slug,
            name: organization.name,
        }),
    };
    visit.page(status, &page)
}

fn shown(visit: &Visit, offer: org::Offer) -> Offer {
    Offer {
        organization: offer.organization.name,
        role: offer.invitation.role,
        inviter: offer.inviter,
        email: offer.invitation.email,
        expires: Moment::new(offer.invitation.expires_at, visit.now()),
    }
}

fn invite_page(visit: &Visit, link: &Secret, offer: org::Offer, errors: FieldErrors) -> InvitePage {
    InvitePage {
        chrome: visit.chrome(),
        link: link.expose().to_owned(),
        offer: shown(visit, offer),
        return_to: invitation_path(link.expose()),
        errors,
    }
}

fn account_page(
    visit: &Visit,
    link: &Secret,
    offer: org::Offer,
    form: &Form,
    errors: FieldErrors,
) -> InviteUserPage {
    let typed = |name| form.value(name).unwrap_or_default().to_owned();
    let return_to = invitation_path(link.expose());
    let return_to = utf8_percent_encode(&return_to, NON_ALPHANUMERIC);
    InviteUserPage {
        chrome: visit.chrome(),
        link: link.expose().to_owned(),
        offer: shown(visit, offer),
        login_path: format!("/login?return_to={return_to}"),
        name: typed("name"),
        email: typed("email"),
        errors,
    }
}

/// `POST /invite`: somebody who is signed in joins.
async fn submit_invite(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let link = link(&form);
    let person = visit.person(&invitation_path(link.expose()))?;
    let (app, context) = (&visit.app, &visit.context);
    let error = match org::accept(app, context, person, &link).await {
        Ok(joined) => return Ok(see_other(&format!("/o/{}?done=joined", joined.slug))),
        Err(error) => error,
    };
    let offer = match org::look_at(app, &link).await {
        Ok(offer) => offer,
        Err(error) => return closed(&visit, error),
    };
    match error {
        app::Error::Conflict(_) => already(&visit, StatusCode::CONFLICT, offer.organization),
        app::Error::Invalid(faults) => {
            // What is wrong is the account, which is no field of the form.
            let mut errors = FieldErrors::none();
            for fault in faults {
                errors.push("", fault.message);
            }
            let page = invite_page(&visit, &link, offer, errors);
            visit.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        error => Err(error.into()),
    }
}

/// `POST /invite/user`: somebody without an account makes one and joins.
async fn submit_account(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let link = link(&form);
    let typed = |name| form.value(name).unwrap_or_default().to_owned();
    let new = CreateUser {
        name: typed("name"),
        email: typed("email"),
        password: Secret::new(typed("password")),
        organization: None,
    };
    let (app, context) = (&visit.app, &visit.context);
    let offer = match org::look_at(app, &link).await {
        Ok(offer) => offer,
        Err(error) => return closed(&visit, error),
    };
    match org::accept_as_new(app, context, &link, new).await {
        Ok(session) => {
            if let Some(person) = &visit.person {
                end_session(&visit, person).await?;
            }
            let path = format!("/o/{}?done=joined", offer.organization.slug);
            Ok(visit.begin(&session, &path))
        }
        // Somebody else was faster.
        Err(app::Error::NotFound) => closed(&visit, app::Error::NotFound),
        Err(error) => {
            let page = account_page(&visit, &link, offer, &form, faults(error)?);
            visit.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}
