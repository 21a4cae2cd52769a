//! The program `doorcode` without the server: the client commands alone.

use std::process::ExitCode;

fn main() -> ExitCode {
    doorcode_client::commands::main()
}
