//! Sign-in with identity providers, and attacks on it.

mod attack;
mod check;
mod connect;
mod ended;
mod hand_off;
mod recovery;
mod rules;
mod sign_in;

use crate::support::TestApp;
use crate::support::browser::{Browser, Page};

/// A local page to return to.
const RETURN: &str = "return_to=%2Faccount";

/// Settings with which users are checked at the provider.
const CHECKED: &str = "scopes = [\"openid\", \"offline_access\"]\ncheck_every = \"10m\"";

/// Asserts that a sign-in ended at the sign-in page with this notice, without a session.
#[track_caller]
fn assert_refused(test: &TestApp, page: &Page, notice: &str) {
    assert_eq!(page.status, 303, "{}", page.body);
    let expected = format!("notice={notice}");
    assert!(page.location().ends_with(&expected), "{}", page.location());
    assert_eq!(test.count("session", "issuer IS NOT NULL"), 0);
    assert_eq!(test.count("identity", "1 = 1"), 0);
}

/// The address of the user of a browser.
async fn address_in(browser: &mut Browser) -> String {
    let page = browser.get("/account").await;
    assert_eq!(page.status, 200, "{}", page.location());
    let (_, rest) = page.body.split_once("You sign in as <b>").unwrap();
    rest.split('<').next().unwrap().to_owned()
}
