//! A device that lost the answer with its token.

use super::{BEHIND_PROXY, POLL, assert_refused};
use crate::statements;
use crate::support::database::Database;
use crate::support::device::{Answer, Device};
use crate::support::{CLI, TestApp};
use doorcode::app::client::Kind;
use doorcode::app::device::end_unused;
use futures_util::future::join_all;

/// A device whose request the user has approved.
async fn approved(test: &TestApp) -> Device {
    let device = test.device("tokens:read").await;
    test.user()
        .await
        .approve(&device.user_code, &["tokens:read"])
        .await;
    device
}

/// Polls from an address behind the proxy.
async fn poll_from(test: &TestApp, device: &Device, address: &str) -> Answer {
    let request = test
        .anon()
        .post(test.at(POLL))
        .header("x-forwarded-for", address)
        .form(&device.poll_form(CLI));
    Answer::of(request.send().await.unwrap()).await
}

/// Asserts that a further poll is a replay, of which there is one record.
async fn assert_replay(test: &TestApp, device: &Device) {
    for _ in 0..2 {
        assert_refused(&test.poll(device).await, 400, "invalid_grant");
    }
    assert_eq!(test.events("device.replayed"), 1);
}

#[actix_web::test]
async fn lost_answer_is_given_again_until_the_first_use() {
    let mut test = TestApp::start().await;
    let device = approved(&test).await;
    let first = test.poll(&device).await;
    assert_eq!(first.status, 200, "{first:?}");
    for seconds in [0, 5, 5, 19] {
        test.clock.advance(seconds);
        // Also by a server that was started meanwhile.
        test.restart().await;
        let again = test.poll(&device).await;
        assert_eq!((again.status, &again.body), (200, &first.body));
        assert_eq!(again.headers["cache-control"], "no-store");
    }
    assert_eq!(test.events("device.repeated"), 1);
    assert_eq!(test.events("device.replayed"), 0);
    assert_eq!(test.count("token", "1 = 1"), 1);

    assert_eq!(test.me(&first.token()).await.status(), 200);
    assert_replay(&test, &device).await;
    test.settle().await;
    assert_eq!(test.count("device_answer", "1 = 1"), 0);
    test.clock.advance(60);
    end_unused(&test.app).await.unwrap();
    assert_eq!(test.me(&first.token()).await.status(), 200);
}

/// Each kind of use is one, also a refused one.
#[actix_web::test]
async fn any_use_ends_the_repetition() {
    let test = TestApp::start().await;
    for kind in ["me", "introspect", "verify", "refused"] {
        let device = approved(&test).await;
        let token = test.poll(&device).await.token();
        let verify = async |scope: &str| {
            let path = format!("/auth/verify?scope={scope}");
            let request = test.anon().get(test.at(&path)).bearer_auth(&token);
            request.send().await.unwrap().status().as_u16()
        };
        match kind {
            "me" => assert_eq!(test.me(&token).await.status(), 200),
            "introspect" => assert_eq!(test.introspect(&token).await["active"], true),
            "verify" => assert_eq!(verify("tokens:read").await, 204),
            _ => assert_eq!(verify("tokens:write").await, 403),
        }
        assert_eq!(test.poll(&device).await.error(), "invalid_grant", "{kind}");
    }
    assert_eq!(test.events("device.repeated"), 0);
}

#[actix_web::test]
async fn answer_is_not_given_after_thirty_seconds() {
    let test = TestApp::start().await;
    let device = approved(&test).await;
    let token = test.poll(&device).await.token();
    test.clock.advance(30);
    // The client asks for a token that nobody has used: it has none.
    assert_replay(&test, &device).await;
    assert_eq!(test.me(&token).await.status(), 401);
    assert_eq!(test.events("token.revoked"), 1);
    assert_eq!(test.count("token", "revoked_reason = 'answer_lost'"), 1);
    assert_eq!(test.count("device_answer", "1 = 1"), 0);
}

