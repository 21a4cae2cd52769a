//! Ids that forms reserve for what they are to make, so that a form makes one thing however
//! often it is sent: reloading the page that came of it must not make another.

use super::App;
use super::caller::Caller;
use super::session::SignedIn;

/// Reserves an id for a form of this kind; only this session can use it.
pub(super) fn write(app: &App, signed_in: &SignedIn, kind: &str, id: &str) -> String {
    let mac = app
        .key()
        .authenticate(kind, &[signed_in.session.id.as_str(), id]);
    format!("{id}.{}", mac.as_str())
}

/// The id that a form of this kind was given, if it was given it.
pub(super) fn read<'a>(app: &App, caller: &Caller, kind: &str, text: &'a str) -> Option<&'a str> {
    let Caller::User(signed_in) = caller else {
        return None;
    };
    let id = text.split('.').next()?;
    let written = write(app, signed_in, kind, id);
    let is_ours: bool = subtle::ConstantTimeEq::ct_eq(written.as_bytes(), text.as_bytes()).into();
    is_ours.then_some(id)
}
