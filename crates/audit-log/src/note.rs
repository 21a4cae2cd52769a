//! Signed notes (<https://c2sp.org/signed-note>): a text followed by signatures.

use super::hash::Hash;
use super::lines::{Line, next_line};
use super::origin::Origin;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::fmt;
use std::io::BufRead;

/// The signature type of Ed25519.
const TYPE: u8 = 1;
/// The longest note that is read, in bytes: a short text and many signatures.
const LONGEST: usize = 64 * 1024;

/// Why a note is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteFault {
    /// It is no signed note, or not a statement of the expected kind.
    Malformed,
    /// No known key has signed it.
    Unknown,
    /// It names a known key, but the signature of this text is invalid.
    Forged,
    /// The file cannot be read.
    Unreadable(String),
}

impl fmt::Display for NoteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is not a signed statement of the expected kind",
            Self::Unknown => "no known key has signed it",
            Self::Forged => "its signature does not fit its text",
            Self::Unreadable(why) => return write!(f, "it cannot be read: {why}"),
        })
    }
}

/// A public signing key and its name. `Display` writes `NAME+ID+KEY`: the id in hexadecimal, type
/// and key in base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: Origin,
    key: [u8; 32],
}

impl VerifierKey {
    /// The public key of a key pair.
    #[expect(clippy::unwrap_used, reason = "a public key of Ed25519 has 32 bytes")]
    pub fn of(name: &Origin, pair: &Ed25519KeyPair) -> Self {
        Self {
            name: name.clone(),
            key: pair.public_key().as_ref().try_into().unwrap(),
        }
    }

    /// Parses a key, and checks the id in it.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (_, key) = rest.split_once('+')?;
        let key = STANDARD.decode(key).ok()?;
        let key = key.strip_prefix(&[TYPE])?.try_into().ok()?;
        let name = Origin::parse(name)?;
        let parsed = Self { name, key };
        (parsed.to_string() == text).then_some(parsed)
    }

    /// The name of the key.
    pub fn name(&self) -> &Origin {
        &self.name
    }

    fn id(&self) -> [u8; 4] {
        let name = self.name.as_str().as_bytes();
        let hash = Hash::of(&[name, b"\n", &[TYPE], &self.key]);
        let [a, b, c, d, ..] = *hash.as_bytes();
        [a, b, c, d]
    }

    fn signed(&self, text: &str, signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, self.key);
        key.verify(text.as_bytes(), signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[TYPE], &self.key[..]].concat());
        write!(f, "{}+{}+{key}", self.name, hex::encode(self.id()))
    }
}

/// A signature line.
struct Signature {
    name: Origin,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl Signature {
    fn parse(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
        let signature = STANDARD.decode(signature).ok()?;
        let (id, bytes) = signature.split_first_chunk()?;
        Some(Self {
            name: Origin::parse(name)?,
            id: *id,
            bytes: bytes.to_vec(),
        })
    }
}

/// Signs a text, which ends with a line feed, with a key of this name; returns the signed note.
pub fn sign(text: &str, name: &Origin, pair: &Ed25519KeyPair) -> String {
    let id = VerifierKey::of(name, pair).id();
    let signature = pair.sign(text.as_bytes());
    let signature = STANDARD.encode([&id[..], signature.as_ref()].concat());
    format!("{text}\n— {name} {signature}\n")
}

/// The text of a signed note, and the names of those of the keys that have signed it. Signatures
/// by unknown keys are ignored.
///
/// # Errors
///
/// [`NoteFault::Malformed`] if it is no signed note, [`NoteFault::Unknown`] if none of the keys has
/// signed it, and [`NoteFault::Forged`] if a signature by one of them is invalid.
pub fn verify<'a>(
    note: &'a str,
    keys: &[VerifierKey],
) -> Result<(&'a str, Vec<Origin>), NoteFault> {
    let (text, signatures) = split(note).ok_or(NoteFault::Malformed)?;
    let mut names = Vec::new();
    for Signature { name, id, bytes } in signatures {
        let Some(key) = keys.iter().find(|key| key.name == name && key.id() == id) else {
            continue;
        };
        if !key.signed(text, &bytes) {
            return Err(NoteFault::Forged);
        }
        names.push(name);
    }
    match names.is_empty() {
        true => Err(NoteFault::Unknown),
        false => Ok((text, names)),
    }
}

/// The text of a note with its last line feed, and its signatures.
fn split(note: &str) -> Option<(&str, Vec<Signature>)> {
    if note.len() > LONGEST || note.contains(|c: char| c < ' ' && c != '\n') {
        return None;
    }
    let (text, rest) = note.split_at(note.rfind("\n\n")? + 1);
    let lines = rest.strip_prefix('\n')?.strip_suffix('\n')?.split('\n');
    Some((text, lines.map(Signature::parse).collect::<Option<_>>()?))
}

/// The notes of a file, separated by blank lines, not yet verified. A damaged note is an error, at
/// the latest when it is verified; reading continues with the next.
pub struct Notes<R> {
    /// The file; `None` after a read error.
    reader: Option<R>,
    /// A line already read that belongs to the next note.
    ahead: String,
}

impl<R: BufRead> Notes<R> {
    /// Reads from the beginning of a file.
    pub fn new(reader: R) -> Self {
        Self {
            reader: Some(reader),
            ahead: String::new(),
        }
    }
}

impl<R: BufRead> Iterator for Notes<R> {
    type Item = Result<String, NoteFault>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut()?;
        let mut note = std::mem::take(&mut self.ahead);
        loop {
            let line = match next_line(reader, LONGEST) {
                Ok(Some(Line::Whole(line))) => String::from_utf8_lossy(&line).into_owned() + "\n",
                Ok(Some(Line::TooLong)) => return Some(Err(NoteFault::Malformed)),
                Ok(None) => return (!note.is_empty()).then_some(Ok(note)),
                Err(error) => {
                    self.reader = None;
                    return Some(Err(NoteFault::Unreadable(error.to_string())));
                }
            };
            let is_blank = line == "\n";
            if is_blank && note.is_empty() {
                continue;
            }
            if is_blank && note.contains("\n\n") {
                return Some(Ok(note));
            }
            // A note ended without signatures, and this is the first line of the next.
            if note.ends_with("\n\n") && !line.starts_with("— ") {
                self.ahead = line;
                return Some(Ok(note));
            }
            note += &line;
            if note.len() > LONGEST {
                return Some(Err(NoteFault::Malformed));
            }
        }
    }
}
