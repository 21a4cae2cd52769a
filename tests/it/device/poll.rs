//! A device polls for its token.

use super::{POLL, assert_refused, send, send_form};
use crate::support::device::{Answer, Device, GRANT};
use crate::support::{CLI, TestApp};

/// Sets the clock to each second after the first poll, polls and returns the errors.
async fn polls_at(test: &TestApp, device: &Device, seconds: &[i64]) -> Vec<String> {
    let mut now = 0;
    let mut errors = Vec::new();
    for second in seconds {
        test.clock.advance(second - now);
        now = *second;
        let answer = test.poll(device).await;
        assert_refused(&answer, 400, answer.error());
        errors.push(answer.error().to_owned());
    }
    errors
}

const PENDING: &str = "authorization_pending";
const SLOWED: &str = "slow_down";

/// DEV-43.
#[actix_web::test]
async fn grant_type_must_match_the_rfc_exactly() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    let code = &device.device_code;
    let rest = format!("client_id=cli&device_code={code}");
    assert_refused(&send_form(&test, POLL, &rest).await, 400, "invalid_request");
    let upper = GRANT.to_uppercase();
    for other in [
        "device_code",
        "authorization_code",
        "client_credentials",
        &upper,
    ] {
        let answer = send_form(&test, POLL, &format!("{rest}&grant_type={other}")).await;
        assert_refused(&answer, 400, "unsupported_grant_type");
    }
    let json = serde_json::json!({"client_id": "cli", "grant_type": GRANT, "device_code": code});
    for path in [POLL, "/v1/auth/device/token"] {
        test.clock.advance(5);
        let answer = send(&test, path, "application/json", json.to_string()).await;
        assert_refused(&answer, 400, PENDING);
    }
}

/// DEV-45, DEV-46, T-07: each early poll adds five seconds permanently, and a compliant device is
/// never locked out.
#[actix_web::test]
async fn early_poll_adds_five_seconds_permanently() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    assert_eq!(
        polls_at(&test, &device, &[0, 1, 7, 23, 37, 52]).await,
        [PENDING, SLOWED, SLOWED, PENDING, SLOWED, PENDING],
    );

    let device = test.device("").await;
    assert_eq!(
        polls_at(&test, &device, &[0, 1, 2, 3, 20, 40, 60]).await,
        [PENDING, SLOWED, SLOWED, SLOWED, PENDING, PENDING, PENDING],
    );

    // Half a second early is network jitter.
    let device = test.device("").await;
    assert_eq!(test.poll(&device).await.error(), PENDING);
    test.clock.advance_ms(4_600);
    assert_eq!(test.poll(&device).await.error(), PENDING);
    test.clock.advance_ms(4_400);
    assert_eq!(test.poll(&device).await.error(), SLOWED);
}

/// RFC 6749 section 2.3.1, field row 18: `golang.org/x/oauth2` sends each request first with an
/// empty secret in the header, then with the client id in the body.
#[actix_web::test]
async fn empty_secret_of_a_public_client_is_none() {
    let test = TestApp::start().await;
    let basic = async |path: &str, secret: &str, fields: &[(&str, &str)]| {
        let request = test.anon().post(test.at(path)).form(fields);
        let request = request.basic_auth(CLI, Some(secret));
        Answer::of(request.send().await.unwrap()).await
    };
    let started = basic("/auth/device", "", &[]).await;
    assert_eq!(started.status, 200, "{started:?}");
    let device_code = started.body["device_code"].as_str().unwrap();
    let poll = [("grant_type", GRANT), ("device_code", device_code)];
    let in_body = [&poll[..], &[("client_id", CLI)]].concat();
    // As often as a lockout by wrong secrets would need.
    for _ in 0..30 {
        assert_refused(&basic(POLL, "", &poll).await, 400, PENDING);
        let second = test.oauth(POLL, &in_body).await;
        assert_refused(&second, 400, PENDING);
        test.clock.advance(5);
    }
    assert_eq!(test.events("access.refused"), 0);
    // Two more at once are too many.
    for error in [PENDING, SLOWED, SLOWED] {
        assert_refused(&basic(POLL, "", &poll).await, 400, error);
    }
    // A secret remains wrong.
    let wrong = basic(POLL, "x", &poll).await;
    assert_refused(&wrong, 401, "invalid_client");
    test.clock.advance(5);
    let code = started.body["user_code"].as_str().unwrap();
    test.user().await.approve(code, &["tokens:read"]).await;
    assert_eq!(basic(POLL, "", &poll).await.status, 200);
}

