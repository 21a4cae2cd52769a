//! Codes that collide, and the limit of pending codes.

use super::{ASK, assert_refused};
use crate::innocent::metrics;
use crate::support::device::{Answer, Device};
use crate::support::tenant::OPERATOR;
use crate::support::{CLI, TestApp};
use doorcode::app::client::Kind;
use doorcode::app::sweep;

async fn ask_from(test: &TestApp, address: &str, client_id: &str) -> Answer {
    let request = test
        .anon()
        .post(test.at(ASK))
        .header("x-forwarded-for", address);
    Answer::of(
        request
            .form(&[("client_id", client_id)])
            .send()
            .await
            .unwrap(),
    )
    .await
}

/// DEV-22.
#[actix_web::test]
async fn taken_user_code_is_drawn_again() {
    let test = TestApp::start().await;
    let (taken, free) = ([0; 32], [1; 32]);
    test.entropy.next(&taken);
    let first = test.device("").await;
    assert_eq!(first.user_code, "BBBB-BBBB");

    // Bytes from 240 up give no letter; then the taken code twice, each with a device code and the
    // seed of the ids.
    let seed = [2; 32];
    let (first_try, second_try) = ([taken, [7; 32], seed], [taken, [8; 32], seed]);
    test.entropy.next(&[255; 32]);
    for draw in [first_try, second_try, [free, [9; 32], seed]].concat() {
        test.entropy.next(&draw);
    }
    let second = test.device("").await;
    assert_eq!(second.user_code, "CCCC-CCCC");
    assert_eq!(second.device_code, "09".repeat(32));
    assert_eq!(test.poll(&second).await.error(), "authorization_pending");

    for device_code in 100..110 {
        test.entropy.next(&taken);
        test.entropy.next(&[device_code; 32]);
        test.entropy.next(&seed);
    }
    let answer = test.oauth(ASK, &[("client_id", CLI)]).await;
    assert_refused(&answer, 503, "temporarily_unavailable");
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(test.count("device_grant", "1 = 1"), 2);
    assert_eq!(test.events("device.requested"), 2);

    // A decided code stays taken while its device may still poll.
    test.user().await.approve(&first.user_code, &[]).await;
    test.entropy.next(&taken);
    assert_ne!(test.device("").await.user_code, first.user_code);
}

/// DEV-55.
#[actix_web::test]
async fn pending_codes_of_a_source_are_limited() {
    let test = TestApp::with(
        "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n[device]\nlive_codes_per_source = 3\n",
    )
    .await;
    let mut devices = Vec::new();
    for _ in 0..3 {
        devices.push(Device::of(&ask_from(&test, "203.0.113.9", CLI).await));
    }
    for _ in 0..5 {
        let answer = ask_from(&test, "203.0.113.9", CLI).await;
        assert_refused(&answer, 429, "temporarily_unavailable");
        let wait: u64 = answer.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=600).contains(&wait));
    }
    assert_eq!(test.count("device_grant", "1 = 1"), 3);
    // A neighbour has its own limit, and IPv6 sources are a /64.
    assert_eq!(ask_from(&test, "203.0.113.10", CLI).await.status, 200);
    for host in ["1", "2", "ffff:1"] {
        let address = format!("2001:db8::{host}");
        assert_eq!(ask_from(&test, &address, CLI).await.status, 200);
    }
    assert_eq!(ask_from(&test, "2001:db8::beef", CLI).await.status, 429);
    assert_eq!(ask_from(&test, "2001:db8:0:1::1", CLI).await.status, 200);

    // A decision frees its slot, and so does the expiry of a code.
    let mut browser = test.user().await;
    browser.set_header("x-forwarded-for", "203.0.113.9");
    browser.approve(&devices[0].user_code, &[]).await;
    assert_eq!(ask_from(&test, "203.0.113.9", CLI).await.status, 200);
    assert_eq!(ask_from(&test, "203.0.113.9", CLI).await.status, 429);
    test.clock.advance(600);
    assert_eq!(ask_from(&test, "203.0.113.9", CLI).await.status, 200);
}

/// DEV-55, XD-13.
#[actix_web::test]
async fn pending_codes_of_a_client_are_limited_over_all_sources() {
    let test = TestApp::with(
        "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n[device]\nlive_codes_per_client = 2\n",
    )
    .await;
    test.add_client("other", Kind::Public, &[]).await;
    for address in ["203.0.113.1", "203.0.113.2"] {
        assert_eq!(ask_from(&test, address, CLI).await.status, 200);
    }
    assert_eq!(ask_from(&test, "203.0.113.3", CLI).await.status, 429);
    assert_eq!(ask_from(&test, "203.0.113.3", "other").await.status, 200);
}

/// The wait that a refused request is told.
fn wait(answer: &Answer) -> i64 {
    assert_refused(answer, 429, "temporarily_unavailable");
    answer.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap()
}

