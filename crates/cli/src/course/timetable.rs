//! `course add-session` and `course rm-session`: when a course is held.

use super::edit;
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
    let SessionAddArgs { id, starts, ends, lab } = args.clone();
    let session = CourseSessionEntry { starts, ends, lab };
    let course = client.course(&id).await?.into_value();
    edit(client, course, |course| change(course.sessions.iter().chain([&session]).cloned().collect())).await?;
    out.done(&format!("{id} is held from {}", args.starts))
}

pub(super) async fn remove(args: &SessionRmArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let course = client.course(&args.id).await?.into_value();
    let at = args.number.checked_sub(1);
    let gone = at.and_then(|at| course.sessions.get(at).cloned()).ok_or_else(|| {
        let text = format!("the timetable of {} has {} sessions", args.id, course.sessions.len());
        CliError::usage(text, format!("pierhead course show {}", args.id))
    })?;
    // By itself and not by its number, which may be another's by now.
    edit(client, course, |course| {
        let mut sessions = course.sessions.clone();
        if let Some(at) = sessions.iter().position(|one| *one == gone) {
            sessions.remove(at);
        }
        change(sessions)
    })
    .await?;
    out.done(&format!("{} is not held from {}", args.id, gone.starts))
}

fn change(sessions: Vec<CourseSessionEntry>) -> CourseUpdate {
    CourseUpdate { sessions: Some(sessions), ..CourseUpdate::default() }
}
