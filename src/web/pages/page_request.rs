//! A browser's request: its session, visitor, CSRF token and saved form.

mod frame;

use super::return_to::{HOME, local};
use super::typed_form::TypedForm;
use super::view::Chrome;
use super::view::org::OrganizationHead;
use crate::web::cookies::{self, cookie_name, is_cookie_secret};
use crate::web::csrf::{CsrfToken, FormProof, check_site};
use crate::web::extract;
use crate::web::failure::Failure;
use actix_web::cookie::{Cookie, time};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use app::access::{Caller, recent};
use app::session::{self, Browser, SessionCookies, SignedIn};
use app::{App, Request};
use domain::Instant;
use domain::secret::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::ops::Deref;
use std::pin::Pin;
use wire::form::Form;

const SESSION: &str = "doorcode_session";
const VISITOR: &str = "doorcode_visitor";
const KNOWN_BROWSER: &str = "doorcode_known_browser";

/// The page on which a user replaces a password that the operator set.
pub const NEW_PASSWORD: &str = "/account/password/new";

/// The response of a page.
pub type Answer = Result<HttpResponse, Failure>;

/// Characters that are escaped in a segment of a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// How long a browser is remembered for its successful sign-in as a user, in days.
const KNOWN_BROWSER_DAYS: i64 = 365;

/// A browser's request. Its caller is the signed-in user, or anonymous.
#[derive(Clone)]
pub struct PageRequest {
    request: Request,
    pub(super) http: HttpRequest,
    /// Secret that binds forms to this browser before sign-in.
    pub visitor: Secret,
    is_new_visitor: bool,
    known_browser: Option<Secret>,
    /// Value of the session cookie, even if the session has ended.
    pub(super) session: Option<Secret>,
    /// Path of the page with the form that was sent. The placeholders are those of the form's path.
    /// `None` if the form is on the page with its own path.
    form_page: Option<&'static str>,
    /// The form that this page shows again.
    pub(super) saved: Option<TypedForm>,
    /// The first organizations of the user, by name.
    organizations: Vec<OrganizationHead>,
}

impl Deref for PageRequest {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.request
    }
}

impl FromRequest for PageRequest {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(Self::of(request))
    }
}

impl PageRequest {
    async fn of(http: HttpRequest) -> Result<Self, Failure> {
        let request = &http;
        let app = App::clone(&*extract::app_of(request)?);
        let cookie = |name| {
            cookies::cookie(request, &cookie_name(&app, name))
                .filter(|value| is_cookie_secret(value))
                .map(Secret::new)
        };
        let session = cookie(SESSION);
        let signed_in = match &session {
            Some(session) => session::resume(&app, session).await?,
            None => None,
        };
        let caller = match signed_in {
            Some(signed_in) => {
                request.extensions_mut().insert(signed_in.actor());
                Caller::User(Box::new(signed_in))
            }
            None => Caller::Anonymous,
        };
        let organizations = frame::organizations(&app, &caller).await?;
        let visitor = cookie(VISITOR);
        let mut req = Self {
            request: Request::new(&app, extract::context_of(&app, request), caller),
            is_new_visitor: visitor.is_none(),
            visitor: visitor.unwrap_or_else(|| app.draw_secret()),
            known_browser: cookie(KNOWN_BROWSER),
            session,
            organizations,
            form_page: None,
            saved: None,
            http,
        };
        req.saved = req.find_saved_form().await?;
        // The error pages of this request have the same frame.
        let chrome = Chrome {
            notice: None,
            ..req.chrome()
        };
        req.http.extensions_mut().insert(chrome);
        Ok(req)
    }

