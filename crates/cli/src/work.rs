//! `submit`, `work` and `grade`: what is handed in for courses, when it is due, and what it was worth.

use crate::{CliError, Output, render};
use clap::{Args, Subcommand};
use pierhead_client::Client;
use pierhead_wire::{CriterionEntry, GradeUpdate, SubmissionView, WorkUpdate};
use std::path::PathBuf;
use std::time::Duration;

/// How often it is looked how far a submission is.
const LOOK: Duration = Duration::from_millis(500);

/// `submit`.
#[derive(Debug, Clone, Args)]
pub struct SubmitArgs {
    /// The course
    #[arg(value_name = "COURSE")]
    pub course: String,
    /// The lab
    #[arg(value_name = "LAB")]
    pub lab: String,
    /// Don't wait until it is saved and checked
    #[arg(long)]
    pub no_wait: bool,
}

/// `work` and its commands.
#[derive(Debug, Clone, Args)]
pub struct WorkArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: WorkCommand,
}

/// What can be done with the work in a course.
#[derive(Debug, Clone, Subcommand)]
pub enum WorkCommand {
    /// List the labs of a course: when they are due, and how far one is
    #[command(visible_alias = "list")]
    Ls {
        /// The course
        #[arg(value_name = "COURSE")]
        course: String,
    },
    /// Change when a lab is due, and how it is graded
    Set(Box<WorkSetArgs>),
    /// Give a student more time, or take that back
    Extend {
        /// The course
        #[arg(value_name = "COURSE")]
        course: String,
        /// The lab
        #[arg(value_name = "LAB")]
        lab: String,
        /// The student
        #[arg(value_name = "STUDENT")]
        student: String,
        /// Until when, in the course's zone, such as 2026-12-01T18:00; as everybody without
        #[arg(long, value_name = "WHEN")]
        due: Option<String>,
    },
    /// List what was handed in
    Submissions {
        /// The course
        #[arg(value_name = "COURSE")]
        course: String,
        /// For one lab only
        #[arg(long, value_name = "LAB")]
        lab: Option<String>,
        /// Of one student only
        #[arg(long, value_name = "STUDENT")]
        student: Option<String>,
    },
    /// Try a submission that failed once more
    Retry(OfStudent),
    /// Open a copy of what a student handed in
    Open(OfStudent),
}

/// A student's work at a lab.
#[derive(Debug, Clone, Args)]
pub struct OfStudent {
    /// The course
    #[arg(value_name = "COURSE")]
    pub course: String,
    /// The lab
    #[arg(value_name = "LAB")]
    pub lab: String,
    /// The student
    #[arg(value_name = "STUDENT")]
    pub student: String,
}

/// `work set`.
#[derive(Debug, Clone, Args)]
pub struct WorkSetArgs {
    /// The course
    #[arg(value_name = "COURSE")]
    pub course: String,
    /// The lab
    #[arg(value_name = "LAB")]
    pub lab: String,
    /// From when on students see it, in the course's zone, such as 2026-12-01T18:00; always with an empty word
    #[arg(long, value_name = "WHEN")]
    pub opens: Option<String>,
    /// When it is due, likewise; never with an empty word
    #[arg(long, value_name = "WHEN")]
    pub due: Option<String>,
    /// What becomes of what is late
    #[arg(long, value_name = "WHAT", value_parser = ["mark", "refuse"])]
    pub late: Option<String>,
    /// Whether what was begun is handed in by itself when it is due
    #[arg(long, value_name = "YES")]
    pub collects: Option<bool>,
    /// A criterion, such as style:hand:5:Style (repeatable; they are all that there are then)
    #[arg(long = "criterion", value_name = "ID:FROM:MOST:TITLE", value_parser = criterion)]
    pub rubric: Vec<CriterionEntry>,
    /// Whether students see what they got
    #[arg(long, value_name = "YES")]
    pub publish: Option<bool>,
}

