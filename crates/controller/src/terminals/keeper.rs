//! Keeps the records of terminals in step with their homes: what has ended is marked so, with an honest reason, and what
//! a lost home has left running is ended. Each controller keeps its own terminals; the leader those of agents, and those
//! whose controller is gone.

use super::{TerminalHome, ending};
use crate::requests::end_of_record;
use crate::{Controller, keys};
use futures_util::StreamExt;
use pierhead_model::{
    EngineId, Terminal, TerminalEnd, TerminalId, TerminalPlace, TerminalRole, TerminalState, Timestamp,
};
use pierhead_store::{Error, Result, Transaction};
use pierhead_terminal::{Role, SessionView};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The longest time between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// The shortest: changes of the screen's viewers come in bursts.
const PACE: Duration = Duration::from_millis(50);
/// For how long a controller, or a terminal in what its agent tells, must have been missing until it is given up; the
/// record of a controller outlives it by some seconds more.
const MISSING: Duration = Duration::from_secs(5);
/// How long a home may take to show what it was asked to open.
const OPENING_MS: u64 = 30_000;
/// The pause before a host is asked once more to end what is left on it.
const AGAIN: Duration = Duration::from_secs(5);

/// Why terminals ended, for people.
const LOST_CONTROLLER: &str = "the controller that kept the terminal is gone, and the shell with it";
const LOST_AGENT: &str = "the agent that kept the terminal was started anew, and the shell is gone with it";
const LOST_HOST: &str = "the container's host was removed from the pool";
const LOST: &str = "nobody has seen how it ended";
const NOT_OPENED: &str = "the controller that was to open it did not get to that";
/// What is added where something could not be ended.
const LEFT: &str = "; something that it had started may still run";

/// See the module.
pub(crate) struct Keeper {
    controller: Controller,
    /// Since when controllers are missing.
    missing: BTreeMap<String, Instant>,
    /// Since when terminals are missing in what their agents tell.
    unseen: BTreeMap<TerminalId, Instant>,
    /// When the hosts were last asked to end what is left.
    asked: BTreeMap<TerminalId, Instant>,
    /// Whom the sessions here were told of.
    granted: BTreeMap<TerminalId, BTreeMap<String, TerminalRole>>,
    watched: BTreeSet<EngineId>,
    watches: JoinSet<EngineId>,
}

impl Keeper {
    pub(crate) fn new(controller: Controller) -> Self {
        Self {
            controller,
            missing: BTreeMap::new(),
            unseen: BTreeMap::new(),
            asked: BTreeMap::new(),
            granted: BTreeMap::new(),
            watched: BTreeSet::new(),
            watches: JoinSet::new(),
        }
    }

