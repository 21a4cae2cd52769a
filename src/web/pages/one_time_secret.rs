//! Secrets that a page shows once, after the redirect from the form that created them.

use super::page_request::{Answer, PageRequest, see_other};
use crate::web::cookies::{self, is_cookie_secret};
use crate::web::failure::Failure;
use actix_web::cookie::time;
use actix_web::http::{Method, StatusCode};
use app::Request;
use app::one_time_secret::{self, KEPT, SecretRecord};
use askama::Template;
use domain::secret::Secret;

/// The cookie with the key to the secret of a page.
const COOKIE: &str = "doorcode_secret";

impl PageRequest {
    /// A request whose change stores its secret for the page that shows it; `read` finds the secret
    /// and the id of its object in the outcome.
    pub fn storing_secret<T: 'static>(
        &self,
        read: impl Fn(&T) -> (String, Secret) + Send + Sync + 'static,
    ) -> Result<Request, Failure> {
        let record = SecretRecord::of(&self.app, self.session_secret()?, read);
        Ok(self.with_one_time_secret(record))
    }

    /// Redirects to the page with this path and query, which shows the secret of an object once. The
    /// key is in a cookie for this path.
    pub fn to_secret(&self, id: &str, page: &str) -> Answer {
        let path = page.split('?').next().unwrap_or_default();
        let key = one_time_secret::key(&self.app, self.session_secret()?, id);
        let mut cookie = cookies::build_for_path(&self.app, COOKIE, key.expose(), path);
        cookie.set_max_age(time::Duration::seconds(KEPT.num_seconds()));
        let mut response = see_other(page);
        response
            .add_cookie(&cookie)
            .map_err(|error| Failure::Internal(error.to_string()))?;
        Ok(response)
    }

    /// The secret of an object, which this page shows; `None` if it was shown before, or to another
    /// browser.
    pub async fn take_secret(&self, id: &str) -> Result<Option<Secret>, Failure> {
        let name = cookies::path_cookie_name(&self.app, COOKIE);
        let key = cookies::cookie(&self.http, &name).filter(|value| is_cookie_secret(value));
        match key {
            Some(key) if self.http.method() == Method::GET => {
                Ok(one_time_secret::take(&self.app, id, &Secret::new(key)).await?)
            }
            _ => Ok(None),
        }
    }

    /// Responds with the page of a secret, and removes the key.
    pub fn secret_page(&self, page: &impl Template) -> Answer {
        let mut response = self.page(StatusCode::OK, page)?;
        if self.http.method() == Method::GET {
            let path = self.http.path();
            let mut cookie = cookies::build_for_path(&self.app, COOKIE, "", path);
            cookie.make_removal();
            response
                .add_cookie(&cookie)
                .map_err(|error| Failure::Internal(error.to_string()))?;
        }
        Ok(response)
    }

    fn session_secret(&self) -> Result<&Secret, Failure> {
        let unknown = || Failure::SignIn(self.page_path());
        self.session.as_ref().ok_or_else(unknown)
    }
}
