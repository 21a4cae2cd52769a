//! Error pages.

use super::super::error::*;
use super::{Sample, acme, ada, sample, stranger};
use domain::policy::Violation;
use domain::role::Role;

/// One page for each kind of error.
pub fn samples() -> Vec<Sample> {
    let page = |chrome, kind| ErrorPage {
        chrome,
        org: None,
        kind,
        way_back: WayBack::from("/tokens/tok_1/rotate", kind, None),
        request_id: Some("0199a6b0-5c1e-7d1a-9f5e-3a1b2c4d5e6f".into()),
    };
    let of = |name, state, chrome, kind| sample(name, state, &page(chrome, kind));
    let forbidden = |state, reason| of("error-403", state, ada(), ErrorKind::Forbidden(reason));
    vec![
        of("error-400", "plain", ada(), ErrorKind::BadRequest),
        forbidden("plain", Reason::Other),
        forbidden("operator", Reason::Operator),
        forbidden("no-part", Reason::NoAccess),
        forbidden("no-organization", Reason::NoOrganization),
        forbidden("role", Reason::Role(Role::Admin)),
        forbidden("owner", Reason::Role(Role::Owner)),
        forbidden("policy", Reason::Policy(Violation::TooLong(30))),
        of("error-403-form", "plain", stranger(), ErrorKind::StaleForm),
        of("error-404", "plain", stranger(), ErrorKind::NotFound),
        of(
            "error-405",
            "plain",
            stranger(),
            ErrorKind::MethodNotAllowed,
        ),
        of("error-413", "plain", ada(), ErrorKind::TooLarge),
        of("error-415", "plain", ada(), ErrorKind::UnsupportedMedia),
        of("error-429", "minutes", stranger(), ErrorKind::TooMany(240)),
        of("error-429", "at-once", stranger(), ErrorKind::TooMany(0)),
        of("error-500", "plain", ada(), ErrorKind::Internal),
        of("error-503", "paused", stranger(), ErrorKind::Paused),
        sample(
            "error-404",
            "organization",
            &ErrorPage {
                org: Some(acme()),
                way_back: WayBack::from("/o/acme/nowhere", ErrorKind::NotFound, Some(&acme())),
                ..page(ada(), ErrorKind::NotFound)
            },
        ),
        sample(
            "error-503",
            "plain",
            &ErrorPage {
                request_id: None,
                ..page(stranger(), ErrorKind::Unavailable)
            },
        ),
    ]
}
