//! The behaviour of the whole server, through its HTTP interface and its program. The suite
//! runs on SQLite, and on PostgreSQL when `DOORCODE_TEST_DATABASE` names a server.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test does not expect ends it, with the place and the reason"
)]

mod support;

mod architecture;
mod cli;
mod crash;
mod program;
mod tour;