/// Many clients store their token and use it hours later.
#[actix_web::test]
async fn token_whose_code_is_not_sent_again_stays_active_without_a_use() {
    let test = TestApp::start().await;
    let device = approved(&test).await;
    let token = test.poll(&device).await.token();
    test.clock.advance(31);
    end_unused(&test.app).await.unwrap();
    assert_eq!(test.count("device_answer", "answer IS NULL"), 1);
    assert_eq!(test.count("device_answer", "answer IS NOT NULL"), 0);
    test.clock.advance(3_600);
    end_unused(&test.app).await.unwrap();
    doorcode::app::sweep::purge(&test.app).await.unwrap();
    assert_eq!(test.count("device_answer", "1 = 1"), 0);
    assert_eq!(test.me(&token).await.status(), 200);
}

#[actix_web::test]
async fn repeated_token_is_revoked_unless_it_is_used_in_time() {
    let test = TestApp::start().await;
    for is_used in [true, false] {
        let device = approved(&test).await;
        let token = test.poll(&device).await.token();
        test.clock.advance(29);
        assert_eq!(test.poll(&device).await.token(), token);
        // The last answer arrives shortly before the end of its time, and its token works.
        test.clock.advance(29);
        end_unused(&test.app).await.unwrap();
        if is_used {
            assert_eq!(test.me(&token).await.status(), 200);
        }
        test.clock.advance(1);
        end_unused(&test.app).await.unwrap();
        let status = if is_used { 200 } else { 401 };
        assert_eq!(test.me(&token).await.status(), status);
    }
    assert_eq!(test.events("token.revoked"), 1);
    assert_eq!(test.count("token", "revoked_by = 'system'"), 1);
}

/// A copy of the code elsewhere yields nothing; the device itself is not disturbed.
#[actix_web::test]
async fn answer_is_only_given_to_the_same_source_and_client() {
    let test = TestApp::with(BEHIND_PROXY).await;
    test.add_client("other", Kind::Public, &["tokens:read"])
        .await;
    let device = approved(&test).await;
    let here = "203.0.113.9";
    let token = poll_from(&test, &device, here).await.token();
    for elsewhere in ["203.0.113.10", "2001:db8::9"] {
        let answer = poll_from(&test, &device, elsewhere).await;
        assert_refused(&answer, 400, "invalid_grant");
    }
    let answer = test.oauth(POLL, &device.poll_form("other")).await;
    assert_refused(&answer, 400, "invalid_grant");
    assert_eq!(test.events("device.replayed"), 1);
    assert_eq!(test.events("device.wrong_client"), 1);
    assert_eq!(poll_from(&test, &device, here).await.token(), token);
    assert_eq!(test.me(&token).await.status(), 200);
    test.clock.advance(60);
    end_unused(&test.app).await.unwrap();
    assert_eq!(test.me(&token).await.status(), 200);

    // An IPv6 host changes its address within its /64.
    let device = approved(&test).await;
    let token = poll_from(&test, &device, "2001:db8::1").await.token();
    let again = poll_from(&test, &device, "2001:db8::ffff").await;
    assert_eq!(again.token(), token);
}

#[actix_web::test]
async fn revoked_token_is_not_given_again() {
    let test = TestApp::start().await;
    let device = approved(&test).await;
    test.poll(&device).await.token();
    let mut browser = test.user().await;
    let id = test.database.text("SELECT id FROM token");
    let path = format!("/tokens/{id}/revoke");
    assert_eq!(browser.get(&path).await.status, 200);
    let page = browser.post(&path, &[]).await;
    assert_eq!(page.status, 303, "{}", page.body);
    assert_replay(&test, &device).await;
}

