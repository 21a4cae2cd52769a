//! The members of an organization.

use super::invitation;
use super::list;
use super::org::departure;
use super::org_request::OrgPageRequest;
use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::{form_on, read};
use super::typed_form::{TypedForm, faults};
use super::view::member::{
    InviteForm, MemberControl, MemberRow, MembersNotice, MembersPage, PasswordReset,
    RemoveMemberPage, Who, role_choices, role_filter,
};
use super::view::{FieldErrors, Moment};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::org::{self, MOST_INVITED, MemberSearch, Roster};
use app::{mail, user};
use domain::Instant;
use domain::id::UserId;
use domain::org::Member;
use domain::role::Role;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeMap;
use wire::form::Form;

/// Number of members on a page of a search.
const FOUND: usize = 50;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/o/{org}/invitations/{id}/send",
            form_on("/o/{org}/members").post(submit_send),
        ))
        .service(resource("/o/{org}/members", read(show_members)))
        .service(resource(
            "/o/{org}/members/{user}/role",
            form_on("/o/{org}/members").post(submit_role),
        ))
        .service(resource(
            "/o/{org}/members/{user}/remove",
            read(show_remove).post(submit_remove),
        ))
        .service(resource(
            "/o/{org}/members/{user}/password-reset",
            form_on("/o/{org}/members").post(submit_password_reset),
        ));
}

/// `GET /o/{org}/members`.
async fn show_members(req: OrgPageRequest) -> Answer {
    let query = req.query()?;
    let changed = query.value("changed").and_then(UserId::parse);
    let notice = match (changed, query.value("done")) {
        (Some(id), _) => match org::find_member(&req, req.id(), &id).await {
            Ok(member) => Some(MembersNotice::RoleChanged(member.user.name, member.role)),
            Err(app::Error::NotFound) => None,
            Err(error) => return Err(error.into()),
        },
        (None, Some("removed")) => Some(MembersNotice::Removed),
        (None, Some("reset-sent")) => Some(MembersNotice::ResetSent),
        (None, Some("mailed")) => Some(MembersNotice::InvitationMailed),
        (None, Some("withdrawn")) => Some(MembersNotice::Withdrawn),
        (None, _) => None,
    };
    let page = page(&req, &query, req.typed()).await?;
    req.page(StatusCode::OK, &MembersPage { notice, ..page })
}

/// Redirects to the page with an error of one of its rows, whose fields are not those of the
/// invitation.
async fn again_without_fields(req: &OrgPageRequest, errors: FieldErrors) -> Answer {
    let typed = TypedForm::with_errors(Form::default(), errors);
    req.again_on(&req.path("/members"), typed).await
}

async fn page(
    req: &OrgPageRequest,
    query: &Form,
    typed: TypedForm,
) -> Result<MembersPage, Failure> {
    let (roster, next) = match search(query) {
        Some(search) => found(req, search).await?,
        None => {
            let part = list::page(query);
            let mut roster = org::roster(req, req.id(), &part).await?;
            let path = req.path("/members");
            let next = list::cut(&part, &mut roster.members, &path, |member| {
                (member.joined_at, member.user.id.to_string())
            });
            (roster, next)
        }
    };
    let invite = match req.access().can_manage() {
        true => Some(invite_form(req, query, &typed.form).await?),
        false => None,
    };
    Ok(MembersPage {
        chrome: req.chrome(),
        org: req.head(),
        members: roster
            .members
            .into_iter()
            .map(|member| {
                let control = control(req.role(), &member, roster.has_one_owner);
                row(req, member, control, &roster.last_active)
            })
            .collect(),
        next,
        text: query.value("q").unwrap_or_default().to_owned(),
        role: role_filter(query.value("role").unwrap_or_default()),
        invite,
        notice: None,
        errors: typed.errors,
    })
}

/// The search of a query, if it has one.
fn search(query: &Form) -> Option<MemberSearch> {
    let text = query.value("q").unwrap_or_default().trim();
    let role = query.value("role").and_then(Role::parse);
    let skip = query.value("skip").and_then(|skip| skip.parse().ok());
    let search = MemberSearch {
        text: text.to_owned(),
        role,
        skip: skip.unwrap_or_default(),
        limit: FOUND,
    };
    (!text.is_empty() || role.is_some()).then_some(search)
}

/// The members of a search, and the URL of the next page.
async fn found(
    req: &OrgPageRequest,
    search: MemberSearch,
) -> Result<(Roster, Option<String>), Failure> {
    let text = utf8_percent_encode(&search.text, NON_ALPHANUMERIC).to_string();
    let role = search.role.map(Role::as_str).unwrap_or_default();
    let skip = search.skip.saturating_add(FOUND);
    let mut roster = org::search_members(req, req.id(), search).await?;
    let goes_on = roster.members.len() > FOUND;
    roster.members.truncate(FOUND);
    let next = format!("/members?q={text}&role={role}&skip={skip}");
    Ok((roster, goes_on.then(|| req.path(&next))))
}

