//! The server-side commands of the compiled program: the operator's commands and the supervisor's
//! signals.

mod absent;
mod beside;
mod check;
mod client;
mod client_end;
mod config;
mod connections;
mod console;
mod explain;
mod first_start;
mod identity;
mod left_in_memory;
mod operator;
mod proxy;
mod recovery;
mod refusal;
mod reload;
mod rolling;
mod stop;
mod supervisor;
mod tenant;
mod tls;
mod unnamed;
mod user;
