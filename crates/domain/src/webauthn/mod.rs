//! Passkeys (Web Authentication Level 2): what an authenticator states, and its signature.
//!
//! Attestation is not asked for, so that only authenticator data and public keys are read here, and
//! no certificates.

mod cbor;
mod key;

pub use key::PublicKey;

use super::secret::Secret;
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use subtle::ConstantTimeEq;

/// The longest id of a credential, in bytes (section 4).
const LONGEST_ID: usize = 1_023;

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const HAS_CREDENTIAL: u8 = 1 << 6;

/// Why a statement is refused: a code for the audit log.
pub type Reason = &'static str;

/// What the browser says about a ceremony (section 5.8.1).
#[derive(Debug, Deserialize)]
pub struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    is_cross_origin: bool,
}

/// A ceremony, as the server began it.
#[derive(Debug)]
pub struct Ceremony<'a> {
    /// `webauthn.create` or `webauthn.get`.
    pub kind: &'static str,
    /// The challenge, in base64url.
    pub challenge: &'a Secret,
    /// The origin of the pages.
    pub origin: &'a str,
    /// The host of the pages, to which passkeys belong.
    pub host: &'a str,
}

/// What an authenticator states (section 6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Whether it verified the user, for example by a fingerprint, and not only a touch.
    pub is_user_verified: bool,
    /// The number of its signatures; zero if it does not count.
    pub counter: u32,
    /// The new credential: its id and its key as COSE.
    pub credential: Option<(Vec<u8>, Vec<u8>)>,
}

impl Ceremony<'_> {
    /// Checks what the browser and the authenticator state (sections 7.1 and 7.2), without a
    /// signature.
    pub fn check(&self, client: &ClientData, data: &[u8]) -> Result<Statement, Reason> {
        if client.r#type != self.kind {
            return Err("wrong_type");
        }
        let expected = self.challenge.expose().as_bytes();
        if !bool::from(client.challenge.as_bytes().ct_eq(expected)) {
            return Err("wrong_challenge");
        }
        if client.origin != self.origin || client.is_cross_origin {
            return Err("wrong_origin");
        }
        let statement = Statement::read(data, self.host)?;
        match statement.credential.is_some() == (self.kind == CREATE) {
            true => Ok(statement),
            false => Err("wrong_credential"),
        }
    }
}

/// A new passkey.
pub const CREATE: &str = "webauthn.create";
/// A sign-in with a passkey.
pub const GET: &str = "webauthn.get";

impl Statement {
    fn read(data: &[u8], host: &str) -> Result<Self, Reason> {
        const MALFORMED: Reason = "authenticator_data";
        let (hash, rest) = data.split_at_checked(32).ok_or(MALFORMED)?;
        if hash != digest(&SHA256, host.as_bytes()).as_ref() {
            return Err("wrong_host");
        }
        let (head, rest) = rest.split_first_chunk::<5>().ok_or(MALFORMED)?;
        let [flags, counter @ ..] = *head;
        if flags & USER_PRESENT == 0 {
            return Err("user_absent");
        }
        let credential = match flags & HAS_CREDENTIAL {
            0 => None,
            _ => Some(read_credential(rest).ok_or(MALFORMED)?),
        };
        Ok(Self {
            is_user_verified: flags & USER_VERIFIED != 0,
            counter: u32::from_be_bytes(counter),
            credential,
        })
    }
}

/// The id and the key of a new credential (section 6.5.1). Extensions may follow them.
fn read_credential(data: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (_model, rest) = data.split_at_checked(16)?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (id, rest) = rest.split_at_checked(length)?;
    if id.is_empty() || length > LONGEST_ID {
        return None;
    }
    let key = cbor::first_item(rest)?;
    Some((id.to_vec(), key.to_vec()))
}

/// The message that an authenticator signs (section 7.2).
pub fn signed_message(client_data: &[u8], data: &[u8]) -> Vec<u8> {
    let hash = digest(&SHA256, client_data);
    [data, hash.as_ref()].concat()
}

/// Whether a counter of an authenticator follows the stored one. If it does not, another device has
/// the same key (section 6.1.1). Authenticators that do not count always state zero.
pub fn follows(stored: u32, stated: u32) -> bool {
    stated > stored || stated == 0 && stored == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_follow_only_upwards() {
        for (stored, stated, is_next) in [
            (0, 0, true),
            (0, 1, true),
            (1, 2, true),
            (1, 1, false),
            (2, 1, false),
            (1, 0, false),
            (u32::MAX, 0, false),
        ] {
            assert_eq!(follows(stored, stated), is_next, "{stored} {stated}");
        }
    }

    fn data(flags: u8, rest: &[u8]) -> Vec<u8> {
        let hash = digest(&SHA256, b"id.example.com");
        [hash.as_ref(), &[flags, 0, 0, 1, 2], rest].concat()
    }

    #[test]
    fn authenticator_data_is_read() {
        let read = |data: &[u8]| Statement::read(data, "id.example.com");
        let plain = read(&data(0x01, b"")).unwrap();
        assert_eq!((plain.is_user_verified, plain.counter), (false, 258));
        assert!(read(&data(0x05, b"")).unwrap().is_user_verified);
        assert_eq!(read(&data(0x04, b"")), Err("user_absent"));
        let other = Statement::read(&data(0x01, b""), "example.com");
        assert_eq!(other, Err("wrong_host"));
        // An id of two bytes, and an empty map as the key.
        let new = [[0u8; 16].as_slice(), &[0, 2, 7, 8], &[0xa0], b"extension"].concat();
        let stated = read(&data(0x41, &new)).unwrap();
        assert_eq!(stated.credential, Some((vec![7, 8], vec![0xa0])));
        for length in 0..new.len() - b"extension".len() {
            assert!(read(&data(0x41, &new[..length])).is_err(), "{length}");
        }
        for length in 0..37 {
            assert!(read(&data(0x01, b"")[..length]).is_err(), "{length}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, flags: u8) {
            let _ = Statement::read(&data(flags, &bytes), "id.example.com");
            let _ = Statement::read(&bytes, "id.example.com");
            let _ = PublicKey::read(&bytes);
        }
    }
}
