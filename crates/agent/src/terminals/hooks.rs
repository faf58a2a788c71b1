//! What a session needs of its process on this host.

use super::kept::Kept;
use super::marked;
use async_trait::async_trait;
use pierhead_engine::{Docker, Engine, ExecId};
use pierhead_model::Timestamp;
use pierhead_sessions::Hooks;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long an engine may take to say how a process has ended that has closed its output.
const EXIT_WITHIN: Duration = Duration::from_secs(3);
/// The pause before it is asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// The process of a session.
pub(super) struct Process {
    session: String,
    container: String,
    engine: Arc<Docker>,
    kept: Arc<Kept>,
    exec: OnceLock<ExecId>,
}

impl Process {
    /// One that is yet to be made.
    pub(super) fn new(session: &str, container: &str, engine: Arc<Docker>, kept: Arc<Kept>) -> Arc<Self> {
        let (session, container) = (session.to_owned(), container.to_owned());
        Arc::new(Self { session, container, engine, kept, exec: OnceLock::new() })
    }

    /// It was made, and this is what its engine calls it.
    pub(super) fn is(&self, exec: ExecId) {
        // There is one, once.
        let _again = self.exec.set(exec);
    }
}

#[async_trait]
impl Hooks for Process {
    async fn resize(&self, columns: u16, rows: u16) {
        let Some(exec) = self.exec.get() else { return };
        if let Err(error) = self.engine.resize_exec(exec, columns, rows).await {
            tracing::debug!(terminal = self.session, %error, "a terminal did not take its size");
        }
    }

    async fn signal(&self, name: &str) {
        let Some(signal) = marked::signal_of(name) else { return };
        marked::tell(&self.container, &self.session, signal).await;
    }

    async fn exit_code(&self) -> Option<i64> {
        let exec = self.exec.get()?;
        let asked = async {
            loop {
                match self.engine.exec(exec).await {
                    Ok(state) if state.is_running => tokio::time::sleep(PAUSE).await,
                    Ok(state) => return state.exit_code,
                    Err(_) => return None,
                }
            }
        };
        tokio::time::timeout(EXIT_WITHIN, asked).await.ok().flatten()
    }

    async fn end(&self) {
        if marked::end(&self.container, &self.session).await {
            return self.kept.forget(&self.session).await;
        }
        // It stays on disk, and is tried again when the agent starts.
        tracing::error!(terminal = self.session, container = self.container, "what it started could not be ended");
    }

    fn now(&self) -> Timestamp {
        clock()
    }
}

/// This moment.
fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
