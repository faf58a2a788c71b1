//! Opening terminals: the record first, then the process in its home, then the event.

use super::{missing, of_home};
use crate::known::Known;
use crate::requests::containers::{Container, authorise};
use crate::requests::events::{Subject, append};
use crate::requests::{Actor, Idempotency, MOST_TERMINALS, MOST_TERMINALS_OF_ONE, Once, RequestError};
use crate::terminals::{HomeError, TerminalHome, TerminalOrder};
use crate::{Controller, keys};
use pierhead_model::{Event, EventTag, Terminal, TerminalId, TerminalPlace, TerminalState, Username};
use pierhead_store::{Revision, Transaction};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The best shell of a container, for who names no program.
const SHELL: [&str; 3] = ["/bin/sh", "-c", "[ -x /bin/bash ] && exec /bin/bash; exec /bin/sh"];

/// Why nothing can be begun in a workspace now.
const STANDS_STILL: &str = "stands still until whoever leads the class lets it go on";

/// A terminal that shall be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalRequest {
    /// The program and its arguments; the best shell of the container if there are none.
    pub command: Vec<String>,
    /// Whether it has a pseudo-terminal.
    pub tty: bool,
    /// As whom it runs; the container's own user without.
    pub user: Option<String>,
    /// Where it runs; the container's own directory without.
    pub working_dir: Option<String>,
    /// What people shall call it; the container's name without.
    pub name: Option<String>,
    /// Its width, in cells.
    pub columns: u16,
    /// Its height, in cells.
    pub rows: u16,
}

impl TerminalRequest {
    /// The best shell, for who asks for nothing else.
    pub(super) fn plain() -> Self {
        let (columns, rows) = (80, 24);
        Self { command: Vec::new(), tty: true, user: None, working_dir: None, name: None, columns, rows }
    }

    /// Whether any shell of the container would do.
    fn is_plain(&self) -> bool {
        self.command.is_empty() && self.tty && self.user.is_none() && self.working_dir.is_none()
    }
}

impl Controller {
    /// Opens a terminal in a running container. A retried request finds the one that it opened before.
    ///
    /// # Errors
    /// If there is no such container, it does not run, the actor may not, there are too many terminals, or its host can't.
    pub async fn open_terminal(
        &self,
        actor: &Actor,
        id: &str,
        request: &TerminalRequest,
        key: Option<&Idempotency>,
    ) -> Result<Arc<Terminal>, RequestError> {
        let once = key.map(|key| self.once(&actor.username, key));
        let terminal = match key {
            Some(key) => self.terminal_of(&actor.username, key),
            None => TerminalId::parse(self.ids.unique()).expect("digits and letters are an id"),
        };
        if let Some(once) = &once
            && once.was_done().await?
        {
            self.catch_up().await?;
            return self.opened_as(&terminal).ok_or_else(|| missing(terminal.as_str()));
        }
        let container = self.find_container(id)?;
        if request.is_plain()
            && let Some(given) = self.give_shell_ahead(actor, &container, request, &terminal, once.as_ref()).await?
        {
            return Ok(given);
        }
        let (mut record, mut revision) = self.intend(actor, &container, terminal, request, once.as_ref()).await?;
        let order = order_of(&record, request);
        if let Err(error) = self.open_in_home(&mut record, &order, &mut revision).await {
            let key = keys::terminal(&record.id);
            self.store.commit(Transaction::new().delete(key)).await?;
            return Err(of_home(&record, error));
        }
        record.state = TerminalState::Running;
        self.opened(record, revision, actor, &container).await
    }

    /// Notes what is about to be opened. Limits are looked at and used up in one go.
    async fn intend(
        &self,
        actor: &Actor,
        container: &Container,
        id: TerminalId,
        request: &TerminalRequest,
        once: Option<&Once>,
    ) -> Result<(Terminal, Revision), RequestError> {
        let _turn = self.terminals.opening.lock().await;
        let record = {
            let known = self.known();
            authorise(&known, actor, container)?;
            check_numbers(&known, &actor.username)?;
            self.new_record(&known, &actor.username, container, id, request)?
        };
        let key = keys::terminal(&record.id);
        let mut intent = Transaction::new().absent(key.clone()).put_json(key, &record)?;
        if let Some(once) = once {
            intent = once.remember(intent)?;
        }
        let revision = self.store.commit(intent).await?;
        self.reached(revision).await;
        Ok((record, revision))
    }

    /// The id of the terminal that a request with a key opens.
    fn terminal_of(&self, actor: &Username, key: &Idempotency) -> TerminalId {
        let fingerprint = self.sealer.fingerprint("terminal", &key.of(actor));
        let digits: String = fingerprint.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        TerminalId::parse(digits).expect("digits and letters are an id")
    }

