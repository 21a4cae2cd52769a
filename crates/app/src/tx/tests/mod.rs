use crate::deployment::Secrets;
use crate::{App, Clock, Entropy, Error, Request, SystemClock};
use config::Config;
use domain::Instant;
use domain::audit::Action;
use domain::id::ProjectId;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::Store;
use store::client::{find_client, update_client};
use tempfile::TempDir;

/// Counts what is drawn; each draw gives other bytes.
#[derive(Default)]
struct Counter(AtomicU8);

impl Counter {
    fn draws(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Entropy for Counter {
    fn fill(&self, buffer: &mut [u8]) {
        let draw = self.0.fetch_add(1, Ordering::Relaxed);
        for (byte, step) in buffer.iter_mut().zip(1_u8..) {
            *byte = draw.wrapping_add(1).wrapping_mul(101).wrapping_mul(step);
        }
    }
}

/// Moves by a second at each reading.
#[derive(Default)]
struct Ticking(AtomicU8);

impl Clock for Ticking {
    fn now(&self) -> Instant {
        let ticks = self.0.fetch_add(1, Ordering::Relaxed);
        Instant::UNIX_EPOCH + Duration::from_secs(ticks.into())
    }

    fn passed(&self) -> Duration {
        SystemClock.passed()
    }
}

struct Fixture {
    req: Request,
    entropy: Arc<Counter>,
    _directory: TempDir,
}

fn fixture() -> Fixture {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let env = [
        (
            "DOORCODE__DATABASE__URL",
            format!("sqlite:{}", path("test.db")),
        ),
        ("DOORCODE__SERVER__SECRET_KEY_FILE", path("secret_key")),
        ("DOORCODE__AUDIT__SIGNING_KEY_FILE", path("audit_key")),
        ("DOORCODE__AUDIT__CHECKPOINT_TO", "off".to_owned()),
        ("DOORCODE__OPERATOR__TOKEN_FILE", path("operator_token")),
    ];
    let empty = directory.path().join("doorcode.toml");
    std::fs::write(&empty, "").unwrap();
    let env = env.map(|(name, value)| (name.to_owned(), value));
    let config = Config::load(Some(&empty), env).unwrap();
    let entropy = Arc::new(Counter::default());
    let secrets = Secrets::load(&config, entropy.as_ref(), |_| None).unwrap();
    let store = Store::open(&config.database.url).unwrap();
    store.migrate().unwrap();
    let clock = Arc::new(Ticking::default());
    let app = App::new(config, store, secrets, clock, entropy.clone()).unwrap();
    Fixture {
        req: Request::local(&app, None),
        entropy,
        _directory: directory,
    }
}

#[tokio::test]
async fn change_without_a_record_fails() {
    let Fixture { req, .. } = &fixture();
    crate::client::ensure_cli(&req.app).await.unwrap();
    let disable = |is_recorded: bool| {
        req.change(Action::ClientChanged, move |tx| {
            let found = find_client(tx.conn, "doorcode-cli")?.ok_or(Error::NotFound)?;
            let disabled = domain::client::Client {
                standing: domain::client::Standing::Disabled,
                ..found
            };
            update_client(tx.conn, &disabled)?;
            match is_recorded {
                true => tx.record(Some("doorcode-cli"), serde_json::json!({})),
                false => Ok(()),
            }
        })
    };
    let standing =
        || req.read(|tx| Ok(find_client(tx.conn, "doorcode-cli")?.map(|client| client.standing)));

    let silent = disable(false).await;
    assert!(matches!(
        silent,
        Err(Error::Store(store::Error::Other(why))) if why.contains("audit record")
    ));
    let active = Some(domain::client::Standing::Active);
    assert_eq!(standing().await.unwrap(), active, "it is rolled back");
    disable(true).await.unwrap();
    assert_ne!(standing().await.unwrap(), active);
}

#[tokio::test]
async fn change_of_nothing_needs_no_record_and_no_random_bytes() {
    let Fixture { req, entropy, .. } = &fixture();
    let before = entropy.draws();
    req.change(Action::ClientChanged, |_| Ok(())).await.unwrap();
    assert_eq!(entropy.draws(), before);
}

#[tokio::test]
async fn work_that_runs_again_gets_the_same_time_ids_and_secrets() {
    let Fixture { req, .. } = &fixture();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let changed = req.change(Action::ProjectCreated, move |tx| {
        let ids = (tx.id(ProjectId::new), tx.id(ProjectId::new));
        assert_ne!(ids.0, ids.1);
        let secrets = (tx.random::<32>(), tx.random::<20>());
        assert_ne!(secrets.0[..20], secrets.1);
        let event = tx.event(Action::ProjectCreated);
        let mut seen = kept.lock().unwrap();
        seen.push((tx.now, ids, secrets, event.id, event.salt.to_string()));
        match seen.len() {
            1 => Err(store::Error::Collision.into()),
            _ => Ok(()),
        }
    });
    changed.await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn read_cannot_write_a_record() {
    let Fixture { req, .. } = &fixture();
    let written = req.read(|tx| tx.record(None, serde_json::json!({}))).await;
    assert!(written.is_err());
}
