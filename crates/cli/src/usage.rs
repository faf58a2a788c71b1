//! `course usage` and `account usage`: what workspaces used.

use crate::names;
use crate::{CliError, Output, render};
use clap::Args;
use pierhead_client::Client;

/// What `course usage` takes.
#[derive(Debug, Clone, Args)]
pub struct CourseUsageArgs {
    /// The course
    #[arg(add = names::courses())]
    pub id: String,
    /// As a table for spreadsheets
    #[arg(long)]
    pub csv: bool,
}

/// Tells what was used for a course.
pub(crate) async fn of_course(args: &CourseUsageArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    if args.csv && !out.is_json() {
        let table = client.export_course_usage(&args.id).await?;
        // The mark at the beginning is for files.
        return out.text(table.trim_start_matches('\u{feff}').trim_end_matches("\r\n"));
    }
    let all = client.course_usage(&args.id).await?;
    if out.is_json() {
        return out.json(all.json());
    }
    let table = render::usage::of_course(&all, out.width());
    out.text(if all.is_empty() { "Nobody used anything for the course yet." } else { &table })
}

/// Tells what everybody used.
pub(crate) async fn of_all(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let all = client.usage().await?;
    if out.is_json() {
        return out.json(all.json());
    }
    let table = render::usage::of_all(&all, out.width());
    out.text(if all.is_empty() { "Nobody used anything yet." } else { &table })
}
