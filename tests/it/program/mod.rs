//! The server's side of the compiled program: what an operator types, and what a supervisor
//! sends.

mod client;
mod config;
mod first_start;
mod operator;
mod refusal;
mod stop;
mod tenant;
mod user;
