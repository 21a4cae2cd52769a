//! Reload of the configuration by a running server.

use crate::access::Caller;
use crate::audit::settings;
use crate::{App, Error, Request, client};
use config::{Config, Reload};
use domain::audit::Action;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::oneshot;

/// The configuration in force.
pub(crate) struct Settings {
    current: RwLock<Arc<Config>>,
    /// Held during a reload, so that reloads run one after the other.
    reloading: tokio::sync::Mutex<()>,
}

impl Settings {
    pub(crate) fn new(config: Arc<Config>) -> Self {
        Self {
            current: RwLock::new(config),
            reloading: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn current(&self) -> Arc<Config> {
        let current = self.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_current(&self, config: &Arc<Config>) -> bool {
        let current = self.current.read();
        Arc::ptr_eq(&current.unwrap_or_else(PoisonError::into_inner), config)
    }

    fn replace(&self, config: Arc<Config>) {
        let current = self.current.write();
        *current.unwrap_or_else(PoisonError::into_inner) = config;
    }
}

/// What a reload changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// The settings that it changed.
    pub changed: BTreeSet<String>,
    /// The settings that differ from the running ones and need a restart.
    pub needs_restart: BTreeSet<String>,
}

/// Reads the configuration again, for the operator and the server itself. Scopes, routes and
/// branding apply to all requests that begin afterwards; those in progress keep theirs. Fails with
/// [`Error::Configuration`], and changes nothing, if the configuration is invalid.
pub async fn reload(req: &Request) -> Result<Reloaded, Error> {
    if !matches!(req.caller, Caller::System) {
        req.caller.require_operator()?;
    }
    // A task of its own: a caller that goes away must not end it between record and change.
    let (sender, outcome) = oneshot::channel();
    let of_task = req.clone();
    req.app.background().spawn(async move {
        let _ = sender.send(record_and_apply(&of_task).await);
    });
    let ended = |_| Error::internal("the reload of the configuration ended early");
    outcome.await.map_err(ended)?
}

async fn record_and_apply(req: &Request) -> Result<Reloaded, Error> {
    let settings = &req.app.0.settings;
    let _held = settings.reloading.lock().await;
    let before = settings.current();
    let Reload {
        config,
        changed,
        needs_restart,
    } = before
        .reload()
        .map_err(|error| Error::Configuration(error.to_string()))?;
    let (config, reloaded) = (
        Arc::new(config),
        Reloaded {
            changed,
            needs_restart,
        },
    );
    let (next, outcome) = (config.clone(), reloaded.clone());
    req.change(Action::SettingsChanged, move |tx| {
        client::ensure(tx, &next)?;
        let before = settings::in_force(&before);
        let mut detail = settings::detail(Some(&before), &settings::in_force(&next));
        detail["reloaded"] = true.into();
        tx.record(None::<&str>, detail)?;
        Ok(outcome.clone())
    })
    .await?;
    settings.replace(config);
    Ok(reloaded)
}

impl App {
    /// The application with the configuration in force now. A request takes it once, so that it
    /// never sees two configurations.
    pub fn current(&self) -> Self {
        Self(self.0.clone(), self.0.settings.current())
    }

    /// Whether another value of the application has the configuration in force now.
    pub fn is_current(&self, other: &Self) -> bool {
        self.0.settings.is_current(&other.1)
    }
}
