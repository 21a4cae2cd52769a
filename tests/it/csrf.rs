//! CSRF: every form that changes something is rejected unless the user submits it from a page of
//! this server.

mod console;
mod form;

use crate::pages::after;
use crate::support::browser::Browser;
use crate::support::source::files;
use crate::support::tenant::OPERATOR;
use crate::support::{API, EMAIL, PASSWORD, TestApp};
use doorcode::app::user::{self, Named};
use doorcode::domain::role::Role;
use form::FORMS;
use std::collections::BTreeSet;

/// The paths that have a handler of this kind, `read` or `post`, according to the source.
pub fn addresses(kind: &str) -> BTreeSet<String> {
    let handler = format!("{kind}(");
    let mut addresses = BTreeSet::new();
    for file in files("src/web/pages") {
        let source = std::fs::read_to_string(file).unwrap();
        let resources = source.split(".service(resource(").skip(1);
        addresses.extend(
            resources
                .map(|resource| resource.split("\n        .service(").next().unwrap())
                .map(|resource| resource.split("\n}").next().unwrap())
                .filter(|resource| resource.contains(&handler))
                .map(|resource| resource.split('"').nth(1).unwrap().to_owned()),
        );
    }
    assert!(
        addresses.len() > 30,
        "the list is made from the source: {addresses:?}"
    );
    addresses
}

