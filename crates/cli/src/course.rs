//! `course`: who gives and takes what.

mod timetable;

use crate::listing::ListArgs;
use crate::names;
use crate::output::{Confirm, WithoutTerminal};
use crate::usage::{self, CourseUsageArgs};
use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::{Client, ClientError};
use pierhead_wire::{
    CourseLabEntry, CourseRequest, CourseUpdate, CourseView, EnrolEntry, EnrolRequest, LinkRequest, StudentUpdate,
};

pub use timetable::{SessionAddArgs, SessionRmArgs};

/// How often a change is tried that others came before.
const MOST_TRIES: u32 = 10;

/// `course` and its commands; nothing at all lists them.
#[derive(Debug, Clone, Args)]
pub struct CourseArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<CourseCommand>,
}

/// What can be done with courses.
#[derive(Debug, Clone, Subcommand)]
pub enum CourseCommand {
    /// List the courses that you give, help in or take
    #[command(visible_alias = "list")]
    Ls(ListArgs),
    /// Show one course: its people, labs and timetable
    #[command(alias = "inspect")]
    Show {
        /// Its id
        #[arg(add = names::courses())]
        id: String,
    },
    /// Make a course; you are its teacher
    Add(CourseAddArgs),
    /// Change a course; what is not given stays
    Set(CourseSetArgs),
    /// Forget a course; what its students did stays
    Rm(CourseRmArgs),
    /// Put a lab into a course, or change when it opens and is due
    AddLab(CourseLabArgs),
    /// Take a lab out of a course
    RmLab {
        /// The course
        #[arg(add = names::courses())]
        id: String,
        /// The lab
        lab: String,
    },
    /// Say when a course is held
    AddSession(SessionAddArgs),
    /// Take a session off the timetable
    RmSession(SessionRmArgs),
    /// List who takes a course
    Students {
        /// The course
        #[arg(add = names::courses())]
        id: String,
        /// How many at most.
        #[command(flatten)]
        first: ListArgs,
    },
    /// Show what workspaces used for a course: everybody's if you give it, else your own
    Usage(CourseUsageArgs),
    /// Enrol people: all of them or nobody
    Enrol(EnrolArgs),
    /// Take somebody off a course, or let them leave it with --suspend
    Unenrol(UnenrolArgs),
    /// Make a link with which a student logs in once
    Link(CourseLinkArgs),
}

/// What a course is, as flags.
#[derive(Debug, Clone, Default, Args)]
pub struct CourseFlags {
    /// What people call it
    #[arg(long)]
    pub title: Option<String>,
    /// The term that it is given in
    #[arg(long)]
    pub term: Option<String>,
    /// The time zone of its deadlines, such as Asia/Shanghai
    #[arg(long, value_name = "NAME")]
    pub zone: Option<String>,
    /// Who may change it, all of them
    #[arg(long = "teacher", value_name = "NAME", value_delimiter = ',')]
    pub teachers: Option<Vec<String>>,
    /// Who may see everything in it, all of them
    #[arg(long = "assistant", value_name = "NAME", value_delimiter = ',')]
    pub assistants: Option<Vec<String>>,
    /// For how many days to keep recordings of the terminals of students who say yes; none with 0
    #[arg(long, value_name = "DAYS")]
    pub recording_days: Option<u32>,
}

/// What `course add` takes.
#[derive(Debug, Clone, Args)]
pub struct CourseAddArgs {
    /// Its id
    pub id: String,
    /// What it is.
    #[command(flatten)]
    pub flags: CourseFlags,
}

/// What `course set` takes.
#[derive(Debug, Clone, Args)]
pub struct CourseSetArgs {
    /// Its id
    #[arg(add = names::courses())]
    pub id: String,
    /// What it is.
    #[command(flatten)]
    pub flags: CourseFlags,
    /// Whether it is over: its students begin nothing any more
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub archived: Option<bool>,
}

/// What `course rm` takes.
#[derive(Debug, Clone, Args)]
pub struct CourseRmArgs {
    /// Its id
    #[arg(add = names::courses())]
    pub id: String,
    /// Whether to ask.
    #[command(flatten)]
    pub confirm: Confirm,
}

/// What `course add-lab` takes.
#[derive(Debug, Clone, Args)]
pub struct CourseLabArgs {
    /// The course
    #[arg(add = names::courses())]
    pub id: String,
    /// The lab
    pub lab: String,
    /// The version that students begin with [default: the newest]
    #[arg(long)]
    pub version: Option<u32>,
    /// When it opens, such as 2026-12-01T18:00 in the course's zone
    #[arg(long, value_name = "TIME")]
    pub opens: Option<String>,
    /// When it is due
    #[arg(long, value_name = "TIME")]
    pub due: Option<String>,
    /// From when on workspaces are started ahead for it
    #[arg(long, value_name = "TIME")]
    pub warm_from: Option<String>,
}

