//! Whatever strangers send in any number leaves a bounded number of records, and the log still tells
//! who was attacked, from where and how often. Others are served meanwhile.

use super::{sound, verify};
use crate::support::browser::Browser;
use crate::support::database::{AUDIT, Database};
use crate::support::device::{Answer, Device, GRANT};
use crate::support::{CLI, EMAIL, OPERATOR, PASSWORD, TestApp, http};
use crate::throttle::BEHIND_PROXY;
use doorcode::app::client::Kind;
use doorcode::app::sweep;
use doorcode::domain::audit::hash::Hash;
use doorcode::domain::audit::merkle::Proof;
use doorcode::domain::audit::token_use::Use;
use serde_json::{Value, json};

const WRONG: &str = "yellow anvil sleeps under";

/// The details of the records of an action, with target and address, the oldest first.
pub fn records(test: &TestApp, action: &str) -> Vec<Value> {
    let columns = match Database::is_postgres() {
        true => "string_agg(line, E'\\n')",
        false => "group_concat(line, char(10))",
    };
    let text = test.database.text(&format!(
        "SELECT COALESCE({columns}, '') FROM (
             SELECT COALESCE(target, '-') || ' ' || COALESCE(address, '-') || ' ' || detail AS line
             FROM {AUDIT} WHERE action = '{action}' ORDER BY id) AS records"
    ));
    let record = |line: &str| {
        let mut parts = line.splitn(3, ' ');
        let mut next = || parts.next().unwrap().to_owned();
        let (target, address, detail) = (next(), next(), next());
        json!({
            "target": target,
            "address": address,
            "detail": serde_json::from_str::<Value>(&detail).unwrap(),
        })
    };
    text.lines().map(record).collect()
}

/// How many events the records of an action stand for.
pub fn total(test: &TestApp, action: &str) -> u64 {
    let count = |record: &Value| record["detail"]["count"].as_u64().unwrap_or(1);
    records(test, action).iter().map(count).sum()
}

/// The recorded uses of a token, as the operator sees them.
async fn uses(test: &TestApp, token_id: &str) -> Vec<Value> {
    let request = http().get(test.at(&format!("/v1/audit/uses?limit=100&token={token_id}")));
    let answer = Answer::of(request.bearer_auth(OPERATOR).send().await.unwrap()).await;
    answer.body["items"].as_array().unwrap().clone()
}

/// Whether a use as the API returns it is proven by the root in the log.
async fn is_proven(test: &TestApp, used: &Value) -> bool {
    let path = format!("/v1/audit/uses/{}", used["id"].as_str().unwrap());
    let request = http().get(test.at(&path)).bearer_auth(OPERATOR);
    let found = Answer::of(request.send().await.unwrap()).await.body;
    let mut leaf = found["use"].clone();
    leaf.as_object_mut().unwrap().remove("id");
    let leaf: Use = serde_json::from_value(leaf).unwrap();
    let path = found["proof"]["path"].as_array().unwrap();
    let proof = Proof {
        index: found["proof"]["index"].as_u64().unwrap(),
        size: found["proof"]["size"].as_u64().unwrap(),
        path: path
            .iter()
            .map(|hash| Hash::parse(hash.as_str().unwrap()).unwrap())
            .collect(),
    };
    let root = Hash::parse(found["root"].as_str().unwrap()).unwrap();
    proof.holds(&leaf.leaf(), &root)
}

fn count_of(used: &Value) -> u64 {
    used["repeated"]["count"].as_u64().unwrap_or(1)
}

