//! Organizations, their users, projects, tokens and policies, as scenarios through the management
//! API.

mod client_change;
mod descendants;
mod descendants_page;
mod grace;
mod invitation;
mod leaving;
mod limit;
mod member;
mod policy;
mod project;
mod race;
mod random;
mod rename;
mod revocation;
mod rotation;
mod source;
mod tree;
mod visible_tokens;

use crate::support::TestApp;
use crate::support::device::Answer;
use crate::support::tenant::{input, text_of};
use doorcode::app::access::Caller;
use doorcode::app::token::CreateToken;
use reqwest::Method;
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every built-in scope.
const EVERYTHING: [&str; 7] = [
    "audit:read",
    "orgs:read",
    "orgs:write",
    "projects:read",
    "projects:write",
    "tokens:read",
    "tokens:write",
];

/// A client of the management API with a token.
struct Client<'a> {
    test: &'a TestApp,
    token: String,
}

impl<'a> Client<'a> {
    fn new(test: &'a TestApp, token: &str) -> Self {
        Self {
            test,
            token: token.to_owned(),
        }
    }

    /// A user with a token that has every scope.
    async fn of(test: &'a TestApp, caller: &Caller) -> Self {
        Self::with(test, caller, input(&EVERYTHING)).await
    }

    async fn with(test: &'a TestApp, caller: &Caller, input: CreateToken) -> Self {
        let token = test.token_of(caller, input).await;
        Self::new(test, text_of(&token))
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        static KEY: AtomicU64 = AtomicU64::new(0);
        let key = KEY.fetch_add(1, Ordering::Relaxed).to_string();
        let mut request = self
            .test
            .anon()
            .request(method.clone(), self.test.at(path))
            .bearer_auth(&self.token);
        if method == Method::POST {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    /// The ids of all items of a list, page by page; the URL must have a query.
    async fn all(&self, list: &str) -> Vec<Value> {
        let (mut ids, mut path) = (Vec::new(), list.to_owned());
        loop {
            let page = expect(self.get(&path).await, 200);
            let items = page["items"].as_array().unwrap();
            ids.extend(items.iter().map(|item| item["id"].clone()));
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("{list}&cursor={cursor}"),
                None => return ids,
            }
        }
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// Whether the token can be used.
    async fn is_active(&self) -> bool {
        self.get("/v1/me").await.status == 200
    }
}

/// Returns the body; panics with the whole response if the status differs.
#[track_caller]
fn expect(answer: Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    answer.body
}

/// Returns the body; panics unless the response is a problem with this status and code.
#[track_caller]
fn refused(answer: Answer, status: u16, code: &str) -> Value {
    let body = expect(answer, status);
    assert_eq!(body["code"], code, "{body}");
    body
}
