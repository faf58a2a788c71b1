//! From a change that was begun to its end, with progress on the way.

use crate::flags::whole;
use crate::progress::describe;
use crate::{CliError, Output};
use clap::Args;
use pierhead_client::{Answer, Change, Client, ClientError, Started, Wait};
use pierhead_model::VerdictState;
use pierhead_wire::OperationView;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Flags of every command that changes what runs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Waiting")]
pub struct ChangeArgs {
    /// Print the id of the operation and do not wait for its end
    #[arg(long, short = 'd')]
    pub detach: bool,
    /// Stop waiting after so many seconds; the operation goes on
    #[arg(long, value_name = "SECONDS", value_parser = whole(1_u64, 604_800), allow_negative_numbers = true)]
    pub timeout: Option<u64>,
}

/// A change that nobody has to wait for any more.
pub(crate) enum Finished<T> {
    /// It was over at once.
    Answered { operation: Option<String>, answer: T },
    /// It took a while.
    Followed(Box<Answer<OperationView>>),
    /// It goes on without us, and its id was printed.
    Detached,
}

/// The shortest time between two questions, in case the controller does not wait as it was asked to.
const PACE: Duration = Duration::from_millis(200);

impl ChangeArgs {
    /// A new change, which is answered as soon as it is begun.
    pub(crate) fn begin() -> Change {
        Change::new(Wait::Seconds(0))
    }

    /// Waits for the end of what was begun. `goal` is what its slots become ("running").
    pub(crate) async fn finish<T>(
        &self,
        client: &Client,
        started: Started<T>,
        goal: &str,
        out: &mut Output,
    ) -> Result<Finished<T>, CliError> {
        if self.detach {
            print_detached(client, &started, out).await?;
            return Ok(Finished::Detached);
        }
        match started {
            Started::Ended { operation, answer } => Ok(Finished::Answered { operation, answer }),
            Started::Running(operation) => {
                let id = operation.id.clone();
                let ended = follow(client, &id, self.timeout, goal, out).await?;
                Ok(Finished::Followed(Box::new(ended)))
            }
        }
    }

    /// The same for a change that has nothing to answer: prints `done` for people, the operation as JSON.
    pub(crate) async fn conclude(
        &self,
        client: &Client,
        started: Started<()>,
        goal: &str,
        done: &str,
        out: &mut Output,
    ) -> Result<(), CliError> {
        match self.finish(client, started, goal, out).await? {
            Finished::Detached => Ok(()),
            Finished::Followed(operation) if out.is_json() => out.json(operation.json()),
            Finished::Answered { operation: Some(id), .. } if out.is_json() => {
                out.json(client.operation(&id, None).await?.json())
            }
            Finished::Answered { .. } | Finished::Followed(_) => out.done(done),
        }
    }
}

async fn print_detached<T>(client: &Client, started: &Started<T>, out: &mut Output) -> Result<(), CliError> {
    match started {
        Started::Running(operation) if out.is_json() => out.json(operation.json()),
        Started::Running(operation) => out.text(&operation.id),
        Started::Ended { operation: Some(id), .. } if out.is_json() => {
            out.json(client.operation(id, None).await?.json())
        }
        Started::Ended { operation: Some(id), .. } => out.text(id),
        Started::Ended { operation: None, .. } => out.done("done at once"),
    }
}

/// Waits until an operation has ended, showing how far it is; fails if it failed.
pub(crate) async fn follow(
    client: &Client,
    id: &str,
    timeout_seconds: Option<u64>,
    goal: &str,
    out: &mut Output,
) -> Result<Answer<OperationView>, CliError> {
    let stop = |why: String| CliError::StopWaiting { operation: id.to_owned(), why };
    let watched = watch(client, id, goal, out);
    let bounded = async {
        match timeout_seconds {
            None => watched.await,
            Some(seconds) => {
                let end = Instant::now() + Duration::from_secs(seconds);
                timeout_at(end, watched).await.unwrap_or_else(|_| Err(stop(format!("not done after {seconds} s"))))
            }
        }
    };
    let ended = tokio::select! {
        ended = bounded => ended?,
        Ok(()) = tokio::signal::ctrl_c() => return Err(CliError::Interrupted { operation: Some(id.to_owned()) }),
    };
    match ended.state.as_str() {
        "done" => Ok(ended),
        state => Err(failure(&ended, state)),
    }
}

async fn watch(client: &Client, id: &str, goal: &str, out: &mut Output) -> Result<Answer<OperationView>, CliError> {
    let progress = out.start_progress();
    loop {
        let earliest = Instant::now() + PACE;
        let operation = client.operation(id, Some(1)).await.map_err(|source| lost(id, source))?;
        if operation.state != "running" {
            return Ok(operation);
        }
        progress.show(&describe(&operation, goal));
        sleep_until(earliest).await;
    }
}

/// A refusal says enough by itself; where nobody answered, the change may still go on.
fn lost(id: &str, source: ClientError) -> CliError {
    match source {
        refused @ ClientError::Refused { .. } => CliError::Request(refused),
        source => CliError::Follow { operation: id.to_owned(), source },
    }
}

fn failure(operation: &OperationView, state: &str) -> CliError {
    let slots = operation.verdicts.iter().filter(|verdict| verdict.state == VerdictState::Failed);
    let first = slots.clone().find(|verdict| !verdict.message.is_empty());
    let message = match (&operation.error, first) {
        (Some(error), _) => error.message.clone(),
        (None, Some(verdict)) => format!("{}: slot {}: {}", operation.title, verdict.slot, verdict.message),
        (None, None) => format!("{}: {}", operation.title, state.replace('_', " ")),
    };
    let code = operation.error.as_ref().map_or_else(|| state.to_owned(), |error| error.code.clone());
    let log = operation.error.as_ref().map(|error| error.log.clone()).unwrap_or_default();
    CliError::Operation { operation: operation.id.clone(), state: state.to_owned(), code, message, log }
}
