//! The wall: everybody whose work somebody may watch, who seems stuck first, and what is done for many of them at once.

use super::watching::{Watch, is_of_course, may_judge, may_watch, work_at, workspace_of};
use super::{Actor, Idempotency, RequestError, TerminalNow, WorkspaceChange};
use crate::Controller;
use crate::known::Known;
use crate::wall::{Home, WallPictures};
use pierhead_lab::progress::Outline;
use pierhead_lab::stuck::{Standing, Stuck, stuck};
use pierhead_model::{
    Course, CourseId, CourseRight, EnvironmentId, Hand, LabAttempt, LabId, LabVersionRef, Terminal, TerminalId,
    TerminalPlace, Timestamp, Username, Workspace, WorkspaceId, WorkspaceWish,
};
use pierhead_planner::{WorkspacePhase, WorkspaceStatus, workspace_statuses};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most workspaces on one wall.
pub const MOST_ON_WALL: usize = 500;
/// The most terminals of one workspace that are told of.
const MOST_OF_ONE: usize = 8;

/// Whom a wall, a message or a change for many is about: all that somebody may watch, or fewer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WallScope {
    /// Only workspaces of this environment.
    pub environment: Option<EnvironmentId>,
    /// Only those in which students of this course work at its labs.
    pub course: Option<CourseId>,
    /// Only those that are for this lab.
    pub lab: Option<LabId>,
    /// Only these workspaces.
    pub workspaces: Option<BTreeSet<WorkspaceId>>,
}

/// Somebody on a wall.
#[derive(Debug, Clone, PartialEq)]
pub struct WallEntry {
    /// Their workspace.
    pub workspace: WorkspaceId,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub owner: Username,
    /// What it was made from.
    pub environment: EnvironmentId,
    /// What it is.
    pub status: WorkspaceStatus,
    /// What the asker may in it.
    pub watch: Watch,
    /// The terminals in it that run, the oldest first.
    pub terminals: Vec<TerminalNow>,
    /// Their hand, if it is up.
    pub hand: Option<Hand>,
    /// How far they have come with a lab, if the asker may know that.
    pub work: Option<WallWork>,
    /// How stuck they seem.
    pub stuck: Stuck,
}

/// How far somebody on a wall has come with a lab.
#[derive(Debug, Clone, PartialEq)]
pub struct WallWork {
    /// Their attempt.
    pub attempt: Arc<LabAttempt>,
    /// What the lab is called.
    pub title: String,
    /// What it asks for, unless it is gone.
    pub outline: Option<Arc<Outline>>,
}

/// What came of a change for many, for one of them.
#[derive(Debug, Clone)]
pub struct WallOutcome {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Whose it is.
    pub owner: Username,
    /// Why it was not done, if it was not.
    pub refused: Option<RequestError>,
}

impl WallScope {
    /// Whether it is about a workspace; `course` is the one that it names.
    fn takes(&self, known: &Known, course: Option<&Course>, workspace: &Workspace) -> bool {
        course.is_none_or(|course| is_of_course(known, workspace, course))
            && self.lab.as_ref().is_none_or(|lab| work_at(known, workspace).is_some_and(|(at, _)| at == lab))
            && self.environment.as_ref().is_none_or(|environment| workspace.environment == *environment)
            && self.workspaces.as_ref().is_none_or(|workspaces| workspaces.contains(&workspace.id))
    }
}

impl Controller {
    /// Everybody whose work somebody may watch, who seems stuck first; at most [`MOST_ON_WALL`].
    ///
    /// # Errors
    /// If it is about a course that they do not give, as far as they may know.
    pub async fn wall(&self, actor: &Actor, scope: &WallScope) -> Result<Vec<WallEntry>, RequestError> {
        let mut entries = self.wall_entries(actor, scope)?;
        let mut outlines: BTreeMap<(LabId, u32), Option<Arc<Outline>>> = BTreeMap::new();
        for work in entries.iter_mut().filter_map(|entry| entry.work.as_mut()) {
            let (lab, version) = (&work.attempt.lab, work.attempt.version);
            let of = (lab.clone(), version);
            if !outlines.contains_key(&of) {
                let document = self.lab_document(lab, LabVersionRef::Number(version)).await;
                outlines.insert(of.clone(), document.ok().map(|document| document.outline));
            }
            work.outline = outlines.get(&of).cloned().flatten();
        }
        Ok(entries)
    }

