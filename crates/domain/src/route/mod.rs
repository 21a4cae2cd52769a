//! The route table: the access rule of each route of the protected API, for the verify endpoint
//! that proxies call.
//!
//! A route is matched by its method and its path. A pattern is written as
//! `POST /v1/projects/{project}/deploys`:
//!
//! - The method is matched literally (RFC 9110 section 9.1). `*` matches any method. `GET` covers
//!   `HEAD` too, which returns nothing more and which most servers serve with the same code.
//! - `{name}` matches exactly one segment. `{project}` and `{organization}` name the resource
//!   that the token must reach; any other name, such as `{id}`, is only for the reader.
//! - `**`, as the last segment, matches any number of segments, including none:
//!   `/v1/databases/**` matches `/v1/databases` and all paths below it.
//!
//! - `/`, at the end, allows a request with and without a slash there: `/v1/apps/` matches
//!   `/v1/apps` and `/v1/apps/`. Without it, a path that ends in a slash is denied.
//!
//! The first matching route decides; a request without a matching route is denied. A request that
//! servers may read as different routes is denied as well: the first route that matches by the
//! loosest reading must also match by the strictest. A target that cannot be read safely matches
//! no route; [`target`] explains why.

mod target;

use super::Fault;
use super::role::Role;
use super::scope::ScopeName;
use std::fmt;
use std::time::Duration;
use target::{Path, Segment};

/// The routes of the protected API, in the order in which they are tried.
#[derive(Debug, Clone, Default)]
pub struct RouteTable(Vec<Route>);

impl RouteTable {
    /// A table of these routes.
    pub fn new(routes: Vec<Route>) -> Self {
        Self(routes)
    }

    /// The routes, in the order in which they are tried.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.0.iter()
    }

    /// What a token without scopes can use.
    pub fn unscoped(&self) -> Unscoped {
        let of = |route: &Route| match route.access {
            Access::Role(_) => Unscoped::ByRole,
            Access::Token(None) => Unscoped::Open,
            Access::Public | Access::Operator | Access::Token(Some(_)) => Unscoped::Identity,
        };
        self.iter().map(of).max().unwrap_or(Unscoped::Identity)
    }

    /// The route of a request and its access rule, by the method and the target in origin form
    /// (RFC 9112 section 3.2.1), both as the client sent them. `None`: the request must be denied
    /// for every sender.
    pub fn find(&self, method: &str, target: &str) -> Option<(&Route, AccessRule)> {
        let path = target::read(target).filter(|_| is_token(method))?;
        let matches = |route: &&Route| route.pattern.matches(method, &path, Reading::Loosest);
        let route = self.iter().find(matches)?;
        route
            .pattern
            .matches(method, &path, Reading::Strictest)
            .then(|| (route, route.access_rule(path.segments)))
    }
}

/// What a token can use without any scope, the widest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unscoped {
    /// No route: it only identifies its owner.
    Identity,
    /// Routes that every active token can use.
    Open,
    /// Routes that ask for the role of its owner alone.
    ByRole,
}

/// A route of the protected API.
#[derive(Debug, Clone)]
pub struct Route {
    /// The requests that it matches.
    pub pattern: Pattern,
    /// The access that it requires.
    pub access: Access,
    /// The organization that it is about, by its slug or id, if its path names no resource.
    pub organization: Option<String>,
    /// Whether its requests need an Idempotency-Key.
    pub idempotency_key: bool,
    /// How long ago the owner of the token may have proved who they are; `None` for no limit.
    pub max_age: Option<Duration>,
}

impl Route {
    fn access_rule(&self, path: Vec<Segment>) -> AccessRule {
        let (scope, role) = match &self.access {
            Access::Public => return AccessRule::Public,
            Access::Operator => return AccessRule::Operator,
            Access::Token(scope) => (scope.clone(), None),
            Access::Role(role) => (None, Some(*role)),
        };
        let resource = self.pattern.resource(path).or_else(|| {
            let organization = self.organization.clone();
            organization.map(RouteResource::Configured)
        });
        AccessRule::Token {
            scope,
            role,
            resource,
            max_age: self.max_age,
        }
    }
}

/// The access that a route requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Open to all, without a token.
    Public,
    /// Only the operator token.
    Operator,
    /// An active token, with this scope if there is one, that reaches the resource in the path.
    Token(Option<ScopeName>),
    /// An active token, with any scopes, whose owner has at least this role.
    Role(Role),
}

/// The credentials that a request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessRule {
    /// None.
    Public,
    /// The operator token.
    Operator,
    /// An active token.
    Token {
        /// The scope that it must carry.
        scope: Option<ScopeName>,
        /// The lowest role of its owner.
        role: Option<Role>,
        /// The resource that it must reach.
        resource: Option<RouteResource>,
        /// How long ago its owner may have proved who they are.
        max_age: Option<Duration>,
    },
}

/// A resource as the path or the route names it; it may not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteResource {
    /// The project with this id.
    Project(String),
    /// The organization with this id or slug.
    Organization(String),
    /// The organization that the route itself names, by its id or slug.
    Configured(String),
}

/// The requests that a route matches. `Display` writes the text as configured.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    /// `None` matches any method.
    method: Option<String>,
    parts: Vec<SegmentPattern>,
    /// Whether more segments may follow.
    is_open: bool,
    /// Whether a slash may follow.
    allows_slash: bool,
}

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SegmentPattern {
    Literal(String),
    Any,
    Project,
    Organization,
}

/// How to read a request where servers differ.
#[derive(Clone, Copy)]
enum Reading {
    /// Ignores case and compatibility variants (NFKC), and equates a percent-encoded reserved
    /// character with the plain one.
    Loosest,
    /// Distinguishes all of them.
    Strictest,
}

