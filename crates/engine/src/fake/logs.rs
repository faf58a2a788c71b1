//! What a fake container printed, as a stream.

use super::Fake;
use crate::error::Result;
use crate::output::{LogLine, LogOptions};
use futures_util::stream::{self, Stream};
use pierhead_model::{ContainerId, Timestamp};
use tokio::sync::watch;

/// The lines that were asked for; with `follow` they go on until the container stops or is gone.
pub(super) fn stream(
    fake: &Fake,
    id: &ContainerId,
    options: LogOptions,
) -> impl Stream<Item = Result<LogLine>> + Send + use<> {
    let reader = Reader::new(fake.clone(), id.clone(), options);
    stream::unfold(reader, |mut reader| async move { reader.next().await.map(|line| (Ok(line), reader)) })
}

struct Reader {
    changes: watch::Receiver<u64>,
    fake: Fake,
    id: ContainerId,
    options: LogOptions,
    /// The first line that was not looked at.
    at: usize,
    /// Where the log ended when it was asked for.
    end: usize,
}

impl Reader {
    fn new(fake: Fake, id: ContainerId, options: LogOptions) -> Self {
        let changes = fake.shared.changes.subscribe();
        let end = fake.world().containers.get(&id).map_or(0, |held| held.log.len());
        let kept = options.tail.map_or(end, |tail| usize::try_from(tail).unwrap_or(usize::MAX).min(end));
        Self { changes, fake, id, options, at: end - kept, end }
    }

    fn wants(&self, (at, line): &(Timestamp, LogLine)) -> bool {
        let stream = if line.is_stderr { self.options.stderr } else { self.options.stdout };
        let (since, until) = (self.options.since, self.options.until);
        stream && since.is_none_or(|since| *at >= since) && until.is_none_or(|until| *at < until)
    }

    async fn next(&mut self) -> Option<LogLine> {
        loop {
            self.changes.mark_unchanged();
            if let Some(line) = self.next_there() {
                return Some(line);
            }
            let runs = self.fake.world().containers.get(&self.id).is_some_and(|held| held.observed.state.is_running());
            if !self.options.follow || !runs {
                return None;
            }
            self.changes.changed().await.ok()?;
        }
    }

    /// The next line that is there already.
    fn next_there(&mut self) -> Option<LogLine> {
        let world = self.fake.world();
        let log = &world.containers.get(&self.id)?.log;
        let end = if self.options.follow { log.len() } else { self.end };
        let found = (self.at..end).find(|at| self.wants(&log[*at]));
        let line = found.map(|at| log[at].clone());
        drop(world);
        self.at = found.map_or(end, |at| at + 1);
        line.map(|(at, mut line)| {
            if self.options.timestamps {
                let mut stamped = stamp(at).into_bytes();
                stamped.append(&mut line.bytes);
                line.bytes = stamped;
            }
            line
        })
    }
}

fn stamp(at: Timestamp) -> String {
    let milliseconds = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(milliseconds).map_or_else(|_| String::new(), |at| format!("{at} "))
}
