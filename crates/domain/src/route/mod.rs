//! The route table: what each route of the protected API demands, for a proxy that asks.
//!
//! A route is matched by its method and its path. A pattern is written as
//! `POST /v1/projects/{project}/deploys`:
//!
//! - The method is matched as it is (RFC 9110 section 9.1). `*` stands for any. `GET` covers
//!   `HEAD` too, which shows nothing more and which most servers answer from the same code.
//! - `{name}` matches exactly one segment. `{project}` and `{organization}` name the place
//!   where the token must reach; any other name, such as `{id}`, is only for the reader.
//! - `**`, as the last segment, matches whatever follows, and nothing too:
//!   `/v1/databases/**` is `/v1/databases` and all below it.
//!
//! The first route that matches decides, and what matches no route is denied. A request that
//! some server would read as one route and another server as another is denied as well: the
//! first route that matches by the loosest reading must match by the strictest. What cannot
//! be read safely at all matches nothing; [`target`] tells why.

mod target;

use super::Fault;
use super::scope::ScopeName;
use std::fmt;
use target::Segment;

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

    /// Which route a request is and what it demands, by its method and its target in origin form
    /// (RFC 9112 section 3.2.1), both as the client sent them. `None`: the request must be
    /// denied, whoever sends it.
    pub fn find(&self, method: &str, target: &str) -> Option<(&Pattern, AccessRule)> {
        let path = target::read(target).filter(|_| is_token(method))?;
        let matches = |route: &&Route| route.pattern.matches(method, &path, Reading::Loosest);
        let route = self.iter().find(matches)?;
        route
            .pattern
            .matches(method, &path, Reading::Strictest)
            .then(|| (&route.pattern, route.access_rule(path)))
    }
}

/// A route of the protected API.
#[derive(Debug, Clone)]
pub struct Route {
    /// Which requests it is.
    pub pattern: Pattern,
    /// Who may send them.
    pub access: Access,
}

impl Route {
    fn access_rule(&self, path: Vec<Segment>) -> AccessRule {
        match &self.access {
            Access::Public => AccessRule::Public,
            Access::Operator => AccessRule::Operator,
            Access::Token(scope) => AccessRule::Token {
                scope: scope.clone(),
                resource: self.pattern.resource(path),
            },
        }
    }
}

/// Who may use a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token too.
    Public,
    /// The operator token alone.
    Operator,
    /// A live token, with this scope if there is one, that reaches the place in the path.
    Token(Option<ScopeName>),
}

/// What a request must bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessRule {
    /// Nothing.
    Public,
    /// The operator token.
    Operator,
    /// A live token.
    Token {
        /// The scope that it must carry.
        scope: Option<ScopeName>,
        /// Where it must reach.
        resource: Option<RouteResource>,
    },
}

/// A place as the path names it; nobody has looked yet whether it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteResource {
    /// The project with this id.
    Project(String),
    /// The organization with this id.
    Organization(String),
}

/// Which requests a route is. It displays as it was written.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    /// `None` matches any.
    method: Option<String>,
    parts: Vec<SegmentPattern>,
    /// Whether more segments may follow.
    is_open: bool,
}

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SegmentPattern {
    Literal(String),
    Any,
    Project,
    Organization,
}

/// How a request is read where servers differ.
#[derive(Clone, Copy)]
enum Reading {
    /// Letters of the other case and characters that were percent-encoded without need are
    /// the same.
    Loosest,
    /// They are not.
    Strictest,
}

impl Pattern {
    /// Reads a pattern.
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
                "names more than one place; keep {project} or {organization} where the token \
                 must reach and write {id} for the others"
                    .to_owned(),
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            method: (method != "*").then(|| method.to_owned()),
            parts,
            is_open,
        })
    }

    /// Whether no request is left for `later` when this pattern comes before it.
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

    fn matches(&self, method: &str, path: &[Segment], reading: Reading) -> bool {
        let is_own = |own: &String| is_same_method(own, method, reading);
        let has_length =
            path.len() == self.parts.len() || self.is_open && path.len() > self.parts.len();
        let mut pairs = self.parts.iter().zip(path);
        self.method.as_ref().is_none_or(is_own)
            && has_length
            && pairs.all(|(part, segment)| part.matches(segment, reading))
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
        // What a request writes in this way is what the pattern must say: no escapes, which
        // would be a second way to write the same.
        match target::read(&format!("/{text}")).as_deref() {
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
            (Self::Literal(text), Reading::Loosest) => segment.text.eq_ignore_ascii_case(text),
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

/// Whether a text is a method as patterns write it. There are methods in small letters only
/// by mistake.
fn is_method(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
    text == "*" || !text.is_empty() && text.bytes().all(legal)
}

/// Whether a text can be a method at all (RFC 9110 section 5.6.2).
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
