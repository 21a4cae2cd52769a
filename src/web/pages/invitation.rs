//! Invitations: create, withdraw, accept. The link is a one-time secret: it is in the URL that
//! users open, in hidden fields, and nowhere else.

use super::list;
use super::org_request::OrgPageRequest;
use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::{form_on, read};
use super::session::invited_path;
use super::typed_form::TypedForm;
use super::view::invitation::{
    Delivery, InvitationCreatedPage, InvitationRow, InviteClosed, InviteClosedPage, InvitePage,
    InviteUserPage, Offer, WithdrawPage,
};
use super::view::{FieldErrors, Moment};
use crate::web::failure::Failure;
use crate::web::links::{absolute, invitation_path, send_invitation};
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::mail::{self, MailStatus};
use app::org::{self, Entered, Open};
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
            read(show_withdraw).post(submit_withdraw),
        ))
        .service(resource("/o/{org}/invitations/{id}/link", read(show_link)))
        .service(resource("/invite", read(show_invite).post(submit_invite)))
        .service(resource(
            "/invite/account",
            form_on("/invite").post(submit_account),
        ));
}

/// The query parameter of the members page for the position in the list of invitations.
const PLACE: &str = "invited";

/// The page of open invitations that the query requests, and the URL of the next page.
pub async fn open(
    req: &OrgPageRequest,
    query: &Form,
) -> Result<(Vec<InvitationRow>, Option<String>), Failure> {
    let part = list::page_after(query, PLACE);
    let mut open = org::list_invitations(req, req.id(), &part).await?;
    let address = req.path(&format!("/members?{PLACE}="));
    let next = list::cut_after(&part, &mut open, &address, |open| {
        (open.invitation.created_at, open.invitation.id.to_string())
    });
    Ok((open.into_iter().map(|open| row(req, open)).collect(), next))
}

