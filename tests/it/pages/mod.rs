//! What the pages do, one module for each.

mod account;
mod revocation;
mod setup;
mod token;
