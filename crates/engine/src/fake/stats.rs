//! What fake containers use, read once or again and again.

use super::Fake;
use super::script::Mood;
use crate::error::Result;
use crate::output::Usage;
use futures_util::stream::{self, Stream};
use pierhead_model::ContainerId;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};

/// The time between two readings of a stream, as on a real engine.
const EVERY: Duration = Duration::from_secs(1);

/// What a container has used, and by how much that grows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Meter {
    then: Usage,
    each_second: Usage,
}

impl Meter {
    /// It is so from now on, and grows as before.
    pub(super) fn set(&mut self, usage: Usage) {
        self.then = Usage { at_nanos: now(), ..usage };
    }

    /// It grows by this much from now on.
    pub(super) fn grow(&mut self, each_second: Usage) {
        self.then = self.read();
        self.each_second = each_second;
    }

    /// How it is now.
    pub(super) fn read(&self) -> Usage {
        let at_nanos = now();
        let passed = u128::from(at_nanos.saturating_sub(self.then.at_nanos));
        let grown = |then: u64, each: u64| {
            then.saturating_add(u64::try_from(u128::from(each) * passed / 1_000_000_000).unwrap_or(u64::MAX))
        };
        let (then, each) = (&self.then, &self.each_second);
        Usage {
            cpu_nanos: grown(then.cpu_nanos, each.cpu_nanos),
            rx_bytes: grown(then.rx_bytes, each.rx_bytes),
            tx_bytes: grown(then.tx_bytes, each.tx_bytes),
            read_bytes: grown(then.read_bytes, each.read_bytes),
            write_bytes: grown(then.write_bytes, each.write_bytes),
            at_nanos,
            ..*then
        }
    }
}

fn now() -> u64 {
    super::now().0 * 1_000_000
}

/// Readings as long as the container is there; an engine that hangs tells nothing, one that is cut off breaks off.
pub(super) fn stream(fake: &Fake, id: &ContainerId) -> impl Stream<Item = Result<Usage>> + Send + use<> {
    let mut timer = tokio::time::interval(EVERY);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let open = Arc::clone(&fake.shared.stats_open);
    let reader = Reader { fake: fake.clone(), id: id.clone(), timer, _open: open };
    stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        match reader.next().await? {
            Ok(usage) => Some((Ok(usage), Some(reader))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

struct Reader {
    fake: Fake,
    id: ContainerId,
    timer: Interval,
    _open: Arc<()>,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<Usage>> {
        loop {
            self.timer.tick().await;
            let mut mood = self.fake.shared.script.mood.subscribe();
            if *mood.wait_for(|mood| *mood != Mood::Hangs).await.ok()? == Mood::CutOff {
                return Some(Err(super::cut_off()));
            }
            let world = self.fake.world();
            let held = world.containers.get(&self.id)?;
            if held.observed.state.is_running() {
                return Some(Ok(held.meter.read()));
            }
        }
    }
}
