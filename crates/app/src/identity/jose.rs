//! Signatures of JWTs. The crate `jsonwebtoken` reads them, `ring` computes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use config::SignatureAlgorithm;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result as JwtResult, new_error};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind, EncodingKey, Header, Validation, decode_header,
};
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, Ed25519KeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Once;

/// The claims of a JWT.
pub(super) type Claims = Map<String, Value>;

/// Keys of a provider beyond this number are ignored.
const MOST_KEYS: usize = 50;

/// Why a JWT is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flaw {
    /// No key matches. The provider may have a new one.
    UnknownKey,
    /// Anything else.
    Invalid,
}

/// A key that verifies JWTs, with the only algorithm that it may be used with.
pub(super) struct VerifyingKey {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl VerifyingKey {
    /// A key that both sides have, for HS256.
    pub(super) fn shared(secret: &[u8]) -> Option<Self> {
        Some(Self {
            id: None,
            algorithm: Algorithm::HS256,
            key: DecodingKey::from_secret(secret).ok()?,
        })
    }

    /// A public key of a JWKS (RFC 7517); `None` for one that verifies no signatures that are
    /// accepted here. A symmetric key is never accepted from there.
    fn public(jwk: &Value) -> Option<Self> {
        let jwk = Jwk::deserialize(jwk).ok()?;
        let common = &jwk.common;
        if !matches!(common.public_key_use, None | Some(PublicKeyUse::Signature)) {
            return None;
        }
        let (algorithm, named) = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                (Algorithm::ES256, KeyAlgorithm::ES256)
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
            }
            _ => return None,
        };
        if common.key_algorithm.is_some_and(|given| given != named) {
            return None;
        }
        Some(Self {
            id: common.key_id.clone(),
            algorithm,
            key: DecodingKey::from_jwk(&jwk).ok()?,
        })
    }

    /// The usable keys of a JWKS.
    pub(super) fn of_set(set: &Value) -> Vec<Self> {
        let keys = set.get("keys").and_then(Value::as_array);
        let keys = keys.into_iter().flatten();
        keys.filter_map(Self::public).take(MOST_KEYS).collect()
    }
}

/// The claims of a JWT that one of the keys signed, and its type, `typ`. The header chooses among
/// the keys by `kid` only; the algorithm is that of the key. The claims are not checked yet.
pub(super) fn verify(
    token: &str,
    keys: &[VerifyingKey],
    only: Option<SignatureAlgorithm>,
) -> Result<(Claims, Option<String>), Flaw> {
    install();
    // An unknown algorithm, `none` included, is an error here.
    let header = decode_header(token).map_err(|_| Flaw::Invalid)?;
    let only = only.map(algorithm);
    let fitting = keys.iter().filter(|key| {
        let is_named = header.kid.is_none() || key.id.is_none() || header.kid == key.id;
        is_named && key.algorithm == header.alg && only.is_none_or(|only| only == key.algorithm)
    });
    let mut found = Flaw::UnknownKey;
    for key in fitting {
        let mut validation = Validation::new(key.algorithm);
        // The claims are compared with the clock of the server by `claims`.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        match jsonwebtoken::decode::<Claims>(token, &key.key, &validation) {
            Ok(data) => return Ok((data.claims, data.header.typ)),
            // Without an id, it may be another key, which the kept set lacks.
            Err(_) if key.id.is_some() && key.id == header.kid => found = Flaw::Invalid,
            Err(_) => {}
        }
    }
    Err(found)
}

/// Signs claims with an Ed25519 key (RFC 8037), given by its seed.
pub(super) fn sign(claims: &Claims, seed: &[u8; 32]) -> Option<String> {
    install();
    let key = EncodingKey::from_ed_der(seed);
    jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &key).ok()
}

/// The public key of a seed, as a JWK.
pub(super) fn public_key(seed: &[u8; 32]) -> Value {
    let key = Ed25519KeyPair::from_seed_unchecked(seed).ok();
    let x = key.map(|key| URL_SAFE_NO_PAD.encode(key.public_key()));
    json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "x": x})
}

fn algorithm(only: SignatureAlgorithm) -> Algorithm {
    match only {
        SignatureAlgorithm::Rs256 => Algorithm::RS256,
        SignatureAlgorithm::Es256 => Algorithm::ES256,
        SignatureAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

/// Computes with `ring`, which TLS already needs.
static RING: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::EdDSA => Ed25519KeyPair::from_seed_unchecked(key.as_bytes())
            .map(|key| Box::new(EdSigner(key)) as Box<dyn JwtSigner>)
            .map_err(|_| new_error(ErrorKind::InvalidEddsaKey)),
        _ => Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    },
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Fails if it is installed already.
        let _ = RING.install_default();
    });
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> JwtResult<Box<dyn JwtVerifier>> {
    match algorithm.family() == key.family() {
        true => Ok(Box::new(RingVerifier(*algorithm, key.clone()))),
        false => Err(new_error(ErrorKind::InvalidAlgorithm)),
    }
}

struct RingVerifier(Algorithm, DecodingKey);

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], given: &Vec<u8>) -> Result<(), signature::Error> {
        let public = |algorithm, key| UnparsedPublicKey::new(algorithm, key).verify(message, given);
        let verified = match (self.0, self.1.kind()) {
            (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, given)
            }
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(key)) => {
                public(&ECDSA_P256_SHA256_FIXED, key)
            }
            (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(key)) => public(&ED25519, key),
            (Algorithm::HS256, DecodingKeyKind::SecretOrDer(key)) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key);
                hmac::verify(&key, message, given)
            }
            _ => Err(ring::error::Unspecified),
        };
        verified.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.0
    }
}

struct EdSigner(Ed25519KeyPair);

impl Signer<Vec<u8>> for EdSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for EdSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}
