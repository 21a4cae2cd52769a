//! The names of what audit records are about.

use std::collections::HashMap;

use serde_json::Value;

use crate::api::Listing;
use crate::commands::session::Session;
use crate::error::Error;

/// Maximum number of objects of a kind whose names are requested.
const LIMIT: u32 = 300;

/// Names by ID.
#[derive(Debug, Default)]
pub struct Names(HashMap<String, String>);

impl Names {
    /// Asks the server for the names that the token can read: of its owner, its organizations and
    /// projects, of tokens, and of the members of an organization.
    pub async fn ask(session: &Session<'_>, org: Option<&str>) -> Result<Self, Error> {
        let identity = session.identity().await?;
        let mut names = Self::default();
        let me = &identity.document;
        for object in [&me["user"], &me["organization"], &me["token"]] {
            names.add(object);
        }
        for list in [&me["organizations"], &me["projects"]] {
            list.as_array()
                .into_iter()
                .flatten()
                .for_each(|object| names.add(object));
        }
        let paths = match org {
            Some(org) => [
                Some(format!("/v1/orgs/{org}/tokens")),
                Some(format!("/v1/orgs/{org}/members")),
            ],
            None => [Some("/v1/tokens".to_owned()), None],
        };
        for path in paths.into_iter().flatten() {
            let listing = Listing {
                limit: LIMIT,
                ..Listing::all(&path)
            };
            match session.client.list(&session.token, &listing).await {
                Ok(list) => list.items.iter().for_each(|object| names.add(object)),
                // Without the scope, the table has IDs.
                Err(Error::NotAllowed { .. } | Error::Failed(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(names)
    }

    fn add(&mut self, object: &Value) {
        let text = |name: &str| object[name].as_str().map(str::to_owned);
        let name = text("email").or_else(|| text("name"));
        if let (Some(id), Some(name)) = (text("id"), name) {
            self.0.insert(id, name);
        }
    }

    /// The name of an object, if it is known.
    pub fn get(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }

    /// The name of an object with its ID, or the ID alone.
    pub fn with_id(&self, id: &str) -> String {
        match self.get(id) {
            Some(name) => format!("{name} ({id})"),
            None => id.to_owned(),
        }
    }
}
