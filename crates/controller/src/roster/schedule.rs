//! The list on a schedule: the leader looks at it when the last look is long enough ago.

use super::{RosterError, RosterOrder, RosterRecord, RosterReport};
use crate::{Controller, keys};
use pierhead_store::{StoreJson, Transaction};
use std::time::Duration;

/// How often it is looked whether it is time.
const LOOK: Duration = Duration::from_secs(20);
/// After how long it is tried again if it failed, unless a look is due sooner.
const AGAIN: Duration = Duration::from_secs(300);

/// Looks at the list for ever, while this controller leads.
pub(crate) async fn follow_roster(controller: Controller, every: Duration) {
    loop {
        tokio::time::sleep(LOOK.min(every)).await;
        if controller.standing.term().is_none() || !controller.is_roster_due(every).await {
            continue;
        }
        match controller.sync_roster(None, RosterOrder::default()).await {
            Ok(report) => tracing::info!(changes = told(&report), "people and courses are as the school's list says"),
            Err(RosterError::Busy) => {}
            Err(error) => tracing::warn!(%error, "the school's list was not carried out"),
        }
    }
}

impl Controller {
    async fn is_roster_due(&self, every: Duration) -> bool {
        match self.store.get_json::<RosterRecord>(keys::ROSTER).await {
            Ok(Some((record, _))) => {
                let wait = if record.outcome == "done" { every } else { every.min(AGAIN) };
                self.clock.now().since(record.looked_at) >= crate::clock::millis(wait)
            }
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Notes what came of a look; an event tells of one that failed for another reason than the one before.
    pub(super) async fn remember_look(&self, synced: &Result<RosterReport, RosterError>) {
        let before = match self.store.get_json::<RosterRecord>(keys::ROSTER).await {
            Ok(found) => found.map(|(record, _)| record).unwrap_or_default(),
            Err(_) => return,
        };
        let looked_at = self.clock.now();
        let (outcome, message) = match synced {
            Ok(report) => ("done", told(report)),
            Err(RosterError::Busy | RosterError::NoSource | RosterError::Changed) => return,
            Err(error @ RosterError::Excess(_)) => ("refused", error.to_string()),
            Err(error) => ("failed", error.to_string()),
        };
        let done_at = if outcome == "done" { Some(looked_at) } else { before.done_at };
        let is_news = outcome != "done" && (before.outcome != outcome || before.message != message);
        let record = RosterRecord { looked_at, outcome: outcome.to_owned(), message, done_at };
        let written = async {
            let mut transaction = Transaction::new().put_json(keys::ROSTER, &record)?;
            if is_news {
                let event = self.event_of_pool("roster-failed", format!("reason={}", record.message));
                transaction = transaction.put_json(keys::event(&event.id), &event)?;
            }
            self.store.commit(transaction).await.map(drop)
        };
        if let Err::<(), pierhead_store::Error>(error) = written.await {
            tracing::warn!(%error, "what came of a look at the school's list could not be written down");
        }
    }
}

/// What was changed, in short.
fn told(report: &RosterReport) -> String {
    let totals = &report.totals;
    format!(
        "people added={} changed={} suspended={} resumed={}, courses added={} changed={} ended={}, students enrolled={} \
         left={} regrouped={}",
        totals.added,
        totals.changed,
        totals.suspended,
        totals.resumed,
        totals.courses_added,
        totals.courses_changed,
        totals.courses_ended,
        totals.enrolled,
        totals.left,
        totals.regrouped
    )
}