/// The database holds neither the token nor the device code that decrypts it.
#[actix_web::test]
async fn kept_answer_is_not_in_plain_text() {
    let test = TestApp::start().await;
    let device = approved(&test).await;
    let token = test.poll(&device).await.token();
    let dump = test.database.dump();
    assert_eq!(test.count("device_answer", "answer IS NOT NULL"), 1);
    for secret in [&token, &token[3..].to_owned(), &device.device_code] {
        assert!(!dump.contains(secret.as_str()));
    }
    let stored = test.database.text("SELECT answer FROM device_answer");
    // In hexadecimal, like the stored text.
    assert!(!stored.contains(&hex::encode(&token)));
    assert!(!stored.contains(&hex::encode(&token[3..43])));
}

/// The uses after the first cost what they cost without an answer: one statement, and no write.
#[actix_web::test]
async fn later_uses_cost_no_statement_more() {
    if Database::is_postgres() {
        return;
    }
    statements::observe();
    let test = TestApp::start().await;
    let device = approved(&test).await;
    let token = test.poll(&device).await.token();
    let first = statements::during(&test.database, async {
        assert_eq!(test.me(&token).await.status(), 200);
        test.settle().await;
    });
    let about = |seen: &[String]| {
        let is_about = |sql: &&String| sql.contains("device_answer");
        seen.iter().filter(is_about).count()
    };
    assert_eq!(about(&first.await.1), 1);
    let later = statements::during(&test.database, async {
        for _ in 0..5 {
            assert_eq!(test.me(&token).await.status(), 200);
        }
        test.settle().await;
    });
    assert_eq!(about(&later.await.1), 0);
}

/// On two servers: many polls share one token, the first use ends them all, and nothing is revoked.
#[actix_web::test]
async fn parallel_repetitions_and_uses_share_one_token() {
    let test = TestApp::start().await;
    let second = test.second_server("").await;
    for round in 1..=5 {
        let device = approved(&test).await;
        let servers = [&test, &second];
        let polls = (0..50).map(|i| servers[i % 2].poll(&device));
        let answers = join_all(polls).await;
        let token = answers[0].token();
        for answer in &answers {
            assert_eq!((answer.status, answer.token()), (200, token.clone()));
        }
        let polls = join_all((0..20).map(|i| servers[i % 2].poll(&device)));
        let uses = join_all((0..20).map(|i| servers[i % 2].me(&token)));
        let (polls, uses) = tokio::join!(polls, uses);
        for answer in &polls {
            match answer.status {
                200 => assert_eq!(answer.token(), token),
                _ => assert_refused(answer, 400, "invalid_grant"),
            }
        }
        assert!(uses.iter().all(|answer| answer.status() == 200));
        test.settle().await;
        second.settle().await;
        for server in servers {
            assert_refused(&server.poll(&device).await, 400, "invalid_grant");
        }
        test.clock.advance(60);
        let ended = tokio::join!(end_unused(&test.app), end_unused(&second.app));
        assert!(ended.0.is_ok() && ended.1.is_ok(), "{ended:?}");
        assert_eq!(test.me(&token).await.status(), 200);
        assert_eq!(test.count("token", "1 = 1"), round);
        assert_eq!(test.events("device.repeated"), round);
    }
    assert_eq!(test.events("token.revoked"), 0);
}

/// The first use and the revocation of an unused token exclude each other on two servers.
#[actix_web::test]
async fn use_that_races_with_the_revocation_is_consistent() {
    let test = TestApp::start().await;
    let second = test.second_server("").await;
    for _ in 0..20 {
        let device = approved(&test).await;
        let token = test.poll(&device).await.token();
        assert_eq!(second.poll(&device).await.token(), token);
        test.clock.advance(60);
        let ended = async { tokio::join!(end_unused(&test.app), end_unused(&second.app)) };
        let (used, ended) = tokio::join!(second.me(&token), ended);
        assert!(ended.0.is_ok() && ended.1.is_ok(), "{ended:?}");
        second.settle().await;
        test.settle().await;
        assert!([200, 401].contains(&used.status().as_u16()));
        assert_eq!(test.count("device_answer", "1 = 1"), 0);
    }
    let revoked = test.count("token", "revoked_reason = 'answer_lost'");
    assert_eq!(test.events("token.revoked"), revoked);
}
