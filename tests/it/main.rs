//! The behaviour of the whole server, through its HTTP interface and its program. The suite
//! runs on SQLite, and on PostgreSQL when `DOORCODE_TEST_DATABASE` names a server.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "an unexpected result fails the test with its location and cause"
)]

mod support;

mod api;
mod architecture;
mod audit;
mod authority;
mod bad_form;
mod cli;
mod client_crate;
mod client_oauth2;
mod crash;
mod cross_site;
mod csrf;
mod dead_end;
mod device;
mod docs;
mod email;
mod email_address;
mod factor;
mod form_target;
mod headers;
mod hostile_text;
mod identity;
mod innocent;
mod last_use;
mod limits;
mod liveness;
mod mail;
mod mail_limits;
mod metrics;
mod monitoring;
mod names;
mod oauth;
mod operator;
mod otlp;
mod pages;
mod password;
mod program;
mod public_text;
mod recent;
mod recovery;
mod return_to;
mod scans;
mod secrets;
mod seed;
#[path = "../seeds/mod.rs"]
mod seeds;
mod session;
mod session_cookie;
mod settings;
mod sign_in;
mod snapshot;
mod statements;
mod tenancy;
mod throttle;
mod token;
mod tour;
mod trace;
mod verify;
mod wrong_code;
