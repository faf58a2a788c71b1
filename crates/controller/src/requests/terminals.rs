//! Requests about terminals: open, share, join, end. Whoever may change a container may open one in it; who comes to one
//! that is there is said by its record.

use super::containers::{Container, authorise};
use super::events::{Subject, append};
use super::{Actor, Idempotency, Once, RequestError};
use crate::known::Known;
use crate::terminals::{HomeError, Line, Looking, TerminalHome, TerminalOrder, role_of};
use crate::{Controller, keys};
use bytes::Bytes;
use futures_util::stream::BoxStream;
use pierhead_model::{
    Event, EventTag, Terminal, TerminalEnd, TerminalId, TerminalPlace, TerminalRole, TerminalState, Username,
};
use pierhead_store::{Error, Revision, Transaction};
use pierhead_terminal::{Right, SessionView, Visitor};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The most terminals that run at the same time.
pub const MOST_TERMINALS: usize = 1_000;
/// The most of them of one account: nobody shuts all others out.
pub const MOST_TERMINALS_OF_ONE: usize = 200;
/// The most guests of one terminal.
const MOST_GUESTS: usize = 100;
/// How often a change is tried while others change the same record.
const MOST_TRIES: usize = 20;
/// How long terminals may take to end when the controller stops.
const FAREWELL: Duration = Duration::from_secs(5);
/// Why they end then.
const STOPPED: &str = "the controller that kept the terminal was stopped, and the shell ended with it";
/// The best shell of a container, for who names no program.
const SHELL: [&str; 3] = ["/bin/sh", "-c", "[ -x /bin/bash ] && exec /bin/bash; exec /bin/sh"];

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

/// A terminal and what is seen of it now.
#[derive(Debug, Clone, PartialEq)]
pub struct TerminalNow {
    /// Its record.
    pub record: Arc<Terminal>,
    /// How it stands in its home, as far as this controller sees that.
    pub view: Option<SessionView>,
}

