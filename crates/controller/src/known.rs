//! What this controller knows: the world, and at which revision each record of it was read. Shared by the loops and
//! by everybody who asks.

use crate::Clock;
use crate::controllers::ControllerRecord;
use pierhead_model::{
    AppId, AttemptId, ClassMessage, Course, CourseId, CourseWork, EngineId, Enrolments, Hand, Lab, LabAttempt, LabId,
    ObservedContainer, Ownership, Terminal, TerminalId, Username, WorkspaceId,
};
use pierhead_planner::{Blocked, World};
use pierhead_store::Revision;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::{Notify, watch};

/// The world, and the revisions that it was read at.
pub struct Known {
    /// The moment, for what opens at a certain one.
    pub(crate) clock: Clock,
    /// The world.
    pub world: World,
    /// What the last plan of this controller could not do, and why.
    pub blocked: Vec<Blocked>,
    /// The revision up to which the store's records are in it.
    pub revision: Revision,
    /// The controllers of the pool.
    pub(crate) controllers: BTreeMap<String, ControllerRecord>,
    /// Which of them leads, by its id, and in which term.
    pub(crate) leader: Option<(String, Revision)>,
    /// The terminals in containers.
    pub(crate) terminals: BTreeMap<TerminalId, Arc<Terminal>>,
    /// The labs.
    pub labs: BTreeMap<LabId, Arc<Lab>>,
    /// The courses.
    pub courses: BTreeMap<CourseId, Arc<Course>>,
    /// How work at labs of courses is handed in and graded, where somebody has said so.
    pub(crate) work: BTreeMap<(CourseId, LabId), Arc<CourseWork>>,
    /// Who takes each of them; none for those that nobody took yet.
    pub enrolments: BTreeMap<CourseId, Arc<Enrolments>>,
    /// The attempts at labs.
    pub(crate) attempts: BTreeMap<AttemptId, Arc<LabAttempt>>,
    /// The attempt of each workspace that one has.
    pub(crate) attempts_at: BTreeMap<WorkspaceId, AttemptId>,
    /// The hands that are raised.
    pub(crate) hands: BTreeMap<WorkspaceId, Hand>,
    /// Messages to many people.
    pub(crate) messages: BTreeMap<String, Arc<ClassMessage>>,
    /// When it was last asked how far they are.
    pub(crate) asked: Revision,
    /// The revision that wrote each engine, app and operation last, by its key.
    revisions: HashMap<String, Revision>,
    /// Whose the apps were that went lately: their containers go after them.
    former_owners: VecDeque<(AppId, Username)>,
}

/// How many apps that went are remembered.
const MOST_FORMER: usize = 1_000;

impl Known {
    /// The revision that wrote the record at a key last; `None` if there is none.
    #[must_use]
    pub fn revision_of(&self, key: &str) -> Option<Revision> {
        self.revisions.get(key).copied()
    }

    /// Whether another container took its slot's place meanwhile, as when its host was lost: about to go as soon as it
    /// can be reached.
    #[must_use]
    pub fn is_outdated(&self, engine: &EngineId, container: &ObservedContainer) -> bool {
        if !container.belongs_to(&self.world.cluster)
            || self.world.is_current(engine, container)
            || self.world.is_fallback(engine, container)
        {
            return false;
        }
        let owner = Ownership::read(&container.labels);
        owner.is_some_and(|owner| {
            let newest = self.world.assignments().get(&owner.slot).map(|assignment| assignment.generation);
            newest.is_some_and(|newest| newest > owner.generation)
        })
    }

    /// Whose an app is, or was if it went lately.
    pub(crate) fn owner_of(&self, app: &AppId) -> Option<Username> {
        let former =
            || self.former_owners.iter().rev().find(|(former, _)| former == app).map(|(_, owner)| owner.clone());
        self.world.apps().get(app).map(|app| app.owner.clone()).or_else(former)
    }

