//! Access rules of the pages: every page of organizations, for every role, in the user's own and
//! in another organization. A page missing from this table fails the suite.

use crate::csrf::{Scene, addresses, borrowed};
use crate::support::browser::{Browser, Page};
use crate::support::{PASSWORD, TestApp};
use doorcode::domain::role::Role;
use std::collections::BTreeSet;

/// The lowest role that may open a page.
const PAGES: [(&str, Role); 25] = [
    ("/o/{org}", Role::Member),
    ("/o/{org}/audit", Role::Admin),
    ("/o/{org}/audit/export", Role::Admin),
    ("/o/{org}/delete", Role::Owner),
    ("/o/{org}/invitations/{id}/link", Role::Admin),
    ("/o/{org}/invitations/{id}/sent", Role::Admin),
    ("/o/{org}/invitations/{id}/withdraw", Role::Admin),
    ("/o/{org}/leave", Role::Member),
    ("/o/{org}/members", Role::Member),
    ("/o/{org}/members/{user}/remove", Role::Admin),
    ("/o/{org}/projects", Role::Member),
    ("/o/{org}/projects/new", Role::Admin),
    ("/o/{org}/projects/{project}", Role::Member),
    ("/o/{org}/projects/{project}/delete", Role::Admin),
    (
        "/o/{org}/projects/{project}/members/{user}/remove",
        Role::Admin,
    ),
    ("/o/{org}/settings/api-tokens", Role::Member),
    ("/o/{org}/settings/api-tokens/new", Role::Admin),
    ("/o/{org}/settings/api-tokens/revoke-all", Role::Admin),
    ("/o/{org}/settings/api-tokens/{id}", Role::Admin),
    ("/o/{org}/settings/api-tokens/{id}/revoke", Role::Admin),
    ("/o/{org}/settings/api-tokens/{id}/rotate", Role::Admin),
    ("/o/{org}/settings/api-tokens/{id}/secret", Role::Admin),
    ("/o/{org}/settings/policy", Role::Member),
    ("/o/{org}/tokens", Role::Admin),
    // The token belongs to an owner.
    ("/o/{org}/tokens/{id}/block", Role::Owner),
];

/// The lowest role that may submit a form.
const FORMS: [(&str, Role); 24] = [
    ("/o/{org}/audit/verify", Role::Admin),
    ("/o/{org}/delete", Role::Owner),
    ("/o/{org}/invitations", Role::Admin),
    ("/o/{org}/invitations/{id}/send", Role::Admin),
    ("/o/{org}/invitations/{id}/withdraw", Role::Admin),
    ("/o/{org}/leave", Role::Member),
    ("/o/{org}/members/{user}/password-reset", Role::Admin),
    ("/o/{org}/members/{user}/remove", Role::Admin),
    ("/o/{org}/members/{user}/role", Role::Admin),
    ("/o/{org}/name", Role::Admin),
    ("/o/{org}/projects/new", Role::Admin),
    ("/o/{org}/projects/{project}/delete", Role::Admin),
    ("/o/{org}/projects/{project}/members", Role::Admin),
    (
        "/o/{org}/projects/{project}/members/{user}/remove",
        Role::Admin,
    ),
    ("/o/{org}/projects/{project}/name", Role::Admin),
    ("/o/{org}/settings/api-tokens/new", Role::Admin),
    ("/o/{org}/settings/api-tokens/revoke-all", Role::Admin),
    ("/o/{org}/settings/api-tokens/{id}/name", Role::Admin),
    ("/o/{org}/settings/api-tokens/{id}/revoke", Role::Admin),
    ("/o/{org}/settings/api-tokens/{id}/rotate", Role::Admin),
    ("/o/{org}/settings/policy", Role::Owner),
    ("/o/{org}/tokens/{id}/ask-to-rotate", Role::Owner),
    ("/o/{org}/tokens/{id}/block", Role::Owner),
    ("/o/{org}/tokens/{id}/unblock", Role::Owner),
];

/// Not in the tables: it shows and takes only a policy to review.
const APPLY: &str = "/o/{org}/settings/policy/apply";

fn of_organizations(kind: &str) -> BTreeSet<String> {
    let mut all = addresses(kind);
    all.retain(|address| address.starts_with("/o/{org}"));
    all
}

