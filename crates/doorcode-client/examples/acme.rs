//! The command line of a company: the client commands under the names of its `branding.toml`, which
//! are compiled in.

use doorcode_client::{Branding, Output, commands};
use std::process::ExitCode;

fn main() -> ExitCode {
    match Branding::parse(include_str!("acme.toml")) {
        Ok(branding) => commands::main(&branding),
        Err(problem) => {
            Output::new(false).note(problem);
            ExitCode::FAILURE
        }
    }
}
