//! A form as the user typed it, to show it again with its errors.

use super::view::FieldErrors;
use crate::web::failure::Failure;
use actix_web::http::StatusCode;
use wire::form::Form;

/// The values of a form and their errors. The default is an empty form.
#[derive(Default)]
pub struct TypedForm {
    /// The values.
    pub form: Form,
    /// The errors; none until the form was sent.
    pub errors: FieldErrors,
}

impl TypedForm {
    /// A form that opens with these values.
    pub fn filled(form: Form) -> Self {
        Self {
            form,
            errors: FieldErrors::none(),
        }
    }

    /// A form with the faults of the use case, without values that contain a secret. Fails with
    /// any other error.
    pub fn refused(mut form: Form, error: app::Error) -> Result<Self, Failure> {
        let errors = faults(error)?;
        for fault in errors.iter().filter(|fault| fault.has_secret) {
            form.remove(fault.field);
        }
        Ok(Self { form, errors })
    }

    /// A form with an error of the field with this `name`.
    pub fn wrong(form: Form, field: &'static str, message: &str) -> Self {
        let errors = FieldErrors::on(field, message);
        Self { form, errors }
    }

    /// The value of a field; empty if there is none.
    pub fn text(&self, field: &str) -> String {
        self.form.value(field).unwrap_or_default().to_owned()
    }

    /// The status of a page with this form: 200, or 422 with errors.
    pub fn status(&self) -> StatusCode {
        match self.errors.is_empty() {
            true => StatusCode::OK,
            false => StatusCode::UNPROCESSABLE_ENTITY,
        }
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