/// What `course enrol` takes.
#[derive(Debug, Clone, Args)]
pub struct EnrolArgs {
    /// The course
    #[arg(add = names::courses())]
    pub id: String,
    /// Names of accounts
    #[arg(value_name = "NAME", required_unless_present = "file")]
    pub names: Vec<String>,
    /// File with a name in each line, and behind a comma the group
    #[arg(long, value_name = "FILE", conflicts_with = "names")]
    pub file: Option<std::path::PathBuf>,
    /// The group of all of them; an empty text for none
    #[arg(long)]
    pub group: Option<String>,
}

/// What `course unenrol` takes.
#[derive(Debug, Clone, Args)]
pub struct UnenrolArgs {
    /// The course
    #[arg(add = names::courses())]
    pub id: String,
    /// Whose account
    #[arg(value_name = "NAME")]
    pub username: String,
    /// They stay on the list, and take the course no longer
    #[arg(long)]
    pub suspend: bool,
}

/// What `course link` takes.
#[derive(Debug, Clone, Args)]
pub struct CourseLinkArgs {
    /// The course
    #[arg(add = names::courses())]
    pub id: String,
    /// Whose account
    #[arg(value_name = "NAME")]
    pub username: String,
    /// For how many minutes it is good
    #[arg(long, default_value_t = 60)]
    pub minutes: u32,
}

/// Does one of them.
pub(crate) async fn course(args: &CourseArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        None => list(client, out).await,
        Some(CourseCommand::Ls(args)) => list(&args.of(client), out).await,
        Some(CourseCommand::Show { id }) => show(id, client, out).await,
        Some(CourseCommand::Add(args)) => add(args, client, out).await,
        Some(CourseCommand::Set(args)) => set(args, client, out).await,
        Some(CourseCommand::Rm(args)) => {
            args.confirm.ask(&format!("Forget the course {}?", args.id), WithoutTerminal::Refuse, out)?;
            client.delete_course(&args.id).await?;
            out.done(&format!("forgot the course {}", args.id))
        }
        Some(CourseCommand::AddLab(args)) => add_lab(args, client, out).await,
        Some(CourseCommand::RmLab { id, lab }) => remove_lab(id, lab, client, out).await,
        Some(CourseCommand::AddSession(args)) => timetable::add(args, client, out).await,
        Some(CourseCommand::RmSession(args)) => timetable::remove(args, client, out).await,
        Some(CourseCommand::Students { id, first }) => {
            let students = first.of(client).students(id).await?;
            if out.is_json() {
                return out.json(students.json());
            }
            let table = render::course::students(&students, out.width());
            out.text(&table)
        }
        Some(CourseCommand::Usage(args)) => usage::of_course(args, client, out).await,
        Some(CourseCommand::Enrol(args)) => enrol(args, client, out).await,
        Some(CourseCommand::Unenrol(args)) => unenrol(args, client, out).await,
        Some(CourseCommand::Link(args)) => {
            let request = LinkRequest { minutes: Some(args.minutes) };
            let link = client.student_link(&args.id, &args.username, &request).await?;
            tell_link(&link, &args.username, out)
        }
    }
}

/// Prints a link alone, so that a script can take it from there.
pub(crate) fn tell_link(
    link: &pierhead_client::Answer<pierhead_wire::LinkView>,
    username: &str,
    out: &mut Output,
) -> Result<(), CliError> {
    if out.is_json() {
        return out.json(link.json());
    }
    out.text(&link.url)?;
    out.note(&format!("it logs {username} in once, until {}; give it to nobody else", link.expires_at));
    Ok(())
}

async fn list(client: &Client, out: &mut Output) -> Result<(), CliError> {
    let courses = client.courses().await?;
    if out.is_json() {
        return out.json(courses.json());
    }
    if courses.is_empty() {
        return out.text("You give, help in or take no course. A teacher makes one: pierhead course add ID --title TITLE --zone Asia/Shanghai");
    }
    let table = render::course::list(&courses, out.width());
    out.text(&table)
}

async fn show(id: &str, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let course = client.course(id).await?;
    if out.is_json() {
        return out.json(course.json());
    }
    let shown = render::course::show(&course);
    out.text(&shown)
}

async fn add(args: &CourseAddArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let CourseFlags { title, term, zone, teachers, assistants, recording_days } = args.flags.clone();
    let id = args.id.clone();
    let request =
        CourseRequest { id, title, term, zone, teachers, assistants, recording_days, ..CourseRequest::default() };
    client.add_course(&request).await?;
    out.done(&format!("made the course {}", args.id))
}

