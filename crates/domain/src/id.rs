//! Opaque identifiers: a kind prefix, then a UUIDv7 in hexadecimal.
//!
//! UUIDv7 sorts by creation time, which keeps database indexes dense, and its 74 random
//! bits make an identifier impossible to guess.

use super::Instant;
use std::fmt;

/// The random bytes that one identifier needs.
pub type IdSeed = [u8; 10];

fn generate(prefix: &str, at: Instant, seed: IdSeed) -> String {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &seed).into_uuid();
    format!("{prefix}{}", uuid.simple())
}

fn is_well_formed(prefix: &str, text: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        rest.len() == 32
            && rest
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// The prefixes of all kinds.
const PREFIXES: [&str; 9] = [
    "usr_", "org_", "prj_", "inv_", "tok_", "ses_", "grt_", "evt_", "psk_",
];

/// Whether a text has the form of an identifier of any kind, and so is not a secret.
pub fn is_any(text: &str) -> bool {
    PREFIXES.iter().any(|prefix| is_well_formed(prefix, text))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// A new identifier from its creation time and random bytes.
            pub fn new(at: Instant, seed: IdSeed) -> Self {
                Self(generate($prefix, at, seed))
            }

            /// Reads an identifier; `None` if it is not of this kind or not well formed.
            pub fn parse(text: &str) -> Option<Self> {
                is_well_formed($prefix, text).then(|| Self(text.to_owned()))
            }

            /// The identifier as it appears in the API and in the database.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(/** A user. */ UserId, "usr_");
id!(/** An organization. */ OrganizationId, "org_");
id!(/** A project of an organization. */ ProjectId, "prj_");
id!(/** An invitation to an organization. */ InvitationId, "inv_");
id!(/** A token: personal or of an organization. */ TokenId, "tok_");
id!(/** A browser session. */ SessionId, "ses_");
id!(/** A device grant (RFC 8628). */ GrantId, "grt_");
id!(/** A record of the audit log. */ EventId, "evt_");
id!(/** A passkey of a user. */ PasskeyId, "psk_");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_other_kinds_do_not() {
        let id = UserId::new(Instant::UNIX_EPOCH, [7; 10]);
        assert_eq!(UserId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(TokenId::parse(id.as_str()), None);
        assert_eq!(UserId::parse("usr_"), None);
        assert_eq!(UserId::parse(&id.as_str().to_uppercase()), None);
    }

    #[test]
    fn every_kind_is_an_identifier() {
        let (at, seed) = (Instant::UNIX_EPOCH, [7; 10]);
        for id in [
            UserId::new(at, seed).as_str(),
            OrganizationId::new(at, seed).as_str(),
            ProjectId::new(at, seed).as_str(),
            InvitationId::new(at, seed).as_str(),
            TokenId::new(at, seed).as_str(),
            SessionId::new(at, seed).as_str(),
            GrantId::new(at, seed).as_str(),
            EventId::new(at, seed).as_str(),
            PasskeyId::new(at, seed).as_str(),
        ] {
            assert!(is_any(id), "{id}");
            assert!(!is_any(&format!("dc{}", &id[3..])) && !is_any(&format!("{id}0")));
        }
    }
}
