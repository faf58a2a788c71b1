//! `lab`: documents of labs on this machine, of which nothing is run; labs of the pool, attempts at them, and their tests.

mod attempt;
mod directory;
mod folder_tar;
mod pool;
mod source;
mod target;
mod test;
mod unpack;

use crate::listing::ListArgs;
use crate::{CliError, Output, names, render};
pub use attempt::{LabAttemptsArgs, LabForgetArgs, LabStartArgs};
use clap::{Args, Subcommand};
use pierhead_client::Client;
use pierhead_lab::{Files, ImageTable, Problems, Report};
pub use pool::{LabDiffArgs, LabPublishArgs, LabPullArgs, LabPushArgs, LabRmArgs, LabSetArgs};
use source::{Opened, Source};
use std::path::{Path, PathBuf};
pub use test::LabTestArgs;

/// `lab` and its commands.
#[derive(Debug, Clone, Args)]
#[command(arg_required_else_help = true)]
pub struct LabArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: LabCommand,
}

/// What can be done with documents of labs.
#[derive(Debug, Clone, Subcommand)]
pub enum LabCommand {
    /// Say what is in a lab and what is wrong with it: exit code 0 if nothing is, else 1
    Check(LabCheckArgs),
    /// Write a lab of another platform as one of our own format
    Import(LabImportArgs),
    /// List the labs that one may see
    #[command(visible_alias = "list")]
    Ls(ListArgs),
    /// Show one lab: its steps, its versions, what is wrong with its draft
    #[command(alias = "inspect")]
    Show {
        /// Name of the lab
        #[arg(value_name = "LAB", add = names::labs())]
        lab: String,
    },
    /// Send in a folder as the draft of a lab, which is made if it is not there
    Push(LabPushArgs),
    /// Write a lab as a folder
    Pull(LabPullArgs),
    /// Publish the draft of a lab: a new version, if it has no errors
    Publish(LabPublishArgs),
    /// Show how two states of a lab differ
    Diff(LabDiffArgs),
    /// Change who may see and write a lab
    Set(LabSetArgs),
    /// Show what is remembered of the drafts of a lab
    History {
        /// Name of the lab
        #[arg(value_name = "LAB", add = names::labs())]
        lab: String,
    },
    /// Make the draft of a lab what it was
    Restore {
        /// Name of the lab
        #[arg(value_name = "LAB", add = names::labs())]
        lab: String,
        /// Revision, as 'lab history' lists them
        #[arg(value_name = "REVISION")]
        revision: u64,
    },
    /// Open the workspace in which one tries the draft of a lab
    Open {
        /// Name of the lab
        #[arg(value_name = "LAB", add = names::labs())]
        lab: String,
    },
    /// Show what images of other platforms become in labs that the pool imports, or say it anew
    Images {
        /// File with the whole table, as JSON
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Forget a lab with all its versions, or one version
    Rm(LabRmArgs),
    /// Begin to work through a lab, or go on: its environment is opened
    Start(LabStartArgs),
    /// List the labs that you have begun, and how far you are
    Attempts(LabAttemptsArgs),
    /// Forget an attempt at a lab
    Forget(LabForgetArgs),
    /// Solve labs in an environment of their own and see that their checks notice it: exit code 0 or 1
    Test(LabTestArgs),
}

impl LabCommand {
    /// Whether it is done without asking a controller.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::Check(_) | Self::Import(_))
    }
}

/// What `lab check` takes.
#[derive(Debug, Clone, Args)]
pub struct LabCheckArgs {
    /// Folder or zip archive of a lab, or of several; or the file of a post
    #[arg(value_name = "DIR", default_value = ".")]
    pub path: PathBuf,
}

/// What `lab import` takes.
#[derive(Debug, Clone, Args)]
pub struct LabImportArgs {
    /// Folder or zip archive of a lab, or of several; or the file of a post
    #[arg(value_name = "DIR")]
    pub path: PathBuf,
    /// Folder to write, which must not be there yet; several labs become folders in it
    #[arg(value_name = "OUT")]
    pub out: PathBuf,
    /// How images of the other platform are mapped, as JSON [default: a table of those that are well known]
    #[arg(long, value_name = "FILE")]
    pub images: Option<PathBuf>,
}

