//! The frame of a page: the signed-in user and the places that the user can go to.

use super::{Answer, PageRequest, VISITOR};
use crate::web::client_address;
use crate::web::cookies;
use crate::web::failure::Failure;
use crate::web::pages::view::org::OrganizationHead;
use crate::web::pages::view::{Chrome, User, render};
use crate::web::pages::{anonymous_chrome, html_response};
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use app::access::Caller;
use app::{App, org};
use askama::Template;

/// How many organizations the page frame lists.
const MOST_PLACES: u8 = 10;

/// The first organizations of a signed-in user, by name.
pub(super) async fn organizations(
    app: &App,
    caller: &Caller,
) -> Result<Vec<OrganizationHead>, Failure> {
    let Ok(signed_in) = caller.signed_in() else {
        return Ok(Vec::new());
    };
    let found = org::first_of_user(app, &signed_in.user.id, MOST_PLACES).await?;
    Ok(found
        .into_iter()
        .map(|one| OrganizationHead::new(one.organization, one.role))
        .collect())
}

impl PageRequest {
    /// Whether the address of the browser is certainly not that of a proxy.
    pub fn is_address_certain(&self) -> bool {
        client_address::is_certain(self.app.config(), &self.http)
    }

    /// The page frame.
    pub fn chrome(&self) -> Chrome {
        Chrome {
            csrf: self.csrf().to_string(),
            user: self.caller.signed_in().ok().map(|signed_in| User {
                name: signed_in.user.name.clone(),
                email: signed_in.user.email.clone(),
                is_operator: signed_in.user.may_operate(),
            }),
            notice: self.saved.as_ref().and_then(|saved| saved.notice.clone()),
            organizations: self.organizations.clone(),
            ..anonymous_chrome(&self.app)
        }
    }

    /// The page frame without the user: a sign-in is not complete, even if this browser has a session.
    pub fn signed_out_chrome(&self) -> Chrome {
        Chrome {
            user: None,
            ..self.chrome()
        }
    }

    /// Responds with a page. A page that shows a form again has the status of the form.
    pub fn page(&self, status: StatusCode, page: &impl Template) -> Answer {
        let html = render(page, &self.app.config().branding.words)
            .map_err(|error| Failure::Internal(error.to_string()))?;
        let mut response = HttpResponse::build(status);
        if let Some(saved) = self.saved.as_ref().filter(|_| status == StatusCode::OK) {
            response.status(saved.status);
            if let Some(seconds) = saved.retry_after {
                response.insert_header((header::RETRY_AFTER, seconds));
            }
        }
        if self.is_new_visitor {
            response.cookie(cookies::build(&self.app, VISITOR, self.visitor.expose()));
        }
        Ok(html_response(&mut response, html))
    }
}
