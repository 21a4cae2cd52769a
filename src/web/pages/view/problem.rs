//! The documentation of the API's problems.

use super::Chrome;
use super::filters;
use crate::web::problem_kind::Kind;
use askama::Template;

/// One kind of problem, or all of them.
#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub struct ProblemPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The kind to explain; `None` for the list.
    pub problem: Option<Kind>,
    /// Every kind.
    pub all: &'static [Kind],
}