/// Does one of them for the pool.
pub(crate) async fn lab_of_pool(args: &LabArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        LabCommand::Check(_) | LabCommand::Import(_) => lab(args, out),
        LabCommand::Ls(args) => pool::list(args, client, out).await,
        LabCommand::Show { lab } => pool::show(lab, client, out).await,
        LabCommand::Push(args) => pool::push(args, client, out).await,
        LabCommand::Pull(args) => pool::pull(args, client, out).await,
        LabCommand::Publish(args) => pool::publish(&args.lab, &args.note, None, client, out).await,
        LabCommand::Diff(args) => pool::diff(args, client, out).await,
        LabCommand::Set(args) => pool::set(args, client, out).await,
        LabCommand::History { lab } => pool::history(lab, client, out).await,
        LabCommand::Restore { lab, revision } => pool::restore(lab, *revision, client, out).await,
        LabCommand::Open { lab } => pool::open(lab, client, out).await,
        LabCommand::Images { file } => pool::images(file.as_deref(), client, out).await,
        LabCommand::Rm(args) => pool::remove(args, client, out).await,
        LabCommand::Start(args) => attempt::start(args, client, out).await,
        LabCommand::Attempts(args) => attempt::list(args, client, out).await,
        LabCommand::Forget(args) => attempt::forget(args, client, out).await,
        LabCommand::Test(args) => test::test(args, client, out).await,
    }
}

/// Does one of those that ask no controller.
pub(crate) fn lab(args: &LabArgs, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        LabCommand::Check(args) => {
            let check = |files: &dyn Files, name: &str, problems: Problems| {
                Ok(pierhead_lab::check(files, name, &ImageTable::default(), problems))
            };
            tell(&opened(&args.path, check)?, &[], out)
        }
        LabCommand::Import(args) => import(args, out),
        // Those of the pool are next door.
        _ => Ok(()),
    }
}

/// Opens what was named and does something with it; what can't be opened is a report too.
fn opened(
    path: &Path,
    then: impl FnOnce(&dyn Files, &str, Problems) -> Result<Report, CliError>,
) -> Result<Report, CliError> {
    match Source::open(path)? {
        Opened::Refused(report) => Ok(report),
        Opened::Source(source) => source.with_files(then),
    }
}

fn import(args: &LabImportArgs, out: &mut Output) -> Result<(), CliError> {
    let images = images(args.images.as_deref())?;
    target::must_be_free(&args.out)?;
    let mut written = Vec::new();
    let report = opened(&args.path, |files, name, problems| {
        let report = pierhead_lab::check(files, name, &images, problems);
        written = target::write(files, &images, &args.out)?;
        Ok(report)
    })?;
    if written.is_empty() {
        return tell(&report, &[], out);
    }
    let lines: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    // What could not be carried was told; the rest is there.
    match tell(&report, &lines, out) {
        Err(CliError::Lab { .. }) => Ok(()),
        told => told,
    }
}

fn images(file: Option<&Path>) -> Result<ImageTable, CliError> {
    let Some(file) = file else { return Ok(ImageTable::default()) };
    let text = std::fs::read(file).map_err(|source| CliError::ReadFile { path: file.to_owned(), source })?;
    serde_json::from_slice(&text).map_err(|error| {
        let hint = r#"it looks like {"images": {"ubuntu": {"image": {"image": "ubuntu:24.04"}}}, "otherwise": {"environment": "shell"}}"#;
        CliError::usage(format!("{} is no table of images: {error}", file.display()), hint)
    })
}

/// Shows a report, and the folders that were written; an error if there are problems that make the lab unfit.
fn tell(report: &Report, written: &[String], out: &mut Output) -> Result<(), CliError> {
    if out.is_json() {
        let mut json = serde_json::to_value(report).expect("a report is JSON");
        if !written.is_empty() {
            json["written"] = written.into();
        }
        out.json(&json.to_string())?;
    } else {
        let table = render::lab::report(report, out.width());
        out.text(&table)?;
        written.iter().try_for_each(|path| out.text(&format!("wrote {path}")))?;
    }
    match report.errors() {
        0 => Ok(()),
        errors => Err(CliError::Lab { errors }),
    }
}

#[cfg(test)]
mod tests;
