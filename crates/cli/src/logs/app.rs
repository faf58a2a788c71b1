//! The logs of an app's containers, merged; followed, also of those that come later.

use super::lines::Lines;
use super::stamps::Stamps;
use super::{GOES_ON, asked, rest};
use crate::{CliError, Output};
use futures_util::stream::SelectAll;
use futures_util::{Stream, StreamExt, stream};
use pierhead_client::{Client, ClientError, LogOptions, LogStream};
use pierhead_model::Timestamp;
use pierhead_wire::SlotView;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked for containers that came later.
const LOOK: Duration = Duration::from_secs(1);

/// How many looks in a row may find no controller.
const MOST_UNREACHABLE: u32 = 30;

/// What came of one container's log.
enum Piece {
    Bytes(Vec<u8>),
    Broken(ClientError),
    End,
}

type Pieces = Pin<Box<dyn Stream<Item = (String, Piece)> + Send>>;

/// What one container writes until its log ends, marked with its id.
fn pieces(id: &str, log: LogStream) -> Pieces {
    let id = id.to_owned();
    Box::pin(stream::unfold(Some(log), move |log| {
        let id = id.clone();
        async move {
            let mut log = log?;
            Some(match log.next().await {
                Ok(Some(bytes)) => ((id, Piece::Bytes(bytes)), Some(log)),
                Ok(None) => ((id, Piece::End), None),
                Err(error) => ((id, Piece::Broken(error)), None),
            })
        }
    }))
}

/// A container whose log was opened.
struct Source {
    slot: u32,
    lines: Lines,
    stamps: Stamps,
    opened: Timestamp,
    /// Whether it ended, and is read again if the container runs.
    has_ended: bool,
}

/// The logs that are shown.
pub(super) struct Merged<'a> {
    client: &'a Client,
    options: &'a LogOptions,
    sources: BTreeMap<String, Source>,
    open: SelectAll<Pieces>,
    /// How often in a row no controller answered.
    unreachable: u32,
}

impl<'a> Merged<'a> {
    pub(super) fn new(client: &'a Client, options: &'a LogOptions) -> Self {
        Self { client, options, sources: BTreeMap::new(), open: SelectAll::new(), unreachable: 0 }
    }

    /// Adds the log of a container of a slot. Lines bear their slot as soon as there are two.
    pub(super) async fn add(&mut self, slot: u32, id: &str, out: &Output) -> Result<(), ClientError> {
        let options = match self.sources.get_mut(id) {
            // What it wrote before is shown already.
            Some(source) => rest(self.options, &mut source.stamps, source.opened),
            None => asked(self.options),
        };
        let log = self.client.logs(id, &options).await?;
        self.open.push(pieces(id, log));
        let new = || Source {
            slot,
            lines: Lines::new(None, out.terminals().stdout),
            stamps: Stamps::new(self.options.timestamps),
            opened: out.now(),
            has_ended: false,
        };
        self.sources.entry(id.to_owned()).or_insert_with(new).has_ended = false;
        if self.sources.len() > 1 {
            for source in self.sources.values_mut() {
                source.lines.set_prefix(format!("slot {} | ", source.slot));
            }
        }
        Ok(())
    }

    /// Shows the logs as they are, to their end.
    pub(super) async fn show(mut self, out: &mut Output) -> Result<(), CliError> {
        while let Some((id, piece)) = self.open.next().await {
            self.print(&id, piece, out)??;
        }
        Ok(())
    }

    /// Shows the logs as they grow, until nothing of the app will write any more.
    pub(super) async fn follow(mut self, app: &str, out: &mut Output) -> Result<(), CliError> {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some((id, piece)) = self.open.next(), if !self.open.is_empty() => {
                    let is_end = !matches!(piece, Piece::Bytes(_));
                    let broken = self.print(&id, piece, out)?.err();
                    if is_end {
                        self.tell_end(&id, broken, out);
                    }
                }
                _ = look.tick() => {
                    if self.look_for_more(app, out).await? && self.open.is_empty() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Opens what is new; tells whether nothing of the app will write any more.
    async fn look_for_more(&mut self, app: &str, out: &Output) -> Result<bool, CliError> {
        let slots = match self.client.app(app).await {
            Ok(view) => view.slots.clone(),
            Err(error) if error.status() == Some(404) => return Ok(true),
            // Whoever began to follow wants to see what comes when a controller answers again.
            Err(ClientError::Unreachable { .. } | ClientError::Refused { status: 503, .. })
                if self.unreachable < MOST_UNREACHABLE =>
            {
                self.unreachable += 1;
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        self.unreachable = 0;
        for slot in &slots {
            let Some(id) = slot.container.as_deref().filter(|_| slot.state == "running") else { continue };
            if self.sources.get(id).is_some_and(|source| !source.has_ended) {
                continue;
            }
            match self.add(slot.slot, id, out).await {
                // It is gone already, or its host or the controller does not answer: it is looked for again.
                Err(ClientError::Refused { status: 404 | 503, .. } | ClientError::Unreachable { .. }) | Ok(()) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let is_over = |slot: &SlotView| matches!(slot.state.as_str(), "done" | "failed" | "stopped");
        Ok(slots.iter().all(is_over))
    }

    fn tell_end(&mut self, id: &str, broken: Option<CliError>, out: &mut Output) {
        let Some(source) = self.sources.get_mut(id) else { return };
        source.has_ended = true;
        let (slot, short) = (source.slot, id.get(..12).unwrap_or(id));
        match broken {
            None => out.note(&format!("slot {slot}: container {short} has ended")),
            Some(error) => out.note(&format!("slot {slot}: container {short}: {error}; {GOES_ON}")),
        }
    }

    /// Prints a piece; the inner result is how the log itself ended.
    fn print(&mut self, id: &str, piece: Piece, out: &mut Output) -> Result<Result<(), CliError>, CliError> {
        let Some(Source { lines, stamps, .. }) = self.sources.get_mut(id) else { return Ok(Ok(())) };
        match piece {
            Piece::Bytes(bytes) if self.options.follow => out.bytes(&lines.push(&stamps.push(&bytes)))?,
            Piece::Bytes(bytes) => out.bytes(&lines.push(&bytes))?,
            Piece::End => {
                out.bytes(&lines.push(&stamps.end()))?;
                out.bytes(&lines.end())?;
            }
            // Followed, it goes on, and the line that was cut comes again.
            Piece::Broken(error) => {
                if !self.options.follow {
                    out.bytes(&lines.end())?;
                }
                return Ok(Err(error.into()));
            }
        }
        Ok(Ok(()))
    }
}
