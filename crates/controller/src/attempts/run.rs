//! Runs one script of a lab in a container of a workspace: within its time, a few at once on each host and one in each
//! workspace; what is not done in time is ended with all that it started.

use super::script;
use crate::Controller;
use crate::known::Known;
use crate::scripts::{self, Program};
use crate::terminals::end_marked;
use pierhead_engine::DynEngine;
use pierhead_lab::progress::Outcome;
use pierhead_model::{ContainerId, EngineId, LabAttempt, MemberName, WorkspaceId, WorkspaceStage};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// The most scripts that are run on one host at a time.
pub(super) const AT_ONCE: usize = 4;
/// How long a script may wait for its turn; then it was not run.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// The longest time that what is run at the first visit of a step may take, and a solution.
const LONGEST: Duration = Duration::from_secs(300);
/// The variable that tells what a script started from everything else.
const MARK: &str = "PIERHEAD_SCRIPT";

/// What a script is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It looks whether something holds, for so many seconds at most; nothing of it goes on after that.
    Check(u32),
    /// It does something; what it leaves running goes on.
    Work,
}

impl Purpose {
    fn patience(self) -> Duration {
        match self {
            Self::Check(seconds) => Duration::from_secs(seconds.into()).min(LONGEST),
            Self::Work => LONGEST,
        }
    }
}

/// What came of a script.
#[derive(Debug)]
pub(crate) struct Ran {
    /// How it ended.
    pub outcome: Outcome,
    /// The last that it said, for its author.
    pub said: String,
    /// How long it took, without the wait for its turn.
    pub took: Duration,
}

impl Ran {
    fn not(reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::NotRun(reason.into()), said: String::new(), took: Duration::ZERO }
    }
}

/// Where the scripts of a workspace are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seat {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Its host.
    pub engine: EngineId,
    /// Its containers.
    pub containers: BTreeMap<MemberName, ContainerId>,
    /// The first of them.
    pub first: MemberName,
    /// The generation of the containers, if they began from the environment's images.
    pub fresh: Option<u32>,
}

impl Seat {
    /// Whether its containers are new to an attempt: whatever had been prepared in others has to be once more.
    pub(crate) fn is_new_to(&self, attempt: &LabAttempt) -> bool {
        self.fresh.is_some_and(|generation| attempt.prepared != Some(generation))
    }

    /// Where a workspace is, if people can work in it.
    pub(crate) fn of(known: &Known, workspace: &WorkspaceId) -> Option<Self> {
        let record = known.world.workspaces().get(workspace)?;
        let assignment = known.world.workspace_assignments().get(workspace)?;
        let place = assignment.place.as_ref()?;
        let is_up = assignment.stage == WorkspaceStage::Ready && assignment.run == record.run && record.wants_to_run();
        if !is_up || known.world.is_at_rest(workspace) {
            return None;
        }
        let first = place.spec.containers.first()?.name.clone();
        let fresh = place.from.is_none().then_some(place.generation.0);
        let (engine, containers) = (place.engine.clone(), place.containers.clone());
        Some(Self { workspace: workspace.clone(), engine, containers, first, fresh })
    }

    /// The container that a script names; the first without.
    fn container(&self, name: Option<&str>) -> Option<&ContainerId> {
        match name {
            None => self.containers.get(&self.first),
            Some(name) => self.containers.get(&MemberName::parse(name).ok()?),
        }
    }
}

/// Whose turn it is to run scripts, of those that this controller runs.
#[derive(Default)]
pub(crate) struct Scripts {
    hosts: Mutex<BTreeMap<EngineId, Arc<Semaphore>>>,
    workspaces: Mutex<BTreeMap<WorkspaceId, Arc<Turn<()>>>>,
}

/// A turn: while it is held no other script runs in the workspace.
pub(crate) struct Held {
    _workspace: OwnedMutexGuard<()>,
    _host: OwnedSemaphorePermit,
}

impl Scripts {
    /// Waits for a turn; none if it takes too long.
    async fn turn(&self, seat: &Seat) -> Option<Held> {
        let host = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(hosts.entry(seat.engine.clone()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
        };
        let workspace = {
            let mut workspaces = self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
            // Of those that nobody holds nothing has to be remembered.
            workspaces.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(workspaces.entry(seat.workspace.clone()).or_default())
        };
        let both = async {
            // The workspace's first: who waits for their own earlier script holds up nobody else on the host.
            let workspace = workspace.lock_owned().await;
            let host = host.acquire_owned().await.ok()?;
            Some(Held { _workspace: workspace, _host: host })
        };
        tokio::time::timeout(LONGEST_WAIT, both).await.ok().flatten()
    }
}

impl Controller {
    /// Runs a script in a container of a workspace, when it is its turn.
    pub(crate) async fn run_script(
        &self,
        seat: &Seat,
        container: Option<&str>,
        (script, purpose): (&str, Purpose),
    ) -> Ran {
        let Some(container) = seat.container(container) else {
            return Ran::not(format!("the environment has no container {}", container.unwrap_or_default()));
        };
        let Some(link) = self.engines.link(&seat.engine) else {
            return Ran::not("its host is not in the pool");
        };
        let Some(_turn) = self.scripts.turn(seat).await else {
            return Ran::not("its host has too much to do; try again in a minute");
        };
        run(&link.engine, container, &self.ids.unique(), script, purpose).await
    }
}

async fn run(engine: &DynEngine, container: &ContainerId, mark: &str, text: &str, purpose: Purpose) -> Ran {
    let began = Instant::now();
    let program = Program {
        command: script::command(text),
        input: text.as_bytes(),
        user: None,
        environment: vec![(MARK.to_owned(), mark.to_owned())],
        patience: purpose.patience(),
    };
    let told = match scripts::run(engine, container, &program).await {
        Ok(told) => told,
        Err(error) => return Ran { took: began.elapsed(), ..Ran::not(error.failure().message) },
    };
    let took = began.elapsed();
    let is_to_end = match purpose {
        Purpose::Check(_) => told.is_held,
        Purpose::Work => told.code.is_none(),
    };
    if is_to_end && let Err(error) = end_marked(engine, container, (MARK, mark), None).await {
        // It goes with its container.
        tracing::info!(%container, %error, "what a script of a lab had started could not be ended");
    }
    let outcome = match told.code {
        // The engine's own words: what the script says of a program that is missing comes from its shell.
        Some(126 | 127) if told.said.starts_with(b"OCI runtime exec failed") => {
            Outcome::NotRun(format!("the container has no {}", program.command[0]))
        }
        Some(code) => Outcome::Ended(code),
        None => Outcome::TimedOut,
    };
    Ran { outcome, said: String::from_utf8_lossy(&told.said).into_owned(), took }
}

#[cfg(test)]
mod tests;
