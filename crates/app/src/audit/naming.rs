//! What people call that which records name by id.

use crate::{App, Error};
use domain::audit::chain::Sealed;
use domain::audit::record::Record;
use std::collections::{BTreeMap, BTreeSet};

/// Names, by ids. Whoever may see a record may know what it is about.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// The present name; `None` for what never had one, or is gone.
    pub fn of(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Names {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(names: T) -> Self {
        Self(names.into_iter().collect())
    }
}

/// The names of all that these records name.
pub async fn name(app: &App, records: &[Sealed]) -> Result<Names, Error> {
    find(app, records.iter().flat_map(|sealed| ids(&sealed.record))).await
}

/// The names of whatever has one of these ids.
pub(super) async fn find(app: &App, ids: impl Iterator<Item = String>) -> Result<Names, Error> {
    let ids: BTreeSet<String> = ids.collect();
    let ids: Vec<_> = ids.into_iter().collect();
    app.store()
        .read(move |conn| Ok::<_, Error>(Names(store::audit::list_names(conn, &ids)?)))
        .await
}

/// What of a record's detail holds an id and is told by name. Everything else may be a text that
/// somebody chose, such as the id of a person whose name is not for them to know.
const HOLDING_IDS: [&str; 2] = ["token", "user"];

/// Whether what a record says under a key, or of its target, is an id.
pub fn holds_id(key: &str) -> bool {
    key == "target" || HOLDING_IDS.contains(&key)
}

/// The ids of all that is told by name.
pub(super) fn ids(record: &Record) -> Vec<String> {
    let fixed = [
        &record.actor_id,
        &record.user_id,
        &record.token_id,
        &record.organization_id,
        &record.target,
    ];
    let told = HOLDING_IDS
        .into_iter()
        .filter_map(|key| Some(record.detail.get(key)?.as_str()?.to_owned()));
    fixed.into_iter().flatten().cloned().chain(told).collect()
}