/// A signed-in user with everything that the forms could change.
pub struct Scene {
    pub test: TestApp,
    pub browser: Browser,
    /// Every form, with the ids and codes of the scene.
    pub forms: Vec<(String, Vec<(&'static str, String)>)>,
    pub names: Names,
}

/// Values for the placeholders in paths and fields.
pub struct Names {
    code: String,
    ticket: String,
    link: String,
    reset: String,
    user: String,
    pub project: String,
    invitation: String,
    session: String,
    token: String,
    organization_token: String,
}

impl Names {
    /// Replaces the placeholders in a path or field of the table. `address` determines the value
    /// of `{id}`.
    pub fn fill(&self, text: &str, address: &str) -> String {
        let id = match address {
            address if address.starts_with("/account") => &self.session,
            address if address.starts_with("/devices/browsers") => &self.session,
            address if address.contains("/invitations") => &self.invitation,
            address if address.contains("/api-tokens") => &self.organization_token,
            _ => &self.token,
        };
        [
            ("{org}", "acme"),
            ("{client}", API),
            ("{code}", &self.code),
            ("{ticket}", &self.ticket),
            ("{link}", &self.link),
            ("{reset}", &self.reset),
            ("{user}", &self.user),
            ("{project}", &self.project),
            ("{id}", id),
        ]
        .into_iter()
        .fold(text.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
    }
}

impl Scene {
    pub async fn new() -> Self {
        let test = TestApp::with("[organizations]\nmade_by = \"users\"").await;
        let member = test
            .add_user("bob@example.com", PASSWORD, Some(("Acme", Role::Member)))
            .await;
        test.token(&["tokens:read"]).await;
        let device = test.device("tokens:read").await;
        test.mark_operator(EMAIL, true).await;
        let mut browser = test.user().await;
        let consent = browser.type_code(&device.user_code).await;
        let tokens = browser.get("/tokens").await;
        let account = browser.get("/account/security").await;
        let invited = browser
            .post("/o/acme/invitations", &[("role", "member")])
            .await;
        let members = browser.get("/o/acme/members").await;
        let project = browser
            .post("/o/acme/projects/new", &[("name", "Website")])
            .await;
        let project = after(project.location(), "/projects/", '?');
        let path = format!("/o/acme/projects/{project}/members");
        browser.post(&path, &[("member", member.as_str())]).await;
        let fields = [("name", "build"), ("expires", "never")];
        browser
            .post("/o/acme/settings/api-tokens/new", &fields)
            .await;
        let tokens_page = browser.get("/o/acme/settings/api-tokens").await;
        let email = Named::Email(EMAIL.to_owned());
        let reset = user::create_reset(&test.req(&OPERATOR), email).await;
        let names = Names {
            reset: reset.unwrap().link.expose().to_owned(),
            code: device.user_code.clone(),
            ticket: consent.field("ticket").unwrap(),
            link: after(&invited.body, "/invite?link=", '<'),
            user: member.to_string(),
            project,
            invitation: after(&members.body, "/o/acme/invitations/", '/'),
            session: after(&account.body, "/account/sessions/", '/'),
            token: format!("tok_{}", after(&tokens.body, r#"href="/tokens/tok_"#, '"')),
            organization_token: format!(
                "tok_{}",
                after(&tokens_page.body, "/api-tokens/tok_", '"')
            ),
        };
        let forms = FORMS
            .iter()
            .chain(&console::FORMS)
            .map(|(address, fields)| {
                let fields = fields
                    .iter()
                    .map(|(name, value)| (*name, names.fill(value, address)));
                (names.fill(address, address), fields.collect())
            })
            .collect();
        Self {
            test,
            browser,
            forms,
            names,
        }
    }
}

pub fn borrowed<'a>(fields: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

/// CSR-01: the table above is complete.
#[test]
fn every_path_that_takes_a_form_is_in_the_table() {
    let tried: BTreeSet<_> = FORMS
        .iter()
        .chain(&console::FORMS)
        .map(|(address, _)| (*address).to_owned())
        .collect();
    assert_eq!(tried, addresses("post"));
}

/// CSR-01, SES-06, T-12.
#[actix_web::test]
async fn form_without_the_csrf_token_of_this_session_changes_nothing() {
    let Scene {
        test,
        mut browser,
        forms,
        ..
    } = Scene::new().await;
    let stranger = {
        let mut stranger = test.browser();
        stranger.get("/login").await;
        stranger.csrf
    };
    let other_session = {
        let mut other = test.user().await;
        other.get("/account").await;
        other.csrf
    };
    let own = {
        browser.get("/account").await;
        browser.csrf.clone()
    };
    let before = test.database.dump();
    for (address, fields) in &forms {
        let bare = browser.post_bare(address, &borrowed(fields)).await;
        // The sign-in form of another tab leads on, since the user is signed in.
        let refusal = if *address == "/login" { 303 } else { 403 };
        assert_eq!(bare.status, refusal, "{address}");
        let is_told = bare.contains("This form is out of date");
        assert_eq!(is_told, refusal == 403, "{address}");
        for csrf in [
            "",
            "x",
            &stranger,
            &other_session,
            &own[..63],
            &own.to_uppercase(),
        ] {
            let mut fields = borrowed(fields);
            fields.push(("csrf", csrf));
            let page = browser.post_bare(address, &fields).await;
            assert_eq!(page.status, refusal, "{address} with {csrf:?}");
        }
        let mut twice = borrowed(fields);
        twice.extend([("csrf", own.as_str()), ("csrf", own.as_str())]);
        assert_eq!(
            browser.post_bare(address, &twice).await.status,
            400,
            "{address}"
        );
        // In the query instead of the body.
        let query = format!("{address}?csrf={own}");
        assert_eq!(
            browser.post_bare(&query, &borrowed(fields)).await.status,
            refusal
        );
        // Without the visitor cookie that the token is bound to.
        let mut cookieless = browser.clone();
        cookieless.cookies.remove("doorcode_visitor");
        let mut fields = borrowed(fields);
        fields.push(("csrf", &own));
        assert_eq!(
            cookieless.post_bare(address, &fields).await.status,
            refusal,
            "{address}"
        );
    }
    assert!(before == test.database.dump(), "something was written");
}

/// CSR-01, CSR-02, DEV-36, T-12: requests that browsers send by themselves change nothing.
#[actix_web::test]
async fn get_request_to_any_path_changes_nothing() {
    let Scene {
        test,
        mut browser,
        forms,
        names,
    } = Scene::new().await;
    let own = browser.csrf.clone();
    let before = test.unread();
    for address in addresses("read") {
        for method in [reqwest::Method::GET, reqwest::Method::HEAD] {
            let address = names.fill(&address, &address);
            let request = browser.request(method.clone(), &address);
            let page = browser.send(request).await;
            assert!(
                matches!(page.status, 200 | 303 | 404),
                "{address}: {}",
                page.status
            );
            assert!(method == reqwest::Method::GET || page.body.is_empty());
        }
    }
    for (address, fields) in &forms {
        let mut fields = borrowed(fields);
        fields.push(("csrf", &own));
        let query = urlencode(&fields);
        for method in [
            reqwest::Method::GET,
            reqwest::Method::HEAD,
            reqwest::Method::PUT,
            reqwest::Method::DELETE,
        ] {
            let request = browser.request(method.clone(), &format!("{address}?{query}"));
            let page = browser.send(request).await;
            let is_read = method == reqwest::Method::GET || method == reqwest::Method::HEAD;
            assert!(
                page.status == 405 || (is_read && matches!(page.status, 200 | 303 | 404)),
                "{method} {address}: {}",
                page.status
            );
            if page.status == 405 {
                assert!(page.headers["allow"].to_str().unwrap().contains("POST"));
            }
        }
    }
    assert!(before == test.unread(), "something was written");
}

/// Fields as a query or a body.
pub fn urlencode(fields: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params("http://x/", fields).unwrap();
    url.query().unwrap_or_default().to_owned()
}
