//! Error pages.

use super::filters;
use super::org::OrganizationHead;
use super::{Chrome, duration_words};
use askama::Template;
use domain::policy::Violation;
use domain::role::Role;

/// The page of a failed request.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// The page frame; with the user if known.
    pub chrome: Chrome,
    /// The organization of the user whose page failed.
    pub org: Option<OrganizationHead>,
    /// The kind of error.
    pub kind: ErrorKind,
    /// A page that works.
    pub way_back: WayBack,
    /// The request id, to quote in support requests.
    pub request_id: Option<String>,
}

/// A link to the nearest page above the one that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayBack {
    /// The path of the page.
    pub path: String,
    /// The text of the link.
    pub label: &'static str,
    /// The name of the page, after the text.
    pub name: Option<String>,
}

impl WayBack {
    /// The way back from the page with this path. It leads to an organization only if the user has
    /// access to it; `org` is the organization in the path, if it is one of the user's.
    pub fn from(path: &str, kind: ErrorKind, org: Option<&OrganizationHead>) -> Self {
        if let Some(org) = org.filter(|org| path != format!("/o/{}", org.slug)) {
            return Self {
                path: format!("/o/{}", org.slug),
                label: "Back to",
                name: Some(org.name.clone()),
            };
        }
        let mut segments = path.split('/').skip(1);
        let is_member = matches!(
            kind,
            ErrorKind::Forbidden(Reason::Role(_) | Reason::Policy(_))
        );
        let (path, label) = match (segments.next(), segments.next(), segments.next()) {
            (Some("o"), Some(slug), Some(_)) if is_member && is_plain(slug) => {
                (format!("/o/{slug}"), "Back to the organization")
            }
            (Some("o"), ..) => ("/o".to_owned(), "Back to your organizations"),
            (Some("tokens"), ..) => ("/tokens".to_owned(), "Back to your tokens"),
            (Some("devices"), ..) => ("/devices".to_owned(), "Back to your devices"),
            (Some("account"), Some(_), _) => ("/account".to_owned(), "Back to your account"),
            (Some("device"), ..) => ("/device".to_owned(), "Back to device code"),
            _ => ("/".to_owned(), "Go to the start page"),
        };
        Self {
            path,
            label,
            name: None,
        }
    }
}

/// Whether a segment of a path needs no escapes.
fn is_plain(segment: &str) -> bool {
    let mut bytes = segment.bytes();
    !segment.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The kinds of errors that pages distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// 400: the request is malformed.
    BadRequest,
    /// 403: the user may not do this, and why.
    Forbidden(Reason),
    /// 403: the form's CSRF token is missing, old or of another browser.
    StaleForm,
    /// 404: the page does not exist, or not for this user.
    NotFound,
    /// 405: the page does not accept this method.
    MethodNotAllowed,
    /// 413: the body is too large.
    TooLarge,
    /// 415: the body is not a form.
    UnsupportedMedia,
    /// 429: too many attempts; the seconds until the next one is allowed.
    TooMany(u64),
    /// 500: internal error.
    Internal,
    /// 503: overloaded or starting.
    Unavailable,
    /// 503: the operator has to check the database.
    Paused,
}

/// Why access is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The user has no access to the resource, or it does not exist.
    NoAccess,
    /// The user is in no organization that allows the resulting token.
    NoOrganization,
    /// The user's role is lower than this one.
    Role(Role),
    /// An organization's policy does not allow the resulting token.
    Policy(Violation),
    /// Only the operator may do this.
    Operator,
    /// Any other reason.
    Other,
}

impl Reason {
    /// The reason, and what to do about it.
    fn advice(self) -> String {
        match self {
            Self::NoAccess => "This page does not exist, or you have no access to it. Check the \
                             address, or ask an admin of the organization to invite you."
                .to_owned(),
            Self::NoOrganization => "Your account belongs to no organization that allows this \
                                     token. Ask to be invited to one, or limit the token to an \
                                     organization of yours."
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
            Self::Operator => "Only the operator of this server may do this. Ask the operator to \
                               do it for you."
                .to_owned(),
            Self::Other => "Your account does not have the permission for this. Ask an admin of \
                            your organization for it."
                .to_owned(),
        }
    }
}

impl ErrorKind {
    /// The HTTP status.
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
            Self::Unavailable | Self::Paused => 503,
        }
    }

    /// The heading: what happened.
    pub fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "We could not read that request",
            Self::Forbidden(_) => "You don't have access",
            Self::StaleForm => "This form is out of date",
            Self::NotFound => "Page not found",
            Self::MethodNotAllowed => "That does not work here",
            Self::TooLarge => "Too large",
            Self::UnsupportedMedia => "We could not read that format",
            Self::TooMany(_) => "Too many attempts",
            Self::Internal => "Something went wrong",
            Self::Unavailable => "Back in a moment",
            Self::Paused => "This server is paused",
        }
    }

    /// The explanation, and what to do next.
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
            Self::NotFound => "The page does not exist, or you have no access to it. Check the \
                               address for typing mistakes."
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
            Self::Paused => "Its operator has to check the database first. Nothing was changed. \
                             Ask the operator, or load the page again later."
                .to_owned(),
        }
    }
}
