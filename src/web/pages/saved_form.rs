//! Forms that a page shows again after a redirect.

use super::page_request::{Answer, PageRequest, see_other};
use super::typed_form::TypedForm;
use super::view::FieldErrors;
use crate::web::failure::Failure;
use actix_web::http::StatusCode;
use app::saved_form::{self, FormReader};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use wire::form::Form;

/// The parameter of a page for the id of its saved form.
const PARAMETER: &str = "form";

/// The fields that a page has from its own URL. They return there, so that the page can still be
/// opened when the saved form has expired.
const OF_ADDRESS: [&str; 3] = ["link", "return_to", "user_code"];

/// A saved form in JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    fields: Vec<(String, String)>,
    errors: Vec<(String, String)>,
    status: u16,
    notice: Option<String>,
    retry_after: Option<u64>,
}

impl PageRequest {
    /// Redirects to the page with the form that was sent, which shows it again.
    pub async fn again(&self, typed: TypedForm) -> Answer {
        let page = self.form_address(&typed.form);
        self.again_on(&page, typed).await
    }

    /// Redirects to a page with this path and query, which shows the form again.
    pub async fn again_on(&self, page: &str, typed: TypedForm) -> Answer {
        Ok(see_other(&self.save_form(page, typed).await?))
    }

    /// The path and query of the page with a form.
    pub(super) fn form_address(&self, form: &Form) -> String {
        let query: Vec<_> = OF_ADDRESS
            .iter()
            .filter_map(|name| Some((name, form.value(name)?)))
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        match query.is_empty() {
            true => self.page_path(),
            false => format!("{}?{}", self.page_path(), query.join("&")),
        }
    }

    /// Saves a form for a page with this path and query, without what must not be stored. Returns
    /// the URL of the page with the form.
    pub(super) async fn save_form(&self, page: &str, typed: TypedForm) -> Result<String, Failure> {
        let path = page.split('?').next().unwrap_or_default();
        let stored = Stored {
            errors: typed
                .errors
                .iter()
                .map(|error| (error.field.to_string(), error.message.clone()))
                .collect(),
            status: typed.status.as_u16(),
            notice: typed.notice,
            retry_after: typed.retry_after,
            fields: typed
                .form
                .into_pairs()
                .into_iter()
                .filter(|(name, _)| !is_never_saved(name))
                .collect(),
        };
        let stored =
            serde_json::to_string(&stored).map_err(|error| Failure::Internal(error.to_string()))?;
        let user = self.last_user();
        let id = saved_form::save(self, self.reader(path, &user), &stored).await?;
        let id = id.ok_or(Failure::TooLarge)?;
        let separator = if page.contains('?') { '&' } else { '?' };
        Ok(format!("{page}{separator}{PARAMETER}={id}"))
    }

    /// The form that the query names, if it was saved for this page, browser and user.
    pub(super) async fn find_saved_form(&self) -> Result<Option<TypedForm>, Failure> {
        if !self.http.method().is_safe() || !self.http.query_string().contains(PARAMETER) {
            return Ok(None);
        }
        let Some(id) = self.query()?.value(PARAMETER).map(str::to_owned) else {
            return Ok(None);
        };
        let user = self.last_user();
        let reader = self.reader(self.http.path(), &user);
        let found = saved_form::find(&self.app, reader, &id).await?;
        let stored = found.and_then(|text| serde_json::from_str::<Stored>(&text).ok());
        Ok(stored.map(|stored| {
            let mut errors = FieldErrors::none();
            for (field, message) in stored.errors {
                errors.push(field, message);
            }
            TypedForm {
                form: Form::from_pairs(stored.fields),
                errors,
                status: StatusCode::from_u16(stored.status).unwrap_or_default(),
                notice: stored.notice,
                retry_after: stored.retry_after,
            }
        }))
    }

    fn reader<'a>(&'a self, page: &'a str, user: &'a str) -> FormReader<'a> {
        FormReader {
            browser: &self.visitor,
            user,
            page,
        }
    }

    /// The saved form of this page; an empty one if there is none.
    pub fn typed(&self) -> TypedForm {
        self.saved.clone().unwrap_or_default()
    }

    /// The saved form of this page, or one that opens with these values.
    pub fn typed_or(&self, form: Form) -> TypedForm {
        self.saved
            .clone()
            .unwrap_or_else(|| TypedForm::filled(form))
    }
}

/// Whether a field is a password or a code, or belongs to one page only.
fn is_never_saved(name: &str) -> bool {
    name.ends_with("password") || matches!(name, "code" | "csrf" | "form_nonce")
}
