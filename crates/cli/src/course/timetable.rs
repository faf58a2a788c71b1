//! `course add-session` and `course rm-session`: when a course is held.

use crate::names;
use crate::{CliError, Output};
use clap::Args;
use pierhead_client::Client;
use pierhead_wire::{CourseSessionEntry, CourseUpdate};

/// What `course add-session` takes.
#[derive(Debug, Clone, Args)]
pub struct SessionAddArgs {
    /// The course
    #[arg(add = names::courses())]
    pub id: String,
    /// When it begins, such as 2026-12-01T18:00 in the course's zone
    #[arg(long, value_name = "TIME")]
    pub starts: String,
    /// When it ends
    #[arg(long, value_name = "TIME")]
    pub ends: String,
    /// The lab that is worked at
    #[arg(long, add = names::labs())]
    pub lab: Option<String>,
}

/// What `course rm-session` takes.
#[derive(Debug, Clone, Args)]
pub struct SessionRmArgs {
    /// The course
    #[arg(add = names::courses())]
    pub id: String,
    /// Which one: its number in `course show`, from 1
    pub number: usize,
}

pub(super) async fn add(args: &SessionAddArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let mut sessions = client.course(&args.id).await?.into_value().sessions;
    let SessionAddArgs { id, starts, ends, lab } = args.clone();
    sessions.push(CourseSessionEntry { starts, ends, lab });
    client.set_course(&id, &change(sessions)).await?;
    out.done(&format!("{id} is held from {}", args.starts))
}

pub(super) async fn remove(args: &SessionRmArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let mut sessions = client.course(&args.id).await?.into_value().sessions;
    let at = args.number.checked_sub(1).filter(|at| *at < sessions.len()).ok_or_else(|| {
        let text = format!("the timetable of {} has {} sessions", args.id, sessions.len());
        CliError::usage(text, format!("pierhead course show {}", args.id))
    })?;
    let gone = sessions.remove(at);
    client.set_course(&args.id, &change(sessions)).await?;
    out.done(&format!("{} is not held from {}", args.id, gone.starts))
}

fn change(sessions: Vec<CourseSessionEntry>) -> CourseUpdate {
    CourseUpdate { sessions: Some(sessions), ..CourseUpdate::default() }
}
