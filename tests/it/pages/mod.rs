//! Behaviour of the pages, one module for each.

mod account;
mod admin;
mod admin_access;
mod audit;
mod branding;
mod devices;
mod invitation;
mod invitations;
mod limit;
mod member;
mod org;
mod org_token;
mod overview;
mod policy;
mod project;
mod revocation;
mod rights;
mod rotation;
mod scopes;
mod security;
mod setup;
mod token;
mod token_access;
mod token_activity;
mod token_block;
mod token_form;
mod token_list;

use crate::support::browser::{Browser, Page};
use crate::support::{PASSWORD, TestApp};
use doorcode::domain::id::UserId;
use doorcode::domain::role::Role;

/// The users of `Acme`, in addition to its owner [`EMAIL`](crate::support::EMAIL), and the owner
/// of another organization.
pub struct Company {
    pub test: TestApp,
    pub owner: Browser,
    pub admin: Browser,
    pub admin_id: UserId,
    pub member: Browser,
    pub member_id: UserId,
    pub stranger: Browser,
}

impl Company {
    pub async fn new() -> Self {
        let test = TestApp::with("[organizations]\nmade_by = \"users\"").await;
        let mut people = Vec::new();
        for (email, organization, role) in [
            ("grace@example.com", "Acme", Role::Admin),
            ("bob@example.com", "Acme", Role::Member),
            ("eve@example.com", "Rival", Role::Owner),
        ] {
            let id = test
                .add_user(email, PASSWORD, Some((organization, role)))
                .await;
            let mut browser = test.browser();
            browser.sign_in(email, PASSWORD).await;
            // Loading a page gives the browser a CSRF token.
            browser.get("/account").await;
            people.push((browser, id));
        }
        let (stranger, _) = people.pop().unwrap();
        let (member, member_id) = people.pop().unwrap();
        let (admin, admin_id) = people.pop().unwrap();
        let mut owner = test.user().await;
        owner.get("/account").await;
        Self {
            test,
            owner,
            admin,
            admin_id,
            member,
            member_id,
            stranger,
        }
    }
}

/// Asserts a 403 for a missing role, with the reason in words.
pub fn assert_role(page: &Page, least: &str) {
    assert_eq!(page.status, 403, "{}", page.body);
    let words = match least {
        "owner" => "Only an owner of the organization may do this.",
        _ => "Only admins and owners of the organization may do this.",
    };
    assert!(page.contains(words), "{}", page.body);
}

/// Asserts that a resource of others looks like one that does not exist.
pub async fn assert_no_access(browser: &mut Browser, path: &str, absent: &str) {
    let mut answers = Vec::new();
    for path in [path, absent] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 403, "{path}: {}", page.body);
        assert!(page.contains("you have no access to it"), "{path}");
        answers.push(page.without_request_id());
    }
    assert_eq!(answers[0], answers[1]);
}

/// The text between a marker on a page and the next `end`.
pub fn after(page: &str, piece: &str, end: char) -> String {
    let (_, rest) = page.split_once(piece).unwrap_or_else(|| panic!("{page}"));
    rest.split_once(end).unwrap().0.to_owned()
}
