//! The signatures of an identity provider, right and wrong.

/// How tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// RSA.
    Rs256,
    /// ECDSA.
    Es256,
    /// Ed25519.
    EdDsa,
    /// With the algorithm `none` and no signature.
    Unsigned,
    /// RSA, with another signature.
    Forged,
    /// HMAC with the public RSA key as the secret.
    Confused,
}
