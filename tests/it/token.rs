//! Personal access tokens: their format, their stored data, and their end.

use crate::support::database::{AUDIT, Database};
use crate::support::{CLI, TestApp};
use doorcode::app::{Entropy, SystemEntropy};
use doorcode::domain::secret::Secret;
use doorcode::domain::token;
use std::collections::HashSet;

/// The pattern for secret scanners, as stated in CONTRACT and README.
fn has_published_form(text: &str, prefix: &str) -> bool {
    let digits = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'));
    digits.is_some_and(|digits| {
        digits.len() == 48 && digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
    })
}

/// PAT-02, PAT-03, PAT-04, OAU-11: ten thousand tokens from the random generator of the system.
#[test]
fn tokens_are_unique_uniform_and_well_formed() {
    let mut seen = HashSet::new();
    let mut digits = [0u32; 16];
    for _ in 0..10_000 {
        let mut seed = token::TokenSeed::default();
        SystemEntropy.fill(&mut seed);
        let token = token::write("dc", &seed);
        let text = token.expose();
        assert!(has_published_form(text, "dc"), "{text}");
        assert!(token::is_well_formed("dc", text));
        let (body, checksum) = text.split_at(text.len() - 8);
        assert_eq!(
            checksum,
            format!("{:08x}", crc32fast::hash(body.as_bytes()))
        );
        for digit in body.bytes().skip(3) {
            digits[char::from(digit).to_digit(16).unwrap() as usize] += 1;
        }
        assert!(seen.insert(text.to_owned()));
    }
    // Chi-square with 15 degrees of freedom: above 56 once in a million runs.
    let expected = 10_000.0 * 40.0 / 16.0;
    let chi_square: f64 = digits
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum();
    assert!(chi_square < 56.0, "{chi_square} {digits:?}");
    for other in [
        "356a192b7913b04c54574d18c28d46e6395428ab",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    ] {
        assert!(!token::is_well_formed("dc", other));
    }
}

/// PAT-04: only the prefix is configurable.
#[actix_web::test]
async fn prefix_is_configurable() {
    let test = TestApp::with("[tokens]\nprefix = \"acme\"\n").await;
    let token = test.token(&["tokens:read"]).await;
    assert!(has_published_form(&token, "acme"), "{token}");
    assert_eq!(test.me(&token).await.status(), 200);
    let foreign = token::write("dc", &[7; 20]);
    assert_eq!(test.me(foreign.expose()).await.status(), 401);
}

/// PAT-03: a mistyped token costs no look-up: a server without a database can reject it.
#[actix_web::test]
async fn one_wrong_character_is_rejected_without_a_look_up() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let lost = test.node(match Database::is_postgres() {
        true => "postgres://nobody@127.0.0.1:1/nothing",
        false => "sqlite:/nowhere/at/all/doorcode.db",
    });
    for i in 0..token.len() {
        let mut typo = token.clone().into_bytes();
        typo[i] = if typo[i] == b'7' { b'8' } else { b'7' };
        let typo = String::from_utf8(typo).unwrap();
        let request = test.anon().get(lost.at("/v1/me")).bearer_auth(&typo);
        assert_eq!(request.send().await.unwrap().status(), 401, "{typo}");
    }
    for other in [&token[..50], &format!("{token}0"), &token.to_uppercase()] {
        let request = test.anon().get(lost.at("/v1/me")).bearer_auth(other);
        assert_eq!(request.send().await.unwrap().status(), 401, "{other}");
    }
    let request = test.anon().get(lost.at("/v1/me")).bearer_auth(&token);
    assert_eq!(request.send().await.unwrap().status(), 503);
}

/// PAT-05.
#[actix_web::test]
async fn only_the_digest_of_a_token_is_stored() {
    let test = TestApp::start().await;
    let by_device = test.token(&["tokens:read"]).await;
    let by_hand = test.user().await.new_token("script", &[], "90d").await;
    for token in [by_device, by_hand] {
        let digest = Secret::new(token.as_str()).digest();
        let row = format!("token_digest = '{}'", digest.as_str());
        assert_eq!(test.count("token", &row), 1);
        let dump = test.database.dump();
        assert!(!dump.contains(&token));
        assert!(!dump.contains(&token[3..43]));
    }
}

