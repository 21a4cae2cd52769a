//! `[metrics]`: the metrics endpoint.

use super::listen::listen_address;
use super::table::Table;
use std::net::SocketAddr;

/// The address of `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metrics {
    /// The address of the server.
    Same,
    /// Only this separate address.
    At(SocketAddr),
    /// None: the endpoint is off.
    Off,
}

impl Metrics {
    pub(super) fn read(table: &mut Table) -> Self {
        let parse = |text: &str| match text {
            "same" => Ok(Self::Same),
            "off" => Ok(Self::Off),
            address => listen_address(address)
                .map(Self::At)
                .map_err(|message| format!("{message}, or same or off")),
        };
        table.text_as("listen", Self::Same, parse, |listen| match listen {
            Self::Same => "same".to_owned(),
            Self::At(address) => address.to_string(),
            Self::Off => "off".to_owned(),
        })
    }
}
