//! How much of their hosts' disks workspaces have written, bytes and files: looked at again and again, since most engines hold nobody to a
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

/// How long an engine may take for one container.
const PATIENCE: Duration = Duration::from_secs(10);
/// In how many looks in a row what a workspace has written may stay unknown while its host answers: who made it so can
/// have written anything.
const MOST_UNCOUNTED: u32 = 3;
/// From which share of what a workspace may write people are warned, in hundredths.
const WARN_PERCENT: u64 = 80;
/// For how many bytes of its limit a workspace may make a file or folder, however small: as many as a disk commonly has for
/// each of its own.
const BYTES_PER_FILE: u64 = 16 << 10;
/// How long its processes may take to end, in seconds.
const GRACE_SECONDS: u32 = 2;

/// How it stands with a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Fine,
    Near,
    Over,
}

/// The containers of workspaces, by their hosts.
type Live = BTreeMap<EngineId, BTreeMap<WorkspaceId, Vec<ContainerId>>>;

/// What a workspace has written, and what it may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Amount {
    bytes: u64,
    /// Files and folders; none where nobody counts them.
    files: u64,
}

/// What a look found of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// So much.
    Written(Amount),
    /// Its host answers, and could not count them.
    Uncounted,
}

/// What follows from that.
#[derive(Debug, PartialEq, Eq)]
enum Follows {
    Nothing,
    /// People are told these words.
    Warning(String),
    /// It has to stop, for these words.
    Stop(String),
    /// It need not stop any more: somebody made room before it was saved.
    Goes,
}

/// What is remembered from look to look.
#[derive(Default)]
struct Watched {
    warned: BTreeSet<WorkspaceId>,
    over: BTreeSet<WorkspaceId>,
    /// In how many looks in a row a workspace could not be counted.
    uncounted: BTreeMap<WorkspaceId, u32>,
}

/// Looks, for ever. An engine walks through all that was written, so after a look that took longer than the time between
/// two nothing is looked at for as long again.
pub(crate) async fn watch_disk(controller: Controller) {
    let mut watched = Watched::default();
    let between = controller.options.disk_look_interval;
    loop {
        let began = Instant::now();
        if controller.standing.term().is_some() {
            look(&controller, &mut watched).await;
        }
        tokio::time::sleep(between.max(began.elapsed())).await;
    }
}

async fn look(controller: &Controller, watched: &mut Watched) {
    let live = live(controller);
    for gone in watched.forget_others(live.values().flat_map(BTreeMap::keys).collect()) {
        controller.shared.change(|known| known.world.set_over_disk(&gone, None));
    }
    let limit = Amount::most(controller.options.policy.workspace_disk_mb << 20);
    let hosts = live.iter().filter_map(|(engine, workspaces)| Some((controller.engines.link(engine)?, workspaces)));
    let doubtful = &watched.uncounted;
    let asked = hosts.map(|(link, workspaces)| async move { measured(&link, workspaces, doubtful, limit).await });
    let found = join_all(asked).await;
    for (link, id, found) in found.into_iter().flatten() {
        match watched.take(&id, found, limit) {
            Follows::Nothing => {}
            Follows::Warning(words) => tell(controller, &id, &words).await,
            Follows::Stop(words) => {
                tracing::warn!(workspace = %id, engine = %link.id(), "{words}");
                controller.shared.change(|known| known.world.set_over_disk(&id, Some(words)));
                let containers = live.get(link.id()).and_then(|all| all.get(&id)).into_iter().flatten();
                stop(controller, &link, containers).await;
            }
            Follows::Goes => controller.shared.change(|known| known.world.set_over_disk(&id, None)),
        }
    }
}

impl Watched {
    /// Forgets the workspaces that are not there any more; tells which of them had to stop.
    fn forget_others(&mut self, there: BTreeSet<&WorkspaceId>) -> Vec<WorkspaceId> {
        self.warned.retain(|id| there.contains(id));
        self.uncounted.retain(|id, _| there.contains(id));
        self.over.extract_if(.., |id| !there.contains(id)).collect()
    }

