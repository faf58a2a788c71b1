//! `logs`: what containers write, of one or of all of an app.

use crate::escape::escape_log_line;
use crate::flags::parse_span_millis;
use crate::names;
use crate::target::{Target, neither};
use crate::{CliError, Output};
use clap::Args;
use futures_util::{Stream, StreamExt, stream};
use pierhead_client::{Client, ClientError, LogOptions, LogStream};
use pierhead_model::Timestamp;
use pierhead_wire::{ContainerView, format_timestamp, parse_timestamp};
use std::pin::Pin;

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
            let log = client.logs(word, &options).await.map_err(|error| neither(word, error))?;
            if let Some(since) = log.gone_since() {
                let since = escape_log_line(since);
                out.note(&format!("The container is gone since {since}; these are the last lines that were kept."));
            }
            print(vec![(None, log)], out).await
        }
        Target::App => {
            let containers = containers_of(word, client).await?;
            let mut logs = Vec::new();
            for container in &containers {
                let prefix = (containers.len() > 1).then(|| format!("slot {} | ", container.slot.unwrap_or_default()));
                logs.push((prefix, client.logs(&container.id, &options).await?));
            }
            print(logs, out).await
        }
    }
}

async fn containers_of(app: &str, client: &Client) -> Result<Vec<ContainerView>, CliError> {
    let mut containers = client.containers(true).await?.into_value();
    // What stands on a host that does not answer can't be read.
    containers.retain(|container| container.app.as_deref() == Some(app) && container.status != "unreachable");
    containers.sort_by_key(|container| container.slot);
    if containers.is_empty() {
        return Err(CliError::NotFound(format!("the app {app} has no containers")));
    }
    Ok(containers)
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

type Chunk = (usize, Result<Vec<u8>, ClientError>);

/// What one container writes, marked with its place in the list. Ends after an error.
fn chunks(at: usize, log: LogStream) -> Pin<Box<dyn Stream<Item = Chunk> + Send>> {
    Box::pin(stream::unfold(Some(log), move |log| async move {
        let mut log = log?;
        match log.next().await {
            Ok(Some(bytes)) => Some(((at, Ok(bytes)), Some(log))),
            Ok(None) => None,
            Err(error) => Some(((at, Err(error)), None)),
        }
    }))
}

/// Prints logs as they come. Bytes stay as they are unless a terminal would obey them or a prefix is needed.
async fn print(logs: Vec<(Option<String>, LogStream)>, out: &mut Output) -> Result<(), CliError> {
    let escaped = out.terminals().stdout;
    let (prefixes, streams): (Vec<_>, Vec<_>) =
        logs.into_iter().enumerate().map(|(at, (prefix, log))| (prefix, chunks(at, log))).unzip();
    let mut writers: Vec<Lines> = prefixes.into_iter().map(|prefix| Lines::new(prefix, escaped)).collect();
    let mut all = stream::select_all(streams);
    while let Some((at, chunk)) = all.next().await {
        out.bytes(&writers[at].push(&chunk?))?;
    }
    for writer in &mut writers {
        out.bytes(&writer.end())?;
    }
    Ok(())
}

/// Cuts one container's bytes into lines.
struct Lines {
    prefix: Option<String>,
    escaped: bool,
    pending: Vec<u8>,
}

/// A line is given out at this length even if it has not ended.
const LONGEST_LINE: usize = 64 * 1024;

impl Lines {
    fn new(prefix: Option<String>, escaped: bool) -> Self {
        Self { prefix, escaped, pending: Vec::new() }
    }

    /// What can be written now.
    fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if !self.escaped && self.prefix.is_none() {
            return bytes.to_vec();
        }
        let mut ready = Vec::with_capacity(bytes.len());
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.pending.extend_from_slice(part);
            if part.ends_with(b"\n") || self.pending.len() >= LONGEST_LINE {
                self.write(&mut ready);
            }
        }
        ready
    }

    /// What is left at the end.
    fn end(&mut self) -> Vec<u8> {
        let mut ready = Vec::new();
        if !self.pending.is_empty() {
            self.write(&mut ready);
        }
        ready
    }

    fn write(&mut self, ready: &mut Vec<u8>) {
        let line = std::mem::take(&mut self.pending);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        ready.extend_from_slice(self.prefix.as_deref().unwrap_or_default().as_bytes());
        if self.escaped {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            ready.extend_from_slice(escape_log_line(&String::from_utf8_lossy(line)).as_bytes());
        } else {
            ready.extend_from_slice(line);
        }
        ready.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_whole_lines_without_sequences() {
        let mut lines = Lines::new(None, true);
        assert_eq!(lines.push(b"gr\xc3"), b"");
        assert_eq!(lines.push(b"\xbcn\x1b[2J\r\nne"), "grün\\x1b[2J\n".as_bytes());
        assert_eq!(lines.push(b"xt\nlast \xff"), b"next\n");
        assert_eq!(lines.end(), "last \u{fffd}\n".as_bytes());
        assert_eq!(lines.end(), b"");
    }

    #[test]
    fn a_file_gets_the_bytes() {
        assert_eq!(Lines::new(None, false).push(b"\x1b[1m\xff"), b"\x1b[1m\xff");
        assert_eq!(
            Lines::new(Some("slot 2 | ".to_owned()), false).push(b"a\xff\nb\n"),
            b"slot 2 | a\xff\nslot 2 | b\n"
        );
    }

    #[test]
    fn a_line_without_end_does_not_pile_up() {
        let mut lines = Lines::new(None, true);
        let written = lines.push(&vec![b'x'; LONGEST_LINE]);
        assert_eq!((written.len(), lines.pending.len()), (LONGEST_LINE + 1, 0));
    }

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