/// `grade` and its commands.
#[derive(Debug, Clone, Args)]
pub struct GradeArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: GradeCommand,
}

/// What can be done with grades.
#[derive(Debug, Clone, Subcommand)]
pub enum GradeCommand {
    /// List what everybody came to in a course
    #[command(visible_alias = "list")]
    Ls {
        /// The course
        #[arg(value_name = "COURSE")]
        course: String,
    },
    /// Give points and comments by hand
    Set(GradeSetArgs),
    /// Write the gradebook as a table for spreadsheets
    Export {
        /// The course
        #[arg(value_name = "COURSE")]
        course: String,
        /// Where to; to the output without
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Show what one's own work came to
    Results {
        /// The course
        #[arg(value_name = "COURSE")]
        course: String,
    },
}

/// `grade set`.
#[derive(Debug, Clone, Args)]
pub struct GradeSetArgs {
    /// Whose work.
    #[command(flatten)]
    pub of: OfStudent,
    /// Points for a criterion, such as style=4.5; those that come of themselves with an empty number (repeatable)
    #[arg(long = "points", value_name = "CRITERION=POINTS", value_parser = points)]
    pub points: Vec<(String, Option<f64>)>,
    /// A comment on a criterion, such as style=neat (repeatable)
    #[arg(long = "about", value_name = "CRITERION=TEXT", value_parser = about)]
    pub about: Vec<(String, String)>,
    /// A comment on the whole
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
}

fn criterion(text: &str) -> Result<CriterionEntry, String> {
    let parts: Vec<&str> = text.splitn(4, ':').collect();
    let [id, from, most, title] = parts[..] else {
        return Err("it must be ID:FROM:MOST:TITLE, such as style:hand:5:Style".to_owned());
    };
    let most = most.parse().map_err(|_| format!("{most} is no number of points"))?;
    Ok(CriterionEntry { id: id.to_owned(), title: title.to_owned(), from: from.to_owned(), most })
}

fn points(text: &str) -> Result<(String, Option<f64>), String> {
    let (id, number) = about(text)?;
    if number.is_empty() {
        return Ok((id, None));
    }
    let number = number.parse().map_err(|_| format!("{number} is no number of points"))?;
    Ok((id, Some(number)))
}

fn about(text: &str) -> Result<(String, String), String> {
    let (id, rest) = text.split_once('=').ok_or("it must name a criterion, such as style=5")?;
    Ok((id.to_owned(), rest.to_owned()))
}

/// Hands in one's work at a lab, and waits until that is done.
pub(crate) async fn submit(args: &SubmitArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let mut submission = client.submit_work(&args.course, &args.lab).await?.into_value();
    while !args.no_wait && !["complete", "failed"].contains(&submission.state.as_str()) {
        tokio::time::sleep(LOOK).await;
        let all = client.submissions(&args.course, Some(&args.lab), None).await?.into_value();
        // Of others one sees nothing, unless one gives the course.
        let is_it = |one: &SubmissionView| one.number == submission.number && one.username == submission.username;
        let Some(found) = all.into_iter().find(is_it) else { break };
        submission = found;
    }
    told(&submission, out)
}

fn told(submission: &SubmissionView, out: &mut Output) -> Result<(), CliError> {
    if out.is_json() {
        let json = serde_json::to_string(submission).expect("plain data has a JSON form");
        return out.json(&json);
    }
    out.text(&render::work::submission(submission))
}

/// Does one of the commands about work.
pub(crate) async fn work(args: &WorkArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        WorkCommand::Ls { course } => {
            let all = client.course_work(course).await?;
            if out.is_json() {
                return out.json(all.json());
            }
            let table = render::work::labs(&all, out.width());
            out.text(if all.is_empty() { "The course has no labs yet." } else { &table })
        }
        WorkCommand::Set(args) => {
            let update = WorkUpdate {
                opens: args.opens.clone(),
                due: args.due.clone(),
                late: args.late.clone(),
                collects: args.collects,
                rubric: (!args.rubric.is_empty()).then(|| args.rubric.clone()),
                published: args.publish,
            };
            let now = client.change_work(&args.course, &args.lab, &update).await?;
            if out.is_json() {
                return out.json(now.json());
            }
            out.text(&render::work::lab(&now))
        }
        WorkCommand::Extend { course, lab, student, due } => {
            client.extend_work(course, lab, student, due.as_deref()).await?;
            match due {
                Some(due) => out.done(&format!("{student} has time for {lab} until {due}")),
                None => out.done(&format!("{lab} is due for {student} as for everybody")),
            }
        }
        WorkCommand::Submissions { course, lab, student } => {
            let all = client.submissions(course, lab.as_deref(), student.as_deref()).await?;
            if out.is_json() {
                return out.json(all.json());
            }
            let table = render::work::submissions(&all, out.width());
            out.text(if all.is_empty() { "Nothing was handed in." } else { &table })
        }
        WorkCommand::Retry(OfStudent { course, lab, student }) => {
            let submission = client.retry_submission(course, lab, student).await?;
            told(&submission, out)
        }
        WorkCommand::Open(OfStudent { course, lab, student }) => {
            let opened = client.open_submission(course, lab, student).await?;
            if out.is_json() {
                return out.json(opened.json());
            }
            out.text(&format!("workspace {} begins as what {student} handed in for {lab}", opened.id))
        }
    }
}

