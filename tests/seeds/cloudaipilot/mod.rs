//! CloudAIPilot: tokens that may do what the account of their owner may.

mod failures;
mod tokens;

use super::in_process::InProcess;
use crate::support::PASSWORD;
use crate::support::browser::Browser;
use doorcode::app::access::Caller;
use doorcode::app::client::Kind;
use doorcode::domain::org::Organization;
use doorcode::domain::role::Role;

/// A call for every account, one for admins and one for owners.
const LIST: &str = "GET /v1/servers";
const DELETE: &str = "DELETE /v1/servers/srv_1";
const BILLING: &str = "GET /v1/billing";

/// The company Pilot with accounts of each role.
struct Company {
    system: InProcess,
    pilot: Organization,
    admin: Caller,
    member: Caller,
}

impl Company {
    async fn start() -> Self {
        let system = InProcess::start("cloudaipilot").await;
        let test = &system.test;
        test.add_client("cloudaipilot-cli", Kind::Public, &[]).await;
        let owner = test.caller("owner@example.com").await;
        let pilot = test.organization(&owner, "Pilot").await;
        let admin = test.caller("admin@example.com").await;
        test.add_member(&pilot, &admin, Role::Admin).await;
        let member = test.caller("member@example.com").await;
        test.add_member(&pilot, &member, Role::Member).await;
        Self {
            system,
            pilot,
            admin,
            member,
        }
    }

    async fn browser(&self, role: &str) -> Browser {
        let mut browser = self.system.test.browser();
        let email = format!("{role}@example.com");
        browser.sign_in(&email, PASSWORD).await;
        browser
    }

    /// A token that an owner or admin creates on the page.
    async fn token(&self, role: &str) -> String {
        let mut browser = self.browser(role).await;
        browser.new_token("of a test", &[], "30d").await
    }

    /// A token of the member's account, which only the operator can create.
    async fn token_of_member(&self) -> String {
        self.system.token_for(&self.member, "of a member").await
    }

    /// Revokes a token on its page.
    async fn revoke(&self, browser: &mut Browser, token: &str) {
        self.system
            .revoke_on_page(browser, ("/tokens", token))
            .await;
    }

    /// Status of a request through the proxy.
    async fn status(&self, request: &str, token: &str) -> u16 {
        self.system.api(request, token).await.status
    }
}
