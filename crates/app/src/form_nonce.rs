//! Form nonces: each form carries the id of the object that it creates, so that sending or
//! reloading it repeatedly creates only one.

use super::App;
use super::session::SignedIn;
use crate::access::Caller;

/// Creates the nonce of an id for a kind of form; only this session can use it.
pub(super) fn write(app: &App, signed_in: &SignedIn, kind: &str, id: &str) -> String {
    let mac = app
        .key()
        .authenticate(kind, &[signed_in.session.id.as_str(), id]);
    format!("{id}.{}", mac.as_str())
}

/// Verifies a nonce for a kind of form and returns its id.
pub(super) fn read<'a>(app: &App, caller: &Caller, kind: &str, text: &'a str) -> Option<&'a str> {
    let signed_in = caller.signed_in().ok()?;
    let id = text.split('.').next()?;
    let written = write(app, signed_in, kind, id);
    let is_ours: bool = subtle::ConstantTimeEq::ct_eq(written.as_bytes(), text.as_bytes()).into();
    is_ours.then_some(id)
}
