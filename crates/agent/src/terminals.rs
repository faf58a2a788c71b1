//! Terminals in this host's containers, which live here: they outlive every controller, and end with this agent.
//!
//! What a terminal is, is decided elsewhere (`pierhead-terminal`, run by `pierhead-sessions`). Here its process is made in
//! a container, and when it is over nothing that it started is left: what bears its mark is ended, whatever it did to stay.
//! Which terminals there are is on disk, so that an agent which was killed ends what it left when it starts again.

mod hooks;
mod kept;
mod line;
mod live;
mod marked;
mod opening;
pub(crate) mod pictures;

pub(crate) use live::LiveTerminals;
pub(crate) use opening::{Ending, Granting};
pub use opening::{Opening, Visiting, VisitorRight};
pub(crate) use opening::{is_container, is_id};

use crate::error::{AgentError, Result};
use crate::refusal::Refusal;
use hooks::Process;
use hyper::StatusCode;
use hyper::body::Bytes;
use kept::Kept;
use pierhead_engine::{Docker, DockerOptions, Engine, EngineError, ExecRequest};
use pierhead_model::ContainerId;
use pierhead_sessions::{Hooks, Line, Pictures, Sessions, SessionsError, Wanted};
use pierhead_terminal::{Role, SessionSpec};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The most terminals that run here at the same time: each keeps some megabytes of what it printed.
const MOST: usize = 200;
/// The most viewers of all of them together: each has a stream of a tunnel, of which others need some too.
const MOST_VIEWERS: usize = 2_500;
/// How much of a terminal is recorded, in bytes.
const RECORDED: usize = 1 << 20;

/// How much later than it happens the end of a terminal may be told.
const TOLD_LATER: Duration = Duration::from_millis(250);
/// How long an agent that ends waits for those who are told.
const LAST_PATIENCE: Duration = Duration::from_secs(2);
/// How often it looks whether they were.
const LOOK: Duration = Duration::from_millis(20);

/// The terminals of this host.
pub struct Terminals {
    engine: Arc<Docker>,
    sessions: Sessions,
    kept: Arc<Kept>,
    /// Those that are being opened now.
    begun: Mutex<BTreeSet<String>>,
    viewers: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Terminals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminals").field("viewers", &self.viewers).finish_non_exhaustive()
    }
}

/// Counts a viewer for as long as it is there.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Somebody's line to a terminal, and their place.
#[derive(Debug)]
pub(crate) struct Joined {
    line: Line,
    place: Place,
}

impl Terminals {
    /// The terminals of a host whose engine is behind this socket. What an earlier run left, by what is in the directory
    /// of the agent's state, is ended meanwhile.
    ///
    /// # Errors
    /// The socket's path is none.
    pub fn open(dir: &Path, socket: &Path) -> Result<Arc<Self>> {
        let refused = |source: EngineError| AgentError::Engine { socket: socket.to_owned(), source: source.into() };
        let engine = Docker::connect(&format!("unix://{}", socket.display()), DockerOptions::default());
        let (kept, left) = Kept::open(dir);
        let kept = Arc::new(kept);
        if !left.is_empty() {
            tracing::warn!(terminals = left.len(), "an earlier run left terminals: what they started is ended");
            tokio::spawn(end_left(Arc::clone(&kept), left));
        }
        Ok(Arc::new(Self {
            engine: Arc::new(engine.map_err(refused)?),
            sessions: Sessions::new(MOST),
            kept,
            begun: Mutex::default(),
            viewers: Arc::default(),
        }))
    }

