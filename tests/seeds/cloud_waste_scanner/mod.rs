//! An API on a workstation, whose only credential is the operator token.

mod calls;
mod exposure;
mod rotation;

use super::shared::Shared;
use super::stand_in::Call;
use super::system::{Plan, System};
use serde_json::{Value, json};
use std::sync::Arc;

const FOLDER: &str = "cloud-waste-scanner";

/// A route that needs the token.
const SCAN: &str = "POST /v1/scans";

/// The API: a scan of the selected accounts, or of all of them.
async fn api(call: Call) -> (u16, Value) {
    if call.route != SCAN {
        return (200, call.echo());
    }
    let accounts = call.body.get("selected_accounts").cloned();
    let accounts = accounts.unwrap_or_else(|| json!("all"));
    let kind = call.header("x-auth-token-kind");
    (
        202,
        json!({"id": "scan_1", "accounts": accounts, "by": kind}),
    )
}

/// A system of its own, for a test that changes the token or the settings.
fn start() -> System {
    Plan::of(FOLDER).start(api)
}

/// The system of the tests that change nothing.
async fn shared() -> Arc<System> {
    static SYSTEM: Shared<System> = Shared::new();
    SYSTEM.get(async || start()).await
}

/// Status code of a scan with a token.
async fn scan(system: &System, token: &str) -> u16 {
    system.call(SCAN, token).await.status
}
