//! Secrets of a deployment under test: those that its users know and those that it issued. At the
//! end of the test they are searched for in its database, files and logs; see [`super::ground`].

use doorcode::domain::id::TokenId;
use percent_encoding::percent_decode_str;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// Shorter texts are not secrets and occur by chance.
const SHORTEST: usize = 8;

/// Prefix of a secret on a page or in a link. The secret ends at a quote, an `&` or a space.
const ON_PAGES: [&str; 5] = [
    "name=\"csrf\" value=\"",
    "name=\"ticket\" value=\"",
    "name=\"link\" value=\"",
    "data-token=\"",
    "?link=",
];

/// JSON members that hold secrets.
const MEMBERS: [&str; 6] = [
    "access_token",
    "client_secret",
    "device_code",
    "link",
    "secret",
    "token",
];

/// Deployment by server address. So an HTTP client finds the secrets of a response by its URL
/// alone.
static SERVERS: Mutex<BTreeMap<String, Canaries>> = Mutex::new(BTreeMap::new());

/// Secrets of one deployment, shared by all clones.
#[derive(Clone, Default)]
pub struct Canaries(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    secrets: BTreeSet<String>,
    spared: BTreeMap<String, &'static str>,
    log: String,
}

impl Canaries {
    /// Secrets of the server at this URL.
    pub fn of(url: &str) -> Self {
        let servers = SERVERS.lock().unwrap();
        servers.get(authority(url)).cloned().unwrap_or_default()
    }

    /// Whether a server of the tests was registered at this URL.
    pub fn is_server(url: &str) -> bool {
        SERVERS.lock().unwrap().contains_key(authority(url))
    }

    /// Registers a server: its responses are searched for new secrets from now on.
    pub fn serve_at(&self, url: &str) {
        let mut servers = SERVERS.lock().unwrap();
        servers.insert(authority(url).to_owned(), self.clone());
    }

    /// Registers that no server of the tests is at this URL any more: something else has got the port
    /// of one that ended.
    pub fn stand_in_at(url: &str) {
        SERVERS.lock().unwrap().remove(authority(url));
    }

    /// Adds a secret.
    pub fn add(&self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.lock().unwrap().secrets.insert(secret.to_owned());
        }
    }

    /// Adds a user code, also in lower case and without its dash.
    pub fn add_code(&self, code: &str) {
        for code in [code, &code.replace('-', "")] {
            self.add(code);
            self.add(&code.to_lowercase());
        }
    }

    /// Adds the password of a URL, unless it equals the user name and so occurs everywhere.
    pub fn add_url(&self, url: &str) {
        if let Ok(url) = url::Url::parse(url)
            && let Some(password) = url
                .password()
                .filter(|password| *password != url.username())
        {
            self.add(&percent_decode_str(password).decode_utf8_lossy());
        }
    }

    /// Adds the secrets of a submitted form.
    pub fn add_form(&self, fields: &[(&str, &str)]) {
        for (name, value) in fields {
            if name.contains("password") {
                self.add(value);
            }
        }
    }

    /// Adds the secrets of a page or a link.
    pub fn add_page(&self, text: &str) {
        for label in ON_PAGES {
            for after in text.split(label).skip(1) {
                let end = after.find(['"', '&', '<', ' ', '\n']);
                self.add(&after[..end.unwrap_or(after.len())]);
            }
        }
    }

    /// Adds the secrets of a JSON document.
    pub fn add_document(&self, document: &serde_json::Value) {
        match document {
            serde_json::Value::Object(members) => {
                for (name, value) in members {
                    match value.as_str() {
                        Some(code) if name == "user_code" => self.add_code(code),
                        Some(link) if link.contains("?link=") => self.add_page(link),
                        // Records name a token by its id.
                        Some(id) if TokenId::parse(id).is_some() => {}
                        Some(secret) if MEMBERS.contains(&name.as_str()) => self.add(secret),
                        _ => self.add_document(value),
                    }
                }
            }
            serde_json::Value::Array(items) => {
                items.iter().for_each(|item| self.add_document(item))
            }
            _ => {}
        }
    }

    /// Excludes a text from the search because the test itself made it public.
    pub fn spare(&self, text: &str, reason: &'static str) {
        assert!(!reason.is_empty());
        let mut known = self.0.lock().unwrap();
        known.spared.insert(text.to_owned(), reason);
    }

    /// Stores a line that a program of the deployment logged.
    pub fn keep_log(&self, line: &str) {
        let log = &mut self.0.lock().unwrap().log;
        log.push_str(line);
        log.push('\n');
    }

    /// The log of its programs.
    pub fn log(&self) -> String {
        self.0.lock().unwrap().log.clone()
    }

    /// All known secrets.
    pub fn secrets(&self) -> Vec<String> {
        self.0.lock().unwrap().secrets.iter().cloned().collect()
    }

    /// Whether the test itself made the secret public.
    pub fn is_spared(&self, secret: &str) -> bool {
        self.0.lock().unwrap().spared.contains_key(secret)
    }
}

/// The host and port of a URL.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}