/// DEV-45: the first poll is never too early.
#[actix_web::test]
async fn first_poll_never_gets_slow_down() {
    let test = TestApp::start().await;
    let devices = [test.device("").await, test.device("").await];
    for device in &devices {
        assert_refused(&test.poll(device).await, 400, PENDING);
    }
}

/// Most polls are pending: they prepare nothing of a token. The ids of requests are drawn together.
#[actix_web::test]
async fn pending_polls_draw_only_the_ids_of_their_requests() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    let before = test.entropy.draws();
    for _ in 0..80 {
        test.clock.advance(6);
        assert_eq!(test.poll(&device).await.error(), PENDING);
    }
    let draws = test.entropy.draws() - before;
    assert!((1..=2).contains(&draws), "{draws}");
}

/// DEV-47, T-07.
#[actix_web::test]
async fn early_poll_still_gets_an_approval_or_a_denial() {
    let test = TestApp::start().await;
    let (approved, denied) = (test.device("").await, test.device("").await);
    for device in [&approved, &denied] {
        assert_eq!(polls_at(&test, device, &[0, 1]).await, [PENDING, SLOWED]);
    }
    let mut browser = test.user().await;
    browser.approve(&approved.user_code, &[]).await;
    let consent = browser.type_code(&denied.user_code).await;
    browser.decide(&consent, "deny", &[]).await;
    assert_eq!(test.poll(&approved).await.status, 200);
    assert_eq!(test.poll(&denied).await.error(), "access_denied");
}

/// DEV-50, DEV-15, DEV-56.
#[actix_web::test]
async fn success_has_exactly_the_members_of_the_rfc() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read orgs:read").await;
    let scopes = ["tokens:read", "orgs:read"];
    test.user().await.approve(&device.user_code, &scopes).await;
    let answer = test.poll(&device).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["pragma"], "no-cache");
    let token = answer.token();
    assert_eq!(
        answer.body,
        serde_json::json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 90 * 24 * 3600,
            "scope": "orgs:read tokens:read",
        })
    );
    // The device can show which user approved.
    let me: serde_json::Value = test.me(&token).await.json().await.unwrap();
    assert_eq!(me["user"]["email"], crate::support::EMAIL);

    let test = TestApp::with("[tokens]\ndefault_expiry = \"never\"\n").await;
    let device = test.device("tokens:read").await;
    test.user()
        .await
        .approve(&device.user_code, &["tokens:read"])
        .await;
    let answer = test.poll(&device).await;
    let members: Vec<_> = answer.body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "scope", "token_type"]);
}

/// DEV-48.
#[actix_web::test]
async fn denied_device_gets_the_denial_on_every_poll() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let consent = browser.type_code(&device.user_code).await;
    let page = browser.decide(&consent, "deny", &[]).await;
    assert_eq!(page.status, 200);
    assert!(page.contains("Denied"));
    for seconds in [0, 0, 5, 900] {
        test.clock.advance(seconds);
        assert_refused(&test.poll(&device).await, 400, "access_denied");
    }
    assert_eq!(test.count("token", "1 = 1"), 0);
}

/// DEV-49, DEV-53, T-04.
#[actix_web::test]
async fn used_device_code_is_rejected_and_its_reuse_is_recorded() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    test.user()
        .await
        .approve(&device.user_code, &["tokens:read"])
        .await;
    let token = test.poll(&device).await.token();
    assert_eq!(test.me(&token).await.status(), 200);
    for seconds in [0, 5, 600, 300] {
        test.clock.advance(seconds);
        assert_refused(&test.poll(&device).await, 400, "invalid_grant");
    }
    // Repeated attempts do not fill the log.
    assert_eq!(test.events("device.replayed"), 1);
    assert_eq!(test.events("device.redeemed"), 1);
    assert_eq!(test.count("token", "1 = 1"), 1);
    assert_eq!(test.me(&token).await.status(), 200);
}

/// DEV-49. Malformed device codes too.
#[actix_web::test]
async fn unknown_device_code_is_an_invalid_grant() {
    let test = TestApp::start().await;
    let device = test.device("").await;
    let long = "a".repeat(10_000);
    let upper = device.device_code.to_uppercase();
    let spaced = format!(" {}", device.device_code);
    for code in [
        &"0".repeat(64),
        "x",
        "é",
        &device.user_code,
        &long,
        &upper,
        &spaced,
    ] {
        let form = [
            ("grant_type", GRANT),
            ("client_id", CLI),
            ("device_code", code),
        ];
        assert_refused(&test.oauth(POLL, &form).await, 400, "invalid_grant");
    }
    assert_eq!(test.poll(&device).await.error(), PENDING);
}
