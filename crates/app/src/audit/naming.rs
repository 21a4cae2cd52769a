//! Display names for the ids in records.

use crate::{App, Error};
use domain::audit::chain::Sealed;
use domain::audit::record::Record;
use std::collections::{BTreeMap, BTreeSet};

/// Names by id. Permission to see a record includes the names of what it refers to.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// The current name; `None` if it never had one or is deleted.
    pub fn of(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Names {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(names: T) -> Self {
        Self(names.into_iter().collect())
    }
}

/// Returns the names for the ids in these records.
pub async fn name(app: &App, records: &[Sealed]) -> Result<Names, Error> {
    find(app, records.iter().flat_map(|sealed| ids(&sealed.record))).await
}

/// Returns the names for these ids.
pub(super) async fn find(app: &App, ids: impl Iterator<Item = String>) -> Result<Names, Error> {
    let ids: BTreeSet<String> = ids.collect();
    let ids: Vec<_> = ids.into_iter().collect();
    app.store()
        .read(move |conn| Ok::<_, Error>(Names(store::audit::list_names(conn, &ids)?)))
        .await
}

/// Keys of a record's detail that hold an id. Other values may be client-supplied text, such as
/// the id of a user that the client may not look up.
const HOLDING_IDS: [&str; 2] = ["token", "user"];

/// Whether the value of a detail key, or the target, is an id.
pub fn holds_id(key: &str) -> bool {
    key == "target" || HOLDING_IDS.contains(&key)
}

/// The ids in a record that have names.
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