    /// Ends the session of this browser, if it has one.
    pub async fn end_session(&self) -> Result<(), Failure> {
        let Ok(signed_in) = self.caller.signed_in() else {
            return Ok(());
        };
        match session::end(self, &signed_in.session.id).await {
            // It ended in the meantime.
            Ok(()) | Err(app::Error::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A parameter of the path.
    pub fn segment(&self, name: &str) -> &str {
        self.http.match_info().get(name).unwrap_or_default()
    }

    /// A path of a page, with the parameters of this request's path in its placeholders.
    pub(super) fn fill(&self, pattern: &str) -> String {
        let fill = |segment: &str| {
            let name = segment
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'));
            let value =
                name.map(|name| utf8_percent_encode(self.segment(name), ESCAPED).to_string());
            value.unwrap_or_else(|| segment.to_owned())
        };
        pattern.split('/').map(fill).collect::<Vec<_>>().join("/")
    }

    /// Reads the query string.
    pub fn query(&self) -> Result<Form, Failure> {
        extract::query(&self.http)
    }

    /// The same request of a form on the page with this path; see [`Self::page_path`].
    pub(super) fn with_form_page(self, form_page: Option<&'static str>) -> Self {
        Self { form_page, ..self }
    }

    /// The page that the sign-in returns to: the requested one, or the one with the form that was
    /// sent.
    pub fn return_to(&self) -> String {
        let requested = self.http.uri().path_and_query().map(|asked| asked.as_str());
        let requested = requested
            .filter(|_| self.http.method().is_safe())
            .filter(|asked| local(Some(asked)) == *asked);
        requested.map_or_else(|| self.page_path(), str::to_owned)
    }

    /// The path of the page that was requested, or that has the form that was sent.
    pub fn page_path(&self) -> String {
        match self.form_page {
            Some(pattern) => self.fill(pattern),
            None => self.http.path().to_owned(),
        }
    }

    /// For a user who must change the password first: a redirect to the page for it, which then
    /// returns to this one. `None` for other users, and for that page and the sign-out.
    pub(super) fn to_new_password(&self) -> Option<HttpResponse> {
        let signed_in = self.caller.signed_in().ok()?;
        let path = self.http.path();
        let has_passwords = self.app.config().sign_in.has_passwords();
        let must_change = has_passwords && signed_in.user.must_change_password;
        if !must_change || matches!(path, NEW_PASSWORD | "/logout") {
            return None;
        }
        let asked = match self.http.method().is_safe() {
            true => self.http.uri().path_and_query().map(|asked| asked.as_str()),
            false => None,
        };
        Some(match local(asked) {
            HOME => see_other(NEW_PASSWORD),
            asked => {
                let asked = utf8_percent_encode(asked, NON_ALPHANUMERIC);
                see_other(&format!("{NEW_PASSWORD}?return_to={asked}"))
            }
        })
    }

    /// The current time.
    pub fn now(&self) -> Instant {
        self.app.now()
    }

    /// The signed-in user, or a redirect to the sign-in that returns to `return_to`.
    pub fn signed_in(&self, return_to: &str) -> Result<&SignedIn, Failure> {
        self.caller
            .signed_in()
            .map_err(|_| Failure::SignIn(return_to.to_owned()))
    }

    /// Whether the user signed in recently enough for sensitive changes.
    pub fn is_sign_in_recent(&self) -> bool {
        let signed_in = self.caller.signed_in();
        signed_in.is_ok_and(|one| recent::is_recent(&self.app, &one.session, self.now()))
    }

    /// This browser, for the sign-in.
    pub fn browser(&self) -> Browser<'_> {
        Browser {
            visitor: &self.visitor,
            proof: self.known_browser.as_ref().map(Secret::expose),
        }
    }

    /// Proof of the last user of this browser: the signed-in one, or the last who signed in.
    pub(super) fn last_user(&self) -> String {
        match (self.caller.signed_in(), &self.known_browser) {
            (Ok(signed_in), _) => {
                let known_as = signed_in.known_as(&self.app);
                session::known_browser(&self.app, &self.visitor, &known_as)
            }
            (Err(_), Some(known)) => known.expose().to_owned(),
            (Err(_), None) => String::new(),
        }
    }

    /// Whether this browser's session has ended.
    pub fn had_session(&self) -> bool {
        self.session.is_some() && self.caller.signed_in().is_err()
    }

    /// The CSRF token of every form, bound to this browser and session. It stays valid after the
    /// session has ended, so that a form opened before is still recognized.
    fn csrf(&self) -> CsrfToken {
        CsrfToken::new(self.app.key(), &self.visitor, self.session.as_ref())
    }

    /// Reads a form, with the proof that it is on a page that this browser got from the server.
    /// Rejects forms of other sites.
    pub(super) async fn form(&self, payload: web::Payload) -> Result<(Form, FormProof), Failure> {
        check_site(&self.app, &self.http)?;
        let form = extract::form(&self.http, payload).await?;
        if form
            .repeated_except(&["scope", "default_scope", "project"])
            .is_some()
        {
            return Err(Failure::Malformed("A field appears more than once."));
        }
        let proof = self.csrf().proof(form.value("csrf").unwrap_or_default());
        Ok((form, proof))
    }

    /// Redirects to one of our pages and sets the cookies of a session: of a new one, or after a
    /// change of the password.
    pub fn begin(&self, cookies: &SessionCookies, path: &str) -> HttpResponse {
        let proof = session::known_browser(&self.app, &self.visitor, &cookies.known_as);
        let days = time::Duration::days(KNOWN_BROWSER_DAYS);
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, path))
            .cookie(self.session_cookie(&cookies.session))
            .cookie(self.lasting(KNOWN_BROWSER, &proof, days))
            .cookie(self.lasting(VISITOR, self.visitor.expose(), days))
            .finish()
    }

    fn session_cookie(&self, secret: &Secret) -> Cookie<'static> {
        let seconds = session::limits(&self.app).absolute.num_seconds();
        self.lasting(SESSION, secret.expose(), time::Duration::seconds(seconds))
    }

    fn lasting(&self, name: &'static str, value: &str, age: time::Duration) -> Cookie<'static> {
        let mut cookie = cookies::build(&self.app, name, value);
        cookie.set_max_age(age);
        cookie
    }

    /// Redirects to another site, from which the browser comes back: it gets its secret first, if
    /// it has none.
    pub fn leave(&self, url: &str) -> HttpResponse {
        let mut response = HttpResponse::SeeOther();
        response.insert_header((header::LOCATION, url));
        if self.is_new_visitor {
            response.cookie(cookies::build(&self.app, VISITOR, self.visitor.expose()));
        }
        response.finish()
    }

    /// Redirects and removes the session cookie.
    pub fn end(&self, path: &str) -> HttpResponse {
        let mut cookie = cookies::build(&self.app, SESSION, "");
        cookie.make_removal();
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, path))
            // No `cookies` directive: it would also clear the cookies of the company's other
            // sites.
            .insert_header(("Clear-Site-Data", r#""storage""#))
            .cookie(cookie)
            .finish()
    }
}

/// Redirects to one of our pages.
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, path))
        .finish()
}
