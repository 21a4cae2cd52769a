//! Attacks on the sign-in with a provider. Afterwards the user of the provider can still sign in.

use super::{RETURN, assert_refused};
use crate::support::browser::Page;
use crate::support::provider::{ID, Provider, Signing};
use crate::support::{EMAIL, PASSWORD, TestApp};
use serde_json::{Value, json};

const FAILED: &str = "provider-failed";
const STALE: &str = "provider-stale";

/// The user of the provider can sign in.
async fn assert_admits(provider: &Provider, test: &TestApp) {
    let page = provider.sign_in(&mut test.browser()).await;
    assert_eq!(page.location(), "/tokens");
}

/// The page after a sign-in whose tokens have these claims.
async fn with_claims(provider: &Provider, test: &TestApp, claims: Value) -> Page {
    let claims = claims.as_object().unwrap().clone();
    provider.alter(move |all| {
        for (name, value) in &claims {
            match value {
                Value::Null => all.remove(name),
                value => all.insert(name.clone(), value.clone()),
            };
        }
    });
    let page = provider.sign_in(&mut test.browser()).await;
    provider.alter(|_| {});
    page
}

#[actix_web::test]
async fn unsigned_forged_and_confused_tokens_are_refused() {
    let provider = Provider::start();
    let test = provider.server("").await;
    for signing in [Signing::Unsigned, Signing::Forged, Signing::Confused] {
        provider.desk().signing = signing;
        let page = provider.sign_in(&mut test.browser()).await;
        assert_refused(&test, &page, FAILED);
        // The keys are fetched again at most every 30 seconds.
        test.clock.advance(31);
    }
    provider.desk().signing = Signing::Rs256;
    assert_admits(&provider, &test).await;
    test.settle().await;
    assert_eq!(test.events("session.refused"), 1);
}

#[actix_web::test]
async fn expired_future_and_foreign_tokens_are_refused() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let now = doorcode::app::Clock::now(test.clock.as_ref()).timestamp();
    let ours = "doorcode-at-acme";
    for claims in [
        json!({"exp": now - 61}),
        json!({"exp": null}),
        json!({"exp": "never"}),
        json!({"exp": -1}),
        json!({"iat": now + 61}),
        json!({"iat": null}),
        json!({"nbf": now + 61}),
        json!({"nbf": "x"}),
        json!({"iss": "https://evil.example"}),
        json!({"iss": format!("{}/", provider.url)}),
        json!({"iss": null}),
        json!({"aud": "another-client"}),
        json!({"aud": ["another-client"]}),
        json!({"aud": [ours, "another-client"]}),
        json!({"aud": null}),
        json!({"aud": []}),
        json!({"azp": "another-client"}),
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"sub": 7}),
        json!({"sub": "x".repeat(256)}),
        json!({"nonce": null}),
        json!({"nonce": "another"}),
    ] {
        let page = with_claims(&provider, &test, claims.clone()).await;
        assert!(
            page.location().ends_with(FAILED),
            "{claims}: {}",
            page.location()
        );
        assert_refused(&test, &page, FAILED);
    }
    for claims in [
        json!({"exp": now - 50, "iat": now + 50}),
        json!({"aud": [ours]}),
        json!({"aud": ["another-client", ours], "azp": ours}),
        json!({"exp": now as f64 + 0.5}),
    ] {
        let page = with_claims(&provider, &test, claims.clone()).await;
        assert_eq!(page.location(), "/tokens", "{claims}");
    }
}

/// A code of the attacker in the browser of the victim would sign the victim in as the attacker.
#[actix_web::test]
async fn injected_code_is_refused() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let (mut attacker, mut victim) = (test.browser(), test.browser());
    let of_attacker = attacker.get(&format!("/login/with/{ID}")).await;
    let of_attacker = provider.approve(of_attacker.location());
    let of_victim = victim.get(&format!("/login/with/{ID}")).await;
    let of_victim = provider.approve(of_victim.location());

    // The whole answer: its state is of another browser.
    let page = victim.get(&of_attacker).await;
    assert_refused(&test, &page, STALE);
    // The code alone: its PKCE challenge and nonce are others.
    let part = |path: &str, name: &str| {
        let (_, rest) = path.split_once(&format!("{name}=")).unwrap();
        rest.split('&').next().unwrap().to_owned()
    };
    let code = part(&of_attacker, "code");
    let injected = of_victim.replace(&part(&of_victim, "code"), &code);
    let page = victim.get(&injected).await;
    assert_refused(&test, &page, FAILED);
    // Without the cookie of the browser.
    let page = test.browser().get(&of_victim).await;
    assert_refused(&test, &page, STALE);
    assert_eq!(victim.get(&of_victim).await.location(), "/tokens");
}

