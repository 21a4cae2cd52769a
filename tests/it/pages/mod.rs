//! What the pages do, one module for each.

mod account;
mod setup;
mod token;
