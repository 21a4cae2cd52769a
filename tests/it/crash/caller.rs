//! Clients that send requests until the server is killed, and then check that every acknowledged
//! effect persists.

use crate::support::browser::Browser;
use crate::support::device::{Answer, GRANT};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::UnboundedSender;

/// Progress of one operation: not requested, requested, or acknowledged.
#[derive(Debug, Clone, PartialEq)]
pub enum Step<T = ()> {
    NotAsked,
    Asked,
    Done(T),
}

/// Progress of one device grant.
#[derive(Debug, Clone)]
pub struct Grant {
    device_code: String,
    approval: Step,
    denial: Step,
    redemption: Step<String>,
    revocation: Step,
}

/// Progress of one token created in the console.
#[derive(Debug, Clone)]
pub struct Made {
    token: String,
    revocation: Step,
}

/// All requested and acknowledged operations.
#[derive(Debug, Default)]
pub struct Record {
    /// Device grants.
    pub grants: Vec<Grant>,
    /// Tokens created in the console.
    pub made: Vec<Made>,
}

/// Shared by all callers of one round.
pub type Shared = Arc<Mutex<Record>>;

/// No response: the server was killed.
#[derive(Debug)]
pub struct Dead;

impl From<reqwest::Error> for Dead {
    fn from(_: reqwest::Error) -> Self {
        Self
    }
}

/// A caller that sends requests until the server is killed.
pub struct Caller {
    /// URL of the server.
    pub url: String,
    /// HTTP client of devices and programs.
    pub http: reqwest::Client,
    /// Browser of the user.
    pub browser: Browser,
    /// Progress of its operations.
    pub record: Shared,
    /// Notified of each request and acknowledgement.
    pub answers: UnboundedSender<()>,
}

impl Caller {
    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Answer, Dead> {
        let request = self.http.post(format!("{}{path}", self.url)).form(form);
        Answer::try_of(request.send().await?)
            .await
            .map_err(Dead::from)
    }

    async fn poll(&self, device_code: &str) -> Result<Answer, Dead> {
        let form = [
            ("grant_type", GRANT),
            ("client_id", "doorcode-cli"),
            ("device_code", device_code),
        ];
        self.post("/auth/device/token", &form).await
    }

    async fn revoke(&self, token: &str) -> Result<Answer, Dead> {
        let form = [("client_id", "doorcode-cli"), ("token", token)];
        self.post("/auth/revoke", &form).await
    }