    /// The course that a wall is about, for who gives it.
    fn wall_course(&self, actor: &Actor, scope: &WallScope) -> Result<Option<Arc<Course>>, RequestError> {
        let course = scope.course.as_ref();
        let found = course.map(|id| self.course_as(actor, id.as_str(), CourseRight::Assistant)).transpose()?;
        Ok(found.map(|found| found.record))
    }

    fn wall_entries(&self, actor: &Actor, scope: &WallScope) -> Result<Vec<WallEntry>, RequestError> {
        let now = self.clock.now();
        let course = self.wall_course(actor, scope)?;
        let (mut entries, terminals) = {
            let known = self.known();
            let mut statuses = workspace_statuses(&known.world, now);
            let entries = known.world.workspaces().values().filter_map(|workspace| {
                let watch = may_watch(&known, actor, workspace)?;
                if !scope.takes(&known, course.as_deref(), workspace) {
                    return None;
                }
                let status = statuses.remove(&workspace.id).filter(|status| status.phase != WorkspacePhase::Ended)?;
                Some(entry(&known, actor, (workspace, status, watch), now))
            });
            (entries.collect::<Vec<_>>(), terminals(&known))
        };
        entries.sort_by(|one, other| rank(one).cmp(&rank(other)));
        entries.truncate(MOST_ON_WALL);
        for entry in &mut entries {
            let theirs = terminals.get(&entry.workspace).into_iter().flatten().take(MOST_OF_ONE);
            entry.terminals = theirs.map(|record| self.terminal_now(Arc::clone(record))).collect();
        }
        Ok(entries)
    }

    /// Pictures of terminals for somebody, of none at first.
    ///
    /// # Errors
    /// If they look at as many walls as they may.
    pub fn wall_pictures(&self, actor: &Actor) -> Result<WallPictures, RequestError> {
        self.wall.wall_of(&actor.username).ok_or(RequestError::TooManyViewers)
    }

    /// Shows terminals of those on a wall, and no others: what is not on it is left out.
    pub fn show_on_wall(&self, pictures: &mut WallPictures, entries: &[WallEntry], wanted: &BTreeSet<String>) {
        let on_wall = entries.iter().flat_map(|entry| &entry.terminals).map(|terminal| &terminal.record);
        let shown = on_wall.filter(|record| wanted.contains(record.id.as_str()));
        let shown: BTreeMap<TerminalId, Home> =
            shown.filter_map(|record| Some((record.id.clone(), self.painter_of(record)?))).collect();
        pictures.show(&shown);
    }

    /// Who paints a terminal for this controller: none if it lives in another one.
    fn painter_of(&self, record: &Terminal) -> Option<Home> {
        match &record.home {
            TerminalPlace::Agent => Some(Home::Agent(record.engine.clone())),
            TerminalPlace::Controller(id) => (id == self.controllers.me()).then_some(Home::Here),
        }
    }

    /// Wants the same of the workspaces of many: of each that somebody leads, by itself. With a key each is done once.
    ///
    /// # Errors
    /// If there is nobody that it is about.
    pub async fn change_many(
        &self,
        actor: &Actor,
        scope: &WallScope,
        change: &WorkspaceChange,
        key: Option<&Idempotency>,
    ) -> Result<Vec<WallOutcome>, RequestError> {
        let led = self.led(actor, scope)?;
        // That they lead it was looked at; the change looks at it once more as whoever may do it.
        let leader = Actor { may_change_all: true, ..actor.clone() };
        let mut outcomes = Vec::with_capacity(led.len());
        for (workspace, owner) in led {
            let key = key.map(|key| key.with(workspace.as_str()));
            let done = self.change_workspace(&leader, workspace.as_str(), change, key.as_ref()).await;
            outcomes.push(WallOutcome { workspace, owner, refused: done.err() });
        }
        Ok(outcomes)
    }

