//! Terminals: devices on which a client signed in as a user.

use super::Token;

/// A device on which a client signed in through the device flow. Devices without a name are not
/// told apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Terminal {
    /// The id of the client.
    pub client_id: String,
    /// The name that the device gave itself.
    pub device_name: Option<String>,
}

impl Terminal {
    /// The terminal that received this token; `None` if it was created with another token, or in
    /// the console.
    pub fn of(token: &Token) -> Option<Self> {
        let client_id = token.client_id.clone()?;
        token.made_by_token.is_none().then(|| Self {
            client_id,
            device_name: token.device_name.clone(),
        })
    }
}