/// An answer that was used works no second time, and none works after ten minutes.
#[actix_web::test]
async fn replayed_and_late_answers_are_refused() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let mut browser = test.browser();
    let begin = browser.get(&format!("/login/with/{ID}")).await;
    let late = provider.approve(begin.location());
    test.clock.advance(600);
    let page = browser.get(&late).await;
    assert_refused(&test, &page, STALE);

    let begin = browser.get(&format!("/login/with/{ID}")).await;
    let back = provider.approve(begin.location());
    assert_eq!(browser.get(&back).await.location(), "/tokens");
    let again = browser.get(&back).await;
    assert!(again.location().ends_with(FAILED), "{}", again.location());
    assert_eq!(test.count("session", "1 = 1"), 1);
    for changed in ["state=", "state=zz", "code="] {
        let (before, _) = back.split_once(changed.split('=').next().unwrap()).unwrap();
        let page = browser.get(&format!("{before}{changed}")).await;
        assert!(
            page.location().contains("notice=provider-"),
            "{changed}: {}",
            page.location()
        );
    }
    assert_eq!(test.count("session", "1 = 1"), 1);
}

/// The answer of one provider arrives at the address of another, which must not redeem it (mix-up).
#[actix_web::test]
async fn mix_up_of_two_providers_is_refused() {
    let (honest, evil) = (Provider::start(), Provider::start());
    let of_evil = evil
        .settings("")
        .replace(&format!("id = \"{ID}\""), "id = \"evil\"");
    let test = TestApp::with(&format!("{}\n{of_evil}", honest.settings(""))).await;
    honest.follow(&test);
    evil.follow(&test);
    let mut browser = test.browser();

    // The answer of the honest provider at the address of the attacker.
    let begin = browser.get(&format!("/login/with/{ID}")).await;
    let back = honest.approve(begin.location());
    let moved = back.replace(&format!("/with/{ID}/"), "/with/evil/");
    let page = browser.get(&moved).await;
    assert_refused(&test, &page, STALE);
    assert_eq!(
        evil.requests("/token"),
        0,
        "the code went to the other provider"
    );

    // The attacker names itself, or no issuer (RFC 9207).
    for issuer in [Some(evil.url.clone()), None] {
        let begin = browser.get(&format!("/login/with/{ID}")).await;
        let back = honest.approve(begin.location());
        let (before, _) = back.split_once("&iss=").unwrap();
        let back = match issuer {
            Some(issuer) => format!("{before}&iss={issuer}"),
            None => before.to_owned(),
        };
        let page = browser.get(&back).await;
        assert_refused(&test, &page, FAILED);
    }
    assert_eq!(honest.requests("/token"), 0);
    assert_admits(&honest, &test).await;
}

/// The metadata of another issuer is rejected.
#[actix_web::test]
async fn provider_that_names_another_issuer_is_refused() {
    let provider = Provider::start();
    let settings = provider.settings("").replace(
        &format!("issuer = \"{}\"", provider.url),
        &format!("issuer = \"{}/\"", provider.url),
    );
    let test = TestApp::with(&settings).await;
    let page = test.browser().get(&format!("/login/with/{ID}")).await;
    assert_refused(&test, &page, FAILED);
}

#[actix_web::test]
async fn sign_in_returns_to_no_other_site() {
    let provider = Provider::start();
    let test = provider.server("").await;
    for foreign in [
        "https%3A%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "%2Faccount%2F..%2F%2Fevil.example",
        "%2Flogout",
    ] {
        let begin = format!("/login/with/{ID}?return_to={foreign}");
        let page = provider.sign_in_at(&mut test.browser(), &begin).await;
        assert_eq!(page.location(), "/tokens", "{foreign}");
    }
    let begin = format!("/login/with/{ID}?{RETURN}");
    let page = provider.sign_in_at(&mut test.browser(), &begin).await;
    assert_eq!(page.location(), "/account");
}

