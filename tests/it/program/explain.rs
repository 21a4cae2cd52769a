//! `doorcode explain`.

use crate::support::deployment::Deployment;
use crate::support::http;
use crate::support::program::Finished;

const API: &str = r#"
[[scopes]]
name = "app:read"
description = "See apps"

[[scopes]]
name = "app:deploy"
description = "Deploy apps"

[[routes]]
match = "GET /v1/health"
public = true

[[routes]]
match = "GET /v1/apps"
scope = "app:read"

[[routes]]
match = "POST /v1/deploys"
scope = "app:deploy"
idempotency_key = true

[[routes]]
match = "GET /v1/organizations/{organization}/billing"
role = "owner"

[[routes]]
match = "* /v1/status"
operator = true

[[routes]]
match = "DELETE /v1/apps"
scope = "app:read"
max_age = "1m"
"#;

fn explain(deployment: &Deployment, token: &str, request: &str) -> Finished {
    deployment
        .command(&["explain", request])
        .input(&format!("{token}\n"))
        .run()
        .exited(0)
}

#[actix_web::test]
async fn decision_is_explained_and_agrees_with_the_server() {
    let deployment = Deployment::with_user();
    deployment.write("doorcode.toml", API);
    let server = deployment.start();
    let mut browser = deployment.user().await;
    let token = browser.new_token("CI", &["app:read"], "30d").await;
    let operator = std::fs::read_to_string(deployment.path("data/operator_token")).unwrap();
    let operator = operator.trim();
    let decided = async |token: &str, request: &str| {
        let (method, target) = request.split_once(' ').unwrap();
        let asked = http()
            .get(deployment.at("/auth/verify"))
            .bearer_auth(token)
            .header("x-original-method", method)
            .header("x-original-uri", target);
        asked.send().await.unwrap().status().as_u16()
    };
    let invented = token.replace(&token[3..5], "00");
    for (token, request, status, pieces) in [
        (
            &*token,
            "GET /v1/apps",
            204,
            &[
                "needs the scope app:read",
                "the user ada@example.com",
                "owner in acme",
                "Decision: allowed.",
            ][..],
        ),
        (
            &token,
            "POST /v1/deploys",
            403,
            &[
                "denied (403). The token does not have the scope app:deploy.",
                "must have an Idempotency-Key",
            ],
        ),
        (
            &token,
            "GET /v1/organizations/acme/billing",
            204,
            &[
                "needs the role owner in the organization acme",
                "Decision: allowed.",
            ],
        ),
        (
            &token,
            "GET /v1/organizations/none/billing",
            403,
            &["no member of the organization"],
        ),
        (
            &token,
            "GET /v1/status",
            403,
            &["Only the operator token is allowed here."],
        ),
        (
            &token,
            "GET /v1/other",
            403,
            &["none of [[routes]] matches. Denied for every token"],
        ),
        (&token, "GET /v1/health", 204, &["allowed for every caller"]),
        (
            &invented,
            "GET /v1/apps",
            401,
            &["issued no such token", "denied (401)"],
        ),
        (
            operator,
            "GET /v1/status",
            204,
            &["the operator token", "Decision: allowed."],
        ),
    ] {
        explain(&deployment, token, request).says(pieces);
        assert_eq!(decided(token, request).await, status, "{request}");
        let code = match status {
            401 => 3,
            403 => 4,
            _ => 0,
        };
        let asked = deployment.command(&["explain", "--exit-code", request]);
        asked
            .input(&format!("{token}\n"))
            .run()
            .exited(code)
            .says(pieces);
    }
    // The explanation repeats no token, and also takes it from the command line.
    let by_option = deployment.command(&["explain", "--token", &token, "GET /v1/apps"]);
    let by_option = by_option.run().exited(0).says(&["Decision: allowed."]);
    assert!(!by_option.stdout.contains(&token));

    assert_eq!(browser.post("/tokens/revoke-all", &[]).await.status, 303);
    explain(&deployment, &token, "GET /v1/apps").says(&["It was revoked on ", "denied (401)"]);
    let wrong = deployment.command(&["explain", "apps"]).input("x\n").run();
    wrong
        .exited(1)
        .complains(&["Write the method, a space and the path"]);
    server.signal("TERM");
    server.finish().exited(0);

    // An explanation is no use of the token.
    let uses = deployment
        .command(&["audit", "uses", "--json"])
        .run()
        .exited(0);
    assert!(uses.stdout.lines().all(|line| !line.contains("explain")));
}
