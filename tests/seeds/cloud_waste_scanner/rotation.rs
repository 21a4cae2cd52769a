//! The token: where it comes from, and how it is replaced.

use super::{FOLDER, api, scan, shared, start};
use crate::seeds::system::Plan;
use crate::support::deployment::mode;

/// Rotates the token and ends the old one immediately. Returns both.
fn rotate(system: &crate::seeds::system::System) -> (String, String) {
    let old = system.operator();
    let rotate = ["operator", "rotate", "--overlap", "0"];
    let rotated = system.command(&rotate).run().exited(0);
    rotated.says(&["The old token has ended."]);
    let new = system.operator();
    assert_ne!(old, new);
    (old, new)
}

/// The API access token is found and copied in Settings > Network, field "API Access Token". (here:
/// the operator token, re-readable by whoever can read its 0600 file)
///
/// Differently: `doorcode operator show` prints it; no page does, so that a stolen browser session does
/// not yield the token that passes every check.
#[actix_web::test]
async fn a_01_token_can_be_read_again() {
    let system = shared().await;
    for _ in 0..2 {
        let shown = system.command(&["operator", "show"]).run().exited(0);
        assert_eq!(shown.stdout.trim(), system.operator());
    }
    let file = system.deployment.path("data/operator_token");
    assert_eq!(mode(&file), 0o600);
}

/// On first startup with an empty token, one is generated automatically in the form
/// `cws_<random>`.
#[actix_web::test]
async fn a_02_first_start_generates_a_token() {
    let empty = Plan::of(FOLDER).set("DOORCODE_OPERATOR_TOKEN", "");
    let systems = [start(), empty.start(api)];
    let tokens = systems.each_ref().map(|system| system.operator());
    assert_ne!(tokens[0], tokens[1]);
    for (system, token) in systems.iter().zip(&tokens) {
        let random = token.strip_prefix("cws_").unwrap();
        assert_eq!(random.len(), 48);
        assert!(random.chars().all(|c| c.is_ascii_hexdigit()), "{token}");
        assert_eq!(scan(system, token).await, 202);
    }
}

/// After changing token, host or port, the change applies on save + full restart.
#[actix_web::test]
async fn a_03_changes_apply_after_a_restart() {
    let system = start();
    let (before, old) = (system.api.clone(), system.operator());
    let new = "cws_7f3a9c51e8d24b60a1c7f3e95d8b2046e9c3a71d5b8f2046";
    let system = system.restart_with(|plan| {
        plan.move_to_other_addresses()
            .write("data/operator_token", &format!("{new}\n"))
    });
    assert_ne!(system.api, before);
    assert_eq!(scan(&system, new).await, 202);
    assert_eq!(scan(&system, &old).await, 401);
    let moved = crate::support::http().get(&before).send().await;
    assert!(moved.unwrap_err().is_connect());
}

/// Rotation: generate and save a new token in Settings > Network.
///
/// Differently: `doorcode operator rotate` generates and saves it; the pages have no button, since the
/// new token would have to be shown there, see A1.
#[actix_web::test]
async fn a_15_new_token_is_generated_and_saved() {
    let system = start();
    let (_, new) = rotate(&system);
    assert!(new.starts_with("cws_"), "{new}");
    assert_eq!(system.read("data/operator_token"), format!("{new}\n"));
}

/// After the restart the API middleware checks the new token; the old one no longer works.
#[actix_web::test]
async fn a_16_old_token_ends_with_the_restart_at_the_latest() {
    let system = start();
    let (old, new) = rotate(&system);
    system.restart();
    assert_eq!(scan(&system, &new).await, 202);
    assert_eq!(scan(&system, &old).await, 401);
}

/// Rotation checklist covers: update every client; delete old copies from scripts, CI logs and
/// chat history.
#[actix_web::test]
async fn a_18_rotation_prints_a_checklist() {
    let system = start();
    let rotated = system.command(&["operator", "rotate"]).run().exited(0);
    rotated.says(&[
        "Give the new token to every client",
        "Delete old copies from scripts, CI variables and logs, and chat history",
    ]);
}

/// On suspected exposure: new token generated and saved at once, restart, old credentials revoked
/// in all external jobs.
#[actix_web::test]
async fn a_19_exposed_token_ends_at_once() {
    let system = start();
    assert_eq!(scan(&system, &system.operator()).await, 202);
    let (old, new) = rotate(&system);
    assert_eq!(scan(&system, &old).await, 401);
    assert_eq!(scan(&system, &new).await, 202);
    system.restart();
    assert_eq!(scan(&system, &old).await, 401);
    assert_eq!(scan(&system, &new).await, 202);
}

/// Rotation can be done immediately, at any time.
#[actix_web::test]
async fn a_22_rotation_is_possible_at_any_time() {
    let system = start();
    let mut ended = Vec::new();
    for _ in 0..3 {
        let (old, new) = rotate(&system);
        ended.push(old);
        assert_eq!(scan(&system, &new).await, 202);
        for old in &ended {
            assert_eq!(scan(&system, old).await, 401);
        }
    }
}
