//! Records changes of the settings, at a start and a reload: retention and destinations of the audit log are
//! security-relevant.

use super::seal::seal;
use crate::{App, Context, Error};
use config::{Config, Destination};
use domain::audit::hash::Hash;
use domain::audit::{Action, Actor};
use serde_json::{Map, Value, json};

/// Records the settings if they differ from those of the last recorded start.
pub async fn record_settings(app: &App) -> Result<(), Error> {
    seal(app).await?;
    let present = in_force(app.config());
    let event = app.event(&Context::local(), Actor::System, Action::SettingsChanged);
    app.store()
        .write(move |conn| {
            let known = store::audit::list_of_action(conn, Action::SettingsChanged.as_str())?;
            let before = known
                .last()
                .and_then(|record| record.detail.get("settings"));
            if before == Some(&Value::Object(present.clone())) {
                return Ok(());
            }
            let before = before.and_then(Value::as_object);
            event.write(conn, None, detail(before, &present))
        })
        .await
}

/// The detail of a record: all settings, and those that differ from earlier ones, if known.
pub(crate) fn detail(before: Option<&Map<String, Value>>, present: &Map<String, Value>) -> Value {
    let changed = before.map(|before| difference(before, present));
    json!({"changed": changed, "settings": present})
}

/// The settings of a configuration, without secrets.
pub(crate) fn in_force(config: &Config) -> Map<String, Value> {
    let mut settings: Map<_, _> = config
        .effective()
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    for (name, to) in [
        ("audit.checkpoint_to", &config.audit.checkpoint_to),
        ("audit.ship_to", &config.audit.ship_to),
    ] {
        if let Some(Destination::Url(url)) = to {
            // The path may contain a secret; the digest shows that it changed.
            let digest = Hash::of(&[url.as_str().as_bytes()]).to_string();
            let shown = format!(
                "{}/… ({})",
                url.origin().ascii_serialization(),
                &digest[..8]
            );
            settings.insert(name.to_owned(), shown.into());
        }
    }
    settings
}

/// Returns the changed settings, each with its old and new value.
fn difference(before: &Map<String, Value>, present: &Map<String, Value>) -> Map<String, Value> {
    let names = before.keys().chain(present.keys());
    names
        .filter(|name| before.get(*name) != present.get(*name))
        .map(|name| {
            let change = json!({"from": before.get(name), "to": present.get(name)});
            (name.clone(), change)
        })
        .collect()
}
