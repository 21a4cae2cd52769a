//! What crosses the network, for the server and the command line alike.

pub mod api;
pub mod form;
pub mod json;
pub mod oauth;