/// The way to a terminal.
pub enum TerminalWay {
    /// Its frames.
    Line(Line, Looking),
    /// It lives in the controller whose API answers here.
    Elsewhere(String, Looking),
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
            return self.known().terminals.get(&terminal).cloned().ok_or_else(|| missing(terminal.as_str()));
        }
        let container = self.find_container(id)?;
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
            self.new_record(&known, actor, container, id, request)?
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

    fn new_record(
        &self,
        known: &Known,
        actor: &Actor,
        container: &Container,
        id: TerminalId,
        request: &TerminalRequest,
    ) -> Result<Terminal, RequestError> {
        if !container.observed.state.is_running() {
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
            owner: actor.username.clone(),
            command: if request.command.is_empty() { shell() } else { request.command.clone() },
            tty: request.tty,
            user: request.user.clone(),
            columns: request.columns,
            rows: request.rows,
            home,
            guests: BTreeMap::new(),
            state: TerminalState::Opening,
            created_at: self.clock.now(),
        })
    }

    /// Asks the home; if the host's agent can't keep terminals, this controller does.
    async fn open_in_home(
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

    /// The terminals that somebody may come to, the newest first.
    #[must_use]
    pub fn terminals_of(&self, actor: &Actor) -> Vec<TerminalNow> {
        let records: Vec<Arc<Terminal>> = self.known().terminals.values().cloned().collect();
        let mut theirs: Vec<_> = records.into_iter().filter(|record| right_of(actor, record, true).is_some()).collect();
        theirs.sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
        theirs.into_iter().map(|record| self.terminal_now(record)).collect()
    }

    /// One terminal, if they may come to it.
    ///
    /// # Errors
    /// If there is none, as far as they may know.
    pub fn terminal(&self, actor: &Actor, id: &str) -> Result<TerminalNow, RequestError> {
        let record = self.known().terminals.get(id).cloned();
        let record = record.filter(|record| right_of(actor, record, true).is_some());
        record.map(|record| self.terminal_now(record)).ok_or_else(|| missing(id))
    }

    fn terminal_now(&self, record: Arc<Terminal>) -> TerminalNow {
        let view = match &record.home {
            TerminalPlace::Controller(_) => self.terminals.here.sessions().get(record.id.as_str()),
            TerminalPlace::Agent => {
                let seen = self.terminals.seen();
                seen.get(&record.engine)
                    .and_then(|views| views.iter().find(|view| view.id == record.id.as_str()))
                    .cloned()
            }
        };
        TerminalNow { record, view }
    }

    /// The way to a terminal for somebody; `may_drive` is whether their role lets them change containers at all.
    ///
    /// # Errors
    /// If there is none as far as they may know, it has ended and is forgotten, its home can't be reached, or too many look.
    pub async fn join_terminal(&self, actor: &Actor, id: &str, may_drive: bool) -> Result<TerminalWay, RequestError> {
        let record = self.terminal(actor, id)?.record;
        let right = right_of(actor, &record, may_drive).ok_or_else(|| missing(id))?;
        let looking = self.terminals.look(&actor.username).ok_or(RequestError::TooManyViewers)?;
        let home = match self.home_of(&record) {
            Ok(home) => home,
            Err(Elsewhere::At(url)) => return Ok(TerminalWay::Elsewhere(url, looking)),
            Err(Elsewhere::Nowhere(error)) => return Err(of_home(&record, error)),
        };
        let visitor = Visitor { username: actor.username.to_string(), right };
        let line = home.join(&record.id, &visitor).await.map_err(|error| of_home(&record, error))?;
        Ok(TerminalWay::Line(line, looking))
    }

    /// Returns when somebody may less in a terminal than they may now, or it is forgotten.
    pub async fn terminal_right_lost(&self, actor: &Actor, id: &str, may_drive: bool) {
        let mut changes = self.terminal_changes();
        let right = || {
            let known = self.known();
            known.terminals.get(id).and_then(|record| right_of(actor, record, may_drive))
        };
        let before = right();
        while before.is_some() && right() >= before {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// What was recorded of a terminal.
    ///
    /// # Errors
    /// As [`Controller::join_terminal`]; the address of the controller that has it, if that is another one.
    pub async fn terminal_recording(
        &self,
        actor: &Actor,
        id: &str,
    ) -> Result<Result<BoxStream<'static, std::io::Result<Bytes>>, String>, RequestError> {
        let record = self.terminal(actor, id)?.record;
        match self.home_of(&record) {
            Ok(home) => home.recording(&record.id).await.map(Ok).map_err(|error| of_home(&record, error)),
            Err(Elsewhere::At(url)) => Ok(Err(url)),
            Err(Elsewhere::Nowhere(error)) => Err(of_home(&record, error)),
        }
    }

    /// Ends a terminal, with everything that it started; one that has ended is forgotten.
    ///
    /// # Errors
    /// If there is none as far as they may know, they are a guest, or its home can't be reached.
    pub async fn end_terminal(&self, actor: &Actor, id: &str) -> Result<(), RequestError> {
        let record = self.own_terminal(actor, id)?;
        let key = keys::terminal(&record.id);
        if record.end().is_some_and(|end| !end.has_leftovers) {
            let revision = self.store.commit(Transaction::new().delete(key)).await?;
            self.reached(revision).await;
            return Ok(());
        }
        let reason = format!("{} ended it", actor.username);
        let end = TerminalEnd { exit_code: None, reason, at: self.clock.now(), has_leftovers: false };
        match self.home_of(&record) {
            Ok(home) => home.end(&record.id, &end.reason).await.map_err(|error| of_home(&record, error))?,
            // That controller sees it in the record, and ends it.
            Err(Elsewhere::At(_)) => {}
            Err(Elsewhere::Nowhere(error)) => return Err(of_home(&record, error)),
        }
        self.change_terminal(&record.id, |known, terminal| {
            let Some(record) = terminal.filter(|record| record.end().is_none()) else { return Ok(None) };
            let revision = known.revision_of(&keys::terminal(&record.id)).unwrap_or_default();
            Ok(Some(end_of_record_by(self, known, record, &end, revision, Some(&actor.username))?))
        })
        .await
    }

    /// Lets an account come to a terminal, or (`None`) not any more. That the account exists is the caller's to check.
    ///
    /// # Errors
    /// If there is no such terminal as far as they may know, it has ended, they are a guest, or it has too many guests.
    pub async fn share_terminal(
        &self,
        actor: &Actor,
        id: &str,
        guest: &Username,
        role: Option<TerminalRole>,
    ) -> Result<(), RequestError> {
        let record = self.own_terminal(actor, id)?;
        self.change_terminal(&record.id, |known, terminal| {
            let record = terminal.ok_or_else(|| missing(id))?;
            self.shared(known, actor, record, guest, role)
        })
        .await?;
        if let Ok(home) = self.home_of(&record) {
            // Lines whose right is lost are closed by whoever carries them, whatever the home says.
            let _away = home.grant(&record.id, guest, role.map(role_of)).await;
        }
        Ok(())
    }

    fn shared(
        &self,
        known: &Known,
        actor: &Actor,
        record: &Terminal,
        guest: &Username,
        role: Option<TerminalRole>,
    ) -> Result<Option<Transaction>, RequestError> {
        if record.end().is_some() {
            return Err(over(record));
        }
        if *guest == record.owner {
            return Err(RequestError::Invalid {
                field: "username",
                expected: "another account than the owner's".to_owned(),
            });
        }
        let mut changed = record.clone();
        let before = match role {
            Some(role) => changed.guests.insert(guest.clone(), role),
            None => match changed.guests.remove(guest) {
                None => {
                    return Err(RequestError::NotFound { what: "guest", id: guest.to_string(), replaced_by: None });
                }
                removed => removed,
            },
        };
        if before == role {
            return Ok(None);
        }
        if changed.guests.len() > MOST_GUESTS {
            return Err(RequestError::Invalid {
                field: "username",
                expected: format!("one of at most {MOST_GUESTS} guests"),
            });
        }
        let (kind, word) = match role {
            Some(role) => ("terminal-shared", format!(", role={}", role.as_str())),
            None => ("terminal-unshared", String::new()),
        };
        let message = format!("id={}, with={guest}{word}", record.id);
        let event = self.event(
            kind,
            message,
            EventTag::Security,
            Some(&actor.username),
            Subject::engine(known, &record.engine),
        );
        let event = Event { app: record.app.clone(), ..event };
        let key = keys::terminal(&record.id);
        let revision = known.revision_of(&key).unwrap_or_default();
        append(Transaction::new().unchanged(key.clone(), revision).put_json(key, &changed)?, &event).map(Some)
    }

    /// Makes a change of a record; done anew if somebody was faster.
    async fn change_terminal(
        &self,
        id: &TerminalId,
        change: impl Fn(&Known, Option<&Terminal>) -> Result<Option<Transaction>, RequestError>,
    ) -> Result<(), RequestError> {
        for _ in 0..MOST_TRIES {
            let transaction = {
                let known = self.known();
                change(&known, known.terminals.get(id).map(|record| &**record))?
            };
            let Some(transaction) = transaction else { return Ok(()) };
            match self.store.commit(transaction).await {
                Ok(revision) => {
                    self.reached(revision).await;
                    return Ok(());
                }
                Err(Error::Conflict { .. }) => self.catch_up().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(RequestError::Store(Error::Conflict { key: keys::terminal(id) }))
    }

    /// A terminal that is theirs to end and share.
    fn own_terminal(&self, actor: &Actor, id: &str) -> Result<Arc<Terminal>, RequestError> {
        let record = self.terminal(actor, id)?.record;
        if record.owner == actor.username || actor.may_change_all {
            return Ok(record);
        }
        Err(RequestError::Forbidden("only who opened a terminal, or an administrator, may end or share it".to_owned()))
    }

    fn home_of(&self, record: &Terminal) -> Result<Arc<dyn TerminalHome>, Elsewhere> {
        let away = |why: &str| Elsewhere::Nowhere(HomeError::Away(why.to_owned()));
        match &record.home {
            TerminalPlace::Agent => {
                self.terminals.of_agent(&record.engine).ok_or_else(|| away("the host's agent has no tunnel open"))
            }
            TerminalPlace::Controller(id) if id == self.controllers.me() => {
                Ok(Arc::clone(&self.terminals.here) as Arc<dyn TerminalHome>)
            }
            TerminalPlace::Controller(_) if record.end().is_some() => Err(Elsewhere::Nowhere(HomeError::Gone)),
            TerminalPlace::Controller(id) => match self.known().controllers.get(id) {
                Some(controller) => Err(Elsewhere::At(controller.url().to_owned())),
                None => Err(away("the controller that keeps it does not answer")),
            },
        }
    }

    /// Ends the terminals that live here, in a bounded time.
    pub(crate) async fn end_terminals(&self) {
        let ended = async {
            self.terminals.here.sessions().end_all(STOPPED).await;
            // The keeper writes it down.
            let mut changes = self.terminal_changes();
            let me = self.controllers.me();
            while self.known().terminals.values().any(|record| record.lives_in(me) && record.end().is_none()) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        // What is left is found and ended by who leads next.
        let _late = tokio::time::timeout(FAREWELL, ended).await;
    }

    /// Tells of every change of the records of terminals, without saying which.
    pub(crate) fn terminal_changes(&self) -> watch::Receiver<u64> {
        self.shared.terminal_changes()
    }

    /// How many viewers of terminals come through this controller.
    #[must_use]
    pub fn terminal_viewers(&self) -> u64 {
        self.terminals.viewers()
    }
}

/// Where a terminal is that does not live here.
enum Elsewhere {
    At(String),
    Nowhere(HomeError),
}

/// What somebody may in a terminal; `None` if it is as if it were not there. Drivers must be let change containers.
fn right_of(actor: &Actor, record: &Terminal, may_drive: bool) -> Option<Right> {
    let right = match record.guests.get(&actor.username) {
        _ if record.owner == actor.username || actor.may_change_all => Right::Owner,
        Some(TerminalRole::Driver) => Right::Driver,
        Some(TerminalRole::Viewer) => Right::Viewer,
        None => return None,
    };
    Some(if may_drive { right } else { Right::Viewer })
}

fn check_numbers(known: &Known, owner: &Username) -> Result<(), RequestError> {
    let live = || known.terminals.values().filter(|record| record.end().is_none());
    if live().filter(|record| record.owner == *owner).count() >= MOST_TERMINALS_OF_ONE {
        return Err(RequestError::TooManyTerminalsOfOne);
    }
    if live().count() >= MOST_TERMINALS {
        return Err(RequestError::TooManyTerminals);
    }
    Ok(())
}

fn order_of(record: &Terminal, request: &TerminalRequest) -> TerminalOrder {
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

fn missing(id: &str) -> RequestError {
    RequestError::NotFound { what: "terminal", id: id.chars().take(64).collect(), replaced_by: None }
}

fn over(record: &Terminal) -> RequestError {
    let reason = record.end().map(|end| end.reason.clone()).unwrap_or_default();
    RequestError::TerminalOver { id: record.id.clone(), reason }
}

fn of_home(record: &Terminal, error: HomeError) -> RequestError {
    match error {
        HomeError::Gone if record.end().is_some() => over(record),
        error => RequestError::TerminalHome(error),
    }
}

/// The end of a terminal that nobody asked for, with its event.
pub(crate) fn end_of_record(
    controller: &Controller,
    known: &Known,
    record: &Terminal,
    end: &TerminalEnd,
    revision: Revision,
) -> pierhead_store::Result<Transaction> {
    end_of_record_by(controller, known, record, end, revision, None)
}

fn end_of_record_by(
    controller: &Controller,
    known: &Known,
    record: &Terminal,
    end: &TerminalEnd,
    revision: Revision,
    actor: Option<&Username>,
) -> pierhead_store::Result<Transaction> {
    let ended = Terminal { state: TerminalState::Ended(end.clone()), ..record.clone() };
    let code = end.exit_code.map(|code| format!(", code={code}")).unwrap_or_default();
    let why = if end.reason.is_empty() { String::new() } else { format!(": {}", end.reason) };
    let message = format!("id={}{code}{why}", record.id);
    let container = super::containers::find(known, record.container.as_str()).ok();
    let subject = container.map(|container| Subject::container(known, &container));
    let subject = subject.unwrap_or_else(|| Subject::engine(known, &record.engine));
    let event = controller.event("terminal-ended", message, EventTag::Cluster, actor, subject);
    let event = Event { app: record.app.clone(), ..event };
    let key = keys::terminal(&record.id);
    let put = Transaction::new().unchanged(key.clone(), revision).put_json(key, &ended)?;
    put.put_json(keys::event(&event.id), &event)
}