async fn set(args: &CourseSetArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let CourseFlags { title, term, zone, teachers, assistants, recording_days } = args.flags.clone();
    let archived = args.archived;
    let change =
        CourseUpdate { title, term, zone, teachers, assistants, recording_days, archived, ..CourseUpdate::default() };
    client.set_course(&args.id, &change, None).await?;
    out.done(&format!("changed the course {}", args.id))
}

async fn add_lab(args: &CourseLabArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let course = client.course(&args.id).await?.into_value();
    edit(client, course, |course| of_labs(with_lab(&course.labs, args))).await?;
    out.done(&format!("{} is a lab of {}", args.lab, args.id))
}

/// These labs with one more, or with the one otherwise.
fn with_lab(labs: &[CourseLabEntry], args: &CourseLabArgs) -> Vec<CourseLabEntry> {
    let mut labs = labs.to_vec();
    let at = labs.iter().position(|entry| entry.lab == args.lab).unwrap_or_else(|| {
        labs.push(CourseLabEntry { lab: args.lab.clone(), ..CourseLabEntry::default() });
        labs.len() - 1
    });
    let entry = &mut labs[at];
    entry.version = args.version.or(entry.version);
    for (given, present) in
        [(&args.opens, &mut entry.opens_at), (&args.due, &mut entry.due_at), (&args.warm_from, &mut entry.warm_from)]
    {
        if given.is_some() {
            present.clone_from(given);
        }
    }
    labs
}

fn of_labs(labs: Vec<CourseLabEntry>) -> CourseUpdate {
    CourseUpdate { labs: Some(labs), ..CourseUpdate::default() }
}

async fn remove_lab(id: &str, lab: &str, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let course = client.course(id).await?.into_value();
    if !course.labs.iter().any(|entry| entry.lab == lab) {
        return Err(CliError::usage(format!("{lab} is no lab of {id}"), format!("pierhead course show {id}")));
    }
    edit(client, course, |course| of_labs(course.labs.iter().filter(|entry| entry.lab != lab).cloned().collect()))
        .await?;
    out.done(&format!("took {lab} out of {id}"))
}

/// Changes a course as it is now: what others change in the same moment stays.
async fn edit(
    client: &Client,
    mut course: CourseView,
    change: impl Fn(&CourseView) -> CourseUpdate,
) -> Result<(), CliError> {
    let mut tries = 0;
    loop {
        let told = client.set_course(&course.id, &change(&course), Some(course.revision)).await;
        tries += 1;
        match told {
            Err(ClientError::Refused { status: 412, .. }) if tries < MOST_TRIES => {
                course = client.course(&course.id).await?.into_value();
            }
            told => return Ok(told.map(drop)?),
        }
    }
}

async fn enrol(args: &EnrolArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let students = match &args.file {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| {
                CliError::usage(format!("{}: {error}", file.display()), "pierhead course enrol --help")
            })?;
            entries(&text, args.group.as_deref())
        }
        None => {
            let entry = |name: &String| EnrolEntry { username: name.clone(), group: args.group.clone() };
            args.names.iter().map(entry).collect()
        }
    };
    let count = students.len();
    client.enrol(&args.id, &EnrolRequest { students }).await?;
    out.done(&format!("enrolled {count} in {}", args.id))
}

/// A name in each line, and behind a comma the group; lines without a name count for nothing.
fn entries(text: &str, group: Option<&str>) -> Vec<EnrolEntry> {
    let entry = |line: &str| {
        let (name, own) = line.split_once(',').map_or((line, None), |(name, group)| (name, Some(group.trim())));
        let (name, group) = (name.trim(), own.or(group));
        (!name.is_empty()).then(|| EnrolEntry { username: name.to_owned(), group: group.map(str::to_owned) })
    };
    text.trim_start_matches('\u{feff}').lines().filter_map(entry).collect()
}

async fn unenrol(args: &UnenrolArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    if args.suspend {
        let change = StudentUpdate { suspended: Some(true), group: None };
        client.set_student(&args.id, &args.username, &change).await?;
        return out.done(&format!("{} takes {} no longer", args.username, args.id));
    }
    client.unenrol(&args.id, &args.username).await?;
    out.done(&format!("took {} off {}", args.username, args.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_name_in_each_line() {
        let read = entries("\u{feff}li\r\nwu, B\n\n ,x\n han ,\n", Some("A"));
        let pairs: Vec<(&str, Option<&str>)> =
            read.iter().map(|entry| (entry.username.as_str(), entry.group.as_deref())).collect();
        assert_eq!(pairs, [("li", Some("A")), ("wu", Some("B")), ("han", Some(""))]);
    }
}
