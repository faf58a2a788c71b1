//! Requests about terminals: open, share, join, end. Whoever may change a container may open one in it; who comes to one
//! that is there is said by its record.

mod ahead;
mod changing;
mod opening;

pub(crate) use changing::end_of_record;
pub use opening::TerminalRequest;

use super::watching::{Watch, may_watch, workspace_of};
use super::{Actor, RequestError};
use crate::Controller;
use crate::known::Known;
use crate::terminals::{HomeError, Line, Looking, TerminalHome};
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use pierhead_model::{Terminal, TerminalPlace, TerminalRole};
use pierhead_terminal::{Right, SessionView, Visitor};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The most terminals that run at the same time.
pub const MOST_TERMINALS: usize = 1_000;
/// The most of them of one account: nobody shuts all others out.
pub const MOST_TERMINALS_OF_ONE: usize = 200;
/// The least time between two looks at rights that depend on the world.
const LOOK: Duration = Duration::from_secs(1);

/// A terminal and what is seen of it now.
#[derive(Debug, Clone, PartialEq)]
pub struct TerminalNow {
    /// Its record.
    pub record: Arc<Terminal>,
    /// How it stands in its home, as far as this controller sees that.
    pub view: Option<SessionView>,
    /// What the asker may in it; to look for who did not ask by name.
    pub right: Right,
}

/// The way to a terminal.
pub enum TerminalWay {
    /// Its frames.
    Line(Line, Looking),
    /// It lives in the controller whose API answers here.
    Elsewhere(String, Looking),
}

impl Controller {
    /// The terminals that somebody may come to, the newest first.
    #[must_use]
    pub fn terminals_of(&self, actor: &Actor) -> Vec<TerminalNow> {
        let mut theirs: Vec<(Arc<Terminal>, Right)> = {
            let known = self.known();
            let all = known.terminals.values();
            all.filter_map(|record| Some((Arc::clone(record), right_of(&known, actor, record, true)?))).collect()
        };
        theirs.sort_by(|(one, _), (other, _)| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
        theirs.into_iter().map(|(record, right)| TerminalNow { right, ..self.terminal_now(record) }).collect()
    }

    /// One terminal, if they may come to it.
    ///
    /// # Errors
    /// If there is none, as far as they may know.
    pub fn terminal(&self, actor: &Actor, id: &str) -> Result<TerminalNow, RequestError> {
        let record = {
            let known = self.known();
            let record = known.terminals.get(id);
            record.and_then(|record| Some((Arc::clone(record), right_of(&known, actor, record, true)?)))
        };
        let (record, right) = record.ok_or_else(|| missing(id))?;
        Ok(TerminalNow { right, ..self.terminal_now(record) })
    }

    pub(crate) fn terminal_now(&self, record: Arc<Terminal>) -> TerminalNow {
        let view = match &record.home {
            TerminalPlace::Controller(_) => self.terminals.here.sessions().get(record.id.as_str()),
            TerminalPlace::Agent => {
                let seen = self.terminals.seen();
                seen.get(&record.engine)
                    .and_then(|views| views.iter().find(|view| view.id == record.id.as_str()))
                    .cloned()
            }
        };
        TerminalNow { record, view, right: Right::Viewer }
    }

    /// The way to a terminal for somebody; `may_drive` is whether their role lets them change containers at all.
    ///
    /// # Errors
    /// If there is none as far as they may know, it has ended and is forgotten, its home can't be reached, or too many look.
    pub async fn join_terminal(&self, actor: &Actor, id: &str, may_drive: bool) -> Result<TerminalWay, RequestError> {
        let record = self.terminal(actor, id)?.record;
        let right = right_of(&self.known(), actor, &record, may_drive).ok_or_else(|| missing(id))?;
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
        let (mut changes, mut world) = (self.terminal_changes(), self.changes());
        let right = || {
            let known = self.known();
            let record = known.terminals.get(id)?;
            Some((right_of(&known, actor, record, may_drive)?, own_right(actor, record).is_none()))
        };
        let Some((before, by_workspace)) = right() else { return };
        while right().is_some_and(|(now, _)| now >= before) {
            let changed = async {
                tokio::select! {
                    changed = changes.changed() => changed.is_ok(),
                    changed = world.changed(), if by_workspace => {
                        // The world changes all the time.
                        tokio::time::sleep(LOOK).await;
                        changed.is_ok()
                    }
                }
            };
            if !changed.await {
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

    /// What was recorded of a terminal so far, for the pool itself; at most so many bytes of it.
    pub(crate) async fn recorded(&self, record: &Terminal, most: usize) -> Result<Vec<u8>, HomeError> {
        let home = match self.home_of(record) {
            Ok(home) => home,
            Err(Elsewhere::At(_)) => return Err(HomeError::Away("it lives in another controller".to_owned())),
            Err(Elsewhere::Nowhere(error)) => return Err(error),
        };
        let (mut pieces, mut whole) = (home.recording(&record.id).await?, Vec::new());
        while let Some(piece) = pieces.next().await {
            whole.extend_from_slice(&piece.map_err(|error| HomeError::Away(error.to_string()))?);
            if whole.len() > most {
                return Err(HomeError::Refused(format!("its recording has more than {most} bytes")));
            }
        }
        Ok(whole)
    }

    /// The address of the other controller that a running terminal lives in, if it lives in one.
    #[must_use]
    pub fn terminal_elsewhere(&self, record: &Terminal) -> Option<String> {
        match self.home_of(record) {
            Err(Elsewhere::At(url)) => Some(url),
            Ok(_) | Err(Elsewhere::Nowhere(_)) => None,
        }
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
fn right_of(known: &Known, actor: &Actor, record: &Terminal, may_drive: bool) -> Option<Right> {
    if record.is_ahead {
        return None;
    }
    let of_workspace = || {
        let watch = may_watch(known, actor, workspace_of(known, record)?)?;
        Some(if watch == Watch::Look { Right::Viewer } else { Right::Driver })
    };
    let right = own_right(actor, record).max(of_workspace())?;
    Some(if may_drive { right } else { Right::Viewer })
}

/// What the record of a terminal says.
fn own_right(actor: &Actor, record: &Terminal) -> Option<Right> {
    match record.guests.get(&actor.username) {
        _ if record.owner == actor.username || actor.may_change_all => Some(Right::Owner),
        Some(TerminalRole::Driver) => Some(Right::Driver),
        Some(TerminalRole::Viewer) => Some(Right::Viewer),
        None => None,
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
