//! Discovery documents (RFC 8414, RFC 9728).

use crate::support::device::{Answer, GRANT};
use crate::support::{CLI, TestApp};
use serde_json::{Value, json};

const SERVER: &str = "/.well-known/oauth-authorization-server";
const RESOURCE: &str = "/.well-known/oauth-protected-resource";

async fn get(test: &TestApp, path: &str) -> Answer {
    Answer::of(test.anon().get(test.at(path)).send().await.unwrap()).await
}

fn no_empty_member(document: &Value, except: &str) {
    for (name, value) in document.as_object().unwrap() {
        let is_empty = value.is_null()
            || value.as_array().is_some_and(Vec::is_empty)
            || value.as_str().is_some_and(str::is_empty);
        assert!(!is_empty || name == except, "{name}");
    }
}

/// MET-01, MET-02, MET-03, MET-04, OAU-12, DEV-58.
#[actix_web::test]
async fn server_metadata_is_complete() {
    let test = TestApp::with("[server]\npublic_url = \"https://login.example.com/\"\n").await;
    let answer = get(&test, SERVER).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    let document = &answer.body;
    let at = |path: &str| format!("https://login.example.com{path}");
    assert_eq!(document["issuer"], at(""));
    assert_eq!(
        document["device_authorization_endpoint"],
        at("/auth/device")
    );
    assert_eq!(document["token_endpoint"], at("/auth/device/token"));
    assert_eq!(document["introspection_endpoint"], at("/auth/introspect"));
    assert_eq!(document["revocation_endpoint"], at("/auth/revoke"));
    assert_eq!(document["grant_types_supported"], json!([GRANT]));
    assert_eq!(document["response_types_supported"], json!([]));
    let public = json!(["none", "client_secret_basic", "client_secret_post"]);
    assert_eq!(document["token_endpoint_auth_methods_supported"], public);
    assert_eq!(
        document["revocation_endpoint_auth_methods_supported"],
        public
    );
    assert_eq!(
        document["introspection_endpoint_auth_methods_supported"],
        json!(["client_secret_basic", "client_secret_post"])
    );
    assert_eq!(document["scopes_supported"].as_array().unwrap().len(), 7);
    no_empty_member(document, "response_types_supported");
    assert!(document.get("authorization_endpoint").is_none());
}

/// MET-03: each advertised endpoint exists and accepts the advertised methods.
#[actix_web::test]
async fn every_advertised_endpoint_responds() {
    let test = TestApp::start().await;
    let document = get(&test, SERVER).await.body;
    for (name, value) in document.as_object().unwrap() {
        if !name.ends_with("_endpoint") {
            continue;
        }
        let url = value.as_str().unwrap();
        assert!(url.starts_with(&test.url), "{url}");
        let get = test.anon().get(url).send().await.unwrap();
        assert_eq!(get.status(), 405, "{name}");
        let post = test.anon().post(url).form(&[("client_id", CLI)]).send();
        let post = Answer::of(post.await.unwrap()).await;
        match name.as_str() {
            "device_authorization_endpoint" => assert_eq!(post.status, 200, "{post:?}"),
            "introspection_endpoint" => assert_eq!(post.error(), "invalid_client"),
            _ => assert_eq!(post.error(), "invalid_request", "{name}"),
        }
    }
    // Each advertised scope can be requested.
    for scope in document["scopes_supported"].as_array().unwrap() {
        test.device(scope.as_str().unwrap()).await;
    }
    // A GET needs no body, and HEAD is allowed too.
    for path in [SERVER, RESOURCE] {
        let head = test.anon().head(test.at(path)).send().await.unwrap();
        assert_eq!(head.status(), 200);
        let post = test.anon().post(test.at(path)).send().await.unwrap();
        assert_eq!(post.status(), 405);
        assert_eq!(post.headers()["allow"], "GET, HEAD");
    }
}

/// PRM-01.
#[actix_web::test]
async fn resource_metadata_names_its_server() {
    let test = TestApp::start().await;
    let answer = get(&test, RESOURCE).await;
    assert_eq!(answer.status, 200);
    let document = &answer.body;
    assert_eq!(document["resource"], test.url);
    assert_eq!(document["authorization_servers"], json!([test.url]));
    assert_eq!(document["bearer_methods_supported"], json!(["header"]));
    assert_eq!(document["resource_name"], "Doorcode");
    no_empty_member(document, "");
}

/// PRM-02, OAU-22: from a 401 to a token, using only the content of responses.
#[actix_web::test]
async fn challenge_leads_to_a_token() {
    let test = TestApp::start().await;
    let refused = test.anon().get(test.at("/v1/me")).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    let (_, rest) = challenge.split_once("resource_metadata=\"").unwrap();
    let (url, _) = rest.split_once('"').unwrap();
    let json = async |url: &str| {
        let response = test.anon().get(url).send().await.unwrap();
        response.json::<Value>().await.unwrap()
    };
    let resource = json(url).await;
    let issuer = resource["authorization_servers"][0].as_str().unwrap();
    let server = json(&format!("{issuer}{SERVER}")).await;
    assert_eq!(server["issuer"], issuer);
    let post = async |endpoint: &str, form: &[(&str, &str)]| {
        let url = server[endpoint].as_str().unwrap();
        Answer::of(test.anon().post(url).form(form).send().await.unwrap()).await
    };
    let codes = post("device_authorization_endpoint", &[("client_id", CLI)]).await;
    let code = |name: &str| codes.body[name].as_str().unwrap();
    let mut user = test.user().await;
    user.approve(code("user_code"), &["tokens:read"]).await;
    let form = [
        ("grant_type", GRANT),
        ("client_id", CLI),
        ("device_code", code("device_code")),
    ];
    let token = post("token_endpoint", &form).await.token();
    assert_eq!(test.me(&token).await.status(), 200);
}

/// T-16, DEV-17, MET-02: URLs come from the configuration, never from a request.
#[actix_web::test]
async fn forged_hosts_change_no_url() {
    let test = TestApp::with("[server]\npublic_url = \"https://login.example.com\"\n").await;
    let form = format!("client_id={CLI}");
    let device = format!(
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    for (start, rest) in [
        (format!("GET {SERVER}"), "\r\n"),
        (format!("GET {RESOURCE}"), "\r\n"),
        ("GET /v1/me".to_owned(), "\r\n"),
        ("POST /auth/device".to_owned(), device.as_str()),
        ("GET http://evil.example/v1/me".to_owned(), "\r\n"),
    ] {
        for forged in [
            "Host: evil.example",
            "Host: login.example.com\r\nX-Forwarded-Host: evil.example",
            "Host: login.example.com\r\nX-Forwarded-Proto: ftp",
            "Host: login.example.com\r\nForwarded: host=evil.example;proto=ftp",
            "Host: login.example.com\r\nX-Original-URL: //evil.example/",
        ] {
            let answer = test.raw(format!("{start} HTTP/1.1\r\n{forged}\r\n{rest}"));
            let text = format!("{:?} {}", answer.headers, answer.body);
            assert!(!text.contains("evil"), "{start} {forged}: {text}");
            assert!(!text.contains("ftp:"), "{start} {forged}: {text}");
            if answer.status == 200 {
                assert!(text.contains("https://login.example.com"), "{text}");
            }
            assert!(answer.status < 500, "{start} {forged}: {text}");
        }
    }
}
