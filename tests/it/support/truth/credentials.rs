//! The tokens in the credentials files of a machine.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Servers and tokens of credentials files.
#[derive(Default, PartialEq, Eq)]
pub struct Entries {
    found: BTreeSet<(String, String)>,
    /// The server of the default profile.
    default_host: Option<String>,
    has_keyring: bool,
}

impl Entries {
    /// Reads files, and those below folders. A token without a server belongs to `host`.
    pub fn read<'a>(places: impl Iterator<Item = &'a Path>, host: Option<&str>) -> Self {
        let mut entries = Self::default();
        let mut paths: Vec<_> = places.map(Path::to_owned).collect();
        while let Some(path) = paths.pop() {
            if let Ok(folder) = std::fs::read_dir(&path) {
                paths.extend(folder.filter_map(|entry| Some(entry.ok()?.path())));
                continue;
            }
            let is_file = std::fs::metadata(&path).is_ok_and(|about| about.is_file());
            let text = is_file.then(|| std::fs::read(&path).ok()).flatten();
            let document = text.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
            if let Some(document) = document {
                let own = document["host"].as_str();
                entries.default_host = own.map(str::to_owned).or(entries.default_host);
                entries.collect(&document, own.or(host));
            }
        }
        entries
    }

    fn collect(&mut self, value: &Value, host: Option<&str>) {
        let Value::Object(members) = value else {
            return;
        };
        let host = value["host"].as_str().or(host);
        for (name, member) in members {
            self.has_keyring |= name == "keyring_key";
            let named = name.starts_with("http").then_some(&**name);
            match (member, named, host) {
                (Value::String(token), Some(host), _) => self.add(host, token),
                (Value::String(token), None, Some(host)) if name == "token" => {
                    self.add(host, token);
                }
                _ => self.collect(member, named.or(host)),
            }
        }
    }

    fn add(&mut self, host: &str, token: &str) {
        self.found.insert((host.to_owned(), token.to_owned()));
    }

    /// The tokens that are kept for a server.
    pub fn tokens_at(&self, host: &str) -> Vec<String> {
        let at_host = self.found.iter().filter(|(own, _)| own == host);
        at_host.map(|(_, token)| token.clone()).collect()
    }

    /// Whether this token is kept for any server.
    pub fn has(&self, token: &str) -> bool {
        self.found.iter().any(|(_, own)| own == token)
    }

    /// Whether a token is in the keyring.
    pub fn has_keyring(&self) -> bool {
        self.has_keyring
    }

    /// The server of commands that name none.
    pub fn default_host(&self) -> Option<String> {
        self.default_host.clone()
    }
}
