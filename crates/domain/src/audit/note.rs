//! Signed notes (<https://c2sp.org/signed-note>): a text followed by signatures.

use super::hash::Hash;
use super::lines::{Line, next_line};
use super::origin::Origin;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::fmt::{self, Write as _};
use std::io::BufRead;

/// The signature type of Ed25519.
const TYPE: u8 = 1;
/// The longest note that is read, in bytes: a short text and many signatures.
const LONGEST: usize = 64 * 1024;

/// Why a note is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteFault {
    /// It is no signed note, or its text has another form.
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
            Self::Malformed => "it is not a signed checkpoint",
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
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A text and its signatures. The text is only available through [`Self::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// Signs a text, which ends with a line feed.
    pub fn sign(text: String, name: &Origin, pair: &Ed25519KeyPair) -> Self {
        let signature = Signature {
            name: name.clone(),
            id: VerifierKey::of(name, pair).id(),
            bytes: pair.sign(text.as_bytes()).as_ref().to_vec(),
        };
        Self {
            text,
            signatures: vec![signature],
        }
    }

    /// Parses one note, without verification.
    pub fn parse(note: &str) -> Result<Self, NoteFault> {
        let parse = || {
            if note.len() > LONGEST || note.contains(|c: char| c < ' ' && c != '\n') {
                return None;
            }
            let (text, signatures) = note.rsplit_once("\n\n")?;
            let signatures = signatures.strip_suffix('\n')?.split('\n');
            Some(Self {
                text: format!("{text}\n"),
                signatures: signatures.map(Signature::parse).collect::<Option<_>>()?,
            })
        };
        parse().ok_or(NoteFault::Malformed)
    }

    /// The text, if one of the keys has signed it. Signatures by unknown keys are ignored; an
    /// invalid one by a known key is an error.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<&str, NoteFault> {
        let mut fault = Some(NoteFault::Unknown);
        for signature in &self.signatures {
            let made_it =
                |key: &&VerifierKey| key.name == signature.name && key.id() == signature.id;
            let Some(key) = keys.iter().find(made_it) else {
                continue;
            };
            if !key.signed(&self.text, &signature.bytes) {
                return Err(NoteFault::Forged);
            }
            fault = None;
        }
        fault.map_or(Ok(&self.text), Err)
    }
}

/// Whether one of the keys has signed the note, and its text is the expected one for a key.
pub fn is_signed(note: &str, keys: &[VerifierKey], text: impl Fn(&Origin) -> String) -> bool {
    Note::parse(note).is_ok_and(|note| {
        note.verify(keys)
            .is_ok_and(|signed| keys.iter().any(|key| signed == text(key.name())))
    })
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        f.write_char('\n')?;
        for Signature { name, id, bytes } in &self.signatures {
            let signature = STANDARD.encode([&id[..], bytes].concat());
            writeln!(f, "— {name} {signature}")?;
        }
        Ok(())
    }
}

/// The notes of a file, separated by blank lines. A damaged note is returned as an error, and
/// reading continues with the next.
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
    type Item = Result<Note, NoteFault>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut()?;
        let mut note = std::mem::take(&mut self.ahead);
        loop {
            let line = match next_line(reader, LONGEST) {
                Ok(Some(Line::Whole(line))) => String::from_utf8_lossy(&line).into_owned() + "\n",
                Ok(Some(Line::TooLong)) => return Some(Err(NoteFault::Malformed)),
                Ok(None) => return (!note.is_empty()).then(|| Note::parse(&note)),
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
                return Some(Note::parse(&note));
            }
            // A note ended without signatures, and this is the first line of the next.
            if note.ends_with("\n\n") && !line.starts_with("— ") {
                self.ahead = line;
                return Some(Note::parse(&note));
            }
            note += &line;
            if note.len() > LONGEST {
                return Some(Err(NoteFault::Malformed));
            }
        }
    }
}
