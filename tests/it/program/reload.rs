//! Reload of the configuration: `doorcode config reload` and SIGHUP.

use crate::support::database::AUDIT;
use crate::support::deployment::Deployment;
use crate::support::http;
use crate::support::program::Running;
use serde_json::Value;

const BEFORE: &str = "[branding]\nname = \"Before\"\n";

/// A new name, a new scope and its route, and a setting that needs a restart.
const AFTER: &str = "[branding]\nname = \"After\"\n[audit]\nkeep_records = \"400d\"\n\
     [[scopes]]\nname = \"app:deploy\"\ndescription = \"Deploy\"\n\
     [[routes]]\nmatch = \"POST /deploys\"\nscope = \"app:deploy\"\n";

async fn start() -> (Deployment, Running) {
    let deployment = Deployment::with_user();
    deployment.write("doorcode.toml", BEFORE);
    let server = deployment.start();
    (deployment, server)
}

async fn get(deployment: &Deployment, path: &str) -> Value {
    let answer = http().get(deployment.at(path)).send().await.unwrap();
    answer.json().await.unwrap()
}

/// Name and scopes that the server publishes.
async fn published(deployment: &Deployment) -> (String, bool) {
    let metadata = get(deployment, "/.well-known/oauth-protected-resource").await;
    let scopes = metadata["scopes_supported"].as_array().unwrap();
    (
        metadata["resource_name"].as_str().unwrap().to_owned(),
        scopes.iter().any(|scope| scope == "app:deploy"),
    )
}

/// Whether `/auth/verify` knows the new route.
async fn knows_route(deployment: &Deployment) -> bool {
    let token = std::fs::read_to_string(deployment.path("data/operator_token")).unwrap();
    let asked = http()
        .get(deployment.at("/auth/verify"))
        .bearer_auth(token.trim())
        .header("x-original-method", "POST")
        .header("x-original-uri", "/deploys")
        .send()
        .await;
    asked.unwrap().status() == 204
}

fn reloads(deployment: &Deployment) -> i64 {
    let reloaded = "action = 'settings.changed' AND detail LIKE '%reloaded%'";
    deployment.database.count(AUDIT, reloaded)
}

#[actix_web::test]
async fn reload_applies_scopes_routes_and_branding_without_a_restart() {
    let (deployment, _server) = start().await;
    assert_eq!(published(&deployment).await, ("Before".to_owned(), false));
    let mut browser = deployment.user().await;

    deployment.write("doorcode.toml", AFTER);
    deployment
        .command(&["config", "reload"])
        .run()
        .exited(0)
        .says(&[
            "The configuration was reloaded. Changed: branding.name, routes, scopes.",
            "These changes need a restart: audit.keep_records.",
        ]);
    assert_eq!(published(&deployment).await, ("After".to_owned(), true));
    assert!(knows_route(&deployment).await);
    assert_eq!(reloads(&deployment), 1);
    // The session goes on, and the built-in client may request the new scope.
    assert!(browser.get("/tokens").await.contains("After"));
    let grant = http()
        .post(deployment.at("/auth/device"))
        .form(&[("client_id", "doorcode-cli"), ("scope", "app:deploy")]);
    assert_eq!(grant.send().await.unwrap().status(), 200);
    deployment.command(&["audit", "verify"]).run().exited(0);
}

/// All or nothing, with file, line and key.
#[actix_web::test]
async fn faulty_file_changes_nothing() {
    let (deployment, server) = start().await;
    for (text, faults) in [
        (
            "[branding]\nname = \"After\"\n[[scopes]]\nname = \"app deploy\"\n\
             description = \"Deploy\"\n",
            ["doorcode.toml:", "scopes.name"],
        ),
        (
            "[device]\ninterval = 5\n",
            ["doorcode.toml:2: ", "device.interval"],
        ),
        ("[branding\n", ["doorcode.toml:1: ", "this is not TOML"]),
    ] {
        deployment.write("doorcode.toml", text);
        let token = std::fs::read_to_string(deployment.path("data/operator_token")).unwrap();
        let answer = http()
            .post(deployment.at("/v1/config/reload"))
            .bearer_auth(token.trim())
            .header("idempotency-key", text.replace('\n', " "))
            .json(&serde_json::json!({}))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 422);
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "configuration_invalid");
        for fault in faults {
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(fault), "{fault}: {detail}");
        }
        deployment
            .command(&["config", "reload"])
            .run()
            .exited(1)
            .complains(&faults);
    }
    assert_eq!(published(&deployment).await, ("Before".to_owned(), false));
    assert_eq!(reloads(&deployment), 0);
    drop(server);
    deployment.write("doorcode.toml", BEFORE);
    deployment
        .command(&["config", "reload"])
        .run()
        .exited(1)
        .complains(&[
            &format!("No server answers at {}", deployment.address),
            "SIGHUP",
        ]);
}

/// The signal reloads, with a valid and an invalid file, and never ends the process.
#[actix_web::test]
async fn signal_reloads_and_never_ends_the_server() {
    let (deployment, mut server) = start().await;
    deployment.write("doorcode.toml", "[brand]\n");
    server.signal("HUP");
    server.line("the configuration was not reloaded, and nothing changed");
    assert_eq!(published(&deployment).await, ("Before".to_owned(), false));
    deployment.write("doorcode.toml", AFTER);
    server.signal("HUP");
    server.line("These changes need a restart: audit.keep_records.");
    assert_eq!(published(&deployment).await, ("After".to_owned(), true));
    assert_eq!(reloads(&deployment), 1);
    for _ in 0..20 {
        server.signal("HUP");
    }
    assert_eq!(deployment.status("/readyz").await, 200);
    server.signal("TERM");
    server.finish().exited(0);
}

/// A request sees one configuration: name and scopes are always of the same file.
#[actix_web::test]
async fn no_request_sees_two_configurations() {
    let (deployment, server) = start().await;
    let mut seen = [0, 0];
    for round in 0..40 {
        let text = if round % 2 == 0 { AFTER } else { BEFORE };
        // Replaced at once, so that a reload never reads a part.
        let path = deployment.write("new.toml", text);
        std::fs::rename(path, deployment.path("doorcode.toml")).unwrap();
        server.signal("HUP");
        for _ in 0..10 {
            let (name, has_scope) = published(&deployment).await;
            assert_eq!(name == "After", has_scope, "{name}");
            seen[usize::from(has_scope)] += 1;
        }
    }
    assert!(seen.iter().all(|seen| *seen > 0), "{seen:?}");
}
