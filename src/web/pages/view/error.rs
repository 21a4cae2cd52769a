//! Errors, as pages.

use super::{Chrome, duration_words};
use askama::Template;
use domain::org::Role;
use domain::policy::Violation;

/// What the person sees when a request cannot be served.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// What is around the content; the account if it is known.
    pub chrome: Chrome,
    /// What went wrong.
    pub kind: ErrorKind,
    /// The id of the request, to quote when asking for help; may be absent.
    pub request_id: Option<String>,
}

/// What went wrong, as far as the person needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// 400: the request makes no sense.
    BadRequest,
    /// 403: this account may not do that, and why.
    Forbidden(Reason),
    /// 403: the form's token is missing, old or another browser's.
    StaleForm,
    /// 404: there is no such page, or not for this account.
    NotFound,
    /// 405: the page does not take this method.
    MethodNotAllowed,
    /// 413: too much was sent.
    TooLarge,
    /// 415: it was sent in another format than a form's.
    UnsupportedMedia,
    /// 429: too many attempts; the seconds until the next may be made.
    TooMany(u64),
    /// 500: our fault.
    Internal,
    /// 503: too busy or starting.
    Unavailable,
}

/// Why an account may not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It has no part in the place, or there is no such place.
    NoAccess,
    /// Its role is less than this one.
    Role(Role),
    /// An organization's policy does not admit the token that would come of it.
    Policy(Violation),
    /// Only the operator of the deployment may.
    Operator,
    /// Something else.
    Other,
}

impl Reason {
    /// The reason, and what to do about it.
    fn advice(self) -> String {
        match self {
            Self::NoAccess => "You have no part in this place, or there is no such place. Check \
                             the address, or ask someone who works there to invite you."
                .to_owned(),
            Self::Role(Role::Owner) => "Only an owner of the organization may do this. Ask one \
                                        of them."
                .to_owned(),
            Self::Role(_) => "Only admins and owners of the organization may do this. Ask one \
                              of them."
                .to_owned(),
            Self::Policy(violation) => format!(
                "{} Nothing was changed. Ask an owner of the organization whether its policy \
                 or your role can change.",
                violation.explain()
            ),
            Self::Operator => "Only the people who run this deployment may do this. Ask them to \
                               do it for you."
                .to_owned(),
            Self::Other => "Your account does not have the right to do this. Someone who \
                            administers your organization can give it to you."
                .to_owned(),
        }
    }
}

impl ErrorKind {
    /// The status of the answer.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Forbidden(_) | Self::StaleForm => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::UnsupportedMedia => 415,
            Self::TooMany(_) => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// What happened, as a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "We could not read that request",
            Self::Forbidden(_) => "You cannot do that",
            Self::StaleForm => "This form is out of date",
            Self::NotFound => "Page not found",
            Self::MethodNotAllowed => "That does not work here",
            Self::TooLarge => "That was too much at once",
            Self::UnsupportedMedia => "We could not read that format",
            Self::TooMany(_) => "Too many attempts",
            Self::Internal => "Something went wrong",
            Self::Unavailable => "Back in a moment",
        }
    }

    /// What it means and what to do next.
    pub fn advice(self) -> String {
        match self {
            Self::BadRequest => "Part of it was missing or damaged. Go back, check what you \
                                 entered, and try again."
                .to_owned(),
            Self::Forbidden(reason) => reason.advice(),
            Self::StaleForm => "It was opened a while ago, in another browser, or before you \
                                signed in. Nothing was changed. Open the page again and \
                                repeat what you did."
                .to_owned(),
            Self::NotFound => "There is nothing at this address, or it is not yours to see. \
                               Check the address for typing mistakes."
                .to_owned(),
            Self::MethodNotAllowed => "This address does not accept that kind of request. \
                                       Start again from a page of this site."
                .to_owned(),
            Self::TooLarge => "You sent more than this page accepts. Shorten it and try \
                               again."
                .to_owned(),
            Self::UnsupportedMedia => "This page only accepts what its own form sends. Open \
                                       the page and use the form."
                .to_owned(),
            Self::TooMany(seconds) => format!(
                "To keep accounts and codes safe, we limit how often this can be tried. Try \
                 again in {}.",
                duration_words(seconds.max(1))
            ),
            Self::Internal => "The fault is ours, and it has been recorded. Nothing you \
                               entered is to blame. Try again in a moment."
                .to_owned(),
            Self::Unavailable => "We are busy or just starting. Wait a few seconds and load \
                                  the page again."
                .to_owned(),
        }
    }
}