/// PAT-06, PAT-07, PAT-12: shown once, listed permanently, revoked once or twice.
#[actix_web::test]
async fn token_is_shown_once_and_listed_permanently() {
    let test = TestApp::start().await;
    let mut user = test.user().await;
    user.get("/tokens/new").await;
    let fields = [
        ("name", "Nightly <b>build</b>"),
        ("scope", "tokens:read"),
        ("scope", "orgs:read"),
        ("expires", "30d"),
    ];
    let created = user.post("/tokens/new", &fields).await;
    assert_eq!(created.status, 200);
    assert_eq!(created.headers["cache-control"], "no-store");
    let token = created.attribute("data-token").unwrap();
    assert_eq!(test.me(&token).await.status(), 200);

    let digest = Secret::new(token.as_str()).digest();
    let hint = format!("dc_…{}", &token[47..]);
    for path in ["/tokens", "/tokens/new", "/account"] {
        let page = user.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.contains(&token), "{path}");
        assert!(!page.contains(digest.as_str()), "{path}");
    }
    let list = user.get("/tokens").await;
    for shown in [&hint, "tokens:read", "orgs:read", "Nightly", "2026-12-22"] {
        assert!(list.contains(shown), "{shown}: {}", list.body);
    }
    assert!(!list.contains("<b>build"));

    let id = test.database.text("SELECT id FROM token");
    let revoke = format!("/tokens/{id}/revoke");
    let confirm = user.get(&revoke).await;
    assert!(confirm.contains(&hint));
    assert_eq!(test.me(&token).await.status(), 200);
    for _ in 0..2 {
        assert_eq!(user.post(&revoke, &[]).await.status, 303);
        assert_eq!(test.me(&token).await.status(), 401);
    }
    assert_eq!(test.count(AUDIT, "action = 'token.revoked'"), 1);
    assert_eq!(
        test.count("token", "revoked_reason = 'revoked_by_owner'"),
        1
    );
    let list = user.get("/tokens?show=ended").await;
    assert!(list.contains(&hint));
    assert!(list.contains("Revoked"));
    let me = test.me(&token).await.text().await.unwrap();
    assert!(!me.contains(&token) && !me.contains(digest.as_str()));
}

/// PAT-12: a user can neither revoke nor detect tokens of another user.
#[actix_web::test]
async fn tokens_of_another_user_are_inaccessible() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let id = test.database.text("SELECT id FROM token");
    let password = crate::support::PASSWORD;
    test.add_user("eve@example.com", password, None).await;
    let mut eve = test.browser();
    eve.sign_in("eve@example.com", password).await;
    eve.get("/tokens/new").await;
    let other = "tok_0197b9c0-0000-7000-8000-000000000000";
    for id in [id.as_str(), other, "garbage"] {
        let path = format!("/tokens/{id}/revoke");
        assert_eq!(eve.get(&path).await.status, 404, "{id}");
        eve.get("/tokens/new").await;
        assert_eq!(eve.post(&path, &[]).await.status, 404, "{id}");
        eve.get("/tokens/new").await;
    }
    assert_eq!(eve.post("/tokens/revoke-all", &[]).await.status, 303);
    assert_eq!(test.me(&token).await.status(), 200);
    assert!(!eve.get("/tokens").await.contains(&id));
}

/// PAT-07, PAT-08: the expiry is exact to the second.
#[actix_web::test]
async fn token_is_active_exactly_until_its_expiry() {
    let test = TestApp::start().await;
    let mut user = test.user().await;
    let month = user.new_token("month", &[], "30d").await;
    let for_ever = user.new_token("for ever", &[], "never").await;
    test.clock.advance(30 * 24 * 3600 - 1);
    assert_eq!(test.me(&month).await.status(), 200);
    test.clock.advance(1);
    assert_eq!(test.me(&month).await.status(), 401);
    test.clock.advance(50 * 365 * 24 * 3600);
    assert_eq!(test.me(&for_ever).await.status(), 200);
    let form = [("client_id", CLI), ("token", month.as_str())];
    assert_eq!(test.oauth("/auth/revoke", &form).await.status, 200);
    assert_eq!(test.count("token", "1 = 1"), 2);
}
