//! What a package of the program contains besides it: completions and man pages.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap_complete::Shell;

use crate::error::Error;

/// The options of `completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsOptions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// The options of `man`.
#[derive(Debug, clap::Args)]
pub struct ManOptions {
    /// The folder, which must exist
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Prints the completions of all commands for a shell.
pub fn completions(options: &CompletionsOptions, mut command: clap::Command) -> Result<(), Error> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command, name, &mut script);
    match io::stdout().write_all(&script) {
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Writes a man page for each command.
pub fn man(options: &ManOptions, command: clap::Command) -> Result<(), Error> {
    write_pages(command, &options.folder).map_err(|cause| {
        Error::Failed(format!(
            "Cannot write to {}: {cause}. Create the folder first, or name another one.",
            options.folder.display()
        ))
    })
}

fn write_pages(command: clap::Command, folder: &Path) -> io::Result<()> {
    clap_mangen::generate_to(command.disable_help_subcommand(true), folder)
}
