//! Second factors, and attacks on them.

mod attack;
mod authenticator;
mod parallel;
mod passkey;
mod phone;
mod provider;
mod recovery;
mod software;

use crate::support::browser::Page;

/// What the second step says about a wrong or used code.
const WRONG: &str = "This code is wrong or was used.";

/// Asserts that the second step was completed.
#[track_caller]
fn assert_signed_in(page: &Page) {
    assert_eq!(
        (page.status, page.location()),
        (303, "/tokens"),
        "{}",
        page.body
    );
}

/// Asserts that a code was refused.
#[track_caller]
fn assert_wrong(page: &Page) {
    assert_eq!(page.status, 401, "{}", page.body);
    assert!(page.contains(WRONG), "{}", page.body);
}
