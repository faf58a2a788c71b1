//! The school's own list, carried out: on demand by whichever controller is asked, and on a schedule by the leader. What is to
//! change is worked out elsewhere, from a list that was read whole; here records are read and written.
//!
//! What belongs together is one transaction. If it ends on the way, or somebody changes the same thing, the next look finds
//! what is left.

mod carry_out;
mod present;
mod schedule;

pub(crate) use schedule::follow_roster;

use crate::{Controller, keys};
use pierhead_identity::{Changes, Excess, Problem, Roster, RosterSource, SourceError, Totals, diff};
use pierhead_model::{Timestamp, Username};
use pierhead_store::StoreJson;
use present::Read;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How many changes are told.
const MOST_TOLD: usize = 1_000;
/// How often what is left is looked for while others change the same things.
const MOST_ROUNDS: usize = 5;

/// Where the school's list lies, and how often it is looked at.
#[derive(Debug, Clone, Default)]
pub struct RosterOptions {
    /// Where; nowhere without.
    pub source: Option<RosterSource>,
    /// The time between two looks; none are made by themselves without.
    pub every: Option<Duration>,
}

/// What a list would change, or has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RosterReport {
    /// Where the list lies.
    pub source: String,
    /// Tells the changes from all others.
    pub digest: String,
    /// Whether they were carried out.
    pub done: bool,
    /// Why they are not, unless somebody insists.
    pub refused: Option<Excess>,
    /// The list's people, courses and enrolments.
    pub listed: (usize, usize, usize),
    /// How many changes of each kind.
    pub totals: Totals,
    /// Accounts and courses that stay as they are though the list names them.
    pub kept: Vec<String>,
    /// The first changes: what, and to whom.
    pub changes: Vec<(&'static str, String)>,
    /// How many more there are.
    pub more_changes: usize,
    /// The first rows that could not be used.
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub more_problems: usize,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Why a list was not looked at, or not carried out.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// There is none.
    #[error("this server knows no list of people; start it with --roster-url, or send one in")]
    NoSource,
    /// One at a time.
    #[error("the list is being looked at already; try again in a minute")]
    Busy,
    /// It can't be read.
    #[error("{0}; nothing was changed")]
    Source(#[from] SourceError),
    /// It can't be meant.
    #[error(
        "{0}; nothing was changed. Look at the preview, and insist if it is meant ('pierhead roster sync --force')"
    )]
    Excess(#[from] Excess),
    /// It is not what was shown.
    #[error("the list, or what is here, has changed since the preview; nothing was changed. Look at a new one")]
    Changed,
    /// The store can't do it.
    #[error(transparent)]
    Store(#[from] pierhead_store::Error),
}

/// How a list is carried out.
#[derive(Debug, Clone, Default)]
pub struct RosterOrder {
    /// The list, in place of that of the server.
    pub source: Option<RosterSource>,
    /// Whether it is carried out although it seems wrong.
    pub force: bool,
    /// The digest of the changes that are meant.
    pub expect: Option<String>,
}

/// What came of the last look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterRecord {
    /// When.
    pub looked_at: Timestamp,
    /// `done`, `refused` or `failed`.
    pub outcome: String,
    /// The same in words.
    #[serde(default)]
    pub message: String,
    /// When all was last as the list says.
    #[serde(default)]
    pub done_at: Option<Timestamp>,
}

impl Controller {
    /// Where the school's list lies and how often it is looked at, and what came of the last look.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn roster(&self) -> pierhead_store::Result<(&RosterOptions, Option<RosterRecord>)> {
        let record = self.store.get_json::<RosterRecord>(keys::ROSTER).await?;
        Ok((&self.options.roster, record.map(|(record, _)| record)))
    }

    /// What a list would change. Nothing is.
    ///
    /// # Errors
    /// If there is none, or it can't be read.
    pub async fn preview_roster(&self, source: Option<RosterSource>) -> Result<RosterReport, RosterError> {
        let _turn = self.roster_turn.try_lock().map_err(|_| RosterError::Busy)?;
        let began = self.clock.now();
        let (source, roster) = self.read_roster(source).await?;
        let read = Read::all(self).await?;
        let (changes, excess) = compared(&read, &roster).await;
        Ok(self.report(&source, &roster, &changes, excess, began))
    }

    /// Carries out a list, all of it. If it can't be read, or seems wrong, or is not what was shown, nothing is changed.
    ///
    /// # Errors
    /// As it says; and those of the store, of which some may have been carried out: the next time does the rest.
    pub async fn sync_roster(&self, actor: Option<&Username>, order: RosterOrder) -> Result<RosterReport, RosterError> {
        let _turn = self.roster_turn.try_lock().map_err(|_| RosterError::Busy)?;
        let is_own = order.source.is_none();
        let synced = self.sync_in_turn(actor, order).await;
        if is_own {
            self.remember_look(&synced).await;
        }
        synced
    }

    async fn sync_in_turn(&self, actor: Option<&Username>, order: RosterOrder) -> Result<RosterReport, RosterError> {
        let began = self.clock.now();
        let (source, roster) = self.read_roster(order.source).await?;
        let mut read = Read::all(self).await?;
        let (mut changes, excess) = compared(&read, &roster).await;
        let mut report = self.report(&source, &roster, &changes, excess, began);
        if order.expect.is_some_and(|expected| expected != report.digest) {
            return Err(RosterError::Changed);
        }
        if let Some(excess) = report.refused.clone().filter(|_| !order.force) {
            return Err(excess.into());
        }
        for _ in 0..MOST_ROUNDS {
            if self.carry_out_roster(actor, &read, &changes).await? {
                break;
            }
            // Somebody changed some of it meanwhile.
            read = Read::all(self).await?;
            changes = compared(&read, &roster).await.0;
        }
        (report.done, report.refused) = (true, None);
        report.took_ms = self.clock.now().since(began);
        Ok(report)
    }

    async fn read_roster(&self, source: Option<RosterSource>) -> Result<(String, Arc<Roster>), RosterError> {
        let source = source.or_else(|| self.options.roster.source.clone()).ok_or(RosterError::NoSource)?;
        let roster = source.read().await?;
        Ok((source.told(), Arc::new(roster)))
    }

    fn report(
        &self,
        source: &str,
        roster: &Roster,
        changes: &Changes,
        refused: Option<Excess>,
        began: Timestamp,
    ) -> RosterReport {
        let kept = changes.kept.iter().map(ToString::to_string);
        let kept_courses = changes.kept_courses.iter().map(|id| format!("course {id}"));
        RosterReport {
            source: source.to_owned(),
            digest: changes.digest(),
            done: false,
            refused,
            listed: (roster.people.len(), roster.courses.len(), roster.enrolments.len()),
            totals: changes.totals(),
            kept: kept.chain(kept_courses).take(MOST_TOLD).collect(),
            changes: changes.lines().take(MOST_TOLD).collect(),
            more_changes: changes.lines().count().saturating_sub(MOST_TOLD),
            more_problems: roster.unusable.saturating_sub(roster.problems.len()),
            problems: roster.problems.clone(),
            took_ms: self.clock.now().since(began),
        }
    }
}

/// What differs, and why it can't be meant; worked out off the threads that serve.
async fn compared(read: &Read, roster: &Arc<Roster>) -> (Changes, Option<Excess>) {
    let (present, roster) = (Arc::clone(&read.present), Arc::clone(roster));
    let work = move || {
        let changes = diff(&present, &roster);
        let excess = changes.check(&present, &roster).err();
        (changes, excess)
    };
    tokio::task::spawn_blocking(work).await.expect("comparing does not panic")
}
