//! `[metrics]`: where the figures of the running server can be read.

use super::Settings;
use super::server::listen_address;
use super::table::Table;
use std::net::SocketAddr;

/// Where `/metrics` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metrics {
    /// Beside everything else.
    Same,
    /// At an address of its own, and nowhere else.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

impl Metrics {
    pub(super) fn read(table: &mut Table<'_>) -> Self {
        let listen = table.text("listen", |text| match text {
            "same" => Ok(Self::Same),
            "off" => Ok(Self::Off),
            address => listen_address(address)
                .map(Self::At)
                .map_err(|message| format!("{message}, or same or off")),
        });
        listen.unwrap_or(Self::Same)
    }

    pub(super) fn settings(&self) -> Settings {
        let listen = match self {
            Self::Same => "same".to_owned(),
            Self::At(address) => address.to_string(),
            Self::Off => "off".to_owned(),
        };
        vec![("listen", listen.into())]
    }
}
