//! Requests about workspaces: open one, and everything that people may want of one that is there. What they want is
//! written down; the loop does it.

mod claims;
mod opening;

pub(crate) use claims::Claims;
pub use opening::{OpenWorkspace, WorkspaceBeginning};

use super::commit::Made;
use super::environments::may_open;
use super::saves::touch;
use super::{Actor, Idempotency, RequestError, events};
use crate::known::Known;
use crate::{Controller, keys};
use pierhead_model::{
    Environment, EventTag, SaveCause, SaveId, Standstill, TerminalRole, Timestamp, Username, Visibility, Workspace,
    WorkspaceId, WorkspaceOrigin, WorkspaceRight, WorkspaceStage, WorkspaceWish,
};
use pierhead_planner::{WorkspaceStatus, workspace_ends_at, workspace_status, workspace_statuses};
use pierhead_store::Transaction;

/// The most workspaces of one account that have not ended.
pub const MOST_WORKSPACES_OF_ONE: usize = 50;
/// The most guests of one workspace.
const MOST_GUESTS: usize = 100;
/// The most that an end can lie ahead, in minutes: a week.
const LONGEST_MINUTES: u64 = 7 * 24 * 60;
/// The shortest time between two resets or starts of a workspace, in milliseconds.
const PACE_MS: u64 = 2_000;

/// A workspace, and what it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkspaceNow {
    /// Its record.
    pub record: Workspace,
    /// What it is.
    pub status: WorkspaceStatus,
    /// What the asker may in it.
    pub right: WorkspaceRight,
}

/// What can be wanted of a workspace that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkspaceChange {
    /// Its end is put off by so many minutes.
    Extend(u32),
    /// It is saved, under a name if one is given, and runs on.
    Save(Option<String>),
    /// It stands still: its containers are frozen until it is let go on.
    Pause,
    /// It goes on.
    Resume,
    /// It is saved, and nothing of it runs.
    Stop,
    /// It runs again: where it was, or from a certain save.
    Start(Option<SaveId>),
    /// It begins anew from its environment, as that is described now; what was in it is saved before.
    Reset,
    /// It is saved, and ends.
    End,
    /// It ends with what is in it.
    Discard,
    /// Somebody may come to it, or (`None`) not any more. That the account exists is the caller's to check.
    Share(Username, Option<TerminalRole>),
}

impl WorkspaceChange {
    /// The type of its event.
    fn event(&self) -> &'static str {
        match self {
            Self::Extend(_) => "extend-workspace",
            Self::Save(_) => "ask-save",
            Self::Pause => "pause-workspace",
            Self::Resume => "resume-workspace",
            Self::Stop => "ask-stop",
            Self::Start(_) => "start-workspace",
            Self::Reset => "reset-workspace",
            Self::End | Self::Discard => "end-workspace",
            Self::Share(_, Some(_)) => "share-workspace",
            Self::Share(_, None) => "unshare-workspace",
        }
    }

    /// What one must be to ask for it.
    fn needs(&self) -> WorkspaceRight {
        match self {
            Self::Extend(_) | Self::Save(_) => WorkspaceRight::Driver,
            _ => WorkspaceRight::Owner,
        }
    }
}

impl Controller {
    /// The workspaces that somebody may come to, the newest first.
    #[must_use]
    pub fn workspaces_of(&self, actor: &Actor) -> Vec<WorkspaceNow> {
        let (known, now) = (self.known(), self.clock.now());
        let mut statuses = workspace_statuses(&known.world, now);
        let theirs = known.world.workspaces().values().filter_map(|record| {
            let right = right_of(actor, record)?;
            Some(WorkspaceNow { record: record.clone(), status: statuses.remove(&record.id)?, right })
        });
        let mut theirs: Vec<WorkspaceNow> = theirs.collect();
        theirs.sort_by(|one, other| {
            (other.record.created_at, &other.record.id).cmp(&(one.record.created_at, &one.record.id))
        });
        theirs
    }

