//! `doorcode check`.

use crate::support::deployment::Deployment;
use crate::support::http;
use crate::support::program::{Finished, Program};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

/// The routes of an API, some of which its proxy forgets to close.
const API: &str = r#"
[[scopes]]
name = "app:read"
description = "See apps"

[[scopes]]
name = "app:secret"
description = "See secrets"

[[routes]]
match = "GET /v1/health"
public = true

[[routes]]
match = "GET /v1/apps"
scope = "app:read"

[[routes]]
match = "GET /v1/secrets"
scope = "app:secret"

[[routes]]
match = "DELETE /v1/apps"
scope = "app:read"

[[routes]]
match = "GET /v1/apps/{id}"
scope = "app:read"

[[routes]]
match = "GET /v1/builds/**"
scope = "app:read"
"#;

fn check(deployment: &Deployment, arguments: &[&str]) -> Program {
    deployment
        .command(&["check", "--host", &deployment.url])
        .args(arguments)
}

/// A proxy with an API behind it: it asks Doorcode about each request, except at open paths.
async fn proxy(doorcode: &str, open: &'static str) -> String {
    let doorcode = doorcode.to_owned();
    let answer = move |request: HttpRequest| {
        let doorcode = doorcode.clone();
        async move {
            assert_eq!(request.method(), "GET", "a check only reads");
            if request.path() == open {
                return HttpResponse::Ok().finish();
            }
            let mut asked = http()
                .get(format!("{doorcode}/auth/verify"))
                .header("x-original-method", request.method().as_str())
                .header("x-original-uri", request.path());
            if let Some(value) = request.headers().get("authorization") {
                asked = asked.header("authorization", value.to_str().unwrap());
            }
            let status = asked.send().await.unwrap().status().as_u16();
            let status = if status == 204 { 200 } else { status };
            let status = actix_web::http::StatusCode::from_u16(status).unwrap();
            HttpResponse::build(status).finish()
        }
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = HttpServer::new(move || App::new().default_service(web::to(answer.clone())));
    actix_web::rt::spawn(
        server
            .workers(1)
            .disable_signals()
            .listen(listener)
            .unwrap()
            .run(),
    );
    url
}

/// Runs a command without blocking the proxy of the test.
async fn run(program: Program) -> Finished {
    web::block(move || program.run()).await.unwrap()
}

#[actix_web::test]
async fn flow_is_verified_from_end_to_end() {
    let deployment = Deployment::with_user();
    deployment.write("doorcode.toml", API);
    let _server = deployment.start();
    let without = check(&deployment, &[]).run().exited(0).says(&[
        "ok      No TLS, on this machine alone.",
        "ok      Clock: the server and this machine agree.",
        "ok      The server is ready",
        "ok      Discovery: the server knows this URL as its own.",
        "ok      Without a token: 401, with a challenge.",
        "ok      With an invented token: 401 invalid_token.",
        "warning No token given",
        "Nothing is wrong; warnings: 1.",
    ]);
    assert!(!without.stdout.contains("wrong   "));

    let mut browser = deployment.user().await;
    let token = browser.new_token("check", &["app:read"], "30d").await;
    let api = proxy(&deployment.url, "").await;
    let arguments = ["--token", &token, "--api", &api];
    let whole = run(check(&deployment, &arguments)).await.exited(0).says(&[
        "ok      With the token: 200. Its scopes: app:read.",
        "ok      The operator's routes refuse the token: 403 operator_required.",
        "ok      API: GET /v1/health is open: 200 OK.",
        "ok      API: GET /v1/apps without a token and with an invented one: 401.",
        "ok      API: GET /v1/apps with the token: 200 OK (it needs the scope app:read).",
        "ok      API: GET /v1/secrets with the token: 403 Forbidden (it needs the scope app:secret).",
        "ok      API: GET /v1/builds with the token: 200 OK (it needs the scope app:read).",
        "ok      API: GET /v1/apps/{id} without a token and with an invented one: 401.",
        "Everything that was checked is right.",
    ]);
    assert!(!whole.stdout.contains(&token));
    assert!(!whole.stdout.contains("/v1/apps/{id} with the token"));

    let bare = browser.new_token("bare", &[], "30d").await;
    run(check(&deployment, &["--token", &bare, "--api", &api]))
        .await
        .exited(0)
        .says(&["ok      With the token: 200. It has no scopes."]);

    let operator = std::fs::read_to_string(deployment.path("data/operator_token")).unwrap();
    let by_variable = check(&deployment, &["--api", &api]).env("DOORCODE_TOKEN", operator.trim());
    run(by_variable)
        .await
        .exited(0)
        .says(&["It is the operator token."]);
}

/// Each GET route has parameters: those of the token's organization and project get their values.
#[actix_web::test]
async fn parameters_of_routes_stand_for_what_the_token_reaches() {
    let deployment = Deployment::with_user();
    deployment.write(
        "doorcode.toml",
        "[[routes]]\nmatch = \"GET /v1/{organization}/machines/**\"\nrole = \"member\"\n\
         [[routes]]\nmatch = \"* /v1/projects/{project}\"\nrole = \"member\"\n\
         [[routes]]\nmatch = \"GET /v1/{organization}/files/{file}\"\nrole = \"member\"\n\
         [[routes]]\nmatch = \"POST /v1/{organization}\"\nrole = \"member\"\n",
    );
    let project = ["project", "add", "--name", "Web", "--org", "acme"];
    let made = deployment.command(&project).run().exited(0).stdout;
    let (_, project) = made.split_once("prj_").unwrap();
    let project = project.split(|c: char| !c.is_ascii_alphanumeric()).next();
    let project = format!("prj_{}", project.unwrap());
    let _server = deployment.start();
    let mut browser = deployment.user().await;
    let token = browser.new_token("check", &["orgs:read"], "30d").await;
    let api = proxy(&deployment.url, "").await;
    let whole = run(check(&deployment, &["--token", &token, "--api", &api]))
        .await
        .exited(0)
        .says(&[
            "API: GET /v1/acme/machines without a token and with an invented one: 401.",
            "API: GET /v1/acme/machines with the token: 200 OK (it needs the role member).",
            &format!("API: GET /v1/projects/{project} with the token: 200 OK"),
            "API: GET /v1/acme/files/{file} without a token and with an invented one: 401.",
            "Everything that was checked is right.",
        ]);
    assert!(!whole.stdout.contains("{file} with the token"));

    let operator = std::fs::read_to_string(deployment.path("data/operator_token")).unwrap();
    let arguments = ["--token", operator.trim(), "--api", &api];
    let by_operator = run(check(&deployment, &arguments)).await.exited(0);
    by_operator.says(&[
        "API: GET /v1/{organization}/machines without a token and with an invented one: 401.",
        "Everything that was checked is right.",
    ]);
}

#[actix_web::test]
async fn what_is_wrong_is_explained() {
    let deployment = Deployment::with_user();
    deployment.write("doorcode.toml", API);
    let _server = deployment.start();
    let mut browser = deployment.user().await;
    let token = browser.new_token("check", &["app:read"], "30d").await;
    let open = proxy(&deployment.url, "/v1/secrets").await;
    run(check(&deployment, &["--token", &token, "--api", &open]))
        .await
        .exited(1)
        .says(&["wrong   API: GET /v1/secrets answered 200 OK without a token"])
        .complains(&["Findings to correct: 1."]);
    check(&deployment, &["--token", "dc_wrong"])
        .run()
        .exited(1)
        .says(&["wrong   /v1/me with the token answered 401"]);

    // Another URL than the public one, another server, and none.
    let other = Deployment::migrated().set("DOORCODE__SERVER__PUBLIC_URL", "http://127.0.0.1:1");
    let _other = other.start();
    other
        .command(&["check", "--host", &other.url])
        .run()
        .exited(1)
        .says(&["wrong   Discovery: ", "Set [server] public_url"]);
    let api = format!("{open}/");
    run(deployment.command(&["check", "--host", &api]))
        .await
        .exited(1)
        .says(&["Is it a Doorcode server"]);
    deployment
        .command(&["check", "--host", "http://127.0.0.1:1"])
        .run()
        .exited(1)
        .says(&["cannot be reached", "that the server runs"]);
}
