//! The program without the server: the client commands alone, under the names of a company.

use doorcode_client::commands;
use std::process::ExitCode;

fn main() -> ExitCode {
    commands::program()
}
