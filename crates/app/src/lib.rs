//! Use cases. Each function checks one permission, runs one transaction and writes one audit
//! record. Pages, OAuth endpoints, API and command line all call these functions, so they apply
//! the same rules.

pub mod access;
pub mod audit;
mod background;
pub mod client;
pub mod clock;
pub mod decision;
pub mod deployment;
pub mod device;
mod error;
pub mod factor;
mod figures;
mod form_nonce;
mod hashing;
pub mod health;
pub mod heartbeat;
mod held_polls;
pub mod idempotency;
pub mod identity;
pub mod mail;
pub mod one_time_secret;
pub mod operator;
pub mod org;
mod outcome_record;
mod outgoing;
mod phase;
pub mod project;
mod readiness;
pub mod reload;
mod request;
mod request_id;
pub mod saved_form;
pub mod session;
pub mod sign_in;
mod slots;
pub mod sweep;
pub mod terminal;
mod throttle;
pub mod tls;
pub mod token;
pub mod trace;
mod tx;
pub mod user;
mod uses;

use audit::{Contradiction, Event, LastCheck, Sink, Tallies, UsageBuffer};
use background::Background;
use config::Config;
use deployment::Secrets;
use device::Paces;
use domain::Instant;
use domain::id::IdSeed;
use domain::name::NameRules;
use domain::secret::{Key, Secret};
pub use error::{Error, OAuthError};
use figures::FailureCounts;
use hashing::Hasher;
use held_polls::Waiting;
use identity::Providers;
use mail::Outbox;
use phase::Phase;
pub use readiness::NotReady;
use reload::Settings;
pub use request::Request;
use request_id::RequestIds;
use ring::signature::Ed25519KeyPair;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use store::Store;
pub use store::deadline::within_request;
pub use store::{ErrorKind, Figures, Outage};
use throttle::ReachedLimits;
use tokio::sync::watch;
use trace::Exporter;
use uses::Uses;

/// Source of the current time.
pub trait Clock: Send + Sync {
    /// The current time, in milliseconds.
    fn now(&self) -> Instant;

    /// Monotonic time since a fixed moment.
    fn passed(&self) -> Duration;
}

/// Source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills the buffer from a cryptographically secure source.
    fn fill(&self, buffer: &mut [u8]);
}

/// The system clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the only code that reads the system time"
    )]
    fn now(&self) -> Instant {
        let now = chrono::Utc::now();
        Instant::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
    }

    fn passed(&self) -> Duration {
        static BEGAN: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
        BEGAN.elapsed()
    }
}

/// The random number generator of the operating system.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        use rand::TryRng;
        #[expect(
            clippy::panic,
            reason = "without random bytes every secret is guessable"
        )]
        if let Err(error) = rand::rngs::SysRng.try_fill_bytes(buffer) {
            panic!("the operating system provides no random bytes: {error}");
        }
    }
}

/// Facts about a request that the audit log records. A copy costs little.
#[derive(Debug, Clone)]
pub struct Context {
    /// Identifies the request in logs and responses.
    pub request_id: Arc<str>,
    /// IP address of the caller; `None` for commands on the server and its own work.
    pub address: Option<IpAddr>,
    /// The `User-Agent` of the caller, sanitized and shortened.
    pub user_agent: Arc<str>,
    /// Method and path pattern, once the route is known.
    pub route: Option<Arc<str>>,
    /// Whether a caller other than the operator sent an actor, which audit records only note.
    pub has_false_actor: bool,
}

impl Context {
    /// The context of commands on the server, and of the server's own work.
    pub fn local() -> Self {
        Self {
            request_id: "-".into(),
            address: None,
            user_agent: Arc::default(),
            route: None,
            has_false_actor: false,
        }
    }

    /// The caller's address; loopback for the command line.
    pub fn source(&self) -> IpAddr {
        self.address.unwrap_or(IpAddr::from([127, 0, 0, 1]))
    }
}

/// A running server: database, clock, random source, and the configuration that was in force when
/// this value was taken.
#[derive(Clone)]
pub struct App(Arc<Inner>, Arc<Config>);