/// The address of an existing user, stated by a provider, gives no access to that account.
#[actix_web::test]
async fn address_of_an_existing_user_gives_no_access_to_the_account() {
    let provider = Provider::start();
    let test = provider.server("").await;
    for is_verified in [true, false] {
        provider.is_asked_by("eve", EMAIL);
        provider.state("email_verified", json!(is_verified));
        let mut browser = test.browser();
        let page = provider.sign_in(&mut browser).await;
        assert!(
            page.location().starts_with("/login/connect?link="),
            "{}",
            page.location()
        );
        let connect = browser.get(page.location()).await;
        assert_eq!(connect.status, 200);
        let link = connect.field("link").unwrap();
        for fields in [
            vec![
                ("link", link.as_str()),
                ("password", "wrong password of eve"),
            ],
            vec![("link", link.as_str()), ("decision", "new")],
            vec![("link", link.as_str())],
        ] {
            let refused = browser.post("/login/connect", &fields).await;
            assert_ne!(refused.location(), "/tokens", "{fields:?}");
            assert_eq!(browser.get("/tokens").await.status, 303);
        }
        // The page is of that browser alone.
        assert_eq!(test.browser().get(page.location()).await.status, 404);
    }
    assert_eq!(test.count("identity", "1 = 1"), 0);
    test.browser().sign_in(EMAIL, PASSWORD).await;
}

/// The `state` in the address to which a provider sends the browser back.
fn state_of(back: &str) -> &str {
    let (_, rest) = back.split_once("state=").unwrap();
    rest.split_once('&').unwrap().0
}

#[actix_web::test]
async fn provider_that_refuses_leads_back_to_the_sign_in() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let mut browser = test.browser();
    let begin = browser.get(&format!("/login/with/{ID}")).await;
    let back = provider.approve(begin.location());
    let state = state_of(&back);
    let page = browser
        .get(&format!(
            "/login/with/{ID}/callback?error=access_denied&state={state}"
        ))
        .await;
    assert_refused(&test, &page, "provider-denied");
    assert!(
        browser
            .get(page.location())
            .await
            .contains("The sign-in was cancelled.")
    );
    assert_admits(&provider, &test).await;
}

/// The server sends no secret and no user over plain http, and limits the size of an answer.
#[actix_web::test]
async fn provider_with_unsafe_endpoints_is_refused() {
    for (endpoint, url) in [
        (
            "authorization_endpoint",
            json!("http://id.acme.example/authorize"),
        ),
        ("authorization_endpoint", json!("javascript:alert(1)")),
        (
            "authorization_endpoint",
            json!("https://ada:secret@id.acme.example/"),
        ),
        ("authorization_endpoint", json!(null)),
        ("token_endpoint", json!("http://id.acme.example/token")),
        ("token_endpoint", json!("file:///etc/passwd")),
        ("jwks_uri", json!("http://id.acme.example/keys")),
        ("padding", json!("x".repeat(300 * 1024))),
    ] {
        let provider = Provider::start();
        let test = provider.server("").await;
        provider
            .desk()
            .metadata
            .insert(endpoint.to_owned(), url.clone());
        let mut browser = test.browser();
        let begin = browser.get(&format!("/login/with/{ID}")).await;
        let page = match begin.location().starts_with(&provider.url) {
            true => {
                let back = provider.approve(begin.location());
                browser.get(&back).await
            }
            false => begin,
        };
        assert_refused(&test, &page, FAILED);
    }
}

/// Each answer may cost a request to the provider, so refused ones are limited. Other sign-ins are
/// not delayed.
#[actix_web::test]
async fn refused_answers_are_limited_for_their_source() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let mut browser = test.browser();
    let begin = browser.get(&format!("/login/with/{ID}")).await;
    let back = provider.approve(begin.location());
    let state = state_of(&back);
    let guess = format!(
        "/login/with/{ID}/callback?code=guess&state={state}&iss={}",
        provider.url
    );
    for _ in 0..100 {
        assert!(browser.get(&guess).await.location().ends_with(FAILED));
    }
    let before = provider.requests("/token");
    assert_eq!(browser.get(&guess).await.status, 429);
    assert_eq!(provider.requests("/token"), before);
    test.clock.advance(601);
    assert_admits(&provider, &test).await;
}
