//! The server's side of the compiled program: what an operator types, and what a supervisor
//! sends.

mod admin;
mod config;
mod first_start;
mod refusal;
mod stop;
