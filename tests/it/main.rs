//! The behaviour of the whole server, through its HTTP interface and its program. The suite
//! runs on SQLite, and on PostgreSQL when `DOORCODE_TEST_DATABASE` names a server.

mod support;

mod bad_form;
mod cross_site;
mod csrf;
mod headers;
mod hostile_text;
mod limits;
mod pages;
mod password;
mod return_to;
mod session;
mod session_cookie;
mod sign_in;
mod throttle;
mod tour;
mod wrong_code;