    /// The workspaces of others that somebody leads, by their owners' names.
    pub(super) fn led(&self, actor: &Actor, scope: &WallScope) -> Result<Vec<(WorkspaceId, Username)>, RequestError> {
        let course = self.wall_course(actor, scope)?;
        let known = self.known();
        let workspaces = known.world.workspaces().values().filter(|workspace| {
            workspace.owner != actor.username
                && scope.takes(&known, course.as_deref(), workspace)
                && !matches!(workspace.wish, WorkspaceWish::Ended | WorkspaceWish::Discarded)
                && may_watch(&known, actor, workspace) == Some(Watch::Lead)
        });
        let mut led: Vec<_> = workspaces.map(|workspace| (workspace.id.clone(), workspace.owner.clone())).collect();
        led.sort_by(|(one, owner), (other, others)| (owner, one).cmp(&(others, other)));
        led.truncate(MOST_ON_WALL);
        match led.is_empty() {
            true => Err(RequestError::Nobody),
            false => Ok(led),
        }
    }
}

fn entry(
    known: &Known,
    actor: &Actor,
    (workspace, status, watch): (&Workspace, WorkspaceStatus, Watch),
    now: Timestamp,
) -> WallEntry {
    let work = work_at(known, workspace).filter(|_| may_judge(known, actor, workspace)).and_then(|(lab, attempt)| {
        let title = known.labs.get(lab).map_or_else(|| lab.to_string(), |lab| lab.title.clone());
        Some(WallWork { attempt: Arc::clone(attempt?), title, outline: None })
    });
    let hand = known.hands.get(&workspace.id).cloned();
    let standing = Standing {
        hand_ms: hand.as_ref().map(|hand| now.since(hand.at)),
        ..standing(workspace, work.as_ref(), &status, now)
    };
    WallEntry {
        workspace: workspace.id.clone(),
        name: workspace.name.clone(),
        owner: workspace.owner.clone(),
        environment: workspace.environment.clone(),
        watch,
        terminals: Vec::new(),
        hand,
        work,
        stuck: stuck(&standing),
        status,
    }
}

/// How somebody stands. Whose workspace does not run does not work now.
fn standing(workspace: &Workspace, work: Option<&WallWork>, status: &WorkspaceStatus, now: Timestamp) -> Standing {
    match (status.phase, work) {
        (WorkspacePhase::Ready | WorkspacePhase::Idle, Some(work)) => {
            Standing::of_attempt(&work.attempt, status.active_at, now)
        }
        (WorkspacePhase::Ready | WorkspacePhase::Idle, None) => {
            Standing::of_workspace(workspace.asked_at, status.active_at, now)
        }
        _ => Standing::default(),
    }
}

/// Who comes first: the most stuck, of these whose hand is up longer, of these who can be helped now, of these by their
/// names.
fn rank(entry: &WallEntry) -> (Reverse<u32>, Timestamp, bool, &Username, &WorkspaceId) {
    let raised = entry.hand.as_ref().map_or(Timestamp(u64::MAX), |hand| hand.at);
    let runs = matches!(entry.status.phase, WorkspacePhase::Ready | WorkspacePhase::Idle);
    (Reverse(entry.stuck.points), raised, !runs, &entry.owner, &entry.workspace)
}

/// The terminals that can be looked at, by the workspaces that they are in, the oldest first.
fn terminals(known: &Known) -> BTreeMap<WorkspaceId, Vec<Arc<Terminal>>> {
    let mut terminals: BTreeMap<WorkspaceId, Vec<Arc<Terminal>>> = BTreeMap::new();
    for record in known.terminals.values().filter(|record| record.tty && !record.is_ahead && record.end().is_none()) {
        if let Some(workspace) = workspace_of(known, record) {
            terminals.entry(workspace.id.clone()).or_default().push(Arc::clone(record));
        }
    }
    for theirs in terminals.values_mut() {
        theirs.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
    }
    terminals
}