    /// Keeps them, for ever.
    pub(crate) async fn run(mut self) {
        let terminals = Arc::clone(&self.controller.terminals);
        let (mut records, mut sessions) = (self.controller.terminal_changes(), terminals.here.sessions().changes());
        loop {
            self.watch_agents();
            if let Err(error) = self.keep().await {
                tracing::debug!(%error, "records of terminals could not be written; it is tried again");
            }
            tokio::time::sleep(PACE).await;
            tokio::select! {
                _ = records.changed() => {}
                _ = sessions.changed() => {}
                () = terminals.seen_changed.notified() => {}
                Some(Ok(engine)) = self.watches.join_next() => drop(self.watched.remove(&engine)),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn keep(&mut self) -> Result<()> {
        let records: Vec<Arc<Terminal>> = self.controller.known().terminals.values().cloned().collect();
        let me = self.controller.controllers.me().to_owned();
        self.granted.retain(|id, _| records.iter().any(|record| record.id == *id));
        self.asked.retain(|id, _| records.iter().any(|record| record.id == *id));
        for record in records.iter().filter(|record| record.lives_in(&me)) {
            self.keep_own(record).await?;
        }
        if self.controller.standing.term().is_none() {
            self.missing.clear();
            self.unseen.clear();
            return Ok(());
        }
        self.note_missing(&records, &me);
        self.note_unseen(&records);
        for record in records.iter().filter(|record| !record.lives_in(&me)) {
            if record.end().is_none()
                && let Some(end) = self.end_of(record)
            {
                self.mark(record, end).await?;
            }
        }
        for record in records.iter().filter(|record| record.end().is_some_and(|end| end.has_leftovers)) {
            self.clean(record).await?;
        }
        Ok(())
    }

    /// A terminal that lives here.
    async fn keep_own(&mut self, record: &Terminal) -> Result<()> {
        let here = Arc::clone(&self.controller.terminals.here);
        let view = here.sessions().get(record.id.as_str());
        match (record.end(), view) {
            (None, Some(view)) => match &view.end {
                Some(_) => self.mark(record, told(&view, here.take_leftovers(&record.id))).await,
                None => {
                    self.grant(record).await;
                    Ok(())
                }
            },
            // The home of one that is being opened has not heard of it yet.
            (None, None) if record.state == TerminalState::Opening && !self.is_late(record) => Ok(()),
            (None, None) if record.state == TerminalState::Opening => {
                self.mark(record, self.over(NOT_OPENED, true)).await
            }
            (None, None) => self.mark(record, self.over(LOST, true)).await,
            // Somebody else gave it up, or ended it.
            (Some(end), Some(view)) if view.end.is_none() => {
                let _unknown = here.end(&record.id, &end.reason).await;
                Ok(())
            }
            (Some(_), _) => Ok(()),
        }
    }

    /// Tells a session here what its record says about guests.
    async fn grant(&mut self, record: &Terminal) {
        let wanted: BTreeMap<String, TerminalRole> =
            record.guests.iter().map(|(name, role)| (name.to_string(), *role)).collect();
        let granted = self.granted.entry(record.id.clone()).or_default();
        if *granted == wanted {
            return;
        }
        let names: BTreeSet<&String> = granted.keys().chain(wanted.keys()).collect();
        let sessions = self.controller.terminals.here.sessions();
        for name in names.into_iter().filter(|name| granted.get(*name) != wanted.get(*name)) {
            let role = wanted.get(name).map(|role| role_of(*role));
            let _ended = sessions.grant(record.id.as_str(), name, role);
        }
        *granted = wanted;
    }

    /// How a terminal of an agent or of another controller has ended, if it has.
    fn end_of(&self, record: &Terminal) -> Option<TerminalEnd> {
        let known = self.controller.known();
        if !known.world.engines().contains_key(&record.engine) {
            return Some(self.over(LOST_HOST, false));
        }
        drop(known);
        match &record.home {
            TerminalPlace::Controller(id) => {
                let is_gone = self.missing.get(id).is_some_and(|since| since.elapsed() >= MISSING);
                is_gone.then(|| self.over(LOST_CONTROLLER, true))
            }
            TerminalPlace::Agent => {
                let seen = self.controller.terminals.seen();
                let views = seen.get(&record.engine)?;
                match views.iter().find(|view| view.id == record.id.as_str()) {
                    Some(view) => view.end.as_ref().map(|_| told(view, false)),
                    None if record.state == TerminalState::Opening && !self.is_late(record) => None,
                    None => {
                        // What was opened just now may not be in what the agent told last.
                        let is_gone = self.unseen.get(&record.id).is_some_and(|since| since.elapsed() >= MISSING);
                        is_gone.then(|| self.over(LOST_AGENT, false))
                    }
                }
            }
        }
    }

    fn is_late(&self, record: &Terminal) -> bool {
        self.controller.clock.now().since(record.created_at) > OPENING_MS
    }

    fn over(&self, reason: &str, has_leftovers: bool) -> TerminalEnd {
        TerminalEnd { exit_code: None, reason: reason.to_owned(), at: self.controller.clock.now(), has_leftovers }
    }

    /// Since when the controllers are missing in which terminals live.
    fn note_missing(&mut self, records: &[Arc<Terminal>], me: &str) {
        let known = self.controller.known();
        let homes: BTreeSet<&str> = records
            .iter()
            .filter(|record| record.end().is_none())
            .filter_map(|record| match &record.home {
                TerminalPlace::Controller(id) if id != me && !known.controllers.contains_key(id) => Some(id.as_str()),
                _ => None,
            })
            .collect();
        self.missing.retain(|id, _| homes.contains(id.as_str()));
        for id in homes {
            self.missing.entry(id.to_owned()).or_insert_with(Instant::now);
        }
    }

    /// Since when terminals that run are missing in what their agents tell.
    fn note_unseen(&mut self, records: &[Arc<Terminal>]) {
        let seen = self.controller.terminals.seen();
        let is_unseen = |record: &&Arc<Terminal>| {
            let told = seen.get(&record.engine).filter(|_| record.home == TerminalPlace::Agent);
            record.end().is_none() && told.is_some_and(|views| views.iter().all(|view| view.id != record.id.as_str()))
        };
        let unseen: BTreeSet<&TerminalId> = records.iter().filter(is_unseen).map(|record| &record.id).collect();
        self.unseen.retain(|id, _| unseen.contains(id));
        for id in unseen {
            self.unseen.entry(id.clone()).or_insert_with(Instant::now);
        }
    }

    /// Marks a terminal as ended; whoever was faster was right too.
    async fn mark(&self, record: &Terminal, end: TerminalEnd) -> Result<()> {
        let controller = &self.controller;
        let transaction = {
            let known = controller.known();
            let key = keys::terminal(&record.id);
            let revision = known.revision_of(&key).unwrap_or_default();
            match record.is_ahead {
                // Nobody knew of it.
                true => Transaction::new().unchanged(key.clone(), revision).delete(key),
                false => end_of_record(controller, &known, record, &end, revision)?,
            }
        };
        match controller.store.commit(transaction).await {
            Ok(revision) => {
                controller.reached(revision).await;
                Ok(())
            }
            Err(Error::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends what an ended terminal has left running.
    async fn clean(&mut self, record: &Terminal) -> Result<()> {
        if self.asked.get(&record.id).is_some_and(|asked| asked.elapsed() < AGAIN) {
            return Ok(());
        }
        self.asked.insert(record.id.clone(), Instant::now());
        let Some(mut end) = record.end().cloned() else { return Ok(()) };
        if let Some(link) = self.controller.engines.link(&record.engine) {
            match ending::end(&link.engine, &record.container, &record.id, record.user.as_deref()).await {
                Ok(()) => {}
                Err(ending::EndingError::Walk(error)) => {
                    tracing::debug!(terminal = %record.id, %error, "what it left can't be ended yet");
                    return Ok(());
                }
                Err(error) => {
                    tracing::warn!(terminal = %record.id, container = %record.container, %error, "something is left of it");
                    end.reason.push_str(LEFT);
                }
            }
        } else if self.controller.known().world.engines().contains_key(&record.engine) {
            return Ok(());
        }
        end.has_leftovers = false;
        let key = keys::terminal(&record.id);
        let revision = self.controller.known().revision_of(&key).unwrap_or_default();
        let cleaned = Terminal { state: TerminalState::Ended(end), ..record.clone() };
        let transaction = Transaction::new().unchanged(key.clone(), revision).put_json(key, &cleaned)?;
        match self.controller.store.commit(transaction).await {
            Ok(_) | Err(Error::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Watches the agents that terminals live in.
    fn watch_agents(&mut self) {
        let engines: BTreeSet<EngineId> = {
            let known = self.controller.known();
            let live = known.terminals.values().filter(|record| record.end().is_none());
            live.filter(|record| record.home == TerminalPlace::Agent).map(|record| record.engine.clone()).collect()
        };
        for engine in engines.difference(&self.watched.clone()) {
            let Some(home) = self.controller.terminals.of_agent(engine) else { continue };
            self.watched.insert(engine.clone());
            self.watches.spawn(watch_agent(self.controller.clone(), engine.clone(), home));
        }
    }
}

/// Notes what lives in an agent, as long as that can be seen.
async fn watch_agent(controller: Controller, engine: EngineId, home: Arc<dyn TerminalHome>) -> EngineId {
    if let Ok(mut views) = home.watch().await {
        while let Some(views) = views.next().await {
            controller.terminals.seen().insert(engine.clone(), views);
            controller.terminals.seen_changed.notify_one();
        }
    }
    controller.terminals.seen().remove(&engine);
    tokio::time::sleep(LOOK).await;
    engine
}

fn told(view: &SessionView, has_leftovers: bool) -> TerminalEnd {
    let end = view.end.clone();
    TerminalEnd {
        exit_code: end.as_ref().and_then(|end| end.code),
        reason: end.as_ref().map(|end| end.reason.clone()).unwrap_or_default(),
        at: end.map_or(Timestamp(0), |end| end.at),
        has_leftovers,
    }
}

/// A role in the words of sessions.
pub(crate) fn role_of(role: TerminalRole) -> Role {
    match role {
        TerminalRole::Viewer => Role::Viewer,
        TerminalRole::Driver => Role::Driver,
    }
}
