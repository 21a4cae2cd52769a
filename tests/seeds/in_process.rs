//! A system in the process of the tests, which control its clock and its database.

use super::machine;
use super::nginx::Nginx;
use super::stand_in::{Call, StandIn};
use super::system::{example, proxy_of, request, send};
use crate::support::browser::Browser;
use crate::support::deployment::free_address;
use crate::support::device::Answer;
use crate::support::machine::Machine;
use crate::support::tenant::user_of;
use crate::support::{OPERATOR, TestApp};
use doorcode::app::access::Caller;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A system with the files of a folder of `examples/`, whose API answers every request with 200.
pub struct InProcess {
    folder: &'static str,
    /// The server.
    pub test: TestApp,
    /// URL of the protected API, which is that of the proxy.
    api: String,
    calls: Arc<Mutex<Vec<Call>>>,
    _nginx: Nginx,
    _stand_in: StandIn,
}

impl InProcess {
    /// Starts the system of a folder, without users.
    pub async fn start(folder: &'static str) -> Self {
        let settings = example(folder, "doorcode.toml");
        // The addresses are those of the test.
        let is_address = |line: &str| line.starts_with("listen") || line.starts_with("public_url");
        let settings: Vec<_> = settings.lines().filter(|line| !is_address(line)).collect();
        let test = TestApp::empty(&settings.join("\n")).await;
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let kept = calls.clone();
        let stand_in = StandIn::start(move |call: Call| {
            let answer = call.echo();
            kept.lock().unwrap().push(call);
            async { (200, answer) }
        });
        let server = test.url.strip_prefix("http://").unwrap().parse().unwrap();
        let address = free_address();
        Self {
            folder,
            test,
            api: format!("http://{address}"),
            calls,
            _nginx: Nginx::start(&proxy_of(folder, [server, stand_in.address, address])),
            _stand_in: stand_in,
        }
    }

    /// Calls the protected API, such as `GET /v1/servers`; without a token if it is empty.
    pub async fn api(&self, route: &str, token: &str) -> Answer {
        self.api_with(route, token, &[]).await
    }

    /// The same with more headers.
    pub async fn api_with(&self, route: &str, token: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = request(&self.api, route);
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(request).await
    }

    /// The last request that reached the API.
    pub fn last_call(&self) -> Call {
        let calls = self.calls.lock().unwrap();
        calls.last().unwrap().clone()
    }

    /// The server's answer about a token.
    pub async fn introspect(&self, token: &str) -> Value {
        let request = request(&self.test.url, "POST /auth/introspect").bearer_auth(OPERATOR);
        send(request.form(&[("token", token)])).await.body
    }

    /// Calls Doorcode's own API as the operator.
    pub async fn operate(&self, route: &str, body: Value) -> Answer {
        let request = request(&self.test.url, route).bearer_auth(OPERATOR);
        let request = request.header("idempotency-key", self.test.app.draw_request_id().as_ref());
        send(request.json(&body)).await
    }

    /// A token that the operator creates for a user.
    pub async fn token_for(&self, user: &Caller, name: &str) -> String {
        let request = request(&self.test.url, "POST /v1/tokens")
            .bearer_auth(OPERATOR)
            .header("x-actor-user-id", user_of(user).as_str())
            .header("idempotency-key", self.test.app.draw_request_id().as_ref())
            .json(&json!({"name": name, "scopes": [], "expires": "90d"}));
        let answer = send(request).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["token"].as_str().unwrap().to_owned()
    }

    /// Revokes a token on a page, whose path is that of the list.
    pub async fn revoke_on_page(&self, browser: &mut Browser, (list, token): (&str, &str)) {
        let introspected = self.introspect(token).await;
        let path = format!("{list}/{}/revoke", introspected["jti"].as_str().unwrap());
        let question = browser.get(&path).await;
        assert_eq!(question.status, 200, "{}", question.body);
        assert_eq!(browser.post(&path, &[]).await.status, 303);
    }

    /// A machine with the CLI of the system.
    pub fn machine(&self) -> Machine {
        machine::with_host(self.folder, &self.test.url)
    }
}
