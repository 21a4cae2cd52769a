//! Search for secrets in all data that a deployment leaves behind.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::engine::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use doorcode::domain::secret::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::{BTreeMap, HashSet};

/// Length of the shortest secret that is stored only as a digest.
const DIGESTED: usize = 32;

/// Length of the context shown on both sides of a finding.
const AROUND: usize = 60;

/// Data to search: its name and its bytes.
pub type Piece = (String, Vec<u8>);

/// A secret outside the permitted files.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// The secret.
    pub secret: String,
    /// Name of the data that contains it.
    pub place: String,
    /// The secret with its context.
    pub text: String,
}

/// Searches every piece for these secrets, in all their encodings.
pub fn search(secrets: &[String], pieces: &[Piece]) -> Vec<Leak> {
    let mut spelt = BTreeMap::new();
    for secret in secrets {
        for spelling in spellings(secret) {
            spelt.insert(spelling, secret);
        }
    }
    // A faster automaton takes longer to build than the whole search.
    let searcher = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(spelt.keys())
        .unwrap();
    let owners: Vec<_> = spelt.values().collect();
    let mut leaks = BTreeMap::new();
    for (place, text) in pieces {
        for found in searcher.find_iter(text) {
            let secret = owners[found.pattern()].as_str();
            leaks
                .entry((secret, place))
                .or_insert_with(|| Leak::at(secret, place, text, found.range()));
        }
    }
    leaks.into_values().collect()
}

/// Finds texts in these pieces whose digest is stored as well. So it also finds secrets that were
/// not registered.
pub fn search_digested(pieces: &[Piece]) -> Vec<Leak> {
    let words: HashSet<&[u8]> = pieces
        .iter()
        .flat_map(|(_, text)| text.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_'))
        .filter(|word| word.len() >= DIGESTED)
        .collect();
    let is_digested = |word: &&str| {
        let digest = Secret::new(*word).digest();
        words.contains(digest.as_str().as_bytes())
    };
    let words = words
        .iter()
        .filter_map(|word| std::str::from_utf8(word).ok());
    let secrets: Vec<_> = words.filter(is_digested).map(str::to_owned).collect();
    match secrets.is_empty() {
        true => Vec::new(),
        false => search(&secrets, pieces),
    }
}

impl Leak {
    fn at(secret: &str, place: &str, text: &[u8], range: std::ops::Range<usize>) -> Self {
        let (start, end) = (range.start.saturating_sub(AROUND), range.end + AROUND);
        let text = String::from_utf8_lossy(&text[start..end.min(text.len())]).into_owned();
        Self {
            secret: secret.to_owned(),
            place: place.to_owned(),
            text,
        }
    }
}

/// The encodings of a secret in a log, a form, a link, a header or a document.
pub fn spellings(secret: &str) -> Vec<String> {
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let json = serde_json::Value::from(secret).to_string();
    let mut all = vec![
        secret.to_owned(),
        secret.replace(' ', "+"),
        secret.replace(' ', "%20"),
        percent.replace("%20", "+"),
        percent,
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        json.trim_matches('"').to_owned(),
    ];
    for offset in 0..3 {
        all.push(within(&STANDARD_NO_PAD, secret, offset));
        all.push(within(&URL_SAFE_NO_PAD, secret, offset));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// The part of the Base64 encoding that depends on the secret alone, if `offset` bytes (modulo
/// three) precede it, as in `name:secret`.
fn within(engine: &impl Engine, secret: &str, offset: usize) -> String {
    let text = engine.encode([&b"\0\0"[..offset], secret.as_bytes()].concat());
    let bits = 8 * (offset + secret.len());
    text[(8 * offset).div_ceil(6)..bits / 6].to_owned()
}
