//! `man`: manual pages, one for each command.

use crate::dispatch::Definition;
use crate::{CliError, Output};
use clap::Args;
use std::path::{Path, PathBuf};

/// What `man` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct ManArgs {
    /// Write a page for each command into this folder [default: print that of pierhead itself]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Prints the first page, or writes them all.
pub(crate) fn man(args: &ManArgs, definition: Definition, out: &mut Output) -> Result<(), CliError> {
    let mut whole = definition();
    whole.build();
    let Some(folder) = &args.dir else {
        return out.bytes(&page(&whole).map_err(CliError::Write)?);
    };
    std::fs::create_dir_all(folder).map_err(|source| refused(folder, source))?;
    let mut written = Vec::new();
    write_pages(&whole, "pierhead", folder, &mut written)?;
    if out.is_json() {
        let pages: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
        return out.json(&serde_json::json!({ "done": "written", "pages": pages }).to_string());
    }
    let count = written.len();
    out.text(&format!("wrote {count} pages to {0}; read one with: man {0}/pierhead.1", folder.display()))
}

/// The page of a command, and those of all below it that are not hidden.
fn write_pages(command: &clap::Command, name: &str, folder: &Path, written: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let path = folder.join(format!("{name}.1"));
    let bytes = page(command).map_err(|source| refused(&path, source))?;
    std::fs::write(&path, bytes).map_err(|source| refused(&path, source))?;
    written.push(path);
    let shown = command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help");
    for below in shown {
        write_pages(below, &format!("{name}-{}", below.get_name()), folder, written)?;
    }
    Ok(())
}

fn page(command: &clap::Command) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    clap_mangen::Man::new(command.clone()).manual("Pierhead").render(&mut bytes)?;
    Ok(bytes)
}

fn refused(path: &Path, source: std::io::Error) -> CliError {
    CliError::WriteFile { path: path.to_owned(), source }
}
