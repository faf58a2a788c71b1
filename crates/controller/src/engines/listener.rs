//! Listens to the events of one engine: as hints for the listing, and for the log if this controller leads.

use super::doubts::Verdict;
use super::watcher::Watcher;
use crate::clock::millis;
use crate::collect::{Collector, Term, Told, engine_then, tell};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use pierhead_engine::EngineEvent;
use pierhead_model::{ContainerId, HealthStatus};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long an event stream may be silent before it is opened anew.
const SILENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether the stream tells everything.
const DOUBT: Duration = Duration::from_millis(500);
/// How many events wait to be written before the stream is ended: a new one begins with what was not written.
const QUEUE: usize = 2_000;
/// How long writing may go on after the end of a stream.
const DRAIN: Duration = Duration::from_secs(5);

type Events = BoxStream<'static, pierhead_engine::Result<EngineEvent>>;

impl Watcher {
    /// A stream that ended or fell silent is opened anew, also when this controller begins or ceases to lead.
    pub(super) async fn listen_for_ever(&self) {
        let mut leading = self.leading.clone();
        loop {
            let term = leading.borrow_and_update().clone();
            if self.status() == HealthStatus::Healthy {
                tokio::select! {
                    () = self.listen_once(term) => {}
                    _ = leading.changed() => continue,
                }
            }
            tokio::time::sleep(self.heartbeat.interval).await;
        }
    }

    async fn listen_once(&self, term: Option<Term>) {
        let Some(term) = term else {
            if let Ok(events) = self.link.engine.events(None).await {
                self.listen(events, None).await;
            }
            return;
        };
        let collector = match Collector::open(self.desk.clone(), term, self.link.id.clone()).await {
            Ok(collector) => collector,
            Err(error) => {
                tracing::warn!(engine = %self.link.id, %error, "it can't be read how far the events are logged");
                return;
            }
        };
        let Ok(events) = self.link.engine.events(Some(collector.since())).await else { return };
        let (tell, told) = mpsc::channel(QUEUE);
        let writing = collector.run(told);
        let reading = self.listen(events, Some(tell));
        tokio::pin!(writing);
        let written = tokio::select! {
            written = &mut writing => written,
            () = reading => match tokio::time::timeout(DRAIN, writing).await {
                Ok(written) => written,
                // The next stream begins with what was not written.
                Err(_) => return,
            },
        };
        if let Err(error) = written {
            tracing::warn!(engine = %self.link.id, %error, "events could not be logged; it is tried again");
        }
    }

    /// Returns when the stream is of no more use.
    async fn listen(&self, mut events: Events, log: Option<mpsc::Sender<Told>>) {
        let began = Instant::now();
        let (mut silent_since, mut look) = (began, began + DOUBT);
        self.link.doubts().begin();
        self.link.relist();
        if let Some(log) = &log
            && let Some(engine) = engine_then(&self.shared.read(), &self.link.id)
        {
            // An empty queue takes it.
            let _ = log.try_send(Told::Opened { engine });
        }
        loop {
            tokio::select! {
                event = events.next() => {
                    let Some(Ok(event)) = event else { return };
                    silent_since = Instant::now();
                    if !self.hear(event, log.as_ref()) {
                        tracing::debug!(engine = %self.link.id, "events come faster than they are logged");
                        return;
                    }
                }
                () = tokio::time::sleep_until(silent_since + SILENCE) => return,
                () = tokio::time::sleep_until(look), if log.is_some() => {
                    look = Instant::now() + DOUBT;
                    if self.is_doubtful(began, log.as_ref()) {
                        return;
                    }
                }
            }
        }
    }

    /// Takes an event as a hint and passes it on; `false` if there is no room for it.
    fn hear(&self, event: EngineEvent, log: Option<&mpsc::Sender<Told>>) -> bool {
        let is_container = event.subject == "container";
        if is_container && let Ok(id) = ContainerId::parse(event.id.as_str()) {
            self.link.doubts().told(id, &event.status, self.clock.now());
        }
        let told = log.and_then(|log| Some((log, tell(&self.shared.read(), &self.link.id, event.clone())?)));
        if is_container && !event.status.starts_with("exec_") {
            self.link.hint(event);
        }
        told.is_none_or(|(log, told)| log.try_send(told).is_ok())
    }

    /// Whether the stream is to be opened anew because a listing shows what it did not tell.
    fn is_doubtful(&self, began: Instant, log: Option<&mpsc::Sender<Told>>) -> bool {
        let now = self.clock.now();
        let verdict = self.link.doubts().verdict(now, millis(began.elapsed()));
        match verdict {
            Verdict::Fine => false,
            Verdict::TryAgain => {
                tracing::info!(engine = %self.link.id, "the stream of events does not tell everything; it is opened anew");
                true
            }
            Verdict::Missed(count, from) => {
                let what = format!("the engine did not tell what happened to {count} of its containers");
                let engine = engine_then(&self.shared.read(), &self.link.id);
                if let (Some(log), Some(engine)) = (log, engine) {
                    return log.try_send(Told::Missed { from, to: now, what, engine }).is_err();
                }
                false
            }
        }
    }
}
