//! `[sign_in]`: browser sessions, password hashing and identity providers.

mod provider;
mod second_factor;

pub use provider::{
    EntryRules, GroupRule, HandOff, HandOffKey, LogoutEnds, Oidc, Protocol, Provider,
    SignatureAlgorithm, secure_url,
};
pub use second_factor::SecondFactor;

use super::duration::{self, DAY, MINUTE};
use super::server::cores;
use super::table::Table;
use provider::{HAND_OFF_EXAMPLE, OIDC_EXAMPLE};
use std::time::Duration;

/// Browser sessions, password hashing and identity providers.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The time without use after which a session ends. The default is 24 hours, or
    /// `absolute_timeout` if that is shorter.
    pub idle_timeout: Duration,
    /// The time after sign-in at which a session ends, regardless of use.
    pub absolute_timeout: Duration,
    /// How long a sign-in suffices for sensitive changes.
    pub fresh_for: FreshFor,
    /// The memory of one argon2id hash in KiB; never less than OWASP's minimum.
    pub argon2_memory_kib: u32,
    /// The passes of one argon2id hash over its memory.
    pub argon2_iterations: u32,
    /// How many hashes are computed concurrently. Each takes a core and `argon2_memory_kib`.
    pub hash_threads: usize,
    /// How many hashes may wait; further sign-ins are refused.
    pub hash_queue: usize,
    /// Whether users sign in with passwords of this server.
    pub passwords: Passwords,
    /// The identity providers, in the order of their buttons.
    pub providers: Vec<Provider>,
}

/// How long a sign-in suffices for sensitive changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreshFor {
    /// As long as the session.
    Session,
    /// For this time after it.
    Within(Duration),
}

impl FreshFor {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "session" => Ok(Self::Session),
            text => match duration::parse_within(text, &(MINUTE..=DAY)) {
                Ok(within) => Ok(Self::Within(within)),
                Err(message) => Err(format!("{message}; or write session for no limit")),
            },
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Session => "session".to_owned(),
            Self::Within(within) => duration::write(*within),
        }
    }

    /// The time; `None` for the whole session.
    pub fn limit(self) -> Option<Duration> {
        match self {
            Self::Session => None,
            Self::Within(within) => Some(within),
        }
    }
}

/// Whether users sign in with passwords of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passwords {
    /// They do.
    On,
    /// Only with an identity provider. A link to reset a password still signs its user in.
    Off,
}

impl SignIn {
    pub(super) fn read(table: &mut Table) -> Self {
        let accepted = MINUTE..=DAY * 365;
        table.announce("idle_timeout");
        let absolute_timeout = table.duration("absolute_timeout", DAY * 14, accepted.clone());
        let usual = DAY.min(absolute_timeout);
        let idle_timeout = table.duration("idle_timeout", usual, accepted);
        if idle_timeout > absolute_timeout {
            table.fault(
                "idle_timeout",
                format!(
                    "{} exceeds sign_in.absolute_timeout, which is {}",
                    duration::write(idle_timeout),
                    duration::write(absolute_timeout)
                ),
            );
        }
        let fresh_for = table.text_as(
            "fresh_for",
            FreshFor::Within(MINUTE * 10),
            FreshFor::parse,
            FreshFor::write,
        );
        let passwords = [("on", Passwords::On), ("off", Passwords::Off)];
        let passwords = table.choice("passwords", passwords, "is neither on nor off");
        let providers = read_providers(table);
        if passwords == Passwords::Off && !providers.iter().any(|one| one.enabled) {
            let message = "is off, and no identity provider is enabled; add [[sign_in.oidc]] or \
                           [[sign_in.hand_off]], or write on";
            table.fault("passwords", message.to_owned());
        }
        Self {
            idle_timeout,
            absolute_timeout,
            fresh_for,
            argon2_memory_kib: table.number("argon2_memory_kib", 19_456, 19_456..=1_048_576),
            argon2_iterations: table.number("argon2_iterations", 2, 2..=100),
            hash_threads: table.number("hash_threads", (cores() / 2).max(1), 1..=1024),
            hash_queue: table.number("hash_queue", 32, 1..=10_000),
            passwords,
            providers,
        }
    }

    /// Whether users sign in with passwords. Without them, the operator still creates links to reset
    /// one, so that an owner gets in if the identity provider fails.
    pub fn has_passwords(&self) -> bool {
        self.passwords == Passwords::On
    }

    /// The enabled provider with this id.
    pub fn provider(&self, id: &str) -> Option<&Provider> {
        let mut enabled = self.enabled_providers();
        enabled.find(|provider| provider.id == id)
    }

    /// The providers that admit users.
    pub fn enabled_providers(&self) -> impl Iterator<Item = &Provider> {
        self.providers.iter().filter(|provider| provider.enabled)
    }
}

fn read_providers(table: &mut Table) -> Vec<Provider> {
    let mut providers: Vec<Provider> = Vec::new();
    let mut add = |table: &mut Table, provider: Option<Provider>| {
        let Some(provider) = provider else {
            return;
        };
        let is_same =
            |other: &&Provider| other.id == provider.id || other.issuer == provider.issuer;
        match providers.iter().find(is_same) {
            Some(other) if other.id == provider.id => {
                table.fault(
                    "id",
                    format!("{:?} is the id of another provider", other.id),
                );
            }
            // A user is identified by the issuer alone.
            Some(other) => {
                table.fault("issuer", format!("is the issuer of {:?}, too", other.id));
            }
            None => providers.push(provider),
        }
    };
    table.tables("oidc", OIDC_EXAMPLE, |table| {
        let provider = Provider::read_oidc(table);
        add(table, provider);
    });
    table.tables("hand_off", HAND_OFF_EXAMPLE, |table| {
        let provider = Provider::read_hand_off(table);
        add(table, provider);
    });
    providers
}
