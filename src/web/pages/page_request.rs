//! One request of a browser: who it is, and what a form needs to be believed.

use super::view::{Chrome, User};
use super::{anonymous_chrome, html_response};
use crate::web::extract;
use crate::web::failure::Failure;
use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use app::caller::Caller;
use app::session::{self, Browser, NewSession, SignedIn};
use app::{App, Context};
use askama::Template;
use domain::Instant;
use domain::secret::Secret;
use std::pin::Pin;
use wire::form::Form;

const SESSION: &str = "doorcode_session";
const VISITOR: &str = "doorcode_visitor";
const ACQUAINTANCE: &str = "doorcode_acquaintance";

/// How long a browser is known to have been signed in to an account, in days.
const ACQUAINTANCE_DAYS: i64 = 365;

/// A browser's request.
pub struct PageRequest {
    /// The application.
    pub app: App,
    /// Who asks, from where.
    pub context: Context,
    /// The person, if signed in.
    pub signed_in: Option<SignedIn>,
    /// What ties forms to this browser before anybody has signed in.
    pub visitor: Secret,
    is_new_visitor: bool,
    acquaintance: Option<Secret>,
    /// What the session cookie holds, even if the session is over.
    session: Option<Secret>,
}

impl FromRequest for PageRequest {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Self::of(&request).await })
    }
}

impl PageRequest {
    async fn of(request: &HttpRequest) -> Result<Self, Failure> {
        let app = request
            .app_data::<web::Data<App>>()
            .ok_or_else(|| Failure::Internal("no application".into()))?
            .get_ref()
            .clone();
        let cookie = |name| {
            extract::cookie(request, &cookie_name(&app, name))
                .filter(|value| is_cookie_secret(value))
                .map(Secret::new)
        };
        let session = cookie(SESSION);
        let signed_in = match &session {
            Some(session) => session::resume(&app, session).await?,
            None => None,
        };
        if let Some(signed_in) = &signed_in {
            request.extensions_mut().insert(signed_in.actor());
        }
        let visitor = cookie(VISITOR);
        Ok(Self {
            context: extract::context_of(&app, request),
            is_new_visitor: visitor.is_none(),
            visitor: visitor.unwrap_or_else(|| app.draw_secret()),
            acquaintance: cookie(ACQUAINTANCE),
            signed_in,
            session,
            app,
        })
    }

    /// The present moment.
    pub fn now(&self) -> Instant {
        self.app.now()
    }

    /// The signed-in person, or the way to the sign-in and back to `return_to`.
    pub fn signed_in(&self, return_to: &str) -> Result<&SignedIn, Failure> {
        self.signed_in
            .as_ref()
            .ok_or_else(|| Failure::SignIn(return_to.to_owned()))
    }

    /// The same person, as the one who asks a use case.
    pub fn caller(&self, return_to: &str) -> Result<Caller, Failure> {
        let signed_in = self.signed_in(return_to)?;
        Ok(Caller::signed_in(signed_in))
    }