    /// Status code of `GET /v1/me`: whether a token is active.
    pub async fn me(&self, token: &str) -> u16 {
        let request = self.http.get(format!("{}/v1/me", self.url));
        let answer = request.bearer_auth(token).send().await.unwrap();
        answer.status().as_u16()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Record) -> T) -> T {
        // The receiver may have been dropped.
        let _ = self.answers.send(());
        change(&mut self.record.lock().unwrap())
    }

    /// Repeats all operations of users and devices.
    pub async fn work(mut self) {
        let mut turn = 0;
        while self.turn(turn).await.is_ok() {
            turn += 1;
        }
    }

    async fn turn(&mut self, turn: usize) -> Result<(), Dead> {
        let started = self
            .post("/auth/device", &[("client_id", "doorcode-cli")])
            .await?;
        assert_eq!(started.status, 200, "{started:?}");
        let text = |name: &str| started.body[name].as_str().unwrap().to_owned();
        let (device_code, user_code) = (text("device_code"), text("user_code"));
        let at = self.change(|record| {
            record.grants.push(Grant {
                device_code: device_code.clone(),
                approval: Step::NotAsked,
                denial: Step::NotAsked,
                redemption: Step::NotAsked,
                revocation: Step::NotAsked,
            });
            record.grants.len() - 1
        });
        // Some device grants stay pending.
        if turn % 5 == 4 {
            return Ok(());
        }
        self.decide(at, &user_code, turn % 5 == 3).await?;
        if turn % 5 >= 2 {
            return self.make_and_revoke(turn % 5 == 2).await;
        }
        self.change(|record| record.grants[at].redemption = Step::Asked);
        let redeemed = self.poll(&device_code).await?;
        assert_eq!(redeemed.status, 200, "{redeemed:?}");
        let token = redeemed.token();
        self.change(|record| record.grants[at].redemption = Step::Done(token.clone()));
        if turn % 5 == 1 {
            self.change(|record| record.grants[at].revocation = Step::Asked);
            assert_eq!(self.revoke(&token).await?.status, 200);
            self.change(|record| record.grants[at].revocation = Step::Done(()));
        }
        Ok(())
    }

    async fn decide(&mut self, at: usize, user_code: &str, deny: bool) -> Result<(), Dead> {
        self.browser.try_get("/device").await?;
        let fields = [("user_code", user_code), ("via", "keyboard")];
        let consent = self.browser.try_post("/device", &fields).await?;
        assert_eq!(consent.status, 200, "{}", consent.body);
        let ticket = consent.field("ticket").unwrap();
        let decision = if deny { "deny" } else { "approve" };
        let fields = [
            ("ticket", ticket.as_str()),
            ("user_code", user_code),
            ("decision", decision),
            ("scope", "orgs:read"),
        ];
        let step = |grant: &mut Grant, step: Step| match deny {
            true => grant.denial = step,
            false => grant.approval = step,
        };
        self.change(|record| step(&mut record.grants[at], Step::Asked));
        let result = self.browser.try_post("/device/decide", &fields).await?;
        assert_eq!(result.status, 200, "{}", result.body);
        self.change(|record| step(&mut record.grants[at], Step::Done(())));
        Ok(())
    }

    async fn make_and_revoke(&mut self, revoke: bool) -> Result<(), Dead> {
        self.browser.try_get("/tokens/new").await?;
        let fields = [
            ("name", "robot"),
            ("expires", "never"),
            ("scope", "orgs:read"),
        ];
        let page = self.browser.try_post("/tokens/new", &fields).await?;
        let token = page.attribute("data-token").expect(&page.body);
        let at = self.change(|record| {
            record.made.push(Made {
                token: token.clone(),
                revocation: Step::NotAsked,
            });
            record.made.len() - 1
        });
        if revoke {
            self.change(|record| record.made[at].revocation = Step::Asked);
            let id = self.id_of(&token).await?;
            let path = format!("/tokens/{id}/revoke");
            let page = self.browser.try_post(&path, &[]).await?;
            assert_eq!(page.status, 303, "{}", page.body);
            self.change(|record| record.made[at].revocation = Step::Done(()));
        }
        Ok(())
    }

    async fn id_of(&self, token: &str) -> Result<String, Dead> {
        let request = self.http.get(format!("{}/v1/me", self.url));
        let me = request.bearer_auth(token).send().await?;
        let me: serde_json::Value = me.json().await?;
        Ok(me["token"]["id"].as_str().unwrap().to_owned())
    }

    /// Asserts that a device grant has its last known state. Returns its token, if any.
    async fn check_grant(&self, grant: &Grant) -> Option<(String, Step)> {
        if let Step::Done(token) = &grant.redemption {
            return Some((token.clone(), grant.revocation.clone()));
        }
        let answer = self.poll(&grant.device_code).await.unwrap();
        let outcomes: &[&str] = match grant {
            // The token was issued, or the response with it was lost.
            Grant {
                redemption: Step::Asked,
                ..
            } => &["", "invalid_grant"],
            Grant {
                approval: Step::Done(()),
                ..
            } => &[""],
            Grant {
                approval: Step::Asked,
                ..
            } => &["", "authorization_pending"],
            Grant {
                denial: Step::Done(()),
                ..
            } => &["access_denied"],
            Grant {
                denial: Step::Asked,
                ..
            } => &["access_denied", "authorization_pending"],
            _ => &["authorization_pending"],
        };
        assert!(outcomes.contains(&answer.error()), "{grant:?}: {answer:?}");
        let token = answer.body["access_token"].as_str()?;
        Some((token.to_owned(), Step::NotAsked))
    }

    /// Asserts that every acknowledged operation persists. Returns the tokens that must be active
    /// from now on, and those that must be inactive.
    pub async fn check(&self, record: Record) -> (Vec<String>, Vec<String>) {
        let mut tokens = Vec::new();
        for grant in &record.grants {
            let found = self.check_grant(grant).await;
            // In any case, no device grant issues a second token.
            if let Some((token, _)) = &found {
                let second = self.poll(&grant.device_code).await.unwrap();
                match second.body["access_token"].as_str() {
                    // The answer that may have been lost.
                    Some(again) => assert_eq!(again, token, "{grant:?}"),
                    None => assert_eq!(second.error(), "invalid_grant", "{grant:?}"),
                }
            }
            tokens.extend(found);
        }
        tokens.extend(
            record
                .made
                .into_iter()
                .map(|made| (made.token, made.revocation)),
        );
        let (mut live, mut dead) = (Vec::new(), Vec::new());
        for (token, revocation) in tokens {
            let status = self.me(&token).await;
            let expected: &[u16] = match revocation {
                Step::NotAsked => &[200],
                Step::Asked => &[200, 401],
                Step::Done(()) => &[401],
            };
            assert!(expected.contains(&status), "{status}: {revocation:?}");
            match status {
                200 => live.push(token),
                _ => dead.push(token),
            }
        }
        (live, dead)
    }
}
