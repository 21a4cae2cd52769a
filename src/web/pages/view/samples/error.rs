//! Error pages.

use super::super::error::*;
use super::{Sample, ada, sample, stranger};
use domain::policy::Violation;
use domain::role::Role;

/// One page for each kind of error.
pub fn samples() -> Vec<Sample> {
    let page = |chrome, kind| ErrorPage {
        chrome,
        kind,
        request_id: Some("0199a6b0-5c1e-7d1a-9f5e-3a1b2c4d5e6f".into()),
    };
    let forbidden = |reason| page(ada(), ErrorKind::Forbidden(reason));
    vec![
        sample("error-400", "plain", &page(ada(), ErrorKind::BadRequest)),
        sample("error-403", "plain", &forbidden(Reason::Other)),
        sample("error-403", "operator", &forbidden(Reason::Operator)),
        sample("error-403", "no-part", &forbidden(Reason::NoAccess)),
        sample("error-403", "role", &forbidden(Reason::Role(Role::Admin))),
        sample("error-403", "owner", &forbidden(Reason::Role(Role::Owner))),
        sample(
            "error-403",
            "policy",
            &forbidden(Reason::Policy(Violation::TooLong(30))),
        ),
        sample(
            "error-403-form",
            "plain",
            &page(stranger(), ErrorKind::StaleForm),
        ),
        sample("error-404", "plain", &page(stranger(), ErrorKind::NotFound)),
        sample(
            "error-405",
            "plain",
            &page(stranger(), ErrorKind::MethodNotAllowed),
        ),
        sample("error-413", "plain", &page(ada(), ErrorKind::TooLarge)),
        sample(
            "error-415",
            "plain",
            &page(ada(), ErrorKind::UnsupportedMedia),
        ),
        sample(
            "error-429",
            "minutes",
            &page(stranger(), ErrorKind::TooMany(240)),
        ),
        sample(
            "error-429",
            "at-once",
            &page(stranger(), ErrorKind::TooMany(0)),
        ),
        sample("error-500", "plain", &page(ada(), ErrorKind::Internal)),
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
