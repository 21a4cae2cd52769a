//! A third-party OAuth client, the crate `oauth2`, directly against the server.

use crate::support::{API, CLI, EMAIL, TestApp};
use oauth2::basic::{BasicClient, BasicTokenType};
use oauth2::http;
use oauth2::{
    AuthType, ClientId, ClientSecret, DeviceAuthorizationUrl, HttpRequest, HttpResponse,
    IntrospectionUrl, RequestTokenError, RevocationUrl, Scope, StandardDeviceAuthorizationResponse,
    StandardRevocableToken, TokenIntrospectionResponse, TokenResponse, TokenUrl,
};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// The crate sends tokens only over https, so the server is configured as behind an https proxy.
const PUBLIC: &str = "https://login.example.com";

/// The network between client and server: acts as the proxy, and records the errors of responses.
struct Network<'a> {
    test: &'a TestApp,
    errors: RefCell<Vec<String>>,
}

impl Network<'_> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
        let (parts, body) = request.into_parts();
        let uri = parts.uri.to_string();
        let path = uri.strip_prefix(PUBLIC).expect("an address of the server");
        let answer = self
            .test
            .anon()
            .request(parts.method, self.test.at(path))
            .headers(parts.headers)
            .body(body)
            .send()
            .await?;
        let mut response = http::Response::builder().status(answer.status());
        response
            .headers_mut()
            .unwrap()
            .extend(answer.headers().clone());
        let body = answer.bytes().await?.to_vec();
        let document = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        let error = document["error"].as_str().unwrap_or("ok");
        self.errors.borrow_mut().push(error.to_owned());
        Ok(response.body(body).unwrap())
    }

    async fn discover(&self) -> Value {
        let request =
            http::Request::get(format!("{PUBLIC}/.well-known/oauth-authorization-server"));
        let answer = self.send(request.body(Vec::new()).unwrap()).await.unwrap();
        serde_json::from_slice(answer.body()).unwrap()
    }

    fn take_errors(&self) -> Vec<String> {
        self.errors.take()
    }
}

async fn start() -> TestApp {
    TestApp::with(&format!("[server]\npublic_url = \"{PUBLIC}\"\n")).await
}

