//! The documentation of the API's problems.

use super::super::problem::ProblemPage;
use super::{Sample, sample, stranger};
use crate::web::problem_kind::Kind;

/// The list, and one kind.
pub fn samples() -> Vec<Sample> {
    let page = |problem| ProblemPage {
        chrome: stranger(),
        problem,
        all: Kind::ALL,
    };
    vec![
        sample("problems", "all", &page(None)),
        sample("problem", "one", &page(Some(Kind::InsufficientScope))),
    ]
}
