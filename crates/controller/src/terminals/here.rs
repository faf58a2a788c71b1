//! The home of terminals in this controller, for hosts without an agent: their processes are talked with over connections
//! to their engines. All of them go with the controller.

use super::ending::{self, EndingError};
use super::{HomeError, Line, TERMINAL_VARIABLE, TerminalHome, TerminalOrder};
use crate::clock::Clock;
use crate::engines::Engines;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use pierhead_engine::{DynEngine, EngineError, ExecId, ExecRequest};
use pierhead_model::{ContainerId, TerminalId, Timestamp, Username};
use pierhead_sessions::{Hooks, Sessions, SessionsError, Wanted};
use pierhead_terminal::{PictureChange, Role, SessionSpec, SessionView, Visitor};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// How many terminals may run here.
const MOST: usize = 1_000;
/// How much of a terminal is recorded, in bytes.
const RECORDING: usize = 1 << 20;
/// How long an engine may take to tell how a process ended.
const EXIT_CODE: Duration = Duration::from_secs(5);
/// How often it is asked for that.
const LOOK: Duration = Duration::from_millis(20);
/// What programs are told of the terminal that they talk with.
const TERM: &str = "xterm-256color";

/// The terminals that live here.
pub(crate) struct Here {
    sessions: Sessions,
    engines: Arc<Engines>,
    clock: Clock,
    leftovers: Leftovers,
}

/// Those of which something may still run that could not be ended.
#[derive(Clone, Default)]
struct Leftovers(Arc<Mutex<BTreeSet<String>>>);

impl Leftovers {
    fn all(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Here {
    pub(crate) fn new(engines: Arc<Engines>, clock: Clock) -> Self {
        Self { sessions: Sessions::new(MOST), engines, clock, leftovers: Leftovers::default() }
    }

    /// The sessions, for who keeps their records.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Whether something may still run that an ended terminal has started; asked once.
    pub(crate) fn take_leftovers(&self, id: &TerminalId) -> bool {
        self.leftovers.all().remove(id.as_str())
    }
}

/// What an engine says, as a home does.
fn refused(error: EngineError) -> HomeError {
    match error {
        EngineError::Unreachable(_) | EngineError::TimedOut { .. } => HomeError::Away(error.to_string()),
        EngineError::NotFound => HomeError::Refused("the container is gone".to_owned()),
        error => HomeError::Refused(error.to_string()),
    }
}

fn of_session(error: SessionsError) -> HomeError {
    match error {
        SessionsError::Unknown(_) => HomeError::Gone,
        SessionsError::Full(_) => HomeError::Full,
        SessionsError::Exists(_) => HomeError::Refused(error.to_string()),
    }
}

#[async_trait]
impl TerminalHome for Here {
    async fn open(&self, order: &TerminalOrder) -> Result<(), HomeError> {
        if self.sessions.get(order.id.as_str()).is_some() {
            return Ok(());
        }
        let engine =
            self.engines.link(&order.engine).ok_or_else(|| HomeError::Away("the host was removed".to_owned()))?;
        let engine = Arc::clone(&engine.engine);
        let mut environment = vec![(TERMINAL_VARIABLE.to_owned(), order.id.to_string())];
        if order.tty {
            environment.push(("TERM".to_owned(), TERM.to_owned()));
        }
        let request = ExecRequest {
            command: order.command.clone(),
            environment,
            tty: order.tty,
            user: order.user.clone(),
            working_dir: order.working_dir.clone(),
        };
        let exec = engine.create_exec(&order.container, &request).await.map_err(refused)?;
        let process = Arc::new(Process {
            engine: Arc::clone(&engine),
            container: order.container.clone(),
            terminal: order.id.clone(),
            user: order.user.clone(),
            exec: exec.clone(),
            clock: self.clock,
            leftovers: self.leftovers.clone(),
        });
        let stream = match engine.start_exec(&exec, order.tty).await {
            Ok(stream) => stream,
            Err(error) => {
                // It may have been started nevertheless.
                process.end().await;
                return Err(refused(error));
            }
        };
        let spec = SessionSpec {
            id: order.id.to_string(),
            columns: order.columns,
            rows: order.rows,
            tty: order.tty,
            title: order.title.clone(),
            recording_bytes: RECORDING,
        };
        let hooks = Arc::clone(&process);
        if let Err(error) = self.sessions.open(spec, stream, hooks) {
            process.end().await;
            return Err(of_session(error));
        }
        if order.tty {
            let (columns, rows) = (order.columns, order.rows);
            // Engines take a while until a process is there that has a size.
            tokio::spawn(async move { process.resize(columns, rows).await });
        }
        Ok(())
    }

    async fn join(&self, id: &TerminalId, visitor: &Visitor) -> Result<Line, HomeError> {
        let line = self.sessions.attach(id.as_str(), visitor.clone()).map_err(of_session)?;
        Ok(Line { to_home: line.to_session, from_home: line.from_session })
    }

    async fn grant(&self, id: &TerminalId, username: &Username, role: Option<Role>) -> Result<(), HomeError> {
        self.sessions.grant(id.as_str(), username.as_str(), role).map_err(of_session)
    }

    async fn watch(&self) -> Result<BoxStream<'static, Vec<SessionView>>, HomeError> {
        let (sessions, mut changes) = (self.sessions.clone(), self.sessions.changes());
        changes.mark_changed();
        let views = stream::unfold((sessions, changes), |(sessions, mut changes)| async move {
            changes.changed().await.ok()?;
            Some((sessions.list(), (sessions, changes)))
        });
        Ok(views.boxed())
    }

    async fn pictures(
        &self,
        wanted: watch::Receiver<Wanted>,
    ) -> Result<BoxStream<'static, Vec<PictureChange>>, HomeError> {
        let pictures = self.sessions.pictures(wanted);
        let changes = stream::unfold(pictures, |mut pictures| async move { Some((pictures.next().await?, pictures)) });
        Ok(changes.boxed())
    }