    pub(super) fn new_record(
        &self,
        known: &Known,
        owner: &Username,
        container: &Container,
        id: TerminalId,
        request: &TerminalRequest,
    ) -> Result<Terminal, RequestError> {
        let workspace = container.workspace.as_ref().and_then(|id| known.world.workspaces().get(id));
        if let Some(workspace) = workspace.filter(|workspace| workspace.stands_still()) {
            return Err(RequestError::WorkspaceState { id: workspace.id.to_string(), why: STANDS_STILL });
        }
        if !container.observed.state.is_running() || rests(known, container) {
            return Err(RequestError::NotRunning { container: container.observed.name.clone() });
        }
        let app = container.slot.as_ref().and_then(|slot| known.world.apps().get(&slot.app));
        let home = match self.terminals.of_agent(&container.engine) {
            Some(_) => TerminalPlace::Agent,
            None => TerminalPlace::Controller(self.controllers.me().to_owned()),
        };
        let shell = || SHELL.map(str::to_owned).to_vec();
        Ok(Terminal {
            id,
            name: request.name.clone().unwrap_or_else(|| container.observed.name.clone()),
            container: container.observed.id.clone(),
            engine: container.engine.clone(),
            app: app.map(|app| app.name.to_string()),
            owner: owner.clone(),
            command: if request.command.is_empty() { shell() } else { request.command.clone() },
            tty: request.tty,
            user: request.user.clone(),
            columns: request.columns,
            rows: request.rows,
            home,
            guests: BTreeMap::new(),
            state: TerminalState::Opening,
            is_ahead: false,
            given_as: None,
            created_at: self.clock.now(),
        })
    }

    /// Asks the home; if the host's agent can't keep terminals, this controller does.
    pub(super) async fn open_in_home(
        &self,
        record: &mut Terminal,
        order: &TerminalOrder,
        revision: &mut Revision,
    ) -> Result<(), HomeError> {
        if record.home == TerminalPlace::Agent {
            let home = self.terminals.of_agent(&record.engine);
            let home = home.ok_or_else(|| HomeError::Away("its agent has no tunnel open".to_owned()))?;
            match home.open(order).await {
                Err(HomeError::Unable) => {}
                done => return done,
            }
            record.home = TerminalPlace::Controller(self.controllers.me().to_owned());
            let key = keys::terminal(&record.id);
            let moved = Transaction::new().unchanged(key.clone(), *revision).put_json(key, record);
            let moved = async { self.store.commit(moved?).await }.await;
            *revision = moved.map_err(|error| HomeError::Refused(error.to_string()))?;
        }
        self.terminals.here.open(order).await
    }

    /// Notes that a terminal runs, and tells of it. One that can't be noted is ended.
    async fn opened(
        &self,
        record: Terminal,
        revision: Revision,
        actor: &Actor,
        container: &Container,
    ) -> Result<Arc<Terminal>, RequestError> {
        let committed = async {
            let transaction = {
                let known = self.known();
                let subject = Subject::container(&known, container);
                let message = format!("id={}, container={}", record.id, container.observed.name);
                let tag = EventTag::Cluster;
                let event = self.event("terminal-opened", message, tag, Some(&actor.username), subject);
                let event = Event { app: record.app.clone(), ..event };
                let key = keys::terminal(&record.id);
                let put = Transaction::new().unchanged(key.clone(), revision).put_json(key, &record)?;
                append(put, &event)?
            };
            Ok::<_, RequestError>(self.store.commit(transaction).await?)
        };
        match committed.await {
            Ok(revision) => {
                self.reached(revision).await;
                Ok(Arc::new(record))
            }
            Err(error) => {
                if let Ok(home) = self.home_of(&record) {
                    let _away = home.end(&record.id, "it could not be noted").await;
                }
                Err(error)
            }
        }
    }
}

/// Whether a container is of a workspace at rest, in which nothing is opened.
pub(super) fn rests(known: &Known, container: &Container) -> bool {
    container.workspace.as_ref().is_some_and(|id| known.world.is_at_rest(id))
}

pub(super) fn check_numbers(known: &Known, owner: &Username) -> Result<(), RequestError> {
    let live = || known.terminals.values().filter(|record| record.end().is_none());
    if live().filter(|record| record.owner == *owner && !record.is_ahead).count() >= MOST_TERMINALS_OF_ONE {
        return Err(RequestError::TooManyTerminalsOfOne);
    }
    if live().count() >= MOST_TERMINALS {
        return Err(RequestError::TooManyTerminals);
    }
    Ok(())
}

pub(super) fn order_of(record: &Terminal, request: &TerminalRequest) -> TerminalOrder {
    TerminalOrder {
        id: record.id.clone(),
        engine: record.engine.clone(),
        container: record.container.clone(),
        command: record.command.clone(),
        tty: record.tty,
        user: record.user.clone(),
        working_dir: request.working_dir.clone(),
        columns: record.columns,
        rows: record.rows,
        title: record.name.clone(),
    }
}
