//! A form as the user typed it, to show it again with its errors.

use super::view::FieldErrors;
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
