//! Doorcode: device login, personal access tokens and access decisions for the API of a company.
//!
//! Each layer uses only those listed before it: [`domain`] decides, [`config`] holds the
//! settings, [`wire`] defines the network formats, [`store`] accesses the database, [`app`] runs
//! use cases, [`web`] translates HTTP. The same noun names the file in every layer. The layers
//! below [`web`] are separate crates (in `crates`), which halves the compile time after a changed
//! page. The crate `doorcode-client` has the commands of users.

pub mod web;

pub use {app, config, domain, store, wire};
