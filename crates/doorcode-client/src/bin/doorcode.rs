//! The program `doorcode` without the server: the client commands alone.

use doorcode_client::{branding::Branding, commands};
use std::process::ExitCode;

fn main() -> ExitCode {
    commands::main(&Branding::default())
}
