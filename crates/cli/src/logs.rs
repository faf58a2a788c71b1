//! `logs`: what containers write, of one or of all of an app.

mod app;
mod lines;
mod stamps;

use self::app::Merged;
use self::lines::Lines;
use self::stamps::Stamps;
use crate::escape::escape_log_line;
use crate::flags::parse_span_millis;
use crate::names;
use crate::target::{Target, neither};
use crate::{CliError, Output};
use clap::Args;
use pierhead_client::{Client, ClientError, LogOptions, LogStream};
use pierhead_model::Timestamp;
use pierhead_wire::{format_timestamp, parse_timestamp};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The pause before a log that broke off is asked for again, and for how long that is tried.
const PAUSE: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(30);
/// What people are told of a log that broke off.
const GOES_ON: &str = "it goes on where a controller answers";

/// What `logs` takes.
#[derive(Debug, Clone, Args)]
pub struct LogsArgs {
    /// App, or the id of a container
    #[arg(value_name = "APP|ID", add = names::apps_and_containers())]
    pub target: String,
    /// Go on with what is written from now on
    #[arg(long, short = 'f')]
    pub follow: bool,
    /// Only the last lines of each container, or all
    #[arg(long, short = 'n', value_name = "LINES", value_parser = parse_tail)]
    pub tail: Option<Tail>,
    /// Only what was written since then: 10m, 1h30m, 2026-11-21T22:10:00Z, 2026-11-21, or seconds since 1970
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// The time before each line
    #[arg(long, short = 't')]
    pub timestamps: bool,
    /// Only standard output
    #[arg(long)]
    pub stdout: bool,
    /// Only standard error
    #[arg(long)]
    pub stderr: bool,
}

/// How many lines at the end; all if none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail(Option<u32>);

fn parse_tail(text: &str) -> Result<Tail, String> {
    match text {
        "all" => Ok(Tail(None)),
        lines => {
            lines.parse().map(|lines| Tail(Some(lines))).map_err(|_| "expected a number of lines, or all".to_owned())
        }
    }
}

/// Prints the logs.
pub(crate) async fn logs(args: &LogsArgs, client: &Client, out: &mut Output) -> Result<(), CliError> {
    let options = LogOptions {
        follow: args.follow,
        tail: args.tail.and_then(|Tail(lines)| lines),
        since: args.since.as_deref().map(|since| moment(since, out.now())).transpose()?,
        timestamps: args.timestamps,
        no_stdout: args.stderr && !args.stdout,
        no_stderr: args.stdout && !args.stderr,
    };
    let word = args.target.as_str();
    match Target::find(client, word).await? {
        Target::Container => {
            let log = client.logs(word, &asked(&options)).await.map_err(|error| neither(word, error))?;
            if let Some(since) = log.gone_since() {
                let since = escape_log_line(since);
                out.note(&format!("The container is gone since {since}; these are the last lines that were kept."));
            }
            if args.follow { follow(word, log, client, &options, out).await } else { whole(log, out).await }
        }
        Target::App => {
            let slots = client.app(word).await?.slots.len();
            Merged::new(client, word, &options, slots).show(out).await
        }
    }
}

/// Prints one container's log as it comes. Bytes stay as they are unless a terminal would obey them.
async fn whole(mut log: LogStream, out: &mut Output) -> Result<(), CliError> {
    let mut lines = Lines::new(None, out.terminals().stdout);
    while let Some(bytes) = log.next().await? {
        out.bytes(&lines.push(&bytes))?;
    }
    out.bytes(&lines.end())
}

/// The same log, with the moments of its lines if it may have to go on behind one of them.
fn asked(options: &LogOptions) -> LogOptions {
    LogOptions { timestamps: options.timestamps || options.follow, ..options.clone() }
}

/// What is to be asked for after a log ended or broke off: what comes behind its last line. Of one that had said nothing
/// yet, all of it, or what was written since it was opened.
fn rest(options: &LogOptions, stamps: &mut Stamps, opened: Timestamp) -> LogOptions {
    match stamps.again().or(options.tail.map(|_| opened)) {
        Some(since) => LogOptions { since: Some(format_timestamp(since)), tail: None, ..asked(options) },
        None => asked(options),
    }
}

/// Prints one container's log as it grows. One whose connection is lost goes on at another controller, or at the same when
/// it is back, behind the last line that came.
async fn follow(
    id: &str,
    first: LogStream,
    client: &Client,
    options: &LogOptions,
    out: &mut Output,
) -> Result<(), CliError> {
    let mut lines = Lines::new(None, out.terminals().stdout);
    let mut stamps = Stamps::new(options.timestamps);
    let (mut log, opened) = (first, out.now());
    loop {
        let why = loop {
            match log.next().await {
                Ok(Some(bytes)) => out.bytes(&lines.push(&stamps.push(&bytes)))?,
                Ok(None) => {
                    out.bytes(&lines.push(&stamps.end()))?;
                    return out.bytes(&lines.end());
                }
                Err(error) => break error,
            }
        };
        out.note(&format!("{why}; {GOES_ON}"));
        sleep(PAUSE).await;
        log = again(id, client, &rest(options, &mut stamps, opened), why).await?;
    }
}

/// The log anew, once a controller has it; the reason why it broke off if none does in time.
async fn again(id: &str, client: &Client, options: &LogOptions, why: ClientError) -> Result<LogStream, CliError> {
    let end = Instant::now() + PATIENCE;
    loop {
        match client.logs(id, options).await {
            Ok(log) => return Ok(log),
            // The controller may have to find the container's host first.
            Err(ClientError::Unreachable { .. } | ClientError::Refused { status: 503, .. }) if Instant::now() < end => {
                sleep(PAUSE).await;
            }
            Err(ClientError::Unreachable { .. }) => return Err(why.into()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// A moment as the API takes it.
pub(crate) fn moment(text: &str, now: Timestamp) -> Result<String, CliError> {
    let ago = parse_span_millis(text).map(|millis| Timestamp(now.0.saturating_sub(millis)));
    let midnight = || parse_timestamp(&format!("{text}T00:00:00Z"));
    let seconds = || text.parse::<u32>().ok().map(|seconds| Timestamp(u64::from(seconds) * 1000));
    match ago.or_else(|| parse_timestamp(text)).or_else(midnight).or_else(seconds) {
        Some(moment) => Ok(format_timestamp(moment)),
        None => Err(CliError::usage(
            format!("{text:?} is not a time"),
            "--since 10m, --since 2026-11-21, or --since 2026-11-21T22:10:00Z (RFC 3339)",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spans_or_moments() {
        let now = Timestamp(600_000);
        assert_eq!(moment("5m", now).unwrap(), "1970-01-01T00:05:00.000Z");
        assert_eq!(moment("1970-01-01T01:00:00+01:00", now).unwrap(), "1970-01-01T00:00:00.000Z");
        assert_eq!(moment("9d", now).unwrap(), "1970-01-01T00:00:00.000Z");
        assert_eq!(moment("1970-01-02", now).unwrap(), "1970-01-02T00:00:00.000Z");
        assert_eq!(moment("90", now).unwrap(), "1970-01-01T00:01:30.000Z");
        assert_eq!(moment("yesterday", now).unwrap_err().exit_code(), 2);
    }
}