/// A leaver's program calls with its revoked token without end.
#[actix_web::test]
async fn uses_of_a_revoked_token_are_counted() {
    let test = TestApp::with(BEHIND_PROXY).await;
    let (revoked, other) = (
        test.token(&["tokens:read"]).await,
        test.token(&["tokens:read"]).await,
    );
    let id = |me: Value| me["token"]["id"].as_str().unwrap().to_owned();
    let [revoked_id, other_id] = [
        id(test.me(&revoked).await.json().await.unwrap()),
        id(test.me(&other).await.json().await.unwrap()),
    ];
    test.database.execute(&format!(
        "UPDATE token SET revoked_at = created_at, revoked_by = 'x', revoked_reason = 'owner'
         WHERE id = '{revoked_id}'"
    ));
    test.settle().await;
    for round in 0..2 {
        for _ in 0..100 {
            assert_eq!(test.me(&revoked).await.status(), 401);
            test.clock.advance_ms(10);
        }
        assert_eq!(test.me(&other).await.status(), 200);
        test.settle().await;
        let recorded = uses(&test, &revoked_id).await;
        assert_eq!(recorded.len(), round + 2, "the first use was allowed");
        let latest = &recorded[0];
        assert_eq!(latest["decision"], "revoked");
        assert_eq!(latest["route"], "GET /v1/me");
        assert_eq!(latest["address"], "127.0.0.1");
        assert_eq!(count_of(latest), 100);
        assert!(latest["repeated"]["last_at"].as_str() > latest["at"].as_str());
        assert!(is_proven(&test, latest).await);
    }
    // Each use of another token is recorded, also during a flood from many addresses.
    for n in 0..200 {
        let request = http().get(test.at("/v1/me")).bearer_auth(&revoked);
        let address = format!("198.51.100.{n}");
        let answer = request.header("x-forwarded-for", address).send().await;
        assert_eq!(answer.unwrap().status(), 401);
    }
    assert_eq!(test.me(&other).await.status(), 200);
    test.settle().await;
    let recorded = uses(&test, &revoked_id).await;
    assert!(recorded.len() <= 3 + 51, "{}", recorded.len());
    assert_eq!(recorded.iter().map(count_of).sum::<u64>(), 1 + 400);
    let other_uses = uses(&test, &other_id).await;
    assert_eq!(other_uses.iter().map(count_of).max(), Some(1));
    assert_eq!(other_uses.len(), 4);
    sound(&verify(&test).await);

    // The page of the token shows the count.
    let mut browser = test.user().await;
    let page = browser.get(&format!("/tokens/{revoked_id}")).await;
    assert!(page.contains("100 times"), "{}", page.body);
}

async fn guess(browser: &mut Browser, address: &str, email: &str) -> u16 {
    browser.set_header("x-forwarded-for", address);
    let fields = [("email", email), ("password", WRONG)];
    browser.post("/login", &fields).await.status
}

/// A guesser tries passwords of two users and of many invented addresses from many networks.
#[actix_web::test]
async fn failing_sign_ins_are_counted_by_user_and_source() {
    let test = TestApp::with(BEHIND_PROXY).await;
    let bob = test.add_user("bob@example.com", PASSWORD, None).await;
    let mut browser = test.browser();
    browser.get("/login").await;
    for _ in 0..4 {
        assert_eq!(guess(&mut browser, "192.0.2.7", EMAIL).await, 401);
    }
    for _ in 0..3 {
        assert_eq!(
            guess(&mut browser, "192.0.2.8", "bob@example.com").await,
            401
        );
    }
    assert_eq!(test.events("session.refused"), 0, "written one by one");
    test.settle().await;
    let found = records(&test, "session.refused");
    assert_eq!(found.len(), 2);
    let of_bob = |one: &&Value| one["target"] == bob.as_str();
    let (bobs, others): (Vec<_>, Vec<_>) = found.iter().partition(of_bob);
    assert_eq!(others[0]["address"], "192.0.2.7");
    assert_eq!(others[0]["detail"]["count"], 4);
    assert_eq!(bobs[0]["address"], "192.0.2.8");
    assert_eq!(bobs[0]["detail"]["count"], 3);
    assert_eq!(bobs[0]["detail"]["reason"], "wrong_password");
    assert_eq!(bobs[0]["detail"]["route"], "POST /login");

    // Behind the kinds that are kept apart, the heaviest networks are still named.
    for n in 0..60 {
        let email = format!("nobody{n}@example.com");
        assert_eq!(
            guess(&mut browser, &format!("198.51.{n}.1"), &email).await,
            401
        );
    }
    for n in 0..40 {
        let email = format!("nobody{}@example.com", 100 + n);
        assert_eq!(guess(&mut browser, "203.0.113.5", &email).await, 401);
    }
    test.settle().await;
    let found = records(&test, "session.refused");
    assert!(found.len() <= 2 + 51, "{}", found.len());
    assert_eq!(total(&test, "session.refused"), 107);
    let rest = found
        .iter()
        .find(|one| one["detail"]["networks"].is_object());
    let networks = &rest.unwrap()["detail"]["networks"];
    assert!(
        networks["203.0.113.0/24"].as_u64() >= Some(30),
        "{networks}"
    );

    // The user who was guessed at signs in, and sees it in the log.
    let mut owner = test.browser();
    owner.sign_in(EMAIL, PASSWORD).await;
    let page = owner.get("/account/activity").await;
    assert_eq!(page.status, 200);
    sound(&verify(&test).await);
}

