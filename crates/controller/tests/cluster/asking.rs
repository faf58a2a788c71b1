//! Short forms of what tests ask again and again.

use pierhead_client::{Change, ClientError, RunOptions, Started, Wait};
use pierhead_testkit::Cluster;
use pierhead_wire::{ContainerView, ErrorBody};
use std::collections::BTreeSet;

pub fn to_the_end() -> Change {
    Change::new(Wait::UntilEnded)
}

pub fn at_once() -> Change {
    Change::new(Wait::Seconds(0))
}

pub fn run_options(app: &str, count: u32) -> RunOptions {
    RunOptions { count: Some(count), app: Some(app.to_owned()), pull: None }
}

/// The status and body of a refusal.
pub fn refused<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> (u16, ErrorBody) {
    match answer {
        Err(ClientError::Refused { status, body }) => (status, *body),
        other => panic!("not refused: {other:?}"),
    }
}

/// What came of a change that was waited for.
pub fn ended<T>(started: Started<T>) -> T {
    match started {
        Started::Ended { answer, .. } => answer,
        Started::Running(operation) => panic!("operation {} goes on", operation.id),
    }
}

pub fn ids(containers: &[ContainerView]) -> BTreeSet<String> {
    containers.iter().map(|container| container.id.clone()).collect()
}

/// The ids of an app's containers that run, as the hosts themselves list them.
pub fn running(cluster: &Cluster, app: &str) -> BTreeSet<String> {
    let all = cluster.hosts().flat_map(|(_, host)| host.look());
    all.filter(|container| {
        container.state.is_running() && container.labels.get("pierhead.app").is_some_and(|a| a == app)
    })
    .map(|container| container.id.to_string())
    .collect()
}

/// How many containers there are on all hosts, whoever made them.
pub fn all_containers(cluster: &Cluster) -> usize {
    cluster.hosts().map(|(_, host)| host.look().len()).sum()
}

/// The memory that is reserved on all hosts, in MB.
pub fn reserved_memory(cluster: &Cluster) -> u64 {
    let known = cluster.controller().known();
    known.world.engines().keys().map(|id| known.world.ledger().reserved(id).memory_mb).sum()
}
