//! Hosts that registered themselves and are not registered any more: down, whatever their engines answer. Nothing is
//! asked of them, but what runs there when one is to be removed.

use super::Engines;
use pierhead_model::{Engine, EngineId, Health, HealthStatus, ObservedContainer};
use pierhead_planner::EngineState;
use std::time::Duration;

/// How long an engine may take that is asked once more.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

impl Engines {
    /// Hosts that have left are down from the moment that this is known.
    pub(super) fn note_those_who_left(&self) {
        let now = self.clock.now();
        let is_new = |state: &&EngineState| state.record.has_left() && state.health.status != HealthStatus::Down;
        let left: Vec<EngineId> =
            self.shared.read().world.engines().values().filter(is_new).map(|state| state.record.id.clone()).collect();
        for id in left {
            let reason = "it is not registered in etcd any more".to_owned();
            let health = Health { status: HealthStatus::Down, response_time_ms: 0, reason, since: now };
            self.shared.change(|known| known.world.set_health(&id, health));
        }
    }

    /// The containers of a host to which no link is open; nothing if its engine does not answer soon.
    pub(crate) async fn containers_of(&self, record: &Engine) -> Option<Vec<ObservedContainer>> {
        let connection = (self.connect)(record).ok()?;
        tokio::time::timeout(ANSWERS_WITHIN, connection.engine.containers()).await.ok()?.ok()
    }

    /// Returns when the record of an engine changed since the last call. For one who waits.
    pub(crate) async fn records_changed(&self) {
        self.changed.notified().await;
    }
}