/// Field report 24: a program with a wrong secret polls without end.
#[actix_web::test]
async fn wrong_client_credentials_leave_one_record() {
    let test = TestApp::start().await;
    test.add_client("reports", Kind::Confidential, &["tokens:read"])
        .await;
    let poll = [
        ("grant_type", GRANT),
        ("client_id", "reports"),
        ("client_secret", "wrong"),
        ("device_code", "invented"),
    ];
    for n in 0..25 {
        let answer = test.oauth("/auth/device/token", &poll).await;
        let expected = if n < 20 { 401 } else { 429 };
        assert_eq!(answer.status, expected, "{n}");
    }
    test.settle().await;
    let refused = records(&test, "access.refused");
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["detail"]["reason"], "invalid_client");
    assert_eq!(refused[0]["detail"]["count"], 20);
    assert_eq!(total(&test, "request.limited"), 5);
}

async fn ask(test: &TestApp, address: &str) -> Device {
    let request = http()
        .post(test.at("/auth/device"))
        .header("x-forwarded-for", address)
        .form(&[("client_id", CLI), ("scope", "tokens:read")]);
    Device::of(&Answer::of(request.send().await.unwrap()).await)
}

/// A device asks for codes without end; a user approves one of them.
#[actix_web::test]
async fn device_grants_that_nobody_sees_are_counted() {
    let settings = "[device]\nlive_codes_per_source = 30";
    let test = TestApp::with(&format!("{BEHIND_PROXY}\n{settings}")).await;
    let mut devices = Vec::new();
    for _ in 0..30 {
        devices.push(ask(&test, "203.0.113.9").await);
    }
    test.settle().await;
    // The first five have records of their own.
    assert_eq!(test.events("device.requested"), 5 + 1);
    assert_eq!(total(&test, "device.requested"), 30);

    // A user sees a later one: its request gets its record, once.
    let late = &devices[20];
    let mut browser = test.user().await;
    browser.set_header("x-forwarded-for", "203.0.113.9");
    for _ in 0..2 {
        assert_eq!(browser.type_code(&late.user_code).await.status, 200);
    }
    let requested = records(&test, "device.requested");
    assert_eq!(requested.len(), 5 + 1 + 1);
    let last = &requested[6];
    assert_eq!(last["address"], "203.0.113.9");
    assert_eq!(last["detail"]["scopes"], "tokens:read");
    assert!(last["detail"]["requested_at"].as_str().is_some());
    let granted = test.database.text(&format!(
        "SELECT target FROM {AUDIT} WHERE action = 'device.requested' ORDER BY id DESC LIMIT 1"
    ));
    let shown = format!("action = 'device.shown' AND target = '{granted}'");
    assert_eq!(test.count(AUDIT, &shown), 2);

    test.clock.advance(600);
    // Polls of a grant that nobody saw are counted once.
    for _ in 0..2 {
        assert_eq!(test.poll(&devices[3]).await.error(), "expired_token");
        assert_eq!(test.events("device.expired"), 0);
    }
    test.settle().await;
    assert_eq!(total(&test, "device.expired"), 1);
    for _ in 0..2 {
        sweep::purge(&test.app).await.unwrap();
        let expired = records(&test, "device.expired");
        assert_eq!(expired.len(), 3, "{expired:?}");
        let (counted, own): (Vec<_>, Vec<_>) = expired
            .iter()
            .partition(|record| record["detail"]["count"].is_u64());
        assert_eq!(own[0]["target"], granted.as_str());
        assert_eq!(own.len(), 1);
        for (record, count) in counted.iter().zip([1, 28]) {
            assert_eq!(record["detail"]["count"], count);
            assert_eq!(record["detail"]["client_id"], CLI);
            assert_eq!(record["address"], "203.0.113.9");
        }
    }
    assert_eq!(test.poll(&devices[3]).await.error(), "expired_token");
    // Nobody polls any more: the rows are deleted.
    test.clock.advance(601);
    sweep::purge(&test.app).await.unwrap();
    assert_eq!(test.count("device_grant", "1 = 1"), 0);

    // A device that asks now is served and recorded.
    let device = ask(&test, "203.0.113.9").await;
    let page = browser.approve(&device.user_code, &["tokens:read"]).await;
    assert_eq!(page.status, 200);
    test.poll(&device).await.token();
    sound(&verify(&test).await);
}