impl Pattern {
    /// Parses a pattern.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let fault = |message: String| Fault::new("match", format!("{text:?} {message}"));
        let example = "write a method, a space and a path, such as GET /v1/projects/{project}";
        let Some((method, path)) = text.split_once(' ') else {
            return Err(fault(format!("has no path; {example}")));
        };
        if !is_method(method) {
            return Err(fault(format!(
                "begins with no method in capital letters and no *; {example}"
            )));
        }
        let Some(path) = path.strip_prefix('/') else {
            return Err(fault(format!(
                "has a path that does not begin with /; {example}"
            )));
        };
        let (path, allows_slash) = match path.strip_suffix('/') {
            // An empty segment stays, and is refused below.
            Some(before) if !before.is_empty() => (before, true),
            _ => (path, false),
        };
        let (path, is_open) = match path.strip_suffix("**") {
            Some("") => ("", true),
            Some(before) if before.ends_with('/') => (&before[..before.len() - 1], true),
            _ => (path, false),
        };
        let segments = path.split('/').filter(|_| !path.is_empty());
        let parts = segments
            .map(SegmentPattern::parse)
            .collect::<Result<Vec<_>, _>>()
            .map_err(fault)?;
        if parts.iter().filter(|part| part.is_place()).count() > 1 {
            return Err(fault(
                "names more than one resource; keep {project} or {organization} for the one that \
                 the token must reach and write {id} for the others"
                    .to_owned(),
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            method: (method != "*").then(|| method.to_owned()),
            parts,
            is_open,
            allows_slash,
        })
    }

    /// Whether this pattern, placed first, matches every request that `later` matches.
    pub fn covers(&self, later: &Self) -> bool {
        let method = match (&self.method, &later.method) {
            (None, _) => true,
            (Some(method), Some(later)) => is_same_method(method, later, Reading::Strictest),
            (Some(_), None) => false,
        };
        let has_room = later.parts.len() >= self.parts.len();
        let is_closed = !later.is_open && later.parts.len() == self.parts.len();
        let pairs = self.parts.iter().zip(&later.parts);
        method
            && has_room
            && (self.is_open || is_closed)
            && pairs.into_iter().all(|(part, later)| part.covers(later))
    }

    fn matches(&self, method: &str, path: &Path, reading: Reading) -> bool {
        let has_slash = match reading {
            Reading::Loosest => true,
            Reading::Strictest => self.allows_slash || !path.ends_in_slash,
        };
        let path = &path.segments;
        let is_own = |own: &String| is_same_method(own, method, reading);
        let has_length =
            path.len() == self.parts.len() || self.is_open && path.len() > self.parts.len();
        let mut pairs = self.parts.iter().zip(path);
        self.method.as_ref().is_none_or(is_own)
            && has_slash
            && has_length
            && pairs.all(|(part, segment)| part.matches(segment, reading))
    }

    /// Whether it has a segment `{project}` or `{organization}`.
    pub fn names_resource(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, SegmentPattern::Project | SegmentPattern::Organization))
    }

    fn resource(&self, path: Vec<Segment>) -> Option<RouteResource> {
        let mut pairs = self.parts.iter().zip(path);
        pairs.find_map(|(part, segment)| match part {
            SegmentPattern::Project => Some(RouteResource::Project(segment.text)),
            SegmentPattern::Organization => Some(RouteResource::Organization(segment.text)),
            SegmentPattern::Literal(_) | SegmentPattern::Any => None,
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl SegmentPattern {
    fn parse(text: &str) -> Result<Self, String> {
        let name = text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some("project") => return Ok(Self::Project),
            Some("organization") => return Ok(Self::Organization),
            Some(name) if is_name(name) => return Ok(Self::Any),
            _ => {}
        }
        if text == "**" {
            return Err("has ** before the end, where only one segment can be open".to_owned());
        }
        // A literal is in decoded form: an escape would be a second spelling of the same segment.
        let path = target::read(&format!("/{text}")).filter(|path| !path.ends_in_slash);
        match path.as_ref().map(|path| &path.segments[..]) {
            Some([segment]) if segment.text == text && !text.contains('*') => {
                Ok(Self::Literal(text.to_owned()))
            }
            _ => Err(format!(
                "has the segment {text:?}; write plain letters, digits and -._~:@!$&'()+,=, or \
                 {{id}} for any one segment, or /** at the end for all that follow"
            )),
        }
    }

    fn is_place(&self) -> bool {
        matches!(self, Self::Project | Self::Organization)
    }

    fn matches(&self, segment: &Segment, reading: Reading) -> bool {
        match (self, reading) {
            (Self::Literal(text), Reading::Loosest) => segment.reads_as(text),
            (Self::Literal(text), Reading::Strictest) => segment.is_plain && segment.text == *text,
            (Self::Any | Self::Project | Self::Organization, _) => true,
        }
    }

    fn covers(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::Literal(text), Self::Literal(later)) => text.eq_ignore_ascii_case(later),
            (Self::Literal(_), _) => false,
            (Self::Any | Self::Project | Self::Organization, _) => true,
        }
    }
}

/// Whether a text is a method as patterns write it. Lower case is refused as a mistake.
fn is_method(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
    text == "*" || !text.is_empty() && text.bytes().all(legal)
}

/// Whether a text is a token and so can be a method (RFC 9110 section 5.6.2).
fn is_token(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(legal)
}

fn is_same_method(own: &str, method: &str, reading: Reading) -> bool {
    let is_same = |own: &str| match reading {
        Reading::Loosest => own.eq_ignore_ascii_case(method),
        Reading::Strictest => own == method,
    };
    is_same(own) || own == "GET" && is_same("HEAD")
}

fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty() && text.bytes().all(legal)
}

#[cfg(test)]
mod tests;
