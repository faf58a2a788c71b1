//! Hosts that registered themselves and are not registered any more: down, whatever their engines answer. Nothing is
//! asked of them.

use super::Engines;
use pierhead_model::{EngineId, Health, HealthStatus};
use pierhead_planner::EngineState;

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

    /// Returns when the record of an engine changed since the last call. For one who waits.
    pub(crate) async fn records_changed(&self) {
        self.changed.notified().await;
    }
}