/// Does one of the commands about grades.
pub(crate) async fn grade(args: &GradeArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    match &args.command {
        GradeCommand::Ls { course } => {
            let rows = client.gradebook(course).await?;
            if out.is_json() {
                return out.json(rows.json());
            }
            let table = render::work::gradebook(&rows, out.width());
            out.text(if rows.is_empty() { "Nobody takes the course yet." } else { &table })
        }
        GradeCommand::Set(args) => {
            let update = GradeUpdate {
                points: args.points.iter().cloned().collect(),
                comments: args.about.iter().cloned().collect(),
                comment: args.comment.clone(),
            };
            let OfStudent { course, lab, student } = &args.of;
            let result = client.grade_work(course, lab, student, &update).await?;
            if out.is_json() {
                return out.json(result.json());
            }
            out.text(&render::work::result(&result))
        }
        GradeCommand::Export { course, output } => {
            let text = client.export_grades(course).await?;
            match output {
                Some(path) => {
                    std::fs::write(path, text).map_err(|source| CliError::WriteFile { path: path.clone(), source })?;
                    out.done(&format!("wrote {}", path.display()))
                }
                None if out.terminals().stdout => out.text(text.trim_start_matches('\u{feff}')),
                // A program that reads it gets it as it would be in a file.
                None => out.bytes(text.as_bytes()),
            }
        }
        GradeCommand::Results { course } => {
            let results = client.course_results(course).await?;
            if out.is_json() {
                return out.json(results.json());
            }
            let text: Vec<String> = results.iter().map(render::work::result).collect();
            out.text(&if text.is_empty() { "The course has no labs yet.".to_owned() } else { text.join("\n\n") })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_and_points_are_written_in_one_word() {
        let style = criterion("style:hand:2.5:Good: style").unwrap();
        assert_eq!((style.id.as_str(), style.from.as_str(), style.most), ("style", "hand", 2.5));
        assert_eq!(style.title, "Good: style", "a title may hold what parts them");
        assert_eq!(points("style=1.5"), Ok(("style".to_owned(), Some(1.5))));
        assert_eq!(points("style="), Ok(("style".to_owned(), None)), "that takes back");
        assert_eq!(about("style=a=b"), Ok(("style".to_owned(), "a=b".to_owned())));
        for bad in ["style", "style:hand:many:Style", "style:hand:5"] {
            assert!(criterion(bad).is_err(), "{bad}");
        }
        for bad in ["style", "style=much"] {
            assert!(points(bad).is_err(), "{bad}");
        }
    }
}
