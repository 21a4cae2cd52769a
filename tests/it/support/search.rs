//! The search for secrets in everything that a deployment has left behind.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::engine::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use doorcode::domain::secret::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::{BTreeMap, HashSet};

/// The length of the shortest secret of which nothing but a digest is stored.
const DIGESTED: usize = 32;

/// How much is shown on both sides of what was found.
const AROUND: usize = 60;

/// Something that is searched: what it is called, and what it holds.
pub type Piece = (String, Vec<u8>);

/// A secret where none may be.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// The secret.
    pub secret: String,
    /// What holds it.
    pub place: String,
    /// What stands there.
    pub text: String,
}

/// Looks for these secrets, in all their spellings, in every piece.
pub fn search(secrets: &[String], pieces: &[Piece]) -> Vec<Leak> {
    let mut spelt = BTreeMap::new();
    for secret in secrets {
        for spelling in spellings(secret) {
            spelt.insert(spelling, secret);
        }
    }
    // A faster automaton takes longer to build than to look through what a test leaves behind.
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

/// Looks for what is stored as a digest and, in one of these pieces, also as it is: so nobody
/// needs to have told of it.
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

/// The secret as it may stand in a log, a form, a link, a header or a document.
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

/// What there is of the secret in the Base64 of any text that has so many bytes, and any
/// multiple of three, in front of it: `name:secret`, say.
fn within(engine: &impl Engine, secret: &str, offset: usize) -> String {
    let text = engine.encode([&b"\0\0"[..offset], secret.as_bytes()].concat());
    let bits = 8 * (offset + secret.len());
    text[(8 * offset).div_ceil(6)..bits / 6].to_owned()
}
