//! Public keys of authenticators (RFC 9053), and their signatures.

use super::cbor::{self, Value};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

/// A public key, of an algorithm that pages ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// ECDSA with P-256 and SHA-256, an uncompressed point. Every authenticator can have it.
    Es256([u8; 65]),
    /// Ed25519.
    EdDsa([u8; 32]),
    /// RSASSA-PKCS1-v1_5 with SHA-256: modulus and exponent. Windows Hello uses it.
    Rs256(Vec<u8>, Vec<u8>),
}

const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

const KEY_TYPE: i64 = 1;
const ALGORITHM: i64 = 3;

impl PublicKey {
    /// Reads a key; `None` if it is malformed or has another algorithm.
    pub fn read(cose: &[u8]) -> Option<Self> {
        let map = cbor::map(cose)?;
        let find = |label| map.iter().find(|(one, _)| *one == label);
        let integer = |label| match find(label)? {
            (_, Value::Integer(value)) => Some(*value),
            _ => None,
        };
        let bytes = |label| match find(label)? {
            (_, Value::Bytes(value)) => Some(*value),
            _ => None,
        };
        match (integer(KEY_TYPE)?, integer(ALGORITHM)?) {
            (2, ES256) if integer(-1)? == 1 => {
                let point = [&[4][..], bytes(-2)?, bytes(-3)?].concat();
                Some(Self::Es256(point.try_into().ok()?))
            }
            (1, EDDSA) if integer(-1)? == 6 => Some(Self::EdDsa(bytes(-2)?.try_into().ok()?)),
            (3, RS256) => Some(Self::Rs256(bytes(-1)?.to_vec(), bytes(-2)?.to_vec())),
            _ => None,
        }
    }

    /// Whether a signature of a message is right.
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match self {
            Self::Es256(point) => {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
                key.verify(message, signature)
            }
            Self::EdDsa(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            Self::Rs256(n, e) => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
        };
        verified.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

    /// A COSE key of these entries, all of which are in order.
    fn cose(head: &[u8], entries: &[(u8, &[u8])]) -> Vec<u8> {
        let mut cose = head.to_vec();
        for (label, bytes) in entries {
            cose.extend([*label, 0x58, u8::try_from(bytes.len()).unwrap()]);
            cose.extend(*bytes);
        }
        cose
    }

    #[test]
    fn keys_verify_their_signatures_alone() {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random);
        let ec = ec.unwrap();
        let (x, y) = ec.public_key().as_ref()[1..].split_at(32);
        let es256 = cose(&[0xa5, 1, 2, 3, 0x26, 0x20, 1], &[(0x21, x), (0x22, y)]);
        let ed = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let point = ed.public_key().as_ref();
        let eddsa = cose(&[0xa4, 1, 1, 3, 0x27, 0x20, 6], &[(0x21, point)]);
        let signatures = [
            (
                es256,
                ec.sign(&random, b"message").unwrap().as_ref().to_vec(),
            ),
            (eddsa, ed.sign(b"message").as_ref().to_vec()),
        ];
        for (key, signature) in &signatures {
            let key = PublicKey::read(key).unwrap();
            assert!(key.has_signed(b"message", signature));
            assert!(!key.has_signed(b"another", signature));
            assert!(!key.has_signed(b"message", b""));
        }
        let [(es256, _), (_, of_other)] = &signatures;
        assert!(
            !PublicKey::read(es256)
                .unwrap()
                .has_signed(b"message", of_other)
        );
    }

    #[test]
    fn other_keys_are_refused() {
        let x = [7u8; 32];
        // Another algorithm, curve and key type, a point that is too short, and a missing coordinate.
        let (whole, short) = (&x[..], &x[..31]);
        let both = [(0x21, whole), (0x22, whole)];
        type Entries<'a> = Vec<(u8, &'a [u8])>;
        let cases: [(&[u8], Entries<'_>); 6] = [
            (&[0xa5, 1, 2, 3, 0x27, 0x20, 1], both.to_vec()),
            (&[0xa5, 1, 2, 3, 0x26, 0x20, 2], both.to_vec()),
            (&[0xa5, 1, 1, 3, 0x26, 0x20, 1], both.to_vec()),
            (
                &[0xa5, 1, 2, 3, 0x26, 0x20, 1],
                vec![(0x21, short), (0x22, whole)],
            ),
            (&[0xa4, 1, 2, 3, 0x26, 0x20, 1], vec![(0x21, whole)]),
            (&[0xa4, 1, 1, 3, 0x27, 0x20, 4], vec![(0x21, whole)]),
        ];
        for (head, entries) in cases {
            assert_eq!(PublicKey::read(&cose(head, &entries)), None, "{head:x?}");
        }
        assert_eq!(PublicKey::read(b""), None);
    }
}
