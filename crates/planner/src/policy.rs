//! The numbers that the loop goes by; all of them are settings.

use crate::PlacementPolicy;
use pierhead_model::Subnet;

/// The numbers that the loop goes by. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// How hosts are compared, and which ports are given out.
    pub placement: PlacementPolicy,
    /// How long a host may be down before its slots are placed elsewhere.
    pub grace_ms: u64,
    /// Within which time hosts must go down to have vanished at once, so that nothing is moved off them.
    pub at_once_ms: u64,
    /// How long a container that bears our labels but has no record is left alone.
    pub orphan_grace_ms: u64,
    /// How long a slot must have run before it counts as started for those who wait for it.
    pub started_ms: u64,
    /// How long a slot of a changed description must have run before its former containers go.
    pub proven_ms: u64,
    /// How long a drain looks for hosts for what nobody takes.
    pub stuck_ms: u64,
    /// How long a container may be paused by somebody else before it is restarted.
    pub paused_ms: u64,
    /// How long a slot must run before its earlier failures are forgotten.
    pub settle_ms: u64,
    /// The wait after the first failure; doubled with each further one.
    pub back_off_ms: u64,
    /// The longest such wait.
    pub longest_back_off_ms: u64,
    /// How often a slot may exit on one host before another is tried.
    pub exits_before_move: u32,
    /// How long an operation that failed waits for what it takes back to be gone.
    pub take_back_ms: u64,
    /// How long a lease of a host's agent lasts.
    pub lease_ms: u64,
    /// How long after the end of a lease what needs one has surely been stopped: the agent's time to stop it, and what
    /// two clocks may drift apart meanwhile.
    pub lease_margin_ms: u64,
    /// How much of a lease must be left to start something.
    pub lease_spare_ms: u64,
    /// Where the addresses of workspaces' networks come from, on each host.
    pub workspace_subnets: Subnet,
    /// How many workspaces are started at the same time for each host of the pool; others wait in the queue.
    pub workspace_starts: usize,
    /// How much a workspace may write to its host's disk, over all its containers, in megabytes.
    pub workspace_disk_mb: u64,
    /// How long a host may be down before its workspaces come back elsewhere, from their saves.
    pub workspace_lost_ms: u64,
    /// How long the record of a workspace that has ended is kept.
    pub workspace_kept_ms: u64,
    /// How long a workspace that was started ahead runs without anything to do until it is paused.
    pub warm_pause_ms: u64,
    /// At most so often another is started ahead, for each host of the pool.
    pub warm_every_ms: u64,
    /// How long nobody must have opened a workspace until another is started ahead.
    pub warm_quiet_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            placement: PlacementPolicy::default(),
            grace_ms: 3_000,
            at_once_ms: 10_000,
            orphan_grace_ms: 10_000,
            started_ms: 500,
            proven_ms: 2_000,
            stuck_ms: 10_000,
            paused_ms: 10_000,
            settle_ms: 10_000,
            back_off_ms: 1_000,
            longest_back_off_ms: 60_000,
            exits_before_move: 5,
            take_back_ms: 60_000,
            lease_ms: 10_000,
            lease_margin_ms: 5_000,
            lease_spare_ms: 4_000,
            workspace_subnets: Subnet::parse("10.213.0.0/16").expect("it is such a range"),
            workspace_starts: 8,
            workspace_disk_mb: 4096,
            workspace_lost_ms: 10_000,
            workspace_kept_ms: 24 * 3600 * 1000,
            warm_pause_ms: 5 * 60_000,
            warm_every_ms: 2_000,
            warm_quiet_ms: 2_000,
        }
    }
}

impl Policy {
    /// How long to wait after so many failures in a row.
    #[must_use]
    pub fn back_off(&self, failures: u32) -> u64 {
        let doublings = failures.saturating_sub(1).min(16);
        (self.back_off_ms << doublings).min(self.longest_back_off_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_up_to_a_limit() {
        let policy = Policy::default();
        let waits: Vec<u64> = [1, 2, 3, 7, 100].into_iter().map(|n| policy.back_off(n)).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 60_000, 60_000]);
    }
}
