//! Routes of pages and forms. A form is always answered with a redirect: to its result, or back to
//! the page that has it, so that Back and reload never send it again.

use super::page_request::{Answer, PageRequest, see_other};
use super::typed_form::TypedForm;
use crate::web::csrf::FormProof;
use crate::web::failure::Failure;
use crate::web::route::{self, Methods};
use actix_web::web;
use wire::form::Form;

/// Precondition of a module's pages, such as membership in the organization, with the data that it
/// loads.
pub trait Guard: Sized + 'static {
    /// Checks the request, and adds what the pages have in common.
    async fn admit(req: PageRequest) -> Result<Self, Failure>;
}

impl Guard for PageRequest {
    async fn admit(req: PageRequest) -> Result<Self, Failure> {
        Ok(req)
    }
}

/// The methods of the path of a page or form. GET is always one of them: a browser that restores a
/// tab opens its address, and must get to a page.
pub struct PageMethods {
    methods: Vec<Methods>,
    form_page: Option<&'static str>,
}

impl IntoIterator for PageMethods {
    type Item = Methods;
    type IntoIter = std::vec::IntoIter<Methods>;

    fn into_iter(self) -> Self::IntoIter {
        self.methods.into_iter()
    }
}

/// A path with a handler that shows a page.
pub fn read<R: Guard, Fut>(handler: impl Fn(R) -> Fut + Clone + 'static) -> PageMethods
where
    Fut: Future<Output = Answer> + 'static,
{
    let show = move |req: PageRequest| {
        let handler = handler.clone();
        async move {
            match req.to_new_password() {
                Some(redirect) => Ok(redirect),
                None => handler(R::admit(req).await?).await,
            }
        }
    };
    PageMethods {
        methods: vec![route::read(show)],
        form_page: None,
    }
}

/// A path that only takes a form, from a page with another path. The placeholders of `page` are
/// those of the form's path.
pub fn form_on(page: &'static str) -> FormOn {
    FormOn(page)
}

/// See [`form_on`].
pub struct FormOn(&'static str);

impl FormOn {
    /// Adds the handler of the form, as [`PageMethods::post`] does. GET redirects to the page, after
    /// the same guard.
    pub fn post<R: Guard, Fut>(
        self,
        handler: impl Fn(R, Form) -> Fut + Clone + 'static,
    ) -> PageMethods
    where
        Fut: Future<Output = Answer> + 'static,
    {
        let Self(page) = self;
        let redirect = move |req: PageRequest| async move {
            let path = req.fill(page);
            R::admit(req).await?;
            Answer::Ok(see_other(&path))
        };
        let methods = PageMethods {
            methods: vec![route::read(redirect)],
            form_page: Some(page),
        };
        methods.post(handler)
    }
}

impl PageMethods {
    /// Adds the handler of a form. The form's origin and CSRF token are checked before the guard.
    pub fn post<R: Guard, Fut>(self, handler: impl Fn(R, Form) -> Fut + Clone + 'static) -> Self
    where
        Fut: Future<Output = Answer> + 'static,
    {
        self.any_session_post(move |req: PageRequest, form, proof| {
            let handler = handler.clone();
            async move {
                let is_signed_in = req.caller.signed_in().is_ok();
                match (proof, req.to_new_password()) {
                    (FormProof::Browser, _) if !is_signed_in => {
                        Err(Failure::SignIn(req.form_address(&form)))
                    }
                    (FormProof::Browser | FormProof::None, _) => Err(Failure::StaleForm),
                    (FormProof::Session, Some(redirect)) => Ok(redirect),
                    (FormProof::Session, None) => handler(R::admit(req).await?, form).await,
                }
            }
        })
    }

    /// Adds the handler of a form that can be older than the session: the handler decides what the
    /// proof suffices for. The form's origin is checked before. If the handler fails, the page shows
    /// the form again.
    pub fn any_session_post<Fut>(
        mut self,
        handler: impl Fn(PageRequest, Form, FormProof) -> Fut + Clone + 'static,
    ) -> Self
    where
        Fut: Future<Output = Answer> + 'static,
    {
        let form_page = self.form_page;
        let submit = move |req: PageRequest, payload: web::Payload| {
            let handler = handler.clone();
            async move {
                let req = req.with_form_page(form_page);
                let (form, proof) = req.form(payload).await?;
                let failure = match handler(req.clone(), form.clone(), proof).await {
                    Ok(answer) => return Ok(answer),
                    Err(Failure::App(app::Error::SignInTooOld)) => {
                        Failure::SignInAgain(req.form_address(&form))
                    }
                    Err(failure) => failure,
                };
                // What a form says that no page of this browser sent is not shown to its user. A
                // browser without a user has no forms of one.
                let is_first_sign_in =
                    matches!(failure, Failure::SignIn(_)) && req.last_user().is_empty();
                if proof == FormProof::None || is_first_sign_in {
                    return Err(failure);
                }
                let page = match &failure {
                    Failure::SignIn(return_to) | Failure::SignInAgain(return_to) => {
                        return_to.clone()
                    }
                    _ => req.form_address(&form),
                };
                let typed = TypedForm::failed(form, &failure);
                match req.save_form(&page, typed).await {
                    Ok(address) => Err(Failure::FormAgain(Box::new(failure), address)),
                    // The first failure is the reason for this one, as far as the user can see.
                    Err(_) => Err(failure),
                }
            }
        };
        self.methods.push(route::post(submit));
        self
    }
}
