//! `recording`: recordings of class work that are kept, and whether one lets them be.

use crate::output::{Confirm, WithoutTerminal};
use crate::{CliError, Output, names, render};
use clap::{Args, Subcommand, ValueEnum};
use pierhead_client::{Client, LogStream};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// `recording` and its commands.
#[derive(Debug, Clone, Args)]
pub struct RecordingArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: RecordingCommand,
}

/// What can be done with recordings.
#[derive(Debug, Clone, Subcommand)]
pub enum RecordingCommand {
    /// List the recordings of a course: everybody's if you give it, else your own
    #[command(visible_alias = "list")]
    Ls {
        /// The course
        #[arg(value_name = "COURSE", add = names::courses())]
        course: String,
        /// For one lab only
        #[arg(long, value_name = "LAB")]
        lab: Option<String>,
        /// Of one student only
        #[arg(long, value_name = "STUDENT")]
        student: Option<String>,
    },
    /// List the recordings of a course that were deleted lately, and why
    Deleted {
        /// The course
        #[arg(value_name = "COURSE", add = names::courses())]
        course: String,
    },
    /// Write a recording, as asciicast v2
    Get(RecordingGetArgs),
    /// Delete a recording
    Rm(RecordingRmArgs),
    /// Say whether recordings of your terminals may be kept for a course, or show what you said
    Consent {
        /// The course
        #[arg(value_name = "COURSE", add = names::courses())]
        course: String,
        /// What you say; with no, those that are kept are deleted
        #[arg(value_name = "ANSWER")]
        answer: Option<Answer>,
    },
}

/// What somebody says who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Answer {
    /// They may be kept.
    Yes,
    /// They may not.
    No,
}

/// `recording get`.
#[derive(Debug, Clone, Args)]
pub struct RecordingGetArgs {
    /// The course
    #[arg(value_name = "COURSE", add = names::courses())]
    pub course: String,
    /// The recording
    #[arg(value_name = "RECORDING")]
    pub id: String,
    /// Where to; to the output without
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `recording rm`.
#[derive(Debug, Clone, Args)]
pub struct RecordingRmArgs {
    /// The course
    #[arg(value_name = "COURSE", add = names::courses())]
    pub course: String,
    /// The recording
    #[arg(value_name = "RECORDING")]
    pub id: String,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
}

/// Does one of them.
pub(crate) async fn recording(args: &RecordingArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        RecordingCommand::Ls { course, lab, student } => {
            let all = client.recordings(course, lab.as_deref(), student.as_deref()).await?;
            if out.is_json() {
                return out.json(all.json());
            }
            let table = render::recording::list(&all, out.width());
            out.text(if all.is_empty() { "No recordings are kept." } else { &table })
        }
        RecordingCommand::Deleted { course } => {
            let all = client.deleted_recordings(course).await?;
            if out.is_json() {
                return out.json(all.json());
            }
            let table = render::recording::deleted(&all, out.width());
            out.text(if all.is_empty() { "No recordings were deleted lately." } else { &table })
        }
        RecordingCommand::Get(args) => get(args, client, out).await,
        RecordingCommand::Rm(args) => {
            let RecordingRmArgs { course, id, confirm } = args;
            confirm.ask(&format!("Delete the recording {id} of {course}?"), WithoutTerminal::Refuse, out)?;
            client.delete_recording(course, id).await?;
            out.done(&format!("deleted the recording {id}"))
        }
        RecordingCommand::Consent { course, answer } => {
            let consent = match answer {
                None => client.consent(course).await?,
                Some(answer) => client.set_consent(course, *answer == Answer::Yes).await?,
            };
            if out.is_json() {
                return out.json(consent.json());
            }
            let text = render::recording::consent(course, &consent);
            out.text(&text)
        }
    }
}

async fn get(args: &RecordingGetArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    written(client.recording(&args.course, &args.id).await?, args.output.as_deref(), out).await
}

/// Writes a recording to a file, or else to standard output.
pub(crate) async fn written(mut cast: LogStream, path: Option<&Path>, out: &mut Output) -> Result<(), CliError> {
    let Some(path) = path else {
        while let Some(bytes) = cast.next().await? {
            out.bytes(&bytes)?;
        }
        return Ok(());
    };
    let failed = |source| CliError::WriteFile { path: path.to_owned(), source };
    let mut file = File::create(path).map_err(failed)?;
    while let Some(bytes) = cast.next().await? {
        file.write_all(&bytes).map_err(failed)?;
    }
    file.flush().map_err(failed)?;
    out.done(&format!("wrote {}", path.display()))
}
