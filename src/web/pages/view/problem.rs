//! The documentation of the API's problems.

use super::Chrome;
use crate::web::api::problem::Kind;
use askama::Template;

/// One kind of problem, or all of them.
#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub struct ProblemPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The kind that is explained; without it, the list.
    pub problem: Option<Kind>,
    /// Every kind.
    pub all: &'static [Kind],
}
