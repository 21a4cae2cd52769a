//! CMDOP: personal tokens that follow their user, and tokens that belong to a fleet.

mod cabinet;
mod cli;
mod rotation;
mod tokens;

use super::in_process::InProcess;
use crate::support::browser::{Browser, Page};
use crate::support::tenant::{input, text_of};
use crate::support::{OPERATOR, PASSWORD};
use doorcode::app::access::Caller;
use doorcode::app::client::Kind;
use doorcode::app::token::{CreateToken, NewToken};
use doorcode::domain::org::Organization;
use doorcode::domain::role::Role;
use serde_json::Value;

/// The scopes, in the order of the guide.
const SCOPES: [&str; 8] = [
    "machines:read",
    "machines:write",
    "commands:execute",
    "files:read",
    "files:write",
    "schedules:manage",
    "agent:invoke",
    "permissions:manage",
];
/// The tokens of the fleet Alpha.
const ALPHA_TOKENS: &str = "/o/alpha/settings/api-tokens";
const MIA: &str = "mia@example.com";

/// The fleets Alpha and Beta of Ada, and Gamma of another user. Mia is a member of Alpha and Beta.
struct Fleets {
    system: InProcess,
    ada: Caller,
    mia: Caller,
    alpha: Organization,
    beta: Organization,
}

impl Fleets {
    async fn start() -> Self {
        let system = InProcess::start("cmdop").await;
        let test = &system.test;
        test.add_client("cmdop-cli", Kind::Public, &SCOPES).await;
        let ada = test.caller("ada@example.com").await;
        let mia = test.caller(MIA).await;
        let other = test.caller("other@example.com").await;
        let alpha = test.organization(&ada, "Alpha").await;
        let beta = test.organization(&ada, "Beta").await;
        test.organization(&other, "Gamma").await;
        for fleet in [&alpha, &beta] {
            test.add_member(fleet, &mia, Role::Member).await;
        }
        Self {
            system,
            ada,
            mia,
            alpha,
            beta,
        }
    }

    async fn browser(&self, email: &str) -> Browser {
        let mut browser = self.system.test.browser();
        browser.sign_in(email, PASSWORD).await;
        browser
    }

    async fn ada(&self) -> Browser {
        self.browser("ada@example.com").await
    }

    /// A personal token that lists machines.
    async fn personal(&self, user: &Caller) -> String {
        let made = self.system.test.token_of(user, input(&["machines:read"]));
        text_of(&made.await).to_owned()
    }

    /// A token of Alpha with these scopes.
    async fn fleet_token(&self, name: &str, scopes: &[&str]) -> NewToken {
        let input = CreateToken {
            name: name.into(),
            ..input(scopes)
        };
        let test = &self.system.test;
        test.organization_token(&self.alpha, input).await
    }

    /// Status of listing the machines of a fleet through the proxy.
    async fn machines(&self, fleet: &str, token: &str) -> u16 {
        let request = format!("GET /v1/fleets/{fleet}/machines");
        self.system.api(&request, token).await.status
    }

    /// The records of an action in the audit log, the latest first.
    async fn records(&self, query: &str) -> Vec<Value> {
        let test = &self.system.test;
        test.settle().await;
        let request = test.anon().get(test.at(&format!("/v1/audit{query}")));
        let answer = request.bearer_auth(OPERATOR).send().await.unwrap();
        let body: Value = answer.json().await.unwrap();
        body["items"].as_array().unwrap().clone()
    }
}

/// Creates a token with a form of the cabinet.
async fn create(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Page {
    browser.get(&format!("{path}/new")).await;
    browser.post(&format!("{path}/new"), fields).await
}
