//! Users, in the operator console.

use super::AdminRequest;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::pages::list;
use crate::web::pages::page_request::{Answer, see_other};
use crate::web::pages::page_route::{form_on, read};
use crate::web::pages::typed_form::{TypedForm, faults};
use crate::web::pages::view::Moment;
use crate::web::pages::view::admin::{
    DeactivatePage, ResetLinkPage, ResetWay, UserNotice, UserOrganization, UserPage, UserRow,
    UsersPage,
};
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::mail;
use app::user::{self, Named, NewReset, UpdateUser, UserOverview};
use domain::Instant;
use domain::id::UserId;
use domain::user::{Standing, User};
use wire::form::Form;

const PAGE: &str = "/admin/users/{user}";

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/admin/users", read(show_users)))
        .service(resource("/admin/users/{user}", read(show_user)))
        .service(resource(
            "/admin/users/{user}/password-reset",
            form_on(PAGE).post(submit_reset),
        ))
        .service(resource(
            "/admin/users/{user}/password-reset/link",
            read(show_link),
        ))
        .service(resource(
            "/admin/users/{user}/verify-email",
            form_on(PAGE).post(submit_verify),
        ))
        .service(resource(
            "/admin/users/{user}/deactivate",
            read(show_deactivate).post(submit_deactivate),
        ))
        .service(resource(
            "/admin/users/{user}/reactivate",
            form_on(PAGE).post(submit_reactivate),
        ));
}

/// The user that the path names.
fn id(req: &AdminRequest) -> Result<UserId, Failure> {
    UserId::parse(req.segment("user")).ok_or(Failure::NotFound)
}

fn row(user: User, now: Instant) -> UserRow {
    UserRow {
        id: user.id.to_string(),
        name: user.name,
        email: user.email,
        is_email_verified: user.email_verified_at.is_some(),
        is_active: user.standing == Standing::Active,
        is_operator: user.is_operator,
        created: Moment::new(user.created_at, now),
    }
}

/// `GET /admin/users`: all users, or the one with the email address or ID in the query.
async fn show_users(req: AdminRequest) -> Answer {
    let query = req.query()?;
    let text = query.value("q").unwrap_or_default().trim().to_owned();
    let (users, next) = match text.is_empty() {
        true => {
            let part = list::page(&query);
            let mut users = user::list(&req.operator, &part).await?;
            let next = list::cut(&part, &mut users, "/admin/users", |user| {
                (user.created_at, user.id.to_string())
            });
            (users, next)
        }
        false => (Vec::from_iter(search(&req, &text).await?), None),
    };
    let page = UsersPage {
        chrome: req.chrome(),
        users: users.into_iter().map(|user| row(user, req.now())).collect(),
        text,
        next,
    };
    req.page(StatusCode::OK, &page)
}

