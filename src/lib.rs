//! Doorcode: device login, personal access tokens and the decision whether a token may do
//! what it asks, for the API of a company.
//!
//! The layers, each of which uses only those above it: [`domain`] decides, [`config`] holds
//! the settings, [`wire`] what crosses the network, [`store`] remembers, [`app`] runs one use
//! case, [`web`] translates HTTP, [`cli`] is the command line. The same noun names the file
//! in every layer.

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod store;
pub mod web;
pub mod wire;
