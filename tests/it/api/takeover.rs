//! A request whose server crashed is carried out once, by the next attempt.

use super::{SCOPES, assert_problem, create};
use crate::support::TestApp;
use crate::support::tenant::input;
use doorcode::app::Error;
use doorcode::app::access::Caller;
use doorcode::app::idempotency::{
    self, Answer, IdempotencyGuard, IdempotencyRecord, IdempotencyStart, IdempotentCall,
};
use doorcode::app::token::{self, NewToken, OwnerRef};
use doorcode::domain::secret::Secret;
use doorcode::wire::json;
use futures_util::future::join_all;
use serde_json::{Value, json};

/// Lease of a request, in seconds. Another attempt may begin afterwards.
const LEASE: i64 = 30;

/// A token and the request that it sends.
struct Story {
    test: TestApp,
    token: String,
    caller: Caller,
    body: Value,
}

impl Story {
    async fn new() -> Self {
        let test = TestApp::start().await;
        let token = test.token(&SCOPES).await;
        let active = token::authenticate(&test.req(&Caller::Anonymous), &Secret::new(&token)).await;
        Self {
            caller: Caller::Token(Box::new(active.unwrap().unwrap())),
            body: json!({"name": "one", "scopes": ["tokens:read"]}),
            test,
            token,
        }
    }

    /// Begins the request like a server that crashes before carrying it out.
    async fn begin(&self) -> IdempotencyGuard {
        let body = json::Value::parse(self.body.to_string().as_bytes()).unwrap();
        let asked = IdempotentCall {
            caller: &self.caller,
            bearer: &Secret::new(&self.token),
            key: &Secret::new("a"),
            payload: ["POST", "/v1/tokens", &body.canonical()],
        };
        match idempotency::begin(&self.test.app, asked).await.unwrap() {
            IdempotencyStart::First(guard) => guard,
            IdempotencyStart::Repeated(_) => panic!("nobody was answered yet"),
        }
    }

    /// Carries out the request under a lease.
    async fn finish(&self, guard: &IdempotencyGuard) -> Result<NewToken, Error> {
        let idempotency = IdempotencyRecord::of(guard, |new: &NewToken| {
            Answer::json(201, &json!({"id": new.token.id.to_string()}))
        });
        let input = input(&["tokens:read"]);
        let req = self.test.req(&self.caller).with_idempotency(idempotency);
        token::create(&req, &OwnerRef::Own, input).await
    }

    fn made(&self) -> i64 {
        self.test.count("token", "name IN ('one', 'of a test')")
    }
}

/// The key is free again after the lease, and a late effect of the first attempt is rolled back.
#[actix_web::test]
async fn late_attempt_has_no_second_effect() {
    let story = Story::new().await;
    let post = async || create(&story.test, &story.token, "a", &story.body).await;
    let dead = story.begin().await;
    assert_problem(&post().await, 409, "idempotency_in_progress");
    story.test.clock.advance(LEASE - 1);
    assert_problem(&post().await, 409, "idempotency_in_progress");
    story.test.clock.advance(1);
    let first = post().await;
    assert_eq!(first.status, 201, "{first:?}");
    assert!(!first.headers.contains_key("idempotency-replayed"));

    let late = story.finish(&dead).await;
    assert!(matches!(late, Err(Error::InProgress)), "it must not be");
    assert!(!dead.is_filed());
    assert_eq!(story.made(), 1);
    let replayed = post().await;
    assert_eq!((replayed.status, &replayed.body), (201, &first.body));
    assert_eq!(replayed.headers["idempotency-replayed"], "true");
}

/// During the second attempt the first can neither store a response nor release the key.
#[actix_web::test]
async fn lost_lease_has_no_effect() {
    let story = Story::new().await;
    let dead = story.begin().await;
    story.test.clock.advance(LEASE);
    let second = story.begin().await;
    assert!(matches!(story.finish(&dead).await, Err(Error::InProgress)));
    let answer = Answer::json(422, &json!({}));
    let settled = idempotency::settle(&story.test.app, &dead, answer).await;
    assert!(matches!(settled, Err(Error::InProgress)));
    idempotency::release(&story.test.app, &dead).await.unwrap();
    assert_eq!(story.made(), 0);

    story.finish(&second).await.map(drop).unwrap();
    assert!(second.is_filed());
    assert_eq!(story.made(), 1);
    let answer = create(&story.test, &story.token, "a", &story.body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.headers["idempotency-replayed"], "true");
}

/// One of many attempts on two servers takes over the expired lease.
#[actix_web::test]
async fn one_of_many_attempts_takes_over() {
    let story = Story::new().await;
    let second = story.test.second_server("").await;
    let dead = story.begin().await;
    story.test.clock.advance(LEASE);
    let calls = (0..20).map(|i| {
        let server = if i % 2 == 0 { &story.test } else { &second };
        create(server, &story.token, "a", &story.body)
    });
    let answers = join_all(calls).await;
    let (done, waiting): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    for answer in waiting {
        assert_problem(answer, 409, "idempotency_in_progress");
    }
    let is_first = |answer: &&&crate::support::device::Answer| {
        !answer.headers.contains_key("idempotency-replayed")
    };
    assert_eq!(done.iter().filter(is_first).count(), 1, "{answers:?}");
    assert!(done.iter().all(|answer| answer.body == done[0].body));
    assert!(matches!(story.finish(&dead).await, Err(Error::InProgress)));
    assert_eq!(story.made(), 1);
}