    /// One workspace, if they may come to it.
    ///
    /// # Errors
    /// If there is none, as far as they may know.
    pub fn workspace(&self, actor: &Actor, id: &str) -> Result<WorkspaceNow, RequestError> {
        let (known, now) = (self.known(), self.clock.now());
        let (record, right) = find(&known, actor, id)?;
        let status = workspace_status(&known.world, &record.id, now).ok_or_else(|| missing(id))?;
        Ok(WorkspaceNow { record: record.clone(), status, right })
    }

    /// Writes down what is wanted of a workspace; once, if the request has a key.
    ///
    /// # Errors
    /// If there is none as far as they may know, they may not, or it can't be as things stand.
    pub async fn change_workspace(
        &self,
        actor: &Actor,
        id: &str,
        change: &WorkspaceChange,
        asked: Option<&Idempotency>,
    ) -> Result<(), RequestError> {
        let read = || async move {
            match change {
                WorkspaceChange::Start(Some(save)) => self.save_for(actor, save).await.map(Some),
                _ => Ok(None),
            }
        };
        let once = self.once_if(&actor.username, asked);
        let committed = self.commit_reading(once.as_ref(), read, |known, now, save| {
            let (record, right) = find(known, actor, id)?;
            if right < change.needs() {
                return Err(forbidden(change.needs()));
            }
            let wanted = Wanted { actor, known, record, now };
            let Some(changed) = wanted.changed(change)? else { return Ok(Made::Already(())) };
            let key = keys::workspace(&record.id);
            let revision = known.revision_of(&key).unwrap_or_default();
            let transaction = Transaction::new().unchanged(key.clone(), revision).put_json(key, &changed)?;
            let transaction = touch(transaction, save)?;
            let transaction = self.with_workspace_event(transaction, actor, &changed, change)?;
            Ok(Made::change(transaction, ()))
        });
        committed.await.map(drop)
    }

    fn with_workspace_event(
        &self,
        transaction: Transaction,
        actor: &Actor,
        workspace: &Workspace,
        change: &WorkspaceChange,
    ) -> Result<Transaction, RequestError> {
        let more = match change {
            WorkspaceChange::Extend(minutes) => format!(", minutes={minutes}"),
            WorkspaceChange::Start(Some(save)) => format!(", save={save}"),
            WorkspaceChange::Discard => ", without saving".to_owned(),
            WorkspaceChange::Share(guest, Some(role)) => format!(", with={guest}, role={}", role.as_str()),
            WorkspaceChange::Share(guest, None) => format!(", with={guest}"),
            _ => String::new(),
        };
        self.with_event_of_workspace(transaction, change.event(), &more, actor, workspace)
    }

    pub(super) fn with_event_of_workspace(
        &self,
        transaction: Transaction,
        kind: &str,
        more: &str,
        actor: &Actor,
        workspace: &Workspace,
    ) -> Result<Transaction, RequestError> {
        let Workspace { id, name, environment, .. } = workspace;
        let message = format!("workspace={id}, name={name}, environment={environment}{more}");
        let subject = events::Subject::default();
        let event = self.event(kind, message, EventTag::Cluster, Some(&actor.username), subject);
        events::append(transaction, &event)
    }
}

/// A workspace that something is wanted of.
struct Wanted<'a> {
    actor: &'a Actor,
    known: &'a Known,
    record: &'a Workspace,
    now: Timestamp,
}

