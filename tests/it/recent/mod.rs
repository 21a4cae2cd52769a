//! Sensitive changes need a recent sign-in, and what was typed is kept while the user signs in again.

mod approval;
mod attack;
mod change;
pub mod max_age;
mod provider;

use crate::support::browser::{Browser, Page};
use crate::support::{EMAIL, PASSWORD};

/// Seconds after which a sign-in is too old.
const OLD: i64 = 600;

/// A scope with a high risk.
const HIGH: &str = "orgs:write";

/// The page to which the sign-in of a redirect returns. Asserts that the redirect asks for one.
async fn asked_again(browser: &mut Browser, page: &Page) -> String {
    assert_eq!(page.status, 303, "{}", page.body);
    let location = page.location();
    assert!(location.starts_with("/login?return_to="), "{location}");
    assert!(location.ends_with("&notice=again"), "{location}");
    let login = browser.get(location).await;
    assert!(login.contains("This step needs a recent sign-in."));
    let return_to = login.field("return_to").unwrap_or_default();
    return_to.replace("&#38;", "&")
}

/// Signs in again after such a redirect, and opens the page with the form.
async fn sign_in_again(browser: &mut Browser, page: &Page) -> Page {
    let return_to = asked_again(browser, page).await;
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("return_to", &return_to),
    ];
    let done = browser.post_only("/login", &fields).await;
    assert_eq!((done.status, done.location()), (303, &*return_to));
    browser.get(&return_to).await
}

/// The fields of a decision on a consent page.
fn decision<'a>(
    [ticket, code]: [&'a str; 2],
    decision: &'a str,
    scopes: &[&'a str],
) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("ticket", ticket),
        ("user_code", code),
        ("decision", decision),
    ];
    fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
    fields
}

/// The ticket and the code of a consent page.
fn reviewed(consent: &Page) -> [String; 2] {
    ["ticket", "user_code"].map(|name| consent.field(name).unwrap())
}