    /// This browser, to sign in with.
    pub fn browser(&self) -> Browser<'_> {
        Browser {
            visitor: &self.visitor,
            acquaintance: self.acquaintance.as_ref().map(Secret::expose),
        }
    }

    /// Whether this browser had a session that is over.
    pub fn had_session(&self) -> bool {
        self.session.is_some() && self.signed_in.is_none()
    }

    /// What every form carries: bound to this browser and this session. It outlives the
    /// session by itself, so that a form that was open meanwhile is recognised as ours.
    fn csrf(&self) -> String {
        let session = self.session.as_ref().map_or("", Secret::expose);
        let token = self
            .app
            .key()
            .authenticate("form", &[self.visitor.expose(), session]);
        token.as_str().to_owned()
    }

    /// Reads a form that this browser sent from one of our pages. Anything else is refused
    /// before it can change anything.
    pub async fn form(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Result<Form, Failure> {
        check_site(&self.app, request)?;
        let form = extract::form(request, payload).await?;
        if form.repeated_except(&["scope", "project"]).is_some() {
            return Err(Failure::Malformed("A field appears more than once."));
        }
        let given = form.value("csrf").unwrap_or_default();
        let expected = self.csrf();
        let is_ours: bool =
            subtle::ConstantTimeEq::ct_eq(given.as_bytes(), expected.as_bytes()).into();
        if is_ours {
            Ok(form)
        } else {
            Err(Failure::StaleForm)
        }
    }

    /// What is around a page.
    pub fn chrome(&self) -> Chrome {
        Chrome {
            csrf: self.csrf(),
            user: self.signed_in.as_ref().map(|signed_in| User {
                name: signed_in.user.name.clone(),
                email: signed_in.user.email.clone(),
            }),
            ..anonymous_chrome(&self.app)
        }
    }

    /// Answers with a page.
    pub fn page(&self, status: StatusCode, page: &impl Template) -> Result<HttpResponse, Failure> {
        let html = page
            .render()
            .map_err(|error| Failure::Internal(error.to_string()))?;
        let mut response = HttpResponse::build(status);
        if self.is_new_visitor {
            response.cookie(self.cookie(VISITOR, self.visitor.expose()));
        }
        Ok(html_response(&mut response, html))
    }

    /// Sends the browser on to another page of ours, with a cookie for a session that was
    /// just begun.
    pub fn begin(&self, session: &NewSession, path: &str) -> HttpResponse {
        let known = session::acquaintance(&self.app, &self.visitor, &session.email);
        let days = time::Duration::days(ACQUAINTANCE_DAYS);
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, path))
            .cookie(self.session_cookie(&session.cookie))
            .cookie(self.lasting(ACQUAINTANCE, &known, days))
            .cookie(self.lasting(VISITOR, self.visitor.expose(), days))
            .finish()
    }

    /// Sends the browser on with another cookie for the session that it has.
    pub fn renew(&self, cookie: &Secret, path: &str) -> HttpResponse {
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, path))
            .cookie(self.session_cookie(cookie))
            .finish()
    }

    fn session_cookie(&self, secret: &Secret) -> Cookie<'static> {
        let seconds = session::limits(&self.app).absolute.num_seconds();
        self.lasting(SESSION, secret.expose(), time::Duration::seconds(seconds))
    }

    fn lasting(&self, name: &'static str, value: &str, age: time::Duration) -> Cookie<'static> {
        let mut cookie = self.cookie(name, value);
        cookie.set_max_age(age);
        cookie
    }

    /// Sends the browser on, and has it forget its session.
    pub fn end(&self, path: &str) -> HttpResponse {
        let mut cookie = self.cookie(SESSION, "");
        cookie.make_removal();
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, path))
            // Cookies are left out, since that would reach the company's other sites too.
            .insert_header(("Clear-Site-Data", r#""storage""#))
            .cookie(cookie)
            .finish()
    }

    fn cookie(&self, name: &'static str, value: &str) -> Cookie<'static> {
        Cookie::build(cookie_name(&self.app, name), value.to_owned())
            .path("/")
            .secure(self.app.config().server.public_url.is_https())
            .http_only(true)
            .same_site(SameSite::Lax)
            .finish()
    }
}

/// Over https the prefix has browsers insist that the cookie is secure and of this host.
fn cookie_name(app: &App, name: &str) -> String {
    match app.config().server.public_url.is_https() {
        true => format!("__Host-{name}"),
        false => name.to_owned(),
    }
}

/// Whether a cookie's value is one that we could have set: 64 hexadecimal digits.
fn is_cookie_secret(value: &str) -> bool {
    value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Sends the browser on to another page of ours.
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, path))
        .finish()
}

/// Refuses what a browser sends on behalf of another site. Browsers say so in
/// `Sec-Fetch-Site`; older ones name the `Origin`.
fn check_site(app: &App, request: &HttpRequest) -> Result<(), Failure> {
    let public_url = &app.config().server.public_url;
    let text = |name| {
        let value = request.headers().get(name);
        value.map(|value| value.to_str().unwrap_or("unreadable"))
    };
    let is_ours = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        // Our pages send no referrer, for which browsers that know no `Sec-Fetch-Site`
        // write `null`. They know it wherever the connection is safe.
        (None, Some("null")) => !public_url.is_https() && !public_url.is_loopback(),
        (None, Some(origin)) => origin == public_url.origin(),
        (None, None) => true,
    };
    if is_ours {
        Ok(())
    } else {
        Err(Failure::CrossSite)
    }
}
