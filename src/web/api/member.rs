//! `/v1/orgs/{org}/members` and `/v1/orgs/{org}/invitations`.

use super::call::Call;
use super::document;
use crate::web::failure::Failure;
use crate::web::pages;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use app::{App, org};
use domain::Fault;
use domain::id::{InvitationId, UserId};
use domain::org::{Member as DomainMember, Role};
use utoipa::OpenApi;
use wire::api::{
    CreateInvitationBody, Invitation, List, ListParameters, Member, NewInvitation, PutMemberBody,
};

/// The addresses of this module.
#[derive(OpenApi)]
#[openapi(paths(
    list_members,
    put_member,
    delete_member,
    list_invitations,
    create_invitation,
    delete_invitation
))]
pub struct Description;

/// List the members of an organization, the first who joined first.
#[utoipa::path(
    get,
    path = "/v1/orgs/{org}/members",
    tag = "members",
    security(("bearer" = ["orgs:read"])),
    params(("org" = String, Path, description = "The organization's id or address."), ListParameters),
    responses((status = 200, description = "A page of the list.", body = List<Member>))
)]
pub async fn list_members(call: Call, named: web::Path<String>) -> Result<HttpResponse, Failure> {
    let list = call.listing(&[])?;
    let found = org::list_members(&call.app, &call.caller, &named, &list.page).await?;
    let position = |member: &DomainMember| (member.joined_at, member.user.id.to_string());
    Ok(list.answer(found, position, document::member))
}

/// Reads a role.
pub fn role(text: &str) -> Result<Role, Fault> {
    Role::parse(text).ok_or_else(|| Fault::new("role", "Write member, admin or owner."))
}

fn user_id(text: &str) -> Result<UserId, Failure> {
    UserId::parse(text).ok_or(Failure::NotFound)
}

/// Give a member a role. The operator also adds whoever is no member yet; everybody else
/// invites.
#[utoipa::path(
    put,
    path = "/v1/orgs/{org}/members/{user}",
    tag = "members",
    security(("bearer" = ["orgs:write"])),
    params(
        ("org" = String, Path, description = "The organization's id or address."),
        ("user" = String, Path, description = "The person's id.")
    ),
    request_body = PutMemberBody,
    responses((status = 200, description = "The member as it is now.", body = Member))
)]
pub async fn put_member(
    call: Call,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (named, user) = path.into_inner();
    let role = call.read(|body| body.required("role", |body, key| body.ruled(key, role)))?;
    let (user, role) = (user_id(&user)?, role.unwrap_or(Role::Member));
    let Call {
        app,
        context,
        caller,
        ..
    } = &call;
    let member = org::put_member(app, context, caller, &named, &user, role).await?;
    Ok(HttpResponse::Ok().json(document::member(&member)))
}

/// Take a person out of an organization. Everybody can leave.
///
/// Tokens that are limited to the organization end, and all personal ones if it was the
/// person's last organization.
#[utoipa::path(
    delete,
    path = "/v1/orgs/{org}/members/{user}",
    tag = "members",
    security(("bearer" = ["orgs:write"])),
    params(
        ("org" = String, Path, description = "The organization's id or address."),
        ("user" = String, Path, description = "The person's id.")
    ),
    responses((status = 204, description = "The person is no member any more."))
)]
pub async fn delete_member(
    call: Call,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (named, user) = path.into_inner();
    let user = user_id(&user)?;
    org::remove_member(&call.app, &call.context, &call.caller, &named, &user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List the invitations of an organization that nobody has accepted yet, for its admins, the
/// newest first.
#[utoipa::path(
    get,
    path = "/v1/orgs/{org}/invitations",
    tag = "members",
    security(("bearer" = ["orgs:read"])),
    params(("org" = String, Path, description = "The organization's id or address."), ListParameters),
    responses((status = 200, description = "A page of the list.", body = List<Invitation>))
)]
pub async fn list_invitations(
    call: Call,
    named: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let list = call.listing(&[])?;
    let found = org::list_invitations(&call.app, &call.caller, &named, &list.page).await?;
    let position = |open: &org::Open| (open.invitation.created_at, open.invitation.id.to_string());
    Ok(list.answer(found, position, |open| {
        document::invitation(&open.invitation)
    }))
}

/// Invite somebody to an organization.
///
/// The answer holds the link, which works once, for 7 days. It is sent by mail too if an
/// address is named and the deployment sends mail.
#[utoipa::path(
    post,
    path = "/v1/orgs/{org}/invitations",
    tag = "members",
    security(("bearer" = ["orgs:write"])),
    params(("org" = String, Path, description = "The organization's id or address.")),
    request_body = CreateInvitationBody,
    responses((status = 201, description = "The invitation was made.", body = NewInvitation))
)]
pub async fn create_invitation(
    call: Call,
    named: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let wish = call.read(|body| {
        let email = body.optional_text("email");
        let role = body.required("role", |body, key| body.ruled(key, role));
        org::CreateInvitation {
            email,
            role: role.unwrap_or(Role::Member),
            form_nonce: None,
        }
    })?;
    let app = call.app.clone();
    let written = move |new: &org::NewInvitation| NewInvitation {
        url: link_of(&app, new),
        about: document::invitation(&new.invitation),
    };
    call.once(StatusCode::CREATED, written, |idempotency| async {
        let Call {
            app,
            context,
            caller,
            ..
        } = &call;
        let new = org::invite(app, context, caller, &named, wish, idempotency).await?;
        org::send_invitation(app, caller, &new, &link_of(app, &new));
        Ok(new)
    })
    .await
}

fn link_of(app: &App, new: &org::NewInvitation) -> String {
    let public_url = &app.config().server.public_url;
    public_url.join(&pages::invitation_path(new.link.expose()))
}

/// Withdraw an invitation. Its link does not work any more.
#[utoipa::path(
    delete,
    path = "/v1/orgs/{org}/invitations/{id}",
    tag = "members",
    security(("bearer" = ["orgs:write"])),
    params(
        ("org" = String, Path, description = "The organization's id or address."),
        ("id" = String, Path, description = "The invitation's id.")
    ),
    responses((status = 204, description = "The invitation is withdrawn."))
)]
pub async fn delete_invitation(
    call: Call,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (named, id) = path.into_inner();
    let id = InvitationId::parse(&id).ok_or(Failure::NotFound)?;
    org::withdraw(&call.app, &call.context, &call.caller, &named, &id).await?;
    Ok(HttpResponse::NoContent().finish())
}
