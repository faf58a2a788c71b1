//! Leases of hosts, renewed through their tunnels for as long as the controller says that a host shall have one.

use super::listen::Listener;
use pierhead_agent::{LONGEST_LEASE, Tunnel, in_words};
use pierhead_model::EngineId;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often it is looked whether a host shall have a lease.
const LOOK: Duration = Duration::from_millis(200);
/// How often a lease is renewed.
const RENEWAL: Duration = Duration::from_secs(1);
/// How long an agent may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

impl Listener {
    /// Renews the lease of a host through one of its tunnels, as long as that is the newest.
    pub(super) async fn keep_leased(self: Arc<Self>, id: EngineId, number: u64) {
        let mut granted: Option<Instant> = None;
        loop {
            tokio::time::sleep(LOOK).await;
            if !self.controller.wants_lease(&id) {
                granted = None;
                continue;
            }
            if granted.is_some_and(|at| at.elapsed() < RENEWAL) {
                continue;
            }
            // Not held in between: a tunnel ends when nobody has it any more.
            let Some(tunnel) = self.agents.tunnel_of(&id, number) else { return };
            let began = Instant::now();
            match tokio::time::timeout(PATIENCE, self.grant_lease(&id, &tunnel)).await {
                Ok(Ok(())) => granted = Some(began),
                Ok(Err(why)) => tracing::debug!(engine = %id, why, "the host did not take its lease"),
                Err(_) => tracing::debug!(engine = %id, "the host did not take its lease in time"),
            }
        }
    }

    async fn grant_lease(&self, id: &EngineId, tunnel: &Tunnel) -> Result<(), String> {
        let asked = self.controller.clock().now();
        let stamp = tunnel.lease_stamp().await.map_err(|error| in_words(&error))?;
        // Asked after the stamp came: whoever leads then, led when the host made it, and the lease counts from there.
        let lease = self.controller.begin_lease(id).ok_or("this controller does not lead")?;
        let lasts = lease.lasts.min(LONGEST_LEASE);
        tunnel.grant_lease(&stamp.grant(lasts), lease.term).await.map_err(|error| in_words(&error))?;
        self.controller.end_of_lease(id, asked.plus(u64::try_from(lasts.as_millis()).unwrap_or(0)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_agent::STOPPED_WITHIN;
    use pierhead_planner::Policy;

    #[test]
    fn both_sides_go_by_the_same_times() {
        let policy = Policy::default();
        let margin = Duration::from_millis(policy.lease_margin_ms);
        assert_eq!(Duration::from_millis(policy.lease_ms), LONGEST_LEASE, "a new leader waits for the longest");
        // Clocks of two machines differ by far less than a twentieth.
        assert!(margin >= STOPPED_WITHIN + LONGEST_LEASE / 20, "{margin:?}");
    }
}
