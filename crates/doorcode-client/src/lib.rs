//! The client of a Doorcode server: device login, the credentials file and calls of the API.
//!
//! [`api`] sends requests, [`login`] runs the device flow (RFC 8628), [`credentials`] stores
//! tokens, [`settings`] selects server, profile and token, [`output`] writes texts and JSON, and
//! [`terminal`] knows what can be shown. [`branding`] has the names under which a company ships its own client. The
//! module `commands`, with the feature `program`, has the commands of the program `doorcode`.
//! [`wire`] has the types that cross the network, the same that the server uses.

pub mod api;
pub mod branding;
#[cfg(feature = "program")]
pub mod commands;
pub mod credentials;
pub mod error;
pub mod host;
pub mod login;
pub mod output;
pub mod profile;
pub mod settings;
pub mod terminal;

pub use api::{Client, DeviceParameters};
pub use branding::Branding;
pub use domain::secret::Secret;
pub use error::Error;
pub use host::Host;
pub use login::prompt::Browser;
pub use output::Output;
pub use wire;
