//! `/v1/orgs/{org}/members` and `/v1/orgs/{org}/invitations`.

use super::call::Call;
use super::path::MemberPath;
use super::routes::routes;
use super::{document, values};
use crate::web::failure::Failure;
use crate::web::links;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use app::mail::{MailSlot, MailStatus};
use app::org;
use app::user::{self, NewReset};
use domain::id::InvitationId;
use domain::org::Member as DomainMember;
use wire::api::{
    CreateInvitationBody, Invitation, InvitationSent, List, ListParameters, Member, NewInvitation,
    Nothing, PasswordResetSent, PutMemberBody,
};

routes! {
    GET "/v1/orgs/{org}/members" => list_members: org::READ,
    PUT "/v1/orgs/{org}/members/{user}" => put_member: org::WRITE,
    DELETE "/v1/orgs/{org}/members/{user}" => delete_member: org::WRITE,
    POST "/v1/orgs/{org}/members/{user}/password-reset" => send_password_reset: org::WRITE,
    GET "/v1/orgs/{org}/invitations" => list_invitations: org::READ,
    POST "/v1/orgs/{org}/invitations" => create_invitation: org::WRITE,
    POST "/v1/orgs/{org}/invitations/{id}/send" => send_invitation: org::WRITE,
    DELETE "/v1/orgs/{org}/invitations/{id}" => delete_invitation: org::WRITE,
}

/// Lists the members of an organization, in the order of joining.
#[utoipa::path(
    get,
    path = "/v1/orgs/{org}/members",
    tag = "members",
    params(("org" = String, Path, description = "ID or slug of the organization."), ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<Member>))
)]
async fn list_members(call: Call, named: web::Path<String>) -> Result<HttpResponse, Failure> {
    let list = call.listing::<Nothing>()?;
    let found = org::list_members(&call, &named, &list.page).await?;
    let position = |member: &DomainMember| (member.joined_at, member.user.id.to_string());
    Ok(list.answer(found, position, document::member))
}

/// Sets the role of a member. The operator can also add a user; other callers send an invitation.
#[utoipa::path(
    put,
    path = "/v1/orgs/{org}/members/{user}",
    tag = "members",
    params(
        ("org" = String, Path, description = "ID or slug of the organization."),
        ("user" = String, Path, description = "ID of the user.")
    ),
    request_body = PutMemberBody,
    responses((status = 200, description = "The updated member.", body = Member))
)]
async fn put_member(call: Call, path: web::Path<MemberPath>) -> Result<HttpResponse, Failure> {
    let PutMemberBody { role } = call.read()?;
    let (user, role) = (path.user()?, values::role(role));
    let member = org::put_member(&call, &path.named, &user, role).await?;
    Ok(HttpResponse::Ok().json(document::member(&member)))
}

/// Removes a user from an organization. All users can remove themselves.
///
/// This revokes the user's tokens that are limited to the organization, and all personal tokens if
/// it is the user's last organization.
#[utoipa::path(
    delete,
    path = "/v1/orgs/{org}/members/{user}",
    tag = "members",
    params(
        ("org" = String, Path, description = "ID or slug of the organization."),
        ("user" = String, Path, description = "ID of the user.")
    ),
    responses((status = 204, description = "The user is not a member."))
)]
async fn delete_member(call: Call, path: web::Path<MemberPath>) -> Result<HttpResponse, Failure> {
    let user = path.user()?;
    org::remove_member(&call, &path.named, &user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Mails a link to a member, with which the member sets a new password.
///
/// Owners can send it to admins and members, and admins to members. The link works once, for 30
/// minutes. It requires a mail server and a verified email address of the member.
#[utoipa::path(
    post,
    path = "/v1/orgs/{org}/members/{user}/password-reset",
    tag = "members",
    params(
        ("org" = String, Path, description = "ID or slug of the organization."),
        ("user" = String, Path, description = "ID of the user.")
    ),
    responses((status = 202, description = "The link is being mailed.", body = PasswordResetSent))
)]
async fn send_password_reset(
    call: Call,
    path: web::Path<MemberPath>,
) -> Result<HttpResponse, Failure> {
    let Nothing {} = call.read()?;
    let user = path.user()?;
    let sent = |(new, _): &(NewReset, MailSlot)| PasswordResetSent {
        mail: MailStatus::Sent.as_str().to_owned(),
        expires_at: document::rfc3339(new.expires_at),
    };
    call.once(StatusCode::ACCEPTED, sent, async |req| {
        let new = org::create_member_reset(req, &path.named, &user).await?;
        user::send_reset(req, &new, &links::reset_url(&req.app, &new.0));
        Ok(new)
    })
    .await
}

