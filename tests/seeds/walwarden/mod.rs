//! walwarden: API tokens of organizations, which need a plan.

mod audit;
mod errors;
mod issue;
mod plan;
mod reveal;
mod scopes;

use super::in_process::InProcess;
use crate::support::PASSWORD;
use crate::support::browser::{Browser, Page};
use doorcode::domain::org::Organization;
use doorcode::domain::role::Role;
use serde_json::{Value, json};

/// The page of the tokens.
const PAGE: &str = "/o/acme/settings/api-tokens";
/// A call that needs `databases:read`, and one that needs `databases:write` and a key.
const LIST: &str = "GET /api/v1/databases";
const CREATE: &str = "POST /api/v1/databases";

/// Acme on the plan `team`, with a user of each role.
struct Dashboard {
    system: InProcess,
    acme: Organization,
}

impl Dashboard {
    async fn start() -> Self {
        let dashboard = Self::on_free_plan().await;
        dashboard.change(json!({"plan": "team"})).await;
        dashboard
    }

    /// Acme as it is created.
    async fn on_free_plan() -> Self {
        let system = InProcess::start("walwarden").await;
        let test = &system.test;
        let owner = test.caller("owner@example.com").await;
        let acme = test.organization(&owner, "Acme").await;
        for (email, role) in [
            ("admin@example.com", Role::Admin),
            ("member@example.com", Role::Member),
        ] {
            let user = test.caller(email).await;
            test.add_member(&acme, &user, role).await;
        }
        Self { system, acme }
    }

    /// Changes Acme as the operator, at once.
    async fn change(&self, change: Value) {
        let mut body = change;
        body["grace_seconds"] = json!(0);
        let (status, answer) = self.operator("PATCH /v1/orgs/acme", body).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// A call of the operator to the management API, with its status.
    async fn operator(&self, route: &str, body: Value) -> (u16, Value) {
        let answer = self.system.operate(route, body).await;
        (answer.status, answer.body)
    }

    /// Revokes a token on its page.
    async fn revoke(&self, browser: &mut Browser, token: &str) {
        self.system.revoke_on_page(browser, (PAGE, token)).await;
    }

    async fn browser(&self, role: &str) -> Browser {
        let mut browser = self.system.test.browser();
        let email = format!("{role}@example.com");
        browser.sign_in(&email, PASSWORD).await;
        browser
    }

    /// A token of Acme that an admin issues on the page.
    async fn token(&self, name: &str, scopes: &[&str]) -> String {
        let mut admin = self.browser("admin").await;
        let page = issue(&mut admin, name, scopes).await;
        page.attribute("data-token")
            .unwrap_or_else(|| panic!("{} {}", page.status, page.body))
    }

    /// Status of a request through the proxy.
    async fn status(&self, request: &str, token: &str) -> u16 {
        self.system.api(request, token).await.status
    }

    /// The id of a token.
    async fn id(&self, token: &str) -> String {
        let introspected = self.system.introspect(token).await;
        introspected["jti"].as_str().unwrap().to_owned()
    }
}

/// Issues a token on the page of Acme.
async fn issue(browser: &mut Browser, name: &str, scopes: &[&str]) -> Page {
    browser.get(&format!("{PAGE}/new")).await;
    let mut fields = vec![("name", name), ("expires", "never")];
    fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
    browser.post(&format!("{PAGE}/new"), &fields).await
}