    async fn recording(&self, id: &TerminalId) -> Result<BoxStream<'static, std::io::Result<Bytes>>, HomeError> {
        let pieces = self.sessions.recording(id.as_str()).map_err(of_session)?;
        Ok(stream::iter(pieces.into_iter().map(Ok)).boxed())
    }

    async fn end(&self, id: &TerminalId, reason: &str) -> Result<(), HomeError> {
        match self.sessions.end(id.as_str(), reason).await {
            Ok(()) | Err(SessionsError::Unknown(_)) => Ok(()),
            Err(error) => Err(of_session(error)),
        }
    }
}

/// The process of a terminal.
struct Process {
    engine: DynEngine,
    container: ContainerId,
    terminal: TerminalId,
    user: Option<String>,
    exec: ExecId,
    clock: Clock,
    leftovers: Leftovers,
}

#[async_trait]
impl Hooks for Process {
    async fn resize(&self, columns: u16, rows: u16) {
        if let Err(error) = self.engine.resize_exec(&self.exec, columns, rows).await {
            tracing::debug!(terminal = %self.terminal, %error, "a terminal keeps its size");
        }
    }

    async fn signal(&self, name: &str) {
        let (engine, container) = (&self.engine, &self.container);
        if let Err(error) = ending::signal(engine, container, &self.terminal, self.user.as_deref(), name).await {
            tracing::debug!(terminal = %self.terminal, %error, "a signal was not sent");
        }
    }

    async fn exit_code(&self) -> Option<i64> {
        let end = Instant::now() + EXIT_CODE;
        while Instant::now() < end {
            if let Some(code) = self.engine.exec(&self.exec).await.ok()?.exit_code {
                return Some(code);
            }
            sleep(LOOK).await;
        }
        None
    }

    async fn end(&self) {
        let ended = ending::end(&self.engine, &self.container, &self.terminal, self.user.as_deref()).await;
        if let Err(error) = ended {
            if matches!(error, EndingError::Walk(_)) {
                self.leftovers.all().insert(self.terminal.to_string());
            }
            tracing::warn!(terminal = %self.terminal, container = %self.container, %error, "what a terminal started may still run");
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
