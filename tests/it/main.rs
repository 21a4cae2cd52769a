//! The behaviour of the whole server, through its HTTP interface and its program. The suite
//! runs on SQLite, and on PostgreSQL when `DOORCODE_TEST_DATABASE` names a server.

mod support;

mod architecture;
mod cli;
mod crash;
mod program;
mod tour;
