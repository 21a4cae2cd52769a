//! The members of an organization.

use super::faults;
use super::inside::{Inside, inside, user};
use super::invitation;
use super::list;
use super::org::departure;
use super::view::member::{
    InviteForm, MemberControl, MemberRow, MembersNotice, MembersPage, RemoveMemberPage, Who,
    role_choices,
};
use super::view::{FieldErrors, Moment};
use super::visit::{Visit, see_other};
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::route::{post, read, resource};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::org;
use domain::Instant;
use domain::id::UserId;
use domain::org::{Member, Role};
use std::collections::BTreeMap;
use wire::form::Form;

/// The addresses of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/o/{org}/members", [read(show_members)]))
        .service(resource(
            "/o/{org}/members/{user}/role",
            [post(submit_role)],
        ))
        .service(resource(
            "/o/{org}/members/{user}/remove",
            [read(show_remove), post(submit_remove)],
        ));
}

/// `GET /o/{org}/members`.
async fn show_members(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    let query = extract::query(&request)?;
    let changed = query.value("changed").and_then(UserId::parse);
    let notice = match (changed, query.value("done")) {
        (Some(id), _) => match org::find_member(&visit.app, &inside.caller, inside.id(), &id).await
        {
            Ok(member) => Some(MembersNotice::RoleChanged(member.user.name, member.role)),
            Err(app::Error::NotFound) => None,
            Err(error) => return Err(error.into()),
        },
        (None, Some("removed")) => Some(MembersNotice::Removed),
        (None, Some("withdrawn")) => Some(MembersNotice::Withdrawn),
        (None, _) => None,
    };
    let (form, none) = (Form::default(), FieldErrors::none());
    let page = page(&visit, &inside, &query, &form, none).await?;
    visit.page(StatusCode::OK, &MembersPage { notice, ..page })
}

/// The page with what was wrong with one of its forms.
pub async fn again(
    visit: &Visit,
    inside: &Inside,
    form: &Form,
    errors: FieldErrors,
) -> Result<HttpResponse, Failure> {
    let page = page(visit, inside, &Form::default(), form, errors).await?;
    visit.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn page(
    visit: &Visit,
    inside: &Inside,
    query: &Form,
    form: &Form,
    errors: FieldErrors,
) -> Result<MembersPage, Failure> {
    let (app, caller, id) = (&visit.app, &inside.caller, inside.id());
    let part = list::page(query);
    let mut roster = org::roster(app, caller, id, &part).await?;
    let next = list::cut(
        &part,
        &mut roster.members,
        &inside.path("/members"),
        |member| (member.joined_at, member.user.id.to_string()),
    );
    let invite = match inside.access().can_manage() {
        true => Some(invite_form(visit, inside, query, form).await?),
        false => None,
    };
    Ok(MembersPage {
        chrome: visit.chrome(),
        org: inside.head(),
        members: roster
            .members
            .into_iter()
            .map(|member| {
                let control = control(inside.role(), &member, roster.has_one_owner);
                row(visit, member, control, &roster.last_active)
            })
            .collect(),
        next,
        invite,
        notice: None,
        errors,
    })
}

async fn invite_form(
    visit: &Visit,
    inside: &Inside,
    query: &Form,
    form: &Form,
) -> Result<InviteForm, Failure> {
    let (open, next) = invitation::open(visit, inside, query).await?;
    let chosen = form.value("role").and_then(Role::parse);
    let person = visit.person(&inside.path("/members"))?;
    Ok(InviteForm {
        open,
        next,
        email: form.value("email").unwrap_or_default().to_owned(),
        roles: role_choices(inside.role(), chosen.unwrap_or(Role::Member)),
        delivery: invitation::delivery(visit),
        reservation: org::reserve_invitation(&visit.app, person),
    })
}

/// What somebody of this role can do with a member.
fn control(role: Role, member: &Member, has_one_owner: bool) -> MemberControl {
    match (role, member.role) {
        (Role::Member, _) | (Role::Admin, Role::Owner) => MemberControl::Nothing,
        (_, Role::Owner) if has_one_owner => MemberControl::LastOwner,
        _ => MemberControl::Change(role_choices(role, member.role)),
    }
}

fn row(
    visit: &Visit,
    member: Member,
    control: MemberControl,
    last_active: &BTreeMap<String, Instant>,
) -> MemberRow {
    let now = visit.now();
    let (id, own) = (member.user.id, visit.person.as_ref());
    MemberRow {
        who: match own.is_some_and(|person| person.user.id == id) {
            true => Who::You,
            false => Who::Other,
        },
        last_active: last_active.get(id.as_str()).map(|at| Moment::new(*at, now)),
        id: id.to_string(),
        name: member.user.name,
        email: member.user.email,
        role: member.role,
        since: Moment::new(member.joined_at, now),
        control,
    }
}

/// `POST /o/{org}/members/{user}/role`.
async fn submit_role(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let inside = inside(&visit, &request).await?;
    let id = user(&request)?;
    let (app, context) = (&visit.app, &visit.context);
    let Some(role) = form.value("role").and_then(Role::parse) else {
        let errors = FieldErrors::whole("Choose a role from the list.");
        return again(&visit, &inside, &Form::default(), errors).await;
    };
    match org::put_member(app, context, &inside.caller, inside.id(), &id, role).await {
        Ok(member) => {
            let changed = format!("/members?changed={}", member.user.id);
            Ok(see_other(&inside.path(&changed)))
        }
        Err(error) => again(&visit, &inside, &Form::default(), faults(error)?).await,
    }
}

/// `GET /o/{org}/members/{user}/remove`: asks for confirmation.
async fn show_remove(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    let id = user(&request)?;
    let found = org::departure(&visit.app, &inside.caller, inside.id(), &id).await?;
    if found.is_last_owner {
        return Ok(see_other(&inside.path("/members")));
    }
    let page = RemoveMemberPage {
        chrome: visit.chrome(),
        org: inside.head(),
        departure: departure(&found),
        member_id: id.to_string(),
        member: found.member.user.name,
        email: found.member.user.email,
        role: found.member.role,
    };
    visit.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/members/{user}/remove`.
async fn submit_remove(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    visit.form(&request, payload).await?;
    let inside = inside(&visit, &request).await?;
    let id = user(&request)?;
    let (app, context) = (&visit.app, &visit.context);
    let is_own = inside.caller.user_id() == Some(&id);
    match org::remove_member(app, context, &inside.caller, inside.id(), &id).await {
        Ok(()) if is_own => Ok(see_other("/o?done=left")),
        Ok(()) => Ok(see_other(&inside.path("/members?done=removed"))),
        Err(error) => again(&visit, &inside, &Form::default(), faults(error)?).await,
    }
}
