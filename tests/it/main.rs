//! The behaviour of the whole server, through its HTTP interface and its program. The suite
//! runs on SQLite, and on PostgreSQL when `DOORCODE_TEST_DATABASE` names a server.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so at once"
)]

mod support;

mod device;
mod tour;
