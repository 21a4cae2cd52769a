//! Connections that are reset or never answered, in each step of a sign-in.

use super::Machine;
use super::fake_server::{FakeServer, Reply};
use serde_json::json;
use std::time::{Duration, Instant};

/// A server whose next response in this step is cut off by a reset.
fn resetting(step: &'static str) -> FakeServer {
    let mut is_reset = false;
    let mut polls = 0;
    FakeServer::start(move |path| {
        if path == step && !std::mem::replace(&mut is_reset, true) {
            return Reply::Reset(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"acc".to_vec());
        }
        match path {
            "/auth/device" => Reply::json(
                200,
                &json!({
                    "device_code": "device", "user_code": "WDJB-MJHT",
                    "verification_uri": "https://auth.example.com/device",
                    "verification_uri_complete": "https://auth.example.com/device?user_code=W",
                    "expires_in": 600, "interval": 1,
                }),
            ),
            "/auth/device/token" => {
                polls += 1;
                match polls {
                    1 if step != "/auth/device/token" => {
                        Reply::json(400, &json!({"error": "authorization_pending"}))
                    }
                    _ => Reply::json(
                        200,
                        &json!({"access_token": "dc_1", "token_type": "Bearer", "scope": "orgs:read"}),
                    ),
                }
            }
            "/v1/me" => Reply::json(
                200,
                &json!({
                    "user": {
                        "id": "usr_1", "name": "Ada", "email": "ada@example.com",
                        "email_verified": true
                    },
                    "token": {
                        "id": "tok_1", "kind": "personal", "name": "laptop", "hint": "dc_…1",
                        "created_at": "2026-01-01T00:00:00Z", "expires_at": null
                    },
                    "scopes": ["orgs:read"], "organizations": [], "projects": []
                }),
            ),
            _ => Reply::json(404, &json!({})),
        }
    })
}

/// Before the code there is nothing to lose; after it, the sign-in goes on.
#[test]
fn reset_connection_loses_no_sign_in() {
    for (step, code) in [
        ("/auth/device", 1),
        ("/auth/device/token", 0),
        ("/v1/me", 0),
    ] {
        let server = resetting(step);
        let machine = Machine::at(&format!("http://{}", server.address));
        let finished = machine.command(&["login", "--no-browser"]).run();
        assert_eq!(finished.code, Some(code), "{step}: {finished:#?}");
        if code == 0 {
            finished.says(&["as Ada <ada@example.com>."]);
            assert_eq!(machine.token(), "dc_1");
        } else {
            finished.complains(&["error: Cannot reach"]);
            assert!(machine.everything().is_empty(), "{step}");
        }
    }
}

/// The time limit of a response, which no other test waits for.
#[test]
fn server_that_never_responds_is_given_up_after_15_seconds() {
    let server = FakeServer::start(|_| Reply::Hang);
    let machine = Machine::at(&format!("http://{}", server.address));
    let start = Instant::now();
    let whoami = machine.command(&["whoami"]).env("DOORCODE_TOKEN", "dc_0");
    let failed = whoami.run().exited(1);
    failed.complains(&["error: Cannot reach", "in time"]);
    let waited = start.elapsed();
    assert!(waited >= Duration::from_secs(15), "{waited:?}");
    assert!(waited < Duration::from_secs(30), "{waited:?}");
}
