//! How much of their hosts' disks workspaces have written: looked at again and again, since most engines hold nobody to a
//! quota. Near the limit somebody is warned, beyond it the containers are stopped at once and the planner is told, which
//! saves what is in them.

use crate::engines::Link;
use crate::{Controller, keys};
use futures_util::future::join_all;
use pierhead_engine::EngineError;
use pierhead_model::{ContainerId, EngineId, WorkspaceId, WorkspaceOwnership};
use pierhead_store::Transaction;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The least time between two looks. An engine walks through all that was written, so after a look that took longer
/// nothing is looked at for as long again.
const LOOK: Duration = Duration::from_secs(3);
/// How long an engine may take for one container.
const PATIENCE: Duration = Duration::from_secs(10);
/// From which share of what a workspace may write people are warned, in hundredths.
const WARN_PERCENT: u64 = 80;
/// How long its processes may take to end, in seconds.
const GRACE_SECONDS: u32 = 2;

/// How it stands with a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    Near,
    Over,
}

/// The containers of workspaces, by their hosts.
type Live = BTreeMap<EngineId, BTreeMap<WorkspaceId, Vec<ContainerId>>>;

/// Looks, for ever.
pub(crate) async fn watch_disk(controller: Controller) {
    let (mut warned, mut over) = (BTreeSet::new(), BTreeSet::new());
    loop {
        let began = Instant::now();
        if controller.standing.term().is_some() {
            look(&controller, &mut warned, &mut over).await;
        }
        tokio::time::sleep(LOOK.max(began.elapsed())).await;
    }
}

async fn look(controller: &Controller, warned: &mut BTreeSet<WorkspaceId>, over: &mut BTreeSet<WorkspaceId>) {
    let live = live(controller);
    let there: BTreeSet<&WorkspaceId> = live.values().flat_map(BTreeMap::keys).collect();
    warned.retain(|id| there.contains(id));
    for gone in over.extract_if(.., |id| !there.contains(id)) {
        controller.shared.change(|known| known.world.set_over_disk(&gone, None));
    }
    let limit = controller.options.policy.workspace_disk_mb << 20;
    let hosts = live.iter().filter_map(|(engine, workspaces)| Some((controller.engines.link(engine)?, workspaces)));
    let asked = hosts.map(|(link, workspaces)| async move { measured(&link, workspaces).await });
    for (link, id, bytes) in join_all(asked).await.into_iter().flatten() {
        match verdict(bytes, limit) {
            Verdict::Over if over.insert(id.clone()) => {
                let words = over_words(bytes, limit);
                tracing::warn!(workspace = %id, engine = %link.id(), "{words}");
                controller.shared.change(|known| known.world.set_over_disk(&id, Some(words)));
                let containers = live.get(link.id()).and_then(|all| all.get(&id)).into_iter().flatten();
                stop(controller, &link, containers).await;
            }
            Verdict::Near if !over.contains(&id) && warned.insert(id.clone()) => {
                tell(controller, &id, &near_words(bytes, limit)).await;
            }
            Verdict::Fine => drop(warned.remove(&id)),
            Verdict::Near | Verdict::Over => {}
        }
        // Somebody made room before it was saved.
        if verdict(bytes, limit) != Verdict::Over && over.remove(&id) {
            controller.shared.change(|known| known.world.set_over_disk(&id, None));
        }
    }
}

/// The containers of workspaces that are there.
fn live(controller: &Controller) -> Live {
    let known = controller.known();
    let cluster = &known.world.cluster;
    let mut live = Live::new();
    for engine in known.world.engines().values().filter(|engine| engine.is_usable()) {
        for container in engine.containers.values().filter(|container| container.belongs_to(cluster)) {
            let Some(of) = WorkspaceOwnership::read(&container.labels) else { continue };
            let here = live.entry(engine.record.id.clone()).or_default();
            here.entry(of.workspace).or_default().push(container.id.clone());
        }
    }
    live
}

/// How much the workspaces of a host have written, one after the other; those of a host that does not answer are left
/// out until it does.
async fn measured(
    link: &Arc<Link>,
    workspaces: &BTreeMap<WorkspaceId, Vec<ContainerId>>,
) -> Vec<(Arc<Link>, WorkspaceId, u64)> {
    let mut all = Vec::new();
    for (id, containers) in workspaces {
        let mut bytes = 0u64;
        for container in containers {
            let asked = tokio::time::timeout(PATIENCE, link.engine.written(container)).await;
            match asked {
                Ok(Ok(written)) => bytes = bytes.saturating_add(written),
                // It went meanwhile.
                Ok(Err(EngineError::NotFound)) => {}
                Ok(Err(_)) | Err(_) => return all,
            }
        }
        all.push((Arc::clone(link), id.clone(), bytes));
    }
    all
}

/// What writes must end now: until it is saved the disk may be full.
async fn stop(controller: &Controller, link: &Link, containers: impl Iterator<Item = &ContainerId>) {
    if controller.standing.term().is_none() {
        return;
    }
    let stops = containers.map(|container| link.engine.stop(container, GRACE_SECONDS));
    for error in join_all(stops).await.into_iter().filter_map(Result::err) {
        tracing::warn!(engine = %link.id(), %error, "a container that fills the disk does not stop");
    }
    link.relist();
}

async fn tell(controller: &Controller, id: &WorkspaceId, words: &str) {
    let name = controller.known().world.workspaces().get(id).map(|workspace| workspace.name.clone());
    let message = format!("workspace={id}, name={}, what={words}", name.unwrap_or_default());
    let event = controller.event_of_pool("warn-workspace", message);
    let told = match Transaction::new().put_json(keys::event(&event.id), &event) {
        Ok(transaction) => controller.store.commit(transaction).await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = told {
        tracing::warn!(workspace = %id, %error, "nobody could be warned of a disk that fills up");
    }
}

fn verdict(bytes: u64, limit: u64) -> Verdict {
    match bytes {
        _ if bytes > limit => Verdict::Over,
        _ if bytes > limit / 100 * WARN_PERCENT => Verdict::Near,
        _ => Verdict::Fine,
    }
}

fn over_words(bytes: u64, limit: u64) -> String {
    format!(
        "it has written {} MB to its host's disk, and may write {} MB: its containers are stopped, and it is saved",
        bytes >> 20,
        limit >> 20
    )
}

fn near_words(bytes: u64, limit: u64) -> String {
    format!("it has written {} MB to its host's disk; beyond {} MB it is saved and stopped", bytes >> 20, limit >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    #[test]
    fn near_the_limit_somebody_is_warned_and_beyond_it_it_ends() {
        let verdicts = [0, 79 * MB, 81 * MB, 100 * MB, 100 * MB + 1, u64::MAX].map(|bytes| verdict(bytes, 100 * MB));
        let (fine, near, over) = (Verdict::Fine, Verdict::Near, Verdict::Over);
        assert_eq!(verdicts, [fine, fine, near, near, over, over]);
        assert_eq!(verdict(1, 0), over);
    }

    #[test]
    fn people_read_how_much_it_was() {
        assert!(over_words(150 * MB, 100 * MB).starts_with("it has written 150 MB"));
        assert!(near_words(90 * MB, 100 * MB).contains("beyond 100 MB it is saved and stopped"));
    }
}
