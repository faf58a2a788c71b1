//! The logs of an app's containers as one, which the controller merges; followed, also of those that come later.

use super::lines::Lines;
use super::{GOES_ON, PATIENCE, PAUSE};
use crate::escape::escape_log_line;
use crate::{CliError, Output};
use pierhead_client::{Client, ClientError, LogOptions, LogStream};
use pierhead_model::Timestamp;
use pierhead_wire::{format_timestamp, parse_timestamp};
use std::collections::BTreeMap;
use tokio::time::{Instant, sleep};

/// How far back a log is asked for that broke off: clocks of hosts differ.
const OVERLAP_MS: u64 = 60_000;
/// A line is given out at this length even if it has not ended.
const LONGEST_LINE: usize = 64 * 1024;

/// Which of a container's lines were shown.
#[derive(Debug, Default)]
struct Seen {
    newest: String,
    of_newest: usize,
    doubled: usize,
}

impl Seen {
    fn again(&mut self) {
        self.doubled = self.of_newest;
    }

    fn is_new(&mut self, at: &str) -> bool {
        // Moments differ in how many digits they have.
        let at = at.trim_end_matches('Z');
        if at < self.newest.as_str() {
            return false;
        }
        if at == self.newest {
            let is_doubled = self.doubled > 0;
            self.doubled = self.doubled.saturating_sub(1);
            self.of_newest += usize::from(!is_doubled);
            return !is_doubled;
        }
        (self.newest, self.of_newest, self.doubled) = (at.to_owned(), 1, 0);
        true
    }
}

/// What is shown of an app.
pub(super) struct Merged<'a> {
    client: &'a Client,
    app: &'a str,
    options: &'a LogOptions,
    /// Whether lines bear their slot: as soon as there are two.
    has_slots: bool,
    seen: BTreeMap<String, Seen>,
    newest: Option<Timestamp>,
    pending: Vec<u8>,
}

impl<'a> Merged<'a> {
    pub(super) fn new(client: &'a Client, app: &'a str, options: &'a LogOptions, slots: usize) -> Self {
        let has_slots = slots > 1;
        Self { client, app, options, has_slots, seen: BTreeMap::new(), newest: None, pending: Vec::new() }
    }

    /// Shows the log to its end; one that is followed and breaks off goes on where a controller answers.
    pub(super) async fn show(mut self, out: &mut Output) -> Result<(), CliError> {
        let mut log = self.client.app_logs(self.app, &self.asked()).await?;
        while let Err(why) = self.read(&mut log, out).await? {
            if !self.options.follow {
                return Err(why.into());
            }
            out.note(&format!("{why}; {GOES_ON}"));
            sleep(PAUSE).await;
            log = self.again(why).await?;
        }
        Ok(())
    }

    /// With the moments of lines if it may have to go on behind one of them.
    fn asked(&self) -> LogOptions {
        LogOptions { timestamps: self.options.timestamps || self.options.follow, ..self.options.clone() }
    }

    /// The inner result is how the log itself ended.
    async fn read(&mut self, log: &mut LogStream, out: &mut Output) -> Result<Result<(), ClientError>, CliError> {
        loop {
            match log.next().await {
                Ok(Some(bytes)) => self.push(&bytes, out)?,
                Ok(None) => {
                    self.line(out)?;
                    return Ok(Ok(()));
                }
                // The line that was cut comes again.
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// The log anew, once a controller has it; the reason why it broke off if none does in time.
    async fn again(&mut self, why: ClientError) -> Result<LogStream, CliError> {
        self.pending.clear();
        self.seen.values_mut().for_each(Seen::again);
        let mut options = self.asked();
        if let Some(newest) = self.newest {
            let since = Timestamp(newest.0.saturating_sub(OVERLAP_MS));
            (options.since, options.tail) = (Some(format_timestamp(since)), None);
        }
        let end = Instant::now() + PATIENCE;
        loop {
            match self.client.app_logs(self.app, &options).await {
                Ok(log) => return Ok(log),
                Err(ClientError::Unreachable { .. } | ClientError::Refused { status: 503, .. })
                    if Instant::now() < end =>
                {
                    sleep(PAUSE).await;
                }
                Err(ClientError::Unreachable { .. }) => return Err(why.into()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn push(&mut self, bytes: &[u8], out: &mut Output) -> Result<(), CliError> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.pending.extend_from_slice(part);
            if part.ends_with(b"\n") || self.pending.len() >= LONGEST_LINE {
                self.line(out)?;
            }
        }
        Ok(())
    }

    /// Shows a line that is whole.
    fn line(&mut self, out: &mut Output) -> Result<(), CliError> {
        let line = std::mem::take(&mut self.pending);
        let Some(space) = line.iter().position(|byte| *byte == b' ') else { return Ok(()) };
        let (name, mut text) = (String::from_utf8_lossy(&line[..space]).into_owned(), &line[space + 1..]);
        if name == "#" {
            self.note(&String::from_utf8_lossy(text), out);
            return Ok(());
        }
        let seen = self.seen.entry(name.clone()).or_default();
        let stamp =
            text.iter().position(|byte| *byte == b' ').filter(|_| self.options.timestamps || self.options.follow);
        let at = stamp.and_then(|length| std::str::from_utf8(&text[..length]).ok());
        if let Some((at, moment)) = at.and_then(|at| Some((at, parse_timestamp(at)?))) {
            if !seen.is_new(at) {
                return Ok(());
            }
            self.newest = self.newest.max(Some(moment));
            if !self.options.timestamps {
                text = &text[at.len() + 1..];
            }
        }
        self.has_slots |= self.seen.len() > 1;
        let prefix = self.has_slots.then(|| format!("slot {} | ", escape_log_line(self.slot_of(&name))));
        let mut lines = Lines::new(prefix, out.terminals().stdout);
        out.bytes(&lines.push(text))?;
        out.bytes(&lines.end())
    }

    /// That containers ended is said only to those who would wait for more of them.
    fn note(&self, text: &str, out: &mut Output) {
        let text = escape_log_line(text.trim_end());
        match text.split_once(' ') {
            Some((_, "has ended")) if !self.options.follow => {}
            Some((name, what)) if name.starts_with(&format!("{}.", self.app)) => {
                out.note(&format!("slot {}: container {name} {what}", self.slot_of(name)));
            }
            _ => out.note(&text),
        }
    }

    /// `2` of the container `web.2.1`.
    fn slot_of<'n>(&self, name: &'n str) -> &'n str {
        let rest = name.strip_prefix(self.app).and_then(|rest| rest.strip_prefix('.'));
        rest.and_then(|rest| rest.split('.').next()).unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shown_is_not_shown_again() {
        let mut seen = Seen::default();
        let first = ["06Z", "06.1Z", "06.12Z", "06.12Z", "06.2Z", "06.2Z"];
        assert!(first.iter().all(|at| seen.is_new(at)));
        seen.again();
        let again: Vec<bool> =
            ["06.12Z", "06.12Z", "06.2Z", "06.2Z", "06.2Z", "06.20Z", "07Z"].iter().map(|at| seen.is_new(at)).collect();
        assert_eq!(again, [false, false, false, false, true, true, true]);
    }
}