/// Lists the pending invitations of an organization, newest first. Admins and owners only.
#[utoipa::path(
    get,
    path = "/v1/orgs/{org}/invitations",
    tag = "members",
    params(("org" = String, Path, description = "ID or slug of the organization."), ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<Invitation>))
)]
async fn list_invitations(call: Call, named: web::Path<String>) -> Result<HttpResponse, Failure> {
    let list = call.listing::<Nothing>()?;
    let found = org::list_invitations(&call, &named, &list.page).await?;
    let position = |open: &org::Open| (open.invitation.created_at, open.invitation.id.to_string());
    Ok(list.answer(found, position, |open| {
        document::invitation(&open.invitation)
    }))
}

/// Creates an invitation to an organization.
///
/// The response contains the link, which works once, for 7 days. The server also mails it if the
/// request has an email address and mail is configured; `mail` states whether it does. A user or
/// organization can have 20 messages sent in an hour, and an address gets 3 invitations in a day.
///
/// An invitation without an email address is for anyone with its link. It can create a user only in
/// an organization that the operator created.
#[utoipa::path(
    post,
    path = "/v1/orgs/{org}/invitations",
    tag = "members",
    params(("org" = String, Path, description = "ID or slug of the organization.")),
    request_body = CreateInvitationBody,
    responses((status = 201, description = "The new invitation.", body = NewInvitation))
)]
async fn create_invitation(call: Call, named: web::Path<String>) -> Result<HttpResponse, Failure> {
    let CreateInvitationBody { email, role } = call.read()?;
    let input = org::CreateInvitation {
        email,
        role: values::role(role),
        form_nonce: None,
    };
    let app = call.app.clone();
    let written = move |new: &org::NewInvitation| NewInvitation {
        url: links::absolute(&app, &links::invitation_path(new.link.expose())),
        mail: new.mail.map(|status| status.as_str().to_owned()),
        may_create_user: new.may_create_user,
        about: document::invitation(&new.invitation),
    };
    call.once(StatusCode::CREATED, written, async |req| {
        let new = org::invite(req, &named, input).await?;
        if let Some(letter) = &new.letter {
            links::send_invitation(&req.app, letter);
        }
        Ok(new)
    })
    .await
}

/// Mails an invitation again, for example because the first mail was lost.
///
/// The mail has a new link, which replaces the one in earlier mails. It requires a mail server and
/// an invitation with an email address, and counts like a new invitation: a user or organization
/// can have 20 messages sent in an hour, and an address gets 3 invitations in a day. Visitors with
/// the `url` of the invitation can also have it mailed.
#[utoipa::path(
    post,
    path = "/v1/orgs/{org}/invitations/{id}/send",
    tag = "members",
    params(
        ("org" = String, Path, description = "ID or slug of the organization."),
        ("id" = String, Path, description = "ID of the invitation.")
    ),
    responses((status = 202, description = "The invitation is being mailed.", body = InvitationSent))
)]
async fn send_invitation(
    call: Call,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (named, id) = path.into_inner();
    let Nothing {} = call.read()?;
    let id = InvitationId::parse(&id).ok_or(Failure::NotFound)?;
    let sent = |letter: &org::InvitationLetter| InvitationSent {
        mail: MailStatus::Sent.as_str().to_owned(),
        about: document::invitation(&letter.invitation),
    };
    call.once(StatusCode::ACCEPTED, sent, async |req| {
        let letter = org::invite_again(req, &named, &id).await?;
        links::send_invitation(&req.app, &letter);
        Ok(letter)
    })
    .await
}

/// Withdraws an invitation. Its link stops working.
#[utoipa::path(
    delete,
    path = "/v1/orgs/{org}/invitations/{id}",
    tag = "members",
    params(
        ("org" = String, Path, description = "ID or slug of the organization."),
        ("id" = String, Path, description = "ID of the invitation.")
    ),
    responses((status = 204, description = "The invitation does not exist any more."))
)]
async fn delete_invitation(
    call: Call,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (named, id) = path.into_inner();
    let id = InvitationId::parse(&id).ok_or(Failure::NotFound)?;
    org::withdraw(&call, &named, &id).await?;
    Ok(HttpResponse::NoContent().finish())
}
