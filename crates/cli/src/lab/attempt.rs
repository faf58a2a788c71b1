//! `lab start` and `lab attempts`: one's own way through labs.

use crate::listing::ListArgs;
use crate::output::{Confirm, WithoutTerminal};
use crate::{CliError, Output, render};
use clap::Args;
use pierhead_client::Client;
use pierhead_wire::AttemptRequest;

/// What `lab start` takes.
#[derive(Debug, Clone, Args)]
pub struct LabStartArgs {
    /// Lab
    #[arg(value_name = "LAB")]
    pub lab: String,
    /// Language to read it in [default: the lab's own]
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<String>,
    /// Course to work for [default: the first that you take and that has it]
    #[arg(long, value_name = "COURSE")]
    pub course: Option<String>,
}

/// What `lab attempts` takes.
#[derive(Debug, Clone, Args)]
pub struct LabAttemptsArgs {
    /// Only those at this lab
    #[arg(value_name = "LAB")]
    pub lab: Option<String>,
    /// Those of others too, as far as you may see them
    #[arg(long)]
    pub all: bool,
    /// How many are listed.
    #[command(flatten)]
    pub first: ListArgs,
}

/// What `lab forget` takes.
#[derive(Debug, Clone, Args)]
pub struct LabForgetArgs {
    /// Id of the attempt
    #[arg(value_name = "ATTEMPT")]
    pub attempt: String,
    /// Whether it is asked first.
    #[command(flatten)]
    pub confirm: Confirm,
}

/// Begins an attempt, or goes on with the one that there is.
pub(super) async fn start(args: &LabStartArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let request = AttemptRequest { language: args.language.clone(), course: args.course.clone() };
    let begun = client.begin_attempt(&args.lab, &request).await?;
    if out.is_json() {
        return out.json(begun.json());
    }
    out.text(&render::attempt::one(&begun))
}

/// Lists attempts.
pub(super) async fn list(args: &LabAttemptsArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let attempts = args.first.of(client).attempts(args.lab.as_deref(), args.all).await?;
    if out.is_json() {
        return out.json(attempts.json());
    }
    let attempts = attempts.into_value();
    if attempts.is_empty() {
        return out.text("No attempts. Begin one: pierhead lab start LAB");
    }
    let table = render::attempt::list(&attempts, out.width());
    out.text(&table)
}

/// Forgets an attempt.
pub(super) async fn forget(args: &LabForgetArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let question = format!("Forget attempt {}? Its workspace is saved, and ends.", args.attempt);
    args.confirm.ask(&question, WithoutTerminal::Refuse, out)?;
    client.delete_attempt(&args.attempt).await?;
    out.done(&format!("forgot {}", args.attempt))
}
