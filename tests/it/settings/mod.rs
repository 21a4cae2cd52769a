//! Systems that differ from the defaults by configuration alone.

mod policy;
mod routes;
mod scopes;

use crate::support::TestApp;
use crate::support::device::Answer;
use reqwest::Method;
use serde_json::Value;

/// Calls the management API with a body.
async fn post(test: &TestApp, path: &str, token: &str, body: Value) -> Answer {
    send(test, Method::POST, (path, token), body).await
}

/// Reads from the management API.
async fn get(test: &TestApp, path: &str, token: &str) -> Answer {
    let request = test.anon().get(test.at(path)).bearer_auth(token);
    Answer::of(request.send().await.unwrap()).await
}

/// Calls a path of the management API with any method, a token and a body.
async fn send(test: &TestApp, method: Method, at: (&str, &str), body: Value) -> Answer {
    let request = test
        .anon()
        .request(method, test.at(at.0))
        .bearer_auth(at.1)
        .header("idempotency-key", test.app.draw_request_id().as_ref())
        .json(&body);
    Answer::of(request.send().await.unwrap()).await
}

/// Status of the decision about a request for a route, as nginx asks for it.
async fn route(test: &TestApp, asked: &str, token: &str) -> u16 {
    verify(test, asked, token, &[]).await.status
}

/// Decision about a request for a route, with more headers of the client.
async fn verify(test: &TestApp, asked: &str, token: &str, headers: &[(&str, &str)]) -> Answer {
    let (method, path) = asked.split_once(' ').unwrap();
    let mut request = test
        .anon()
        .get(test.at("/auth/verify"))
        .bearer_auth(token)
        .header("x-original-method", method)
        .header("x-original-uri", path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request.send().await.unwrap()).await
}
