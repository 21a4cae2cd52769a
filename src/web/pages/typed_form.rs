//! A form as the user typed it, to show it again with its errors.

use super::error_kind;
use super::view::error::ErrorKind;
use super::view::{FieldErrors, without_program};
use crate::web::failure::Failure;
use actix_web::http::StatusCode;
use wire::form::Form;

/// The notice on a form that is older than the session.
const SIGNED_IN_AGAIN: &str = "You signed in again. Check the form and send it once more.";

/// The notice on a form for an object that does not exist.
const GONE: &str = "It no longer exists, or is not yours to change. Nothing was changed.";

/// The values of a form and their errors. The default is an empty form.
#[derive(Clone, Default)]
pub struct TypedForm {
    /// The values.
    pub form: Form,
    /// The errors; none until the form was sent.
    pub errors: FieldErrors,
    /// The status of the page with the form: 200 until the form was sent.
    pub status: StatusCode,
    /// What happened to the form, apart from errors in it.
    pub notice: Option<String>,
    /// Seconds after which the form can be sent again.
    pub retry_after: Option<u64>,
}

impl TypedForm {
    /// A form that opens with these values.
    pub fn filled(form: Form) -> Self {
        Self {
            form,
            ..Self::default()
        }
    }

    /// A form with the faults of the use case, without values that contain a secret. Fails with
    /// any other error.
    pub fn refused(mut form: Form, error: app::Error) -> Result<Self, Failure> {
        if let app::Error::Invalid(faults) = &error {
            for fault in faults.iter().filter(|fault| fault.has_secret) {
                form.remove(fault.field);
            }
        }
        Ok(Self::with_errors(form, faults(error)?))
    }

    /// A form with errors.
    pub fn with_errors(form: Form, errors: FieldErrors) -> Self {
        Self {
            form,
            errors,
            status: StatusCode::UNPROCESSABLE_ENTITY,
            ..Self::default()
        }
    }

    /// A form with an error of the field with this `name`.
    pub fn wrong(form: Form, field: &'static str, message: &str) -> Self {
        Self::with_errors(form, FieldErrors::on(field, message))
    }

    /// A form that had no effect because of a failure.
    pub fn failed(form: Form, failure: &Failure) -> Self {
        let notice = match failure {
            Failure::StaleForm | Failure::SignIn(_) | Failure::SignInAgain(_) => {
                SIGNED_IN_AGAIN.to_owned()
            }
            Failure::App(app::Error::Conflict(message)) => without_program(message),
            Failure::NotFound | Failure::App(app::Error::NotFound) => GONE.to_owned(),
            failure => {
                let kind: ErrorKind = error_kind(failure);
                format!("{}. {}", kind.title(), kind.advice())
            }
        };
        let status = match failure {
            // The user has signed in when the page is shown.
            Failure::SignIn(_) | Failure::SignInAgain(_) => StatusCode::OK,
            failure => failure.status(),
        };
        Self {
            form,
            status,
            notice: Some(notice),
            retry_after: failure.retry_after(),
            ..Self::default()
        }
    }

    /// The same form on a page with this status.
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The value of a field; empty if there is none.
    pub fn text(&self, field: &str) -> String {
        self.form.value(field).unwrap_or_default().to_owned()
    }

    /// Whether it was sent before, so that it has the user's choices.
    pub fn was_sent(&self) -> bool {
        self.status != StatusCode::OK || self.notice.is_some()
    }
}

/// The errors of a rejected form; any other error is a failure.
pub fn faults(error: app::Error) -> Result<FieldErrors, Failure> {
    match error {
        app::Error::Invalid(faults) => Ok(faults.into()),
        app::Error::Conflict(message) => Ok(FieldErrors::whole(message)),
        error => Err(error.into()),
    }
}

/// An error with a field of the use case renamed to the field of the form.
pub fn renamed(mut error: app::Error, from: &str, to: &'static str) -> app::Error {
    if let app::Error::Invalid(faults) = &mut error {
        faults.rename(|field| if field == from { to } else { field });
    }
    error
}
