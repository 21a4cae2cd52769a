//! Renaming a token.

use super::TokensRequest;
use crate::web::pages::page_request::{Answer, see_other};
use crate::web::pages::typed_form::TypedForm;
use app::token;
use wire::form::Form;

/// `POST /tokens/{id}/name`, or the organization's.
pub async fn submit(req: TokensRequest, form: Form) -> Answer {
    let id = req.segment("id");
    let name = form.value("name").unwrap_or_default();
    match token::rename(&req, &req.owner_ref, id, name).await {
        Ok(renamed) => Ok(see_other(&format!(
            "{}/{}?done=renamed",
            req.path, renamed.token.id
        ))),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}