async fn invite_form(
    req: &OrgPageRequest,
    query: &Form,
    form: &Form,
) -> Result<InviteForm, Failure> {
    let (open, next) = invitation::open(req, query).await?;
    let chosen = form.value("role").and_then(Role::parse);
    Ok(InviteForm {
        open,
        next,
        email: form.value("email").unwrap_or_default().to_owned(),
        most: MOST_INVITED,
        roles: role_choices(req.role(), chosen.unwrap_or(Role::Member)),
        delivery: invitation::delivery(req),
        form_nonce: org::invitation_form_nonce(req)?,
    })
}

/// The actions on a member that this role allows.
fn control(role: Role, member: &Member, has_one_owner: bool) -> MemberControl {
    match (role, member.role) {
        (Role::Member, _) | (Role::Admin, Role::Owner) => MemberControl::Nothing,
        (_, Role::Owner) if has_one_owner => MemberControl::LastOwner,
        _ => MemberControl::Change(role_choices(role, member.role)),
    }
}

fn row(
    req: &OrgPageRequest,
    member: Member,
    control: MemberControl,
    last_active: &BTreeMap<String, Instant>,
) -> MemberRow {
    let (reset, now) = (reset(req, req.role(), &member), req.now());
    let id = member.user.id;
    MemberRow {
        who: match req.caller.user_id() == Some(&id) {
            true => Who::You,
            false => Who::Other,
        },
        last_active: last_active.get(id.as_str()).map(|at| Moment::new(*at, now)),
        id: id.to_string(),
        name: member.user.name,
        is_email_verified: member.user.email_verified_at.is_some(),
        email: member.user.email,
        role: member.role,
        since: Moment::new(member.joined_at, now),
        reset,
        control,
    }
}

/// Whether a user with this role can mail the member a reset link.
fn reset(req: &PageRequest, role: Role, member: &Member) -> PasswordReset {
    let is_below = role >= Role::Admin && member.role < role;
    match is_below && mail::is_configured(&req.app) && user::is_reachable(&member.user) {
        true => PasswordReset::Offered,
        false => PasswordReset::NotOffered,
    }
}

/// `POST /o/{org}/members/{user}/role`.
async fn submit_role(req: OrgPageRequest, form: Form) -> Answer {
    let id = req.user()?;
    let Some(role) = form.value("role").and_then(Role::parse) else {
        let errors = FieldErrors::whole("Choose a role from the list.");
        return again_without_fields(&req, errors).await;
    };
    match org::put_member(&req, req.id(), &id, role).await {
        Ok(member) => {
            let changed = format!("/members?changed={}", member.user.id);
            Ok(see_other(&req.path(&changed)))
        }
        Err(error) => again_without_fields(&req, faults(error)?).await,
    }
}

/// `GET /o/{org}/members/{user}/remove`: the confirmation page.
async fn show_remove(req: OrgPageRequest) -> Answer {
    let id = req.user()?;
    let found = org::departure(&req, req.id(), &id).await?;
    if found.is_last_owner {
        return Ok(see_other(&req.path("/members")));
    }
    let page = RemoveMemberPage {
        chrome: req.chrome(),
        org: req.head(),
        departure: departure(&found),
        member_id: id.to_string(),
        member: found.member.user.name,
        email: found.member.user.email,
        role: found.member.role,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/members/{user}/remove`.
async fn submit_remove(req: OrgPageRequest, _: Form) -> Answer {
    let id = req.user()?;
    let is_own = req.caller.user_id() == Some(&id);
    match org::remove_member(&req, req.id(), &id).await {
        Ok(()) if is_own => Ok(see_other("/o?done=left")),
        Ok(()) => Ok(see_other(&req.path("/members?done=removed"))),
        Err(error) => again_without_fields(&req, faults(error)?).await,
    }
}

/// `POST /o/{org}/members/{user}/password-reset`: mails the member a link.
async fn submit_password_reset(req: OrgPageRequest, _: Form) -> Answer {
    let id = req.user()?;
    match org::create_member_reset(&req, req.id(), &id).await {
        Ok(new) => {
            user::send_reset(&req, &new, &links::reset_url(&req.app, &new.0));
            Ok(see_other(&req.path("/members?done=reset-sent")))
        }
        Err(error) => again_without_fields(&req, faults(error)?).await,
    }
}

/// `POST /o/{org}/invitations/{id}/send`: mails the invitation again.
async fn submit_send(req: OrgPageRequest, _: Form) -> Answer {
    let id = invitation::invitation_id(&req)?;
    match org::invite_again(&req, req.id(), &id).await {
        Ok(letter) => {
            links::send_invitation(&req.app, &letter);
            Ok(see_other(&req.path("/members?done=mailed")))
        }
        Err(error) => again_without_fields(&req, faults(error)?).await,
    }
}