#[test]
fn every_page_has_its_role() {
    let listed = |table: &[(&str, Role)]| -> BTreeSet<String> {
        table.iter().map(|(path, _)| (*path).to_owned()).collect()
    };
    let mut pages = listed(&PAGES);
    pages.insert(APPLY.to_owned());
    assert_eq!(pages, of_organizations("read"));
    let mut forms = listed(&FORMS);
    forms.insert(APPLY.to_owned());
    assert_eq!(forms, of_organizations("post"));
}

/// A user's browser, and the user's role in the tested organization.
struct Visitor {
    browser: Browser,
    role: Option<Role>,
}

async fn visitor(test: &TestApp, name: &str, organization: &str, role: Role) -> Visitor {
    let email = format!("{name}@visitors.example");
    let organization = Some((organization, role));
    test.add_user(&email, PASSWORD, organization).await;
    let mut browser = test.browser();
    browser.sign_in(&email, PASSWORD).await;
    // Loading a page gives the browser a CSRF token.
    browser.get("/account").await;
    Visitor {
        browser,
        role: organization
            .filter(|(name, _)| *name == "Acme")
            .map(|(_, role)| role),
    }
}

/// The text of a rejection, without the parts that differ between users.
fn words(page: &Page) -> String {
    let (_, main) = page.body.split_once("<main").unwrap();
    let id = page.headers["x-request-id"].to_str().unwrap();
    main.replace(id, "")
}

#[actix_web::test]
async fn users_can_open_and_submit_only_what_their_role_allows() {
    let mut scene = Scene::new().await;
    let test = &scene.test;
    let mut visitors = vec![
        visitor(test, "member", "Acme", Role::Member).await,
        visitor(test, "admin", "Acme", Role::Admin).await,
        visitor(test, "owner", "Acme", Role::Owner).await,
        visitor(test, "stranger", "Rival", Role::Owner).await,
    ];
    let added = format!("/o/acme/projects/{}/members", scene.names.project);
    let ids = "SELECT id FROM users WHERE email = 'member@visitors.example'";
    let member = test.database.text(ids);
    scene.browser.post(&added, &[("member", &member)]).await;

    let mut anonymous = test.browser();
    anonymous.get("/login").await;
    let before = test.unread();
    let (mut asked, mut refused) = (0, 0);
    for (address, least) in PAGES {
        let path = scene.names.fill(address, address);
        let absent = path.replacen("/o/acme", "/o/nobody", 1);
        assert_eq!(anonymous.get(&path).await.status, 303, "{path}");
        for visitor in &mut visitors {
            let here = visitor.browser.get(&path).await;
            let nowhere = visitor.browser.get(&absent).await;
            assert_eq!(nowhere.status, 403, "{absent}: {:?}", visitor.role);
            asked += 2;
            refused += 1;
            if visitor.role >= Some(least) {
                assert_eq!(here.status, 200, "{path}: {:?}", visitor.role);
                continue;
            }
            refused += 1;
            assert_eq!(here.status, 403, "{path}: {:?}", visitor.role);
            if visitor.role.is_none() {
                assert_eq!(words(&here), words(&nowhere), "{path}");
            }
        }
    }
    let apply = [(APPLY, Role::Owner)];
    for (address, least) in FORMS.into_iter().chain(apply) {
        let path = scene.names.fill(address, address);
        let absent = path.replacen("/o/acme", "/o/nobody", 1);
        let (_, fields) = scene.forms.iter().find(|(at, _)| *at == path).unwrap();
        let fields = borrowed(fields);
        let status = anonymous.post(&path, &fields).await.status;
        assert!([303, 403].contains(&status), "{path}: {status}");
        for visitor in &mut visitors {
            let nowhere = visitor.browser.post(&absent, &fields).await;
            assert_eq!(nowhere.status, 403, "{absent}: {:?}", visitor.role);
            asked += 1;
            refused += 1;
            if visitor.role >= Some(least) {
                continue;
            }
            let here = visitor.browser.post(&path, &fields).await;
            asked += 1;
            refused += 1;
            assert_eq!(here.status, 403, "{path}: {:?}", visitor.role);
            if visitor.role.is_none() {
                assert_eq!(words(&here), words(&nowhere), "{path}");
            }
        }
    }
    assert!(test.unread() == before, "a refusal changed something");
    println!("{asked} visits to pages of organizations, {refused} of them refused");
    assert!(asked > 200 && refused > 150, "{asked} {refused}");
}
