//! No dead end: each form is answered with a redirect to its result or back to its page.

mod form;
mod page;
mod secret;
