//! Data types and formats of the HTTP interface, shared by the server and the command line.

pub mod api;
pub mod form;
pub mod json;
pub mod oauth;