fn row(req: &PageRequest, open: Open) -> InvitationRow {
    InvitationRow {
        id: open.invitation.id.to_string(),
        can_send: open.invitation.email.is_some() && mail::is_configured(&req.app),
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

/// The id in the path.
pub fn invitation_id(req: &PageRequest) -> Result<InvitationId, Failure> {
    InvitationId::parse(req.segment("id")).ok_or(Failure::NotFound)
}

/// `GET /o/{org}/invitations/{id}/withdraw`: the confirmation page.
async fn show_withdraw(req: OrgPageRequest) -> Answer {
    let id = invitation_id(&req)?;
    let open = org::find_invitation(&req, req.id(), &id).await?;
    let page = WithdrawPage {
        chrome: req.chrome(),
        org: req.head(),
        invitation: row(&req, open),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/invitations/{id}/withdraw`. An invitation that is already gone is no error.
async fn submit_withdraw(req: OrgPageRequest, _: Form) -> Answer {
    let id = invitation_id(&req)?;
    match org::withdraw(&req, req.id(), &id).await {
        Ok(()) | Err(app::Error::NotFound) => Ok(see_other(&req.path("/members?done=withdrawn"))),
        Err(error) => Err(error.into()),
    }
}

/// The path of the page that shows the link of a new invitation; its query says whether it is mailed.
pub fn link_path(req: &OrgPageRequest, id: &str, mail: Option<MailStatus>) -> String {
    let mail = mail.map_or(String::new(), |mail| format!("?mail={}", mail.as_str()));
    req.path(&format!("/invitations/{id}/link{mail}"))
}

/// `GET /o/{org}/invitations/{id}/link`: shows the link of a new invitation once.
async fn show_link(req: OrgPageRequest) -> Answer {
    let id = invitation_id(&req)?;
    let (open, may_create_user) = match org::find_new_invitation(&req, req.id(), &id).await {
        Ok(found) => found,
        // It was accepted or withdrawn, or has expired.
        Err(app::Error::NotFound) => return Ok(see_other(&req.path("/members"))),
        Err(error) => return Err(error.into()),
    };
    let link = req.take_secret(id.as_str()).await?;
    let page = InvitationCreatedPage {
        chrome: req.chrome(),
        org: req.head(),
        id: id.to_string(),
        url: link.map(|link| absolute(&req.app, &invitation_path(link.expose()))),
        may_create_user,
        email: open.invitation.email,
        role: open.invitation.role,
        expires: Moment::new(open.invitation.expires_at, req.now()),
        mail: match req.query()?.value("mail") {
            Some("sent") => Some(MailStatus::Sent),
            Some("not_sent") => Some(MailStatus::NotSent),
            _ => None,
        },
    };
    req.secret_page(&page)
}

/// `GET /invite`. Read-only: only submitting the form uses the link.
async fn show_invite(req: PageRequest) -> Answer {
    let query = req.query()?;
    let link = link(&query);
    let offer = match org::look_at(&req.app, &link).await {
        Ok(offer) => offer,
        Err(error) => return closed(&req, error),
    };
    if req.caller.signed_in().is_err() {
        let email = offer.invitation.email.clone().unwrap_or_default();
        let form = Form::from_pairs(vec![
            ("link".to_owned(), link.expose().to_owned()),
            ("email".to_owned(), email),
        ]);
        return account_page(&req, offer, req.typed_or(form));
    }
    if org::is_member(&req, &offer.organization.id).await? {
        return already(&req, offer.organization);
    }
    invite_page(&req, offer, req.typed_or(query))
}

/// The secret of the link.
fn link(form: &Form) -> Secret {
    Secret::new(form.value("link").unwrap_or_default())
}

fn closed(req: &PageRequest, error: app::Error) -> Answer {
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

fn already(req: &PageRequest, organization: Organization) -> Answer {
    let page = InviteClosedPage {
        chrome: req.chrome(),
        reason: InviteClosed::AlreadyMember {
            slug: organization.slug,
            name: organization.name,
        },
    };
    req.page(StatusCode::OK, &page)
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

fn invite_page(req: &PageRequest, offer: org::Offer, typed: TypedForm) -> Answer {
    let link = typed.text("link");
    let page = InvitePage {
        chrome: req.chrome(),
        return_to: invitation_path(&link),
        link,
        offer: shown(req, offer),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

fn account_page(req: &PageRequest, offer: org::Offer, typed: TypedForm) -> Answer {
    let link = typed.text("link");
    let return_to = invitation_path(&link);
    let return_to = utf8_percent_encode(&return_to, NON_ALPHANUMERIC);
    let page = InviteUserPage {
        chrome: req.chrome(),
        link,
        new_user: offer.new_user,
        offer: shown(req, offer),
        login_path: format!("/login?return_to={return_to}"),
        name: typed.text("name"),
        email: typed.text("email"),
        is_mailed: req.query()?.value("done") == Some("mailed"),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /invite`: a signed-in user joins.
async fn submit_invite(req: PageRequest, form: Form) -> Answer {
    let link = link(&form);
    req.signed_in(&invitation_path(link.expose()))?;
    let error = match org::accept(&req, &link).await {
        Ok(joined) => return Ok(see_other(&format!("/o/{}?done=joined", joined.slug))),
        Err(error) => error,
    };
    match error {
        // The page explains both.
        app::Error::Conflict(_) | app::Error::NotFound => Ok(see_other(&req.form_address(&form))),
        app::Error::Invalid(faults) => {
            // The errors are about the user, which is no field of the form.
            let mut errors = FieldErrors::none();
            for fault in faults {
                errors.push("", fault.message);
            }
            req.again(TypedForm::with_errors(form, errors)).await
        }
        error => Err(error.into()),
    }
}

/// `POST /invite/account`: a visitor without a login creates a user, or has a link mailed that does.
async fn submit_account(req: PageRequest, form: Form) -> Answer {
    let link = link(&form);
    let typed = |name| form.value(name).unwrap_or_default().to_owned();
    let new = CreateUser {
        name: typed("name"),
        email: typed("email"),
        password: Secret::new(typed("password")),
        organization: None,
    };
    let offer = match org::look_at(&req.app, &link).await {
        Ok(offer) => offer,
        // The page explains it.
        Err(app::Error::NotFound) => return Ok(see_other(&req.form_address(&form))),
        Err(error) => return Err(error.into()),
    };
    match org::enter(&req, &link, new).await {
        Ok(Entered::Joined(session)) => {
            req.end_session().await?;
            let path = format!("/o/{}?done=joined", offer.organization.slug);
            Ok(req.begin(&session.cookies, &path))
        }
        Ok(Entered::SignIn) => {
            req.end_session().await?;
            Ok(req.end(&invited_path(&invitation_path(link.expose()))))
        }
        Ok(Entered::Mailed(new)) => {
            send_invitation(&req.app, &new);
            let path = invitation_path(link.expose());
            Ok(see_other(&format!("{path}&done=mailed")))
        }
        // Another request used the link in the meantime.
        Err(app::Error::NotFound) => Ok(see_other(&req.form_address(&form))),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}
