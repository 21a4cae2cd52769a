//! The keyring of the user in the kernel (user-keyring(7)).

use linux_keyutils::{
    Key, KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission,
};

/// Stores bytes under a name, instead of those that were there.
pub fn store(name: &str, bytes: &[u8]) -> Result<(), String> {
    let store = || {
        // A process changes the access rights only of a key that it possesses, and not every
        // process possesses the keyring of its user: a key in its own keyring it always does.
        let own = KeyRing::from_special_id(KeyRingIdentifier::Process, true)?;
        let key = own.add_key(name, bytes)?;
        let rights = KeyPermissionsBuilder::builder()
            .posessor(Permission::ALL)
            .user(Permission::ALL)
            .build();
        key.set_perms(rights)?;
        of_user()?.link_key(key)?;
        own.unlink_key(key)
    };
    store().map_err(reason)
}

/// The bytes under a name; `None` if there are none.
pub fn read(name: &str) -> Result<Option<Vec<u8>>, String> {
    match find(name).map_err(reason)? {
        Some(key) => key.read_to_vec().map(Some).map_err(reason),
        None => Ok(None),
    }
}

/// Removes the bytes under a name, if there are any.
pub fn remove(name: &str) -> Result<(), String> {
    match find(name).map_err(reason)? {
        Some(key) => of_user()
            .and_then(|keyring| keyring.unlink_key(key))
            .map_err(reason),
        None => Ok(()),
    }
}

fn of_user() -> Result<KeyRing, KeyError> {
    KeyRing::from_special_id(KeyRingIdentifier::User, false)
}

fn find(name: &str) -> Result<Option<Key>, KeyError> {
    match of_user()?.search(name) {
        Err(KeyError::KeyDoesNotExist | KeyError::KeyRevoked | KeyError::KeyExpired) => Ok(None),
        found => found.map(Some),
    }
}

/// The error as an explanation, without a full stop.
fn reason(error: KeyError) -> String {
    /// ENOSYS: the kernel was built without keyrings.
    const NOT_BUILT: i32 = 38;
    match error {
        KeyError::PermissionDenied | KeyError::AccessDenied => {
            "the system denies access to it, as most containers do".to_owned()
        }
        KeyError::OperationNotSupported | KeyError::Unknown(NOT_BUILT) => {
            "this kernel has none".to_owned()
        }
        KeyError::QuotaExceeded => "it is full".to_owned(),
        other => format!("the kernel reports {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_explained() {
        for (error, text) in [
            (KeyError::PermissionDenied, "containers"),
            (KeyError::Unknown(38), "this kernel has none"),
            (KeyError::QuotaExceeded, "full"),
            (KeyError::Unknown(5), "Unknown(5)"),
        ] {
            assert!(reason(error).contains(text), "{error:?}");
        }
    }
}