struct Inner {
    settings: Settings,
    names: NameRules,
    store: Store,
    clock: Arc<dyn Clock>,
    offset: clock::Offset,
    entropy: Arc<dyn Entropy>,
    secrets: Secrets,
    hasher: Hasher,
    waiting: Waiting,
    phase: watch::Sender<Phase>,
    paces: Paces,
    uses: Uses,
    usage_buffer: UsageBuffer,
    tallies: Tallies,
    events: AtomicU16,
    outbox: Outbox,
    sink: Sink,
    last_check: LastCheck,
    contradiction: Contradiction,
    background: Background,
    reached_limits: ReachedLimits,
    sign_in_failures: FailureCounts,
    exporter: Option<Exporter>,
    request_ids: RequestIds,
    providers: Providers,
}

impl App {
    /// Creates an application. Regular tasks start with [`sweep::run`]. Must be called within a
    /// runtime that lives as long as the application.
    pub fn new(
        config: Config,
        store: Store,
        secrets: Secrets,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Error> {
        let hasher = Hasher::start(&config.sign_in, entropy.as_ref())?;
        let outbox = Outbox::start(&config)?;
        let mut leased_by = [0; 8];
        entropy.fill(&mut leased_by);
        let sink = Sink::start(&config.audit, hex::encode(leased_by))?;
        let exporter = Exporter::start(&config.traces)?;
        let config = Arc::new(config);
        let inner = Inner {
            names: NameRules::new(config.tokens.prefix.as_str()),
            settings: Settings::new(config.clone()),
            store,
            clock,
            offset: clock::Offset::default(),
            entropy,
            secrets,
            hasher,
            waiting: Waiting::default(),
            phase: watch::Sender::default(),
            paces: Paces::default(),
            uses: Uses::default(),
            usage_buffer: UsageBuffer::default(),
            tallies: Tallies::default(),
            events: AtomicU16::default(),
            outbox,
            sink,
            last_check: LastCheck::default(),
            contradiction: Contradiction::default(),
            background: Background::start(),
            reached_limits: ReachedLimits::default(),
            sign_in_failures: FailureCounts::default(),
            exporter,
            request_ids: RequestIds::default(),
            providers: Providers::default(),
        };
        Ok(Self(Arc::new(inner), config))
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.1
    }

    /// The rules for names that users type.
    fn names(&self) -> &NameRules {
        &self.0.names
    }

    /// The current time, by the clock of the database.
    pub fn now(&self) -> Instant {
        self.0.offset.apply(self.0.clock.now())
    }

    fn passed(&self) -> Duration {
        self.0.clock.passed()
    }

    /// The secret key of the server.
    pub fn key(&self) -> &Key {
        &self.0.secrets.key
    }

    /// A new secret of 256 random bits.
    pub fn draw_secret(&self) -> Secret {
        Secret::from_random(&self.random::<32>())
    }

    /// Waits until the present work in the background has ended.
    pub async fn finish_background(&self) {
        self.background().finish().await;
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn hasher(&self) -> &Hasher {
        &self.0.hasher
    }

    fn waiting(&self) -> &Waiting {
        &self.0.waiting
    }

    fn uses(&self) -> &Uses {
        &self.0.uses
    }

    fn usage_buffer(&self) -> &UsageBuffer {
        &self.0.usage_buffer
    }

    fn tallies(&self) -> &Tallies {
        &self.0.tallies
    }

    fn outbox(&self) -> &Outbox {
        &self.0.outbox
    }

    fn sink(&self) -> &Sink {
        &self.0.sink
    }

    fn last_check(&self) -> &LastCheck {
        &self.0.last_check
    }

    fn background(&self) -> &Background {
        &self.0.background
    }

    fn contradiction(&self) -> &Contradiction {
        &self.0.contradiction
    }

    /// Number of audit records prepared so far, modulo 2¹⁶.
    fn count_event(&self) -> u16 {
        self.0.events.fetch_add(1, Ordering::Relaxed)
    }

    fn signing_key(&self) -> &Ed25519KeyPair {
        &self.0.secrets.audit
    }

    fn webhook_token(&self) -> Option<&Secret> {
        self.0.secrets.webhook_token.as_ref()
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.entropy.fill(&mut bytes);
        bytes
    }

    fn id_seed(&self) -> IdSeed {
        self.random()
    }
}
