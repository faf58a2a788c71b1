//! The beats of a host: a line of JSON at each interval, with a count that needs no clock.
//!
//! A beat is made when it can be sent, never ahead, so a slow tunnel gets fewer beats and no old ones.

use crate::engine::BodyError;
use crate::farewell::Farewell;
use crate::look::EngineWord;
use futures_util::Stream;
use hyper::body::{Bytes, Frame};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

/// How often a host beats.
pub const INTERVAL: Duration = Duration::from_millis(100);

/// One beat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// Which run of the agent it is of: another number after each start.
    pub run: u64,
    /// How many came before it on this connection.
    pub count: u64,
    /// How late the host was with it, in milliseconds: it may be the slow one itself.
    pub late_ms: u64,
    /// What the host has to do.
    pub load: Load,
    /// How the engine answers the agent; absent if the agent does not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineWord>,
    /// Whether the agent ends and has given its lease up: nothing runs any more that needs one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gave_up: bool,
}

/// What a host has to do, as a hint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// How busy its cores were lately, together, in thousandths.
    pub cpu_permille: u32,
    /// Memory that can be used without swapping, in bytes.
    pub memory_available: u64,
}

/// Where the load of a beat comes from. It must not block.
pub type LoadSource = Arc<dyn Fn() -> Load + Send + Sync>;

/// What makes the beats.
#[derive(Clone)]
pub struct Pulse {
    interval: Duration,
    run: u64,
    load: LoadSource,
    engine: Option<watch::Receiver<EngineWord>>,
    farewell: Farewell,
}

impl std::fmt::Debug for Pulse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pulse").field("interval", &self.interval).field("run", &self.run).finish_non_exhaustive()
    }
}

impl Pulse {
    /// Beats at this interval, with what `load` says then.
    #[must_use]
    pub fn new(interval: Duration, load: LoadSource) -> Self {
        Self { interval, run: rand::random(), load, engine: None, farewell: Farewell::default() }
    }

    /// The same with what is seen of the engine; a beat comes early when that is urgent.
    #[must_use]
    pub fn with_engine(self, engine: watch::Receiver<EngineWord>) -> Self {
        Self { engine: Some(engine), ..self }
    }

    /// The same with whether the agent has given its lease up; a beat comes early when it has.
    #[must_use]
    pub fn with_end(self, farewell: Farewell) -> Self {
        Self { farewell, ..self }
    }

    /// The beats from now on, without end.
    pub(crate) fn frames(&self) -> impl Stream<Item = Result<Frame<Bytes>, BodyError>> + Send + use<> {
        let mut pulse = self.clone();
        pulse.engine.iter_mut().for_each(watch::Receiver::mark_unchanged);
        let mut timer = tokio::time::interval(pulse.interval);
        timer.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let listener = pulse.farewell.listen();
        futures_util::stream::unfold(
            (pulse, timer, listener, 0),
            |(mut pulse, mut timer, mut listener, count)| async move {
                let late_ms = tokio::select! {
                    due = timer.tick() => Instant::now().saturating_duration_since(due).as_millis(),
                    () = urgent(pulse.engine.as_mut()) => 0,
                    () = listener.said() => 0,
                };
                let late_ms = u64::try_from(late_ms).unwrap_or(0);
                let engine = pulse.engine.as_ref().map(|engine| engine.borrow().clone());
                let gave_up = listener.tell();
                let beat = Beat { run: pulse.run, count, late_ms, load: (pulse.load)(), engine, gave_up };
                Some((Ok(Frame::data(line(&beat))), (pulse, timer, listener, count + 1)))
            },
        )
    }
}

/// Returns when something is to be told of the engine at once.
async fn urgent(engine: Option<&mut watch::Receiver<EngineWord>>) {
    let Some(engine) = engine else { return std::future::pending().await };
    if engine.changed().await.is_err() {
        std::future::pending().await
    }
}

fn line(beat: &Beat) -> Bytes {
    let mut line = serde_json::to_vec(beat).unwrap_or_default();
    line.push(b'\n');
    line.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;

    #[tokio::test]
    async fn beats_are_counted_and_never_kept_for_later() {
        let interval = Duration::from_millis(30);
        let pulse = Pulse::new(interval, Arc::new(|| Load { cpu_permille: 7, memory_available: 9 }));
        let mut frames = Box::pin(pulse.frames());
        let mut beats = vec![];
        for _ in 0..3 {
            let frame = frames.next().await.unwrap().unwrap().into_data().unwrap();
            assert!(frame.ends_with(b"\n"));
            beats.push(serde_json::from_slice::<Beat>(&frame).unwrap());
            // The host stands still, for more than ten beats.
            std::thread::sleep(interval * if beats.len() == 2 { 12 } else { 0 });
        }
        assert_eq!(beats.iter().map(|beat| beat.count).collect::<Vec<_>>(), [0, 1, 2], "none is made up for");
        assert!(beats.iter().all(|beat| beat.run == beats[0].run && beat.load.cpu_permille == 7));
        assert!(beats[2].late_ms >= 300, "{beats:?}");
        assert_ne!(Pulse::new(INTERVAL, Arc::new(Load::default)).run, pulse.run);
    }

    #[tokio::test]
    async fn a_beat_comes_early_when_the_engine_dies() {
        let (tell, told) = watch::channel(EngineWord::default());
        let pulse = Pulse::new(Duration::from_secs(3600), Arc::new(Load::default)).with_engine(told);
        let mut frames = Box::pin(pulse.frames());
        let mut next = async || {
            let frame = frames.next().await.unwrap().unwrap().into_data().unwrap();
            serde_json::from_slice::<Beat>(&frame).unwrap()
        };
        assert_eq!(next().await.engine, Some(EngineWord::default()), "the first comes at once");
        let dead = EngineWord { silent_ms: 0, refuses: Some("nobody listens".to_owned()) };
        tell.send_replace(dead.clone());
        let beat = next().await;
        assert_eq!((beat.count, beat.engine, beat.late_ms), (1, Some(dead), 0));
    }

    #[tokio::test]
    async fn a_beat_comes_early_when_the_lease_is_given_up_and_all_later_ones_say_so() {
        let farewell = Farewell::default();
        let pulse = Pulse::new(Duration::from_millis(300), Arc::new(Load::default)).with_end(farewell.clone());
        let mut frames = Box::pin(pulse.frames());
        let mut next = async || {
            let frame = frames.next().await.unwrap().unwrap().into_data().unwrap();
            serde_json::from_slice::<Beat>(&frame).unwrap()
        };
        assert!(!next().await.gave_up);
        farewell.say();
        let heard = tokio::spawn(async move { farewell.heard().await });
        for _ in 0..3 {
            assert!(next().await.gave_up);
        }
        heard.await.unwrap();
        assert!(next().await.gave_up);
    }

    #[test]
    fn a_beat_without_a_word_of_the_engine_is_one() {
        let old = r#"{"run":1,"count":2,"late_ms":3,"load":{"cpu_permille":4,"memory_available":5}}"#;
        let beat: Beat = serde_json::from_str(old).unwrap();
        assert_eq!(beat.engine, None);
        assert_eq!(serde_json::to_string(&beat).unwrap(), old);
    }
}