impl Wanted<'_> {
    /// The record as it shall be; `None` if it is so already.
    fn changed(&self, change: &WorkspaceChange) -> Result<Option<Workspace>, RequestError> {
        let mut next = self.record.clone();
        let is_ended = matches!(next.wish, WorkspaceWish::Ended | WorkspaceWish::Discarded);
        match change {
            WorkspaceChange::End if is_ended => return Ok(None),
            WorkspaceChange::End => next.wish = WorkspaceWish::Ended,
            WorkspaceChange::Discard => next.wish = WorkspaceWish::Discarded,
            WorkspaceChange::Share(guest, role) => self.share(&mut next, guest, *role)?,
            _ if is_ended => return Err(self.refuse("has ended")),
            WorkspaceChange::Stop => next.wish = WorkspaceWish::Saved,
            WorkspaceChange::Extend(minutes) => self.extend(&mut next, *minutes)?,
            WorkspaceChange::Save(name) => {
                self.must_stay_up()?;
                next.save_name = self.save_name(name.as_ref())?;
                next.saves_asked += 1;
                return Ok(Some(next));
            }
            WorkspaceChange::Pause => {
                self.must_not_stop("is stopped")?;
                next.standstill = Some(Standstill::Lasts);
            }
            WorkspaceChange::Resume if next.stands_still() => next.standstill = Some(Standstill::Until(self.now)),
            WorkspaceChange::Resume => return Ok(None),
            WorkspaceChange::Start(save) => self.start(&mut next, save.as_ref())?,
            WorkspaceChange::Reset => {
                self.pace()?;
                let environment = self.known.world.environments().get(&next.environment);
                // Of one that is not open to its owner any more it stays what it was.
                if let Some(environment) = environment.filter(|environment| self.is_open(environment)) {
                    next.version = environment.version;
                    next.spec = environment.spec.clone();
                }
                self.run(&mut next, WorkspaceOrigin::Environment);
            }
        }
        Ok(Some(next).filter(|next| next != self.record))
    }

    /// What the next save is called, which is one for all who asked before it began.
    fn save_name(&self, asked: Option<&String>) -> Result<Option<String>, RequestError> {
        let assignment = self.known.world.workspace_assignments().get(&self.record.id);
        let is_owed = assignment.is_some_and(|assignment| assignment.owes_save(self.record));
        match (self.record.save_name.as_ref().filter(|_| is_owed), asked) {
            (Some(earlier), Some(name)) if earlier != name => {
                Err(self.refuse("was asked for a save of another name, which has not begun; try again when it has"))
            }
            (earlier, name) => Ok(name.or(earlier).cloned()),
        }
    }

    /// Whether the environment is open to whose workspace it is, and to who asks.
    fn is_open(&self, environment: &Environment) -> bool {
        let owner = &self.record.owner;
        let is_open_to_owner = environment.visibility == Visibility::Shared || environment.owner == *owner;
        may_open(self.actor, environment) && (is_open_to_owner || self.actor.username == *owner)
    }

    fn refuse(&self, why: &'static str) -> RequestError {
        RequestError::WorkspaceState { id: self.record.id.to_string(), why }
    }

    fn pace(&self) -> Result<(), RequestError> {
        let since = self.now.since(self.record.asked_at);
        if since >= PACE_MS {
            return Ok(());
        }
        Err(RequestError::TooOften { what: "starts and resets", seconds: (PACE_MS - since).div_ceil(1000) })
    }

    fn must_be_up(&self) -> Result<(), RequestError> {
        let assignment = self.known.world.workspace_assignments().get(&self.record.id);
        let is_up = assignment.is_some_and(|assignment| {
            assignment.is_live() && assignment.ready_at.is_some() && assignment.run == self.record.run
        });
        if is_up { Ok(()) } else { Err(self.refuse("does not run")) }
    }

    fn must_stay_up(&self) -> Result<(), RequestError> {
        self.must_not_stop("is being stopped, and saved by that")?;
        self.must_be_up()
    }

    fn must_not_stop(&self, why: &'static str) -> Result<(), RequestError> {
        let assignment = self.known.world.workspace_assignments().get(&self.record.id);
        let stops = assignment.is_some_and(|assignment| is_stopping(&assignment.stage));
        if stops || !self.record.wants_to_run() { Err(self.refuse(why)) } else { Ok(()) }
    }

    fn run(&self, next: &mut Workspace, origin: WorkspaceOrigin) {
        next.wish = WorkspaceWish::Running;
        next.run += 1;
        next.origin = origin;
        next.asked_at = self.now;
        next.extended_minutes = 0;
        next.standstill = None;
    }

    /// One that is wanted, and there, stays as it is.
    fn start(&self, next: &mut Workspace, save: Option<&SaveId>) -> Result<(), RequestError> {
        let assignment = self.known.world.workspace_assignments().get(&next.id);
        let is_over = assignment.is_some_and(|assignment| {
            let is_over = matches!(assignment.stage, WorkspaceStage::Over { .. }) || is_stopping(&assignment.stage);
            is_over && assignment.run == next.run
        });
        match save {
            Some(save) => {
                self.pace()?;
                self.run(next, WorkspaceOrigin::Save(save.clone()));
            }
            None if next.wish == WorkspaceWish::Running && !is_over => {}
            None => self.run(next, WorkspaceOrigin::Newest),
        }
        Ok(())
    }

    fn extend(&self, next: &mut Workspace, minutes: u32) -> Result<(), RequestError> {
        self.must_be_up()?;
        next.extended_minutes = next.extended_minutes.saturating_add(minutes);
        let assignment = self.known.world.workspace_assignments().get(&next.id);
        let ends_at = assignment.and_then(|assignment| workspace_ends_at(next, assignment));
        match ends_at {
            Some(ends_at) if ends_at.since(self.now) > LONGEST_MINUTES * 60_000 => Err(RequestError::Invalid {
                field: "minutes",
                expected: "so few that the end lies at most a week ahead".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn share(&self, next: &mut Workspace, guest: &Username, role: Option<TerminalRole>) -> Result<(), RequestError> {
        let must = |expected: &str| RequestError::Invalid { field: "username", expected: expected.to_owned() };
        if *guest == next.owner {
            return Err(must("another account than the owner's"));
        }
        match role {
            Some(role) => drop(next.guests.insert(guest.clone(), role)),
            None if next.guests.remove(guest).is_some() => {}
            None => {
                return Err(RequestError::NotFound { what: "guest", id: guest.to_string(), replaced_by: None });
            }
        }
        if next.guests.len() > MOST_GUESTS { Err(must("one of at most 100 guests")) } else { Ok(()) }
    }
}

/// Whether what is there goes, and is saved by that.
fn is_stopping(stage: &WorkspaceStage) -> bool {
    matches!(stage, WorkspaceStage::Leaving(_) | WorkspaceStage::Saving { cause: SaveCause::Stops(_), .. })
}

/// What somebody may in a workspace; `None` if it is as if it were not there.
pub(crate) fn right_of(actor: &Actor, workspace: &Workspace) -> Option<WorkspaceRight> {
    if workspace.wish == WorkspaceWish::Warm {
        return None;
    }
    if actor.may_change_all { Some(WorkspaceRight::Owner) } else { workspace.right_of(&actor.username) }
}

fn find<'a>(known: &'a Known, actor: &Actor, id: &str) -> Result<(&'a Workspace, WorkspaceRight), RequestError> {
    let id = WorkspaceId::parse(id).map_err(|_| missing(id))?;
    let found = known.world.workspaces().get(&id);
    let found = found.and_then(|record| Some((record, right_of(actor, record)?)));
    found.ok_or_else(|| missing(id.as_str()))
}

pub(crate) fn forbidden(needs: WorkspaceRight) -> RequestError {
    let words = match needs {
        WorkspaceRight::Owner => "only a workspace's owner, or an administrator, may do that",
        WorkspaceRight::Driver | WorkspaceRight::Viewer => "viewers of a workspace may only look",
    };
    RequestError::Forbidden(words.to_owned())
}

fn missing(id: &str) -> RequestError {
    RequestError::NotFound { what: "workspace", id: id.chars().take(64).collect(), replaced_by: None }
}