    fn take(&mut self, id: &WorkspaceId, found: Found, limit: Amount) -> Follows {
        let Found::Written(written) = found else {
            let times = self.uncounted.entry(id.clone()).or_default();
            *times += 1;
            let is_over = *times >= MOST_UNCOUNTED && self.over.insert(id.clone());
            return if is_over { Follows::Stop(uncounted_words()) } else { Follows::Nothing };
        };
        self.uncounted.remove(id);
        let (of_bytes, of_files) = (verdict(written.bytes, limit.bytes), verdict(written.files, limit.files));
        let (verdict, is_files) = (of_bytes.max(of_files), of_files > of_bytes);
        if verdict == Verdict::Over {
            let is_new = self.over.insert(id.clone());
            let words = if is_files { too_many_words(limit) } else { over_words(written.bytes, limit.bytes) };
            return if is_new { Follows::Stop(words) } else { Follows::Nothing };
        }
        if verdict == Verdict::Fine {
            self.warned.remove(id);
        }
        if self.over.remove(id) {
            Follows::Goes
        } else if verdict == Verdict::Near && self.warned.insert(id.clone()) {
            Follows::Warning(if is_files { many_words(written, limit) } else { near_words(written.bytes, limit.bytes) })
        } else {
            Follows::Nothing
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

/// How much the workspaces of a host have written, one after the other: those last that could not be counted before, so
/// that nobody is kept waiting by them. Those of a host that does not answer are left out until it does.
async fn measured(
    link: &Arc<Link>,
    workspaces: &BTreeMap<WorkspaceId, Vec<ContainerId>>,
    doubtful: &BTreeMap<WorkspaceId, u32>,
    limit: Amount,
) -> Vec<(Arc<Link>, WorkspaceId, Found)> {
    let mut all = Vec::new();
    let (last, first): (Vec<_>, Vec<_>) = workspaces.iter().partition(|(id, _)| doubtful.contains_key(*id));
    for (id, containers) in first.into_iter().chain(last) {
        let found = match written(link, containers, limit).await {
            Some(written) => Found::Written(written),
            None if link.engine.ping().await.is_ok() => Found::Uncounted,
            None => return all,
        };
        all.push((Arc::clone(link), id.clone(), found));
    }
    all
}

/// How much containers have written together; `None` if that can't be said.
async fn written(link: &Link, containers: &[ContainerId], limit: Amount) -> Option<Amount> {
    let mut all = Amount::default();
    for container in containers {
        // They are counted first, and not all of too many: the engine walks through all.
        let counted = tokio::time::timeout(PATIENCE, link.engine.files(container, limit.files)).await;
        all.files = all.files.saturating_add(counted.ok().and_then(Result::ok).flatten().unwrap_or(0));
        if all.files > limit.files {
            return Some(all);
        }
        match tokio::time::timeout(PATIENCE, link.engine.written(container)).await {
            Ok(Ok(written)) => all.bytes = all.bytes.saturating_add(written),
            // It went meanwhile.
            Ok(Err(EngineError::NotFound)) => {}
            Ok(Err(_)) | Err(_) => return None,
        }
    }
    Some(all)
}

impl Amount {
    /// What may be written where so many bytes may.
    fn most(bytes: u64) -> Self {
        Self { bytes, files: bytes / BYTES_PER_FILE }
    }
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

fn too_many_words(limit: Amount) -> String {
    let most = limit.files;
    format!(
        "it has made more than {most} files and folders on its host's disk, which is as many as it may: its containers are \
         stopped, and it is saved"
    )
}

fn many_words(written: Amount, limit: Amount) -> String {
    let (files, most) = (written.files, limit.files);
    format!("it has made {files} files and folders on its host's disk; beyond {most} it is saved and stopped")
}

fn uncounted_words() -> String {
    format!(
        "how much it has written to its host's disk could not be counted {MOST_UNCOUNTED} times in a row, so it counts as \
         too much: its containers are stopped, and it is saved"
    )
}

fn near_words(bytes: u64, limit: u64) -> String {
    format!(
        "it has written {} MB to its host's disk; beyond {} MB it is saved and stopped, or can't write more",
        bytes >> 20,
        limit >> 20
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    fn bytes(bytes: u64) -> Found {
        Found::Written(Amount { bytes, files: 1 })
    }

    #[test]
    fn files_count_however_small_they_are() {
        let (mut watched, id, limit) = (Watched::default(), WorkspaceId::from_random(1), Amount::most(100 * MB));
        assert_eq!((limit.files, Amount::most(4096 * MB).files), (6_400, 262_144));
        let mut took = |files: u64, mb: u64| watched.take(&id, Found::Written(Amount { bytes: mb * MB, files }), limit);
        assert_eq!(took(5_000, 1), Follows::Nothing);
        assert!(
            matches!(took(5_200, 1), Follows::Warning(words) if words.contains("5200 files") && words.contains("6400"))
        );
        assert!(
            matches!(took(6_401, 1), Follows::Stop(words) if words.starts_with("it has made more than 6400 files"))
        );
        assert_eq!([took(6_401, 1), took(10, 1)], [Follows::Nothing, Follows::Goes]);
        assert!(matches!(took(6_401, 101), Follows::Stop(words) if words.contains("101 MB")), "bytes are told first");
    }

    #[test]
    fn near_the_limit_somebody_is_warned_and_beyond_it_it_ends() {
        let verdicts = [0, 79 * MB, 81 * MB, 100 * MB, 100 * MB + 1, u64::MAX].map(|bytes| verdict(bytes, 100 * MB));
        let (fine, near, over) = (Verdict::Fine, Verdict::Near, Verdict::Over);
        assert_eq!(verdicts, [fine, fine, near, near, over, over]);
        assert_eq!(verdict(1, 0), over);
    }

    #[test]
    fn it_is_told_once_and_stopped_once_until_there_is_room_again() {
        let (mut watched, id) = (Watched::default(), WorkspaceId::from_random(1));
        let mut took = |mb: u64| watched.take(&id, bytes(mb * MB), Amount::most(100 * MB));
        assert_eq!(took(79), Follows::Nothing);
        assert!(matches!(took(85), Follows::Warning(words) if words.contains("85 MB")));
        assert_eq!(took(90), Follows::Nothing);
        assert!(matches!(took(101), Follows::Stop(words) if words.contains("101 MB")));
        assert_eq!([took(102), took(90), took(90)], [Follows::Nothing, Follows::Goes, Follows::Nothing]);
        assert_eq!(took(10), Follows::Nothing);
        assert!(matches!(took(85), Follows::Warning(_)), "it had been well in between");
    }

    #[test]
    fn what_can_not_be_counted_again_and_again_counts_as_too_much() {
        let (mut watched, [one, other]) = (Watched::default(), [1, 2].map(WorkspaceId::from_random));
        let limit = Amount::most(100 * MB);
        for found in [Found::Uncounted, Found::Uncounted, bytes(1), Found::Uncounted, Found::Uncounted] {
            assert_eq!(watched.take(&one, found, limit), Follows::Nothing, "not so often in a row");
            assert_eq!(watched.take(&other, bytes(1), limit), Follows::Nothing);
        }
        let follows = watched.take(&one, Found::Uncounted, limit);
        assert!(matches!(follows, Follows::Stop(words) if words.contains("could not be counted 3 times in a row")));
        assert_eq!(watched.take(&one, Found::Uncounted, limit), Follows::Nothing, "it is stopped already");
        assert_eq!(watched.take(&one, bytes(1), limit), Follows::Goes);
        assert!(matches!(watched.take(&other, bytes(101 * MB), limit), Follows::Stop(_)));
        watched.take(&one, Found::Uncounted, limit);
        assert_eq!(watched.forget_others(BTreeSet::new()), [other]);
        assert!(watched.uncounted.is_empty());
    }

    #[test]
    fn people_read_how_much_it_was() {
        assert!(over_words(150 * MB, 100 * MB).starts_with("it has written 150 MB"));
        assert!(near_words(90 * MB, 100 * MB).contains("beyond 100 MB it is saved and stopped"));
    }
}
