//! `roster`: the school's own list of people and courses.

use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::Client;
use pierhead_wire::{RosterCsv, RosterRequest};
use std::path::{Path, PathBuf};

/// `roster` and its commands; nothing at all tells how it stands.
#[derive(Debug, Clone, Args)]
pub struct RosterArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<RosterCommand>,
}

/// What can be done with the list.
#[derive(Debug, Clone, Subcommand)]
pub enum RosterCommand {
    /// Say where the list lies, and what came of the last look at it
    Show,
    /// Show what the list would change; nothing is changed
    Preview(RosterListArgs),
    /// Carry out the list: people, courses, and who takes them
    Sync(RosterSyncArgs),
}

/// Which list.
#[derive(Debug, Clone, Default, Args)]
pub struct RosterListArgs {
    /// Directory of people.csv, courses.csv and enrolments.csv here [default: the list that the server knows]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// What `roster sync` takes.
#[derive(Debug, Clone, Args)]
pub struct RosterSyncArgs {
    /// Which list.
    #[command(flatten)]
    pub list: RosterListArgs,
    /// Carry it out although so much would go that it seems wrong
    #[arg(long)]
    pub force: bool,
    /// Only if it changes what a preview with this digest showed
    #[arg(long, value_name = "DIGEST")]
    pub expect: Option<String>,
}

/// Does one of them.
pub(crate) async fn roster(args: &RosterArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let report = match &args.command {
        None | Some(RosterCommand::Show) => {
            let status = client.roster().await?;
            if out.is_json() {
                return out.json(status.json());
            }
            let shown = render::course::roster_status(&status);
            return out.text(&shown);
        }
        Some(RosterCommand::Preview(list)) => client.preview_roster(&request(list)?).await?,
        Some(RosterCommand::Sync(args)) => {
            let request = RosterRequest {
                force: args.force.then_some(true),
                expect: args.expect.clone(),
                ..request(&args.list)?
            };
            client.sync_roster(&request).await?
        }
    };
    if out.is_json() {
        return out.json(report.json());
    }
    let shown = render::course::roster(&report);
    out.text(&shown)
}

fn request(list: &RosterListArgs) -> Result<RosterRequest, CliError> {
    let Some(dir) = &list.dir else { return Ok(RosterRequest::default()) };
    let csv = RosterCsv {
        people: file(dir, "people.csv")?,
        courses: file(dir, "courses.csv")?,
        enrolments: file(dir, "enrolments.csv")?,
    };
    Ok(RosterRequest { csv: Some(csv), ..RosterRequest::default() })
}

fn file(dir: &Path, name: &str) -> Result<String, CliError> {
    let path = dir.join(name);
    std::fs::read_to_string(&path)
        .map_err(|error| CliError::usage(format!("{}: {error}", path.display()), "pierhead roster preview --help"))
}
