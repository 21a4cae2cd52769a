//! The secrets of a deployment under test: what its users know and what it has told them. At
//! its end they are looked for where none may be; see [`super::ground`].

use doorcode::domain::id::TokenId;
use percent_encoding::percent_decode_str;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// What is shorter is no secret of ours, and stands in many places by chance.
const SHORTEST: usize = 8;

/// What stands before a secret on a page or in a link, and ends at a quote, an `&` or a space.
const ON_PAGES: [&str; 5] = [
    "name=\"csrf\" value=\"",
    "name=\"ticket\" value=\"",
    "name=\"link\" value=\"",
    "data-token=\"",
    "?link=",
];

/// The members of JSON documents that hold secrets.
const MEMBERS: [&str; 6] = [
    "access_token",
    "client_secret",
    "device_code",
    "link",
    "secret",
    "token",
];

/// Whose secrets an answer may hold, by the address that it comes from. So whatever asks a
/// server need not be told to whom that server belongs.
static SERVERS: Mutex<BTreeMap<String, Canaries>> = Mutex::new(BTreeMap::new());

/// The secrets of one deployment, shared by all who learn of them.
#[derive(Clone, Default)]
pub struct Canaries(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    secrets: BTreeSet<String>,
    spared: BTreeMap<String, &'static str>,
    log: String,
}

impl Canaries {
    /// Those of whoever listens there.
    pub fn of(url: &str) -> Self {
        let servers = SERVERS.lock().unwrap();
        servers.get(authority(url)).cloned().unwrap_or_default()
    }

    /// From now on this server's answers are read for them.
    pub fn serve_at(&self, url: &str) {
        let mut servers = SERVERS.lock().unwrap();
        servers.insert(authority(url).to_owned(), self.clone());
    }

    /// Adds a secret.
    pub fn add(&self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.lock().unwrap().secrets.insert(secret.to_owned());
        }
    }

    /// Adds a user code. What is left of it without its dash, and in small letters, is as good.
    pub fn add_code(&self, code: &str) {
        for code in [code, &code.replace('-', "")] {
            self.add(code);
            self.add(&code.to_lowercase());
        }
    }

    /// Adds the password of a URL. One that is the name as well stands everywhere.
    pub fn add_url(&self, url: &str) {
        if let Ok(url) = url::Url::parse(url)
            && let Some(password) = url
                .password()
                .filter(|password| *password != url.username())
        {
            self.add(&percent_decode_str(password).decode_utf8_lossy());
        }
    }

    /// Adds the secrets of a form that is sent.
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

    /// Lets a text be where everybody sees it, since the test itself has put it there.
    pub fn spare(&self, text: &str, reason: &'static str) {
        assert!(!reason.is_empty());
        let mut known = self.0.lock().unwrap();
        known.spared.insert(text.to_owned(), reason);
    }

    /// Keeps what a program of the deployment has logged.
    pub fn keep_log(&self, line: &str) {
        let log = &mut self.0.lock().unwrap().log;
        log.push_str(line);
        log.push('\n');
    }

    /// What its programs have logged.
    pub fn log(&self) -> String {
        self.0.lock().unwrap().log.clone()
    }

    /// All that are known.
    pub fn secrets(&self) -> Vec<String> {
        self.0.lock().unwrap().secrets.iter().cloned().collect()
    }

    /// Whether the test itself has put it where everybody sees it.
    pub fn is_spared(&self, secret: &str) -> bool {
        self.0.lock().unwrap().spared.contains_key(secret)
    }
}

/// The host and port of a URL.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}