/// Security finding 8: sources that fill a site or a client leave the last tenth of it to sources
/// without pending codes, and the wait is true. A refused request writes nothing.
#[actix_web::test]
async fn last_tenth_is_for_sources_without_pending_codes() {
    let proxy = "[server]\ntrusted_proxies = [\"127.0.0.1\"]";
    for limit in ["live_codes_per_client", "live_codes_per_site"] {
        let test = TestApp::with(&format!("{proxy}\n[device]\n{limit} = 20\n")).await;
        assert_eq!(ask_from(&test, "203.0.113.1", CLI).await.status, 200);
        test.clock.advance(100);
        for i in 0..17 {
            let address = format!("203.0.113.{}", 1 + i % 2);
            assert_eq!(ask_from(&test, &address, CLI).await.status, 200);
        }
        test.clock.advance(100);
        // Its own last code expires 600 s after it was made. No write waits for this lock.
        let held = test.database.hold("UPDATE device_count SET live = live");
        assert_eq!(wait(&ask_from(&test, "203.0.113.1", CLI).await), 500);
        drop(held);
        for i in 3..5 {
            let address = format!("203.0.113.{i}");
            assert_eq!(ask_from(&test, &address, CLI).await.status, 200);
        }
        // The first code of all expires 600 s after it was made.
        assert_eq!(wait(&ask_from(&test, "203.0.113.5", CLI).await), 400);
        test.clock.advance(400);
        assert_eq!(ask_from(&test, "203.0.113.5", CLI).await.status, 200);
        assert_eq!(wait(&ask_from(&test, "203.0.113.1", CLI).await), 100);
        test.clock.advance(100);
        assert_eq!(ask_from(&test, "203.0.113.1", CLI).await.status, 200);
        let metrics = metrics(&test).await;
        let name = &limit.replace("live_codes_per", "device");
        let line = format!("doorcode_limit_reached_total{{limit=\"{name}\"}} 3");
        assert!(metrics.contains(&line), "{metrics}");
    }
}

/// The counters of pending codes, and the same counted from the grants.
fn assert_counted(test: &TestApp) {
    let pending = test.count("device_grant", "state = 'pending'");
    for kind in ["client", "site", "source"] {
        let sql = format!(
            "SELECT CAST(COALESCE(SUM(live), 0) AS TEXT) FROM device_count WHERE key LIKE '{kind}:%'"
        );
        assert_eq!(test.database.text(&sql), pending.to_string(), "{kind}");
    }
    assert_eq!(test.count("device_count", "live <= 0"), 0);
}

/// Every way in which a code stops being pending is counted once, also by concurrent requests.
#[actix_web::test]
async fn counters_follow_decisions_polls_and_expiry() {
    let settings = "[device]\nlive_codes_per_source = 12";
    let test = TestApp::with(settings).await;
    let other = test.second_server(settings).await;
    let servers = [&test, &other];
    let asked = (0..20).map(|i| servers[i % 2].oauth(ASK, &[("client_id", CLI)]));
    let answers = futures_util::future::join_all(asked).await;
    let granted = answers.iter().filter(|answer| answer.status == 200);
    let devices: Vec<_> = granted.map(Device::of).collect();
    assert_eq!(devices.len(), 12);
    assert_counted(&test);
    let mut browser = test.user().await;
    browser.approve(&devices[0].user_code, &[]).await;
    let consent = browser.type_code(&devices[1].user_code).await;
    browser.decide(&consent, "deny", &[]).await;
    assert_counted(&test);
    assert_eq!(test.poll(&devices[0]).await.status, 200);
    let consent = browser.type_code(&devices[2].user_code).await;
    let decisions = ["approve", "deny", "approve", "deny"].map(|decision| {
        let (mut browser, consent) = (browser.clone(), consent.clone());
        async move { browser.decide(&consent, decision, &[]).await.status }
    });
    futures_util::future::join_all(decisions).await;
    assert_counted(&test);
    browser.approve(&devices[3].user_code, &[]).await;
    test.clock.advance(601);
    let polls = devices[4..8].iter().chain(&devices[4..8]);
    futures_util::future::join_all(polls.map(|device| test.poll(device))).await;
    assert_counted(&test);
    assert_eq!(test.count("device_grant", "state = 'pending'"), 5 - 1);
    sweep::purge(&test.app).await.unwrap();
    assert_counted(&test);
    assert_eq!(test.count("device_count", "1 = 1"), 0);
}

/// The codes of a removed client leave the limits of their source and site.
#[actix_web::test]
async fn removal_of_a_client_uncounts_its_codes() {
    let test = TestApp::start().await;
    test.add_client("other", Kind::Public, &["tokens:read"])
        .await;
    test.device("").await;
    for _ in 0..2 {
        let asked = test.oauth(ASK, &[("client_id", "other")]).await;
        assert_eq!(asked.status, 200);
    }
    assert_counted(&test);
    doorcode::app::client::remove(&test.req(&OPERATOR), "other")
        .await
        .unwrap();
    assert_eq!(test.count("device_grant", "state = 'pending'"), 1);
    assert_counted(&test);
}

/// DEV-48, DEV-55. The table stays bounded, and late polls still get the result.
#[actix_web::test]
async fn expired_grants_are_deleted_after_one_more_lifetime() {
    let test = TestApp::start().await;
    let old = test.device("").await;
    test.clock.advance(700);
    let young = test.device("").await;
    sweep::purge(&test.app).await.unwrap();
    assert_eq!(test.count("device_grant", "1 = 1"), 2);
    assert_eq!(test.poll(&old).await.error(), "expired_token");

    test.clock.advance(501);
    sweep::purge(&test.app).await.unwrap();
    assert_eq!(test.count("device_grant", "1 = 1"), 1);
    assert_eq!(test.poll(&old).await.error(), "invalid_grant");
    assert_eq!(test.poll(&young).await.error(), "authorization_pending");
}
