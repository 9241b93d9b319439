//! The subcommands that print what the command line itself says: completions and manual pages.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::CommandLine;

/// The options of `completions`.
#[derive(Clone, Debug, Args)]
pub struct CompletionScript {
    /// The shell
    shell: Shell,
}

/// The options of `man`.
#[derive(Clone, Debug, Args)]
pub struct ManualPages {
    /// Write the pages of all commands into this folder instead
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl CompletionScript {
    /// Writes the script.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut command = CommandLine::command();
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        out.write_all(&script)
    }
}

impl ManualPages {
    /// Writes the page of the program, or those of all commands into the folder.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        // `help` has no page.
        let command = CommandLine::command().disable_help_subcommand(true);
        match &self.folder {
            None => clap_mangen::Man::new(command).render(out),
            Some(folder) => {
                std::fs::create_dir_all(folder)?;
                clap_mangen::generate_to(command, folder)
            }
        }
    }
}