    /// Opens a terminal; one that is there already is left as it is. Goes on if nobody waits for it any more.
    pub(crate) async fn begin(self: &Arc<Self>, opening: Opening) -> std::result::Result<(), Refusal> {
        let terminals = Arc::clone(self);
        let begun = tokio::spawn(async move {
            if terminals.sessions.get(&opening.id).is_some() {
                return Ok(());
            }
            if !terminals.begun().insert(opening.id.clone()) {
                let message = "this terminal is being opened";
                return Err(Refusal::new(StatusCode::CONFLICT, "terminal_begins", message));
            }
            let made = terminals.make(&opening).await;
            terminals.begun().remove(&opening.id);
            made
        });
        begun.await.unwrap_or_else(|_| {
            Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "the terminal could not be opened"))
        })
    }

    async fn make(&self, opening: &Opening) -> std::result::Result<(), Refusal> {
        if self.sessions.list().iter().filter(|session| session.end.is_none()).count() >= MOST {
            return Err(full(MOST));
        }
        self.kept.note(&opening.id, &opening.container).await.map_err(|error| {
            tracing::error!(%error, "it cannot be kept which terminals there are");
            let message = "this host cannot keep on its disk which terminals there are, and opens none without it";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "terminal_not_kept", message)
        })?;
        let process = Process::new(&opening.id, &opening.container, Arc::clone(&self.engine), Arc::clone(&self.kept));
        match self.start(opening, &process).await {
            Ok(()) => Ok(()),
            Err(refusal) => {
                // It may have begun without anybody being told.
                process.end().await;
                Err(refusal)
            }
        }
    }

    async fn start(&self, opening: &Opening, process: &Arc<Process>) -> std::result::Result<(), Refusal> {
        let container = ContainerId::parse(opening.container.as_str())
            .map_err(|error| Refusal::malformed(format!("container: {error}")))?;
        let exec = self.engine.create_exec(&container, &request(opening)).await.map_err(|error| refused(&error))?;
        process.is(exec.clone());
        let stream = self.engine.start_exec(&exec, opening.tty).await.map_err(|error| refused(&error))?;
        if opening.tty {
            process.resize(opening.columns, opening.rows).await;
        }
        let spec = SessionSpec {
            id: opening.id.clone(),
            columns: opening.columns,
            rows: opening.rows,
            tty: opening.tty,
            title: opening.title.clone(),
            recording_bytes: RECORDED,
        };
        let hooks: Arc<dyn Hooks> = Arc::<Process>::clone(process);
        self.sessions.open(spec, stream, hooks).map_err(|error| match error {
            SessionsError::Full(most) => full(most),
            SessionsError::Exists(_) | SessionsError::Unknown(_) => {
                Refusal::new(StatusCode::CONFLICT, "terminal_exists", error.to_string())
            }
        })?;
        tracing::info!(terminal = opening.id, container = opening.container, "a terminal was opened");
        Ok(())
    }

    /// Somebody comes to a terminal.
    pub(crate) fn join(&self, id: &str, visiting: Visiting) -> std::result::Result<Joined, Refusal> {
        let before = self.viewers.fetch_add(1, Ordering::AcqRel);
        let place = Place(Arc::clone(&self.viewers));
        if before >= MOST_VIEWERS {
            let message = format!("{MOST_VIEWERS} viewers look at this host's terminals, and no more can");
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_viewers", message));
        }
        let line = self.sessions.attach(id, visiting.into()).map_err(|_| gone(id))?;
        Ok(Joined { line, place })
    }

    /// An account that is there may do this from now on, or nothing.
    pub(crate) fn grant(&self, id: &str, username: &str, role: Option<Role>) -> std::result::Result<(), Refusal> {
        self.sessions.grant(id, username, role).map_err(|_| gone(id))
    }

    /// Ends a terminal and all that it started; one that is gone is a success.
    pub(crate) async fn end(&self, id: &str, reason: &str) -> std::result::Result<(), Refusal> {
        match self.sessions.end(id, reason).await {
            // One that was never here, or that ended long ago, has nothing left unless that is on disk.
            Ok(()) | Err(_) if !self.kept.has(id).await => Ok(()),
            Ok(()) | Err(_) => {
                let message = "something that the terminal started could not be ended";
                Err(Refusal::new(StatusCode::CONFLICT, "not_ended", message))
            }
        }
    }

    /// Ends all of them, since this agent ends; those who look, and the controllers, are told first.
    pub async fn end_all(&self) {
        if self.sessions.list().iter().all(|session| session.end.is_some()) {
            return;
        }
        self.sessions.end_all("the host's agent was stopped").await;
        let told = async {
            // Lists are told with a pause in between, and lines end with their last word.
            tokio::time::sleep(TOLD_LATER).await;
            while self.viewers.load(Ordering::Acquire) > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(LAST_PATIENCE, told).await.is_err() {
            tracing::warn!("not everybody was told that their terminal ended");
        }
    }

    /// How it stands with all of them.
    pub(crate) fn live(&self) -> LiveTerminals {
        self.sessions.list().into()
    }

    /// Counts up whenever that has changed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.sessions.changes()
    }

    /// Pictures of the terminals that are wanted.
    pub(crate) fn pictures(&self, wanted: watch::Receiver<Wanted>) -> Pictures {
        self.sessions.pictures(wanted)
    }

    /// What was recorded of a terminal.
    pub(crate) fn recording(&self, id: &str) -> std::result::Result<Vec<Bytes>, Refusal> {
        self.sessions.recording(id).map_err(|_| gone(id))
    }

    fn begun(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends what an earlier run of the agent left.
async fn end_left(kept: Arc<Kept>, left: BTreeMap<String, String>) {
    for (id, container) in left {
        if marked::end(&container, &id).await {
            kept.forget(&id).await;
        } else {
            tracing::error!(terminal = id, container, "what a terminal started could not be ended");
        }
    }
}

fn request(opening: &Opening) -> ExecRequest {
    let mut environment = vec![(marked::MARK.to_owned(), opening.id.clone())];
    if opening.tty {
        environment.push(("TERM".to_owned(), "xterm-256color".to_owned()));
    }
    ExecRequest {
        command: opening.command.clone(),
        environment,
        tty: opening.tty,
        user: opening.user.clone(),
        working_dir: opening.working_dir.clone(),
    }
}

fn gone(id: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "no_such_terminal", format!("there is no terminal {id} on this host"))
}

fn full(most: usize) -> Refusal {
    let message = format!("{most} terminals are open on this host, and no more can be");
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_terminals", message)
}

/// What the engine says instead of making a process.
fn refused(error: &EngineError) -> Refusal {
    match error {
        EngineError::NotFound => Refusal::new(StatusCode::NOT_FOUND, "no_such_container", error.to_string()),
        EngineError::Refused(_) => Refusal::new(StatusCode::CONFLICT, "engine_refuses", error.to_string()),
        _ => Refusal::new(StatusCode::BAD_GATEWAY, "engine_away", error.to_string()),
    }
}