/// The user with this email address or ID.
async fn search(req: &AdminRequest, text: &str) -> Result<Option<User>, Failure> {
    let named = match UserId::parse(text) {
        Some(id) => Named::Id(id),
        None => Named::Email(text.to_owned()),
    };
    match user::find(&req.operator, named).await {
        Ok(user) => Ok(Some(user)),
        // A text that is no address is that of no user.
        Err(app::Error::NotFound | app::Error::Invalid(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `GET /admin/users/{user}`.
async fn show_user(req: AdminRequest) -> Answer {
    let found = user::overview(&req.operator, &id(&req)?).await?;
    let notice = match req.query()?.value("done") {
        Some("deactivated") => Some(UserNotice::Deactivated),
        Some("reactivated") => Some(UserNotice::Reactivated),
        Some("verified") => Some(UserNotice::Verified),
        Some("reset-sent") => Some(UserNotice::ResetSent),
        _ => None,
    };
    let page = UserPage {
        chrome: req.chrome(),
        is_you: is_own(&req, &found.user.id),
        must_change_password: found.user.must_change_password,
        reset: reset_way(&req, &found.user),
        tokens: found.tokens,
        organizations: organizations(&found),
        user: row(found.user, req.now()),
        notice,
        errors: req.typed().errors,
    };
    req.page(StatusCode::OK, &page)
}

fn is_own(req: &AdminRequest, id: &UserId) -> bool {
    req.operator.caller.user_id() == Some(id)
}

fn organizations(found: &UserOverview) -> Vec<UserOrganization> {
    let memberships = found.memberships.iter();
    memberships
        .map(|one| UserOrganization {
            slug: one.organization.slug.clone(),
            name: one.organization.name.clone(),
            role: one.role,
        })
        .collect()
}

fn reset_way(req: &AdminRequest, user: &User) -> ResetWay {
    let is_mailed = mail::is_configured(&req.app) && user::is_reachable(user);
    match (user.standing, is_mailed) {
        (Standing::Deactivated, _) => ResetWay::Nothing,
        (Standing::Active, true) => ResetWay::Mail,
        (Standing::Active, false) if user.is_operator => ResetWay::Nothing,
        (Standing::Active, false) => ResetWay::ByHand,
    }
}

/// Redirects to the page of a user: with the result, or with the error.
async fn to_user(req: &AdminRequest, result: Result<(), app::Error>, done: &'static str) -> Answer {
    let page = format!("/admin/users/{}", id(req)?);
    match result {
        Ok(()) => Ok(see_other(&format!("{page}?done={done}"))),
        Err(error) => {
            let typed = TypedForm::with_errors(Form::default(), faults(error)?);
            req.again_on(&page, typed).await
        }
    }
}

/// `POST /admin/users/{user}/password-reset`: mails the user a link, or leads to the page that shows
/// it once.
async fn submit_reset(req: AdminRequest, _: Form) -> Answer {
    let id = id(&req)?;
    let named = Named::Id(id.clone());
    let user = user::find(&req.operator, named.clone()).await?;
    if reset_way(&req, &user) == ResetWay::Mail {
        let result = user::create_mailed_reset(&req.operator, named).await;
        let sent = result.map(|new| {
            let url = links::reset_url(&req.app, &new.0);
            user::send_reset(&req.operator, &new, &url);
        });
        return to_user(&req, sent, "reset-sent").await;
    }
    let object = reset_of(&id);
    let storing = req
        .storing_secret(move |new: &NewReset| (object.clone(), new.link.clone()))?
        .with_caller(req.operator.caller.clone());
    match user::create_reset(&storing, named).await {
        Ok(_) => {
            let page = format!("/admin/users/{id}/password-reset/link");
            req.to_secret(&reset_of(&id), &page)
        }
        Err(error) => to_user(&req, Err(error), "").await,
    }
}

/// The id of the reset link of a user, under which the page finds it.
fn reset_of(id: &UserId) -> String {
    format!("reset of {id}")
}

/// `GET /admin/users/{user}/password-reset/link`.
async fn show_link(req: AdminRequest) -> Answer {
    let id = id(&req)?;
    let user = user::find(&req.operator, Named::Id(id.clone())).await?;
    let link = req.take_secret(&reset_of(&id)).await?;
    let page = ResetLinkPage {
        chrome: req.chrome(),
        url: link.map(|link| links::reset_link_url(&req.app, &link)),
        user: row(user, req.now()),
    };
    req.secret_page(&page)
}

/// `POST /admin/users/{user}/verify-email`.
async fn submit_verify(req: AdminRequest, _: Form) -> Answer {
    let input = UpdateUser {
        email_verified: Some(true),
        ..UpdateUser::default()
    };
    let result = user::update(&req.operator, Named::Id(id(&req)?), input).await;
    to_user(&req, result.map(drop), "verified").await
}

/// `GET /admin/users/{user}/deactivate`: the confirmation page.
async fn show_deactivate(req: AdminRequest) -> Answer {
    let found = user::overview(&req.operator, &id(&req)?).await?;
    if found.user.standing == Standing::Deactivated || is_own(&req, &found.user.id) {
        return Ok(see_other(&format!("/admin/users/{}", found.user.id)));
    }
    let page = DeactivatePage {
        chrome: req.chrome(),
        tokens: found.tokens,
        organizations: organizations(&found),
        user: row(found.user, req.now()),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /admin/users/{user}/deactivate`.
async fn submit_deactivate(req: AdminRequest, _: Form) -> Answer {
    let result = user::deactivate(&req.operator, Named::Id(id(&req)?)).await;
    to_user(&req, result.map(drop), "deactivated").await
}

/// `POST /admin/users/{user}/reactivate`.
async fn submit_reactivate(req: AdminRequest, _: Form) -> Answer {
    let result = user::reactivate(&req.operator, Named::Id(id(&req)?)).await;
    to_user(&req, result.map(drop), "reactivated").await
}