    pub(crate) fn remove_app(&mut self, id: &AppId) {
        if let Some(app) = self.world.apps().get(id) {
            if self.former_owners.len() >= MOST_FORMER {
                self.former_owners.pop_front();
            }
            self.former_owners.push_back((id.clone(), app.owner.clone()));
        }
        self.world.remove_app(id);
    }

    pub(crate) fn set_attempt(&mut self, attempt: LabAttempt) {
        self.remove_attempt(&attempt.id);
        if let Some(workspace) = &attempt.workspace {
            self.attempts_at.insert(workspace.clone(), attempt.id.clone());
        }
        self.attempts.insert(attempt.id.clone(), Arc::new(attempt));
    }

    pub(crate) fn remove_attempt(&mut self, id: &AttemptId) {
        let workspace = self.attempts.remove(id).and_then(|attempt| attempt.workspace.clone());
        if let Some(workspace) = workspace.filter(|workspace| self.attempts_at.get(workspace) == Some(id)) {
            self.attempts_at.remove(&workspace);
        }
    }

    /// The keys below a prefix of which there are records.
    pub(crate) fn keys_below(&self, prefix: &str) -> Vec<String> {
        self.revisions.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    pub(crate) fn set_revision(&mut self, key: &str, revision: Option<Revision>) {
        match revision {
            Some(revision) => self.revisions.insert(key.to_owned(), revision),
            None => self.revisions.remove(key),
        };
    }
}

/// [`Known`], with the bells that ring when it changes.
pub(crate) struct Shared {
    known: RwLock<Known>,
    changes: watch::Sender<u64>,
    terminal_changes: watch::Sender<u64>,
    revision: watch::Sender<Revision>,
    wake: Notify,
}

impl Shared {
    pub(crate) fn new(world: World, clock: Clock) -> Self {
        let known = Known {
            clock,
            world,
            blocked: Vec::new(),
            revision: Revision::ZERO,
            controllers: BTreeMap::new(),
            terminals: BTreeMap::new(),
            labs: BTreeMap::new(),
            courses: BTreeMap::new(),
            work: BTreeMap::new(),
            enrolments: BTreeMap::new(),
            attempts: BTreeMap::new(),
            attempts_at: BTreeMap::new(),
            hands: BTreeMap::new(),
            messages: BTreeMap::new(),
            leader: None,
            asked: Revision::ZERO,
            revisions: HashMap::new(),
            former_owners: VecDeque::new(),
        };
        Self {
            known: RwLock::new(known),
            changes: watch::Sender::new(0),
            terminal_changes: watch::Sender::new(0),
            revision: watch::Sender::new(Revision::ZERO),
            wake: Notify::new(),
        }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the world and rings the bells.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        let (result, revision) = {
            let mut known = self.write();
            (change(&mut known), known.revision)
        };
        self.revision.send_if_modified(|reached| std::mem::replace(reached, revision) != revision);
        self.changes.send_modify(|count| *count += 1);
        self.wake.notify_one();
        result
    }

    /// The world holds everything up to a revision that changed nothing of it: no decision hangs on that.
    pub(crate) fn advance(&self, revision: Revision) {
        self.write().revision = revision;
        self.revision.send_replace(revision);
    }

    /// Changes something that nobody waits for and that no decision hangs on.
    pub(crate) fn change_quietly(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.write());
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Tells those who follow terminals alone that some of their records have changed.
    pub(crate) fn terminals_changed(&self) {
        self.terminal_changes.send_modify(|count| *count += 1);
    }

    pub(crate) fn terminal_changes(&self) -> watch::Receiver<u64> {
        self.terminal_changes.subscribe()
    }

    pub(crate) async fn reached(&self, revision: Revision) {
        // The sender lives as long as this does, so that waiting cannot fail.
        let _ = self.revision.subscribe().wait_for(|reached| *reached >= revision).await;
    }

    /// Returns when something changed since the last call.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }
}