/// T-07: discovery, device authorization, pending, slow_down, token, introspection and
/// revocation, as implemented by the crate.
#[actix_web::test]
async fn oauth2_crate_signs_in_introspects_and_signs_out() {
    let test = start().await;
    let network = Network {
        test: &test,
        errors: RefCell::default(),
    };
    let http_client = |request| network.send(request);
    let metadata = network.discover().await;
    assert_eq!(metadata["issuer"], PUBLIC);
    let endpoint = |name: &str| metadata[name].as_str().unwrap().to_owned();

    let cli = BasicClient::new(ClientId::new(CLI.into()))
        .set_device_authorization_url(
            DeviceAuthorizationUrl::new(endpoint("device_authorization_endpoint")).unwrap(),
        )
        .set_token_uri(TokenUrl::new(endpoint("token_endpoint")).unwrap())
        .set_revocation_url(RevocationUrl::new(endpoint("revocation_endpoint")).unwrap())
        .set_auth_type(AuthType::RequestBody);
    let details: StandardDeviceAuthorizationResponse = cli
        .exchange_device_code()
        .add_scope(Scope::new("tokens:read".into()))
        .add_scope(Scope::new("orgs:read".into()))
        .request_async(&http_client)
        .await
        .unwrap();
    assert_eq!(details.interval(), Duration::from_secs(5));
    assert_eq!(details.expires_in(), Duration::from_secs(600));
    assert_eq!(
        details.verification_uri().as_str(),
        "https://login.example.com/device"
    );
    let code = details.user_code().secret().clone();
    let link = details.verification_uri_complete().unwrap().secret();
    assert_eq!(link, &format!("{PUBLIC}/device?user_code={code}"));
    network.take_errors();

    // The crate polls immediately, then after each of these waits. The first is cut short, as by
    // a fast clock; then it waits as long as required, and then the user approves.
    let waits = RefCell::new(Vec::new());
    let wait = |duration: Duration| {
        waits.borrow_mut().push(duration.as_secs());
        let count = waits.borrow().len();
        let (test, code) = (&test, &code);
        async move {
            if count == 3 {
                // The browser is behind the proxy too: over https, cookies have a prefix.
                let mut browser = test.user().await;
                assert!(browser.cookies.contains_key("__Host-doorcode_session"));
                browser.approve(code, &["tokens:read", "orgs:read"]).await;
            }
            let passed = if count == 1 { 1 } else { duration.as_secs() };
            test.clock.advance(i64::try_from(passed).unwrap());
        }
    };
    let token = cli
        .exchange_device_access_token(&details)
        .request_async(&http_client, wait, None)
        .await
        .unwrap();
    assert_eq!(*waits.borrow(), [5, 10, 10]);
    let expected = [
        "authorization_pending",
        "slow_down",
        "authorization_pending",
        "ok",
    ];
    assert_eq!(network.take_errors(), expected);
    assert_eq!(token.token_type(), &BasicTokenType::Bearer);
    let granted: Vec<_> = token.scopes().unwrap().iter().map(|s| s.as_str()).collect();
    assert_eq!(granted, ["orgs:read", "tokens:read"]);
    assert_eq!(
        token.expires_in(),
        Some(Duration::from_secs(90 * 24 * 3600))
    );
    assert!(token.refresh_token().is_none());
    let access_token = token.access_token().clone();
    assert_eq!(test.me(access_token.secret()).await.status(), 200);

    for auth_type in [AuthType::BasicAuth, AuthType::RequestBody] {
        let api = BasicClient::new(ClientId::new(API.into()))
            .set_client_secret(ClientSecret::new(test.api_secret.clone()))
            .set_introspection_url(
                IntrospectionUrl::new(endpoint("introspection_endpoint")).unwrap(),
            )
            .set_auth_type(auth_type);
        let answer = api
            .introspect(&access_token)
            .request_async(&http_client)
            .await
            .unwrap();
        assert!(answer.active());
        assert_eq!(answer.username(), Some(EMAIL));
        assert_eq!(answer.client_id().unwrap().as_str(), CLI);
        assert_eq!(answer.iss(), Some(PUBLIC));
        assert_eq!(answer.token_type(), Some(&BasicTokenType::Bearer));
        let seconds = answer.exp().unwrap() - answer.iat().unwrap();
        assert_eq!(seconds.num_days(), 90);
    }

    for _ in 0..2 {
        cli.revoke_token(StandardRevocableToken::from(access_token.clone()))
            .unwrap()
            .request_async(&http_client)
            .await
            .unwrap();
    }
    assert_eq!(test.me(access_token.secret()).await.status(), 401);
    let gone = test.introspect(access_token.secret()).await;
    assert_eq!(gone, serde_json::json!({"active": false}));
}

/// DEV-48: the crate handles a sign-in that ends without a token.
#[actix_web::test]
async fn oauth2_crate_handles_a_denial() {
    let test = start().await;
    let network = Network {
        test: &test,
        errors: RefCell::default(),
    };
    let http_client = |request| network.send(request);
    let client = |id: &str| {
        BasicClient::new(ClientId::new(id.into()))
            .set_device_authorization_url(
                DeviceAuthorizationUrl::new(format!("{PUBLIC}/auth/device")).unwrap(),
            )
            .set_token_uri(TokenUrl::new(format!("{PUBLIC}/auth/device/token")).unwrap())
            .set_auth_type(AuthType::RequestBody)
    };
    let unknown = client("nobody")
        .exchange_device_code()
        .request_async::<_, oauth2::EmptyExtraDeviceAuthorizationFields>(&http_client)
        .await;
    let Err(RequestTokenError::ServerResponse(error)) = unknown else {
        panic!("an unknown client got a code");
    };
    assert_eq!(error.error().to_string(), "invalid_client");

    let cli = client(CLI);
    let details: StandardDeviceAuthorizationResponse = cli
        .exchange_device_code()
        .request_async(&http_client)
        .await
        .unwrap();
    // The server's clock passes the expiry of the codes during one wait of the crate.
    let waited = Cell::new(false);
    let wait = |_| {
        waited.set(true);
        test.clock.advance(601);
        std::future::ready(())
    };
    let expired = cli
        .exchange_device_access_token(&details)
        .request_async(&http_client, wait, None)
        .await;
    let Err(RequestTokenError::ServerResponse(error)) = expired else {
        panic!("an expired code got a token");
    };
    assert!(waited.get());
    assert_eq!(error.error().to_string(), "expired_token");
}
