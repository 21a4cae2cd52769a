//! These endpoints report every error as OAuth JSON.

use super::{assert_error, borrowed, endpoints};
use crate::support::TestApp;
use crate::support::database::Database;
use crate::support::device::Answer;

/// OAU-07, OAU-10: every path under these roots uses the OAuth error form.
#[actix_web::test]
async fn unknown_paths_and_methods_get_json_errors() {
    let test = TestApp::start().await;
    for path in [
        "/auth",
        "/auth/",
        "/auth/nothing",
        "/auth/device/",
        "/auth/device/token/x",
        "/auth//device",
        "/auth/%00",
        "/auth/%ff",
        "/v1/auth/nothing",
        "/v1/auth/introspect",
        "/.well-known/nothing",
        "/.well-known/oauth-protected-resource/path",
    ] {
        let response = test.anon().get(test.at(path)).send().await.unwrap();
        let answer = Answer::of(response).await;
        assert_error(&answer, 404, "invalid_request", path);
    }
    for (path, _) in endpoints(&test).await {
        for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            let request = test
                .anon()
                .request(method.parse().unwrap(), test.at(path))
                .send();
            let answer = Answer::of(request.await.unwrap()).await;
            assert_error(&answer, 405, "invalid_request", &format!("{method} {path}"));
            assert_eq!(answer.headers["allow"], "POST", "{path}");
        }
    }
}

/// OAU-10: even when the server itself fails.
#[actix_web::test]
async fn internal_error_is_json_without_details() {
    let test = TestApp::start().await;
    let endpoints = endpoints(&test).await;
    test.database.execute(match Database::is_postgres() {
        true => "DROP TABLE token CASCADE; DROP TABLE device_grant CASCADE; ALTER TABLE client RENAME TO gone",
        false => "DROP TABLE device_answer; DROP TABLE device_grant; DROP TABLE token; ALTER TABLE client RENAME TO gone",
    });
    // The driver for PostgreSQL does not say that a table is missing, so it counts as an outage.
    let failure = match Database::is_postgres() {
        true => (503, "temporarily_unavailable"),
        false => (500, "server_error"),
    };
    for (path, fields) in endpoints {
        let answer = test.oauth(path, &borrowed(&fields)).await;
        assert_eq!((answer.status, answer.error()), failure, "{path}");
        assert_eq!(answer.headers["content-type"], "application/json");
        let text = answer.body.to_string();
        for word in ["table", "client\"", "SQL", "relation", "diesel"] {
            assert!(!text.contains(word), "{text}");
        }
    }
}
