//! Doorcode: device login, personal access tokens and the decision whether a token may do
//! what it asks, for the API of a company.
//!
//! The layers, each of which uses only those above it: [`domain`] decides, [`config`] holds
//! the settings, [`wire`] what crosses the network, [`store`] remembers, [`app`] runs one use
//! case, [`web`] translates HTTP, [`cli`] is the command line. The same noun names the file
//! in every layer. The layers below [`web`] are crates of their own (in `crates`), so that a
//! changed page compiles in half the time.

pub mod cli;
pub mod web;

pub use {app, config, domain, store, wire};
