//! The sessions of a home, by their ids.

use crate::line::{Line, attach};
use crate::running::Running;
use crate::{Hooks, SessionsError};
use bytes::Bytes;
use pierhead_terminal::{Role, SessionSpec, SessionView, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// For how long one that has ended can still be looked at.
const KEPT: Duration = Duration::from_secs(600);
/// How many that have ended are kept at most: each has its log.
const MOST_KEPT: usize = 32;

/// The sessions of a home. Clones are the same.
#[derive(Clone)]
pub struct Sessions {
    most: usize,
    all: Arc<Mutex<BTreeMap<String, Arc<Running>>>>,
    changed: watch::Sender<u64>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("most", &self.most).finish_non_exhaustive()
    }
}

impl Sessions {
    /// A home for at most this many running sessions.
    pub fn new(most: usize) -> Self {
        Self { most, all: Arc::default(), changed: watch::Sender::new(0) }
    }

    /// Begins a session over the stream of its process: raw if it has a pseudo-terminal, else in Docker's frames.
    /// Shutting down the stream's writing side is the end of the input.
    ///
    /// # Errors
    /// [`SessionsError::Exists`], [`SessionsError::Full`].
    pub fn open<P>(&self, spec: SessionSpec, process: P, hooks: Arc<dyn Hooks>) -> Result<(), SessionsError>
    where
        P: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut all = crate::locked(&self.all);
        if all.contains_key(&spec.id) {
            return Err(SessionsError::Exists(spec.id));
        }
        if all.values().filter(|running| !running.is_over()).count() >= self.most {
            return Err(SessionsError::Full(self.most));
        }
        let id = spec.id.clone();
        let running = Running::begin(spec, process, hooks, self.changed.clone());
        tokio::spawn(self.clone().forget(id.clone(), Arc::clone(&running)));
        all.insert(id, running);
        drop(all);
        self.changed.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Forgets a session some time after its end.
    async fn forget(self, id: String, running: Arc<Running>) {
        running.over().await;
        self.forget_oldest();
        tokio::select! {
            () = tokio::time::sleep(KEPT) => {}
            () = running.forgotten() => {}
        }
        running.forget();
        crate::locked(&self.all).remove(&id);
        self.changed.send_modify(|count| *count += 1);
    }

    fn forget_oldest(&self) {
        let all = crate::locked(&self.all);
        let over = all.values().filter(|running| running.is_over());
        let mut over: Vec<_> = over.map(|running| (running.session().view().end.map(|end| end.at), running)).collect();
        over.sort_by_key(|(at, _)| *at);
        let surplus = over.len().saturating_sub(MOST_KEPT);
        over.into_iter().take(surplus).for_each(|(_, running)| running.forget());
    }

    /// Somebody comes. The first frame that they send must be `attach`.
    ///
    /// # Errors
    /// [`SessionsError::Unknown`].
    pub fn attach(&self, id: &str, visitor: Visitor) -> Result<Line, SessionsError> {
        Ok(attach(&self.find(id)?, visitor))
    }

    /// How it stands with each, those that ended less than ten minutes ago too.
    pub fn list(&self) -> Vec<SessionView> {
        let all: Vec<_> = crate::locked(&self.all).values().cloned().collect();
        all.iter().map(|running| running.session().view()).collect()
    }

    /// How it stands with one.
    pub fn get(&self, id: &str) -> Option<SessionView> {
        Some(self.find(id).ok()?.session().view())
    }

    /// Counts up at each change of what [`list`](Self::list) says.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// An account that is there may do this from now on, or nothing (`None`). Whoever comes later comes with the right that
    /// [`attach`](Self::attach) is told.
    ///
    /// # Errors
    /// [`SessionsError::Unknown`].
    pub fn grant(&self, id: &str, username: &str, role: Option<Role>) -> Result<(), SessionsError> {
        self.find(id)?.with(|session, _| session.grant(username, role));
        Ok(())
    }

    /// Ends a session and waits until its [`Hooks::end`] has returned. One that ended already is a success.
    ///
    /// # Errors
    /// [`SessionsError::Unknown`].
    pub async fn end(&self, id: &str, reason: &str) -> Result<(), SessionsError> {
        let running = self.find(id)?;
        running.end(reason).await;
        Ok(())
    }

    /// Ends all sessions and waits for that.
    pub async fn end_all(&self, reason: &str) {
        let all: Vec<_> = crate::locked(&self.all).values().cloned().collect();
        let mut ends = JoinSet::new();
        for running in all {
            let reason = reason.to_owned();
            ends.spawn(async move { running.end(&reason).await });
        }
        while ends.join_next().await.is_some() {}
    }

    /// What was recorded so far, as a file of asciicast v2.
    ///
    /// # Errors
    /// [`SessionsError::Unknown`].
    pub fn recording(&self, id: &str) -> Result<Vec<Bytes>, SessionsError> {
        Ok(self.find(id)?.session().recording())
    }

    /// One that runs, with its process.
    pub(crate) fn running(&self, id: &str) -> Option<Arc<Running>> {
        self.find(id).ok().filter(|running| !running.is_over())
    }

    fn find(&self, id: &str) -> Result<Arc<Running>, SessionsError> {
        crate::locked(&self.all).get(id).cloned().ok_or_else(|| SessionsError::Unknown(id.to_owned()))
    }
}
