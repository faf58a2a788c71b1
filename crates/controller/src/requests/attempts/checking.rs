//! Checks that somebody asks for: a student's in their own workspace, and an author's of the draft in theirs.

use super::{AttemptNow, no_step, seat_of, state};
use crate::Controller;
use crate::attempts::{Document, Purpose, Ran, Seat};
use crate::requests::workspaces::forbidden;
use crate::requests::{Actor, RequestError};
use pierhead_lab::progress::{self, Asked};
use pierhead_lab::{Check, Values, fill};
use pierhead_model::{CheckState, LabAttempt, LabVersionRef, SetupState, WorkspaceRight};
use std::time::Duration;

/// Which scripts of a draft an author wants to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabRun {
    /// What is run at the first visit.
    Setup,
    /// The checks.
    Checks,
    /// What does what the step asks.
    Solution,
}

/// What came of one script of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabRunResult {
    /// The step, from 0.
    pub step: u32,
    /// What it is for.
    pub run: LabRun,
    /// Its name: of a check as the lab says, else the file in which it stands.
    pub name: String,
    /// What is checked; empty for what is no check.
    pub title: String,
    /// How it ended, as for a check.
    pub state: CheckState,
    /// Its exit status, if it ended by itself.
    pub exit: Option<i64>,
    /// What a student would be told.
    pub hint: Option<String>,
    /// The last that it said.
    pub said: String,
    /// How long it took.
    pub took: Duration,
}

impl Controller {
    /// Runs the checks of a step that have not passed yet, or the one that is named. What came of each is noted as soon as it
    /// is known, whether or not somebody still waits for it.
    ///
    /// # Errors
    /// If there is no such attempt, step or check, it is somebody else's, or its workspace is not ready.
    pub async fn check_step(
        &self,
        actor: &Actor,
        id: &str,
        step: u32,
        name: Option<&str>,
    ) -> Result<AttemptNow, RequestError> {
        let record = self.own_attempt(actor, id)?;
        let document = self.attempt_document(&record).await?;
        document.outline.step(step).ok_or_else(|| no_step(step))?;
        let wanted = wanted(&record, &document, step, name)?;
        let seat = seat_of(&self.known(), &record)?;
        let has_setup = document.outline.step(step).is_some_and(|step| step.has_setup);
        let waits = record.progress(step).is_none_or(|progress| progress.setup == SetupState::Waiting);
        if has_setup && (waits || seat.is_new_to(&record)) {
            return Err(state(id, "is being prepared for this step; try again in a moment"));
        }
        self.note_work(&record);
        let Some(turn) = self.asking.take(&record.id) else {
            return Err(state(id, "is being checked already; wait for the results"));
        };
        let (controller, asking, at) = (self.clone(), actor.clone(), record);
        let run = self.tasks.spawn(async move {
            let values = document.values(&at.seed);
            for check in wanted {
                let ran = controller.run_check(&seat, &check, &values).await;
                let told = format!(", step={step}, check={}, state={}", check.name, ran.outcome.state().as_str());
                let change = |attempt: &mut LabAttempt, now| {
                    let outcome = (&ran.outcome, Asked::ByStudent);
                    progress::take_check(attempt, &document.outline, (step, &check), outcome, &values, now);
                    Ok(())
                };
                controller.change_attempt(&at.id, ("attempt-check", &told, Some(&asking)), change).await?;
            }
            drop(turn);
            Ok::<_, RequestError>(())
        });
        run.await.map_err(|_| state(id, "could not be checked; try again"))??;
        self.attempt(actor, id).await
    }

    /// Runs one check with somebody's values.
    pub(crate) async fn run_check(&self, seat: &Seat, check: &Check, values: &Values) -> Ran {
        let script = fill(&check.script.text, values, |_| ());
        let purpose = Purpose::Check(check.timeout_seconds);
        self.run_script(seat, check.container.as_deref(), (&script, purpose)).await
    }

    /// Runs scripts of a draft in a workspace of its author, of one step or all.
    ///
    /// # Errors
    /// If there is no such lab, step or workspace as far as they may know, it is for others to write or drive, or the
    /// workspace is not ready.
    pub async fn run_draft(
        &self,
        actor: &Actor,
        lab: &str,
        workspace: &str,
        step: Option<u32>,
        run: LabRun,
    ) -> Result<Vec<LabRunResult>, RequestError> {
        let lab = self.lab_to_write(actor, lab)?;
        let site = self.workspace_site(actor, workspace)?;
        if site.right < WorkspaceRight::Driver {
            return Err(forbidden(WorkspaceRight::Driver));
        }
        let not_ready = || RequestError::WorkspaceState { id: workspace.to_owned(), why: "is not ready" };
        let seat = Seat::of(&self.known(), &site.id).ok_or_else(not_ready)?;
        let document = self.lab_document(&lab.id, LabVersionRef::Draft).await?;
        let count = document.outline.steps.len() as u32;
        let steps = match step {
            Some(step) if step >= count => return Err(no_step(step)),
            Some(step) => step..step + 1,
            None => 0..count,
        };
        self.note_activity(&site.id);
        // The same values as long as it is the same workspace.
        let values = document.values(site.id.as_str());
        let mut results = Vec::new();
        for step in steps {
            let results_of_step = self.run_draft_step(&seat, &document, (step, run), &values).await;
            let has_failed = results_of_step.iter().any(|result| result.state != CheckState::Passed);
            results.extend(results_of_step);
            if has_failed && run != LabRun::Checks {
                break;
            }
        }
        Ok(results)
    }

    async fn run_draft_step(
        &self,
        seat: &Seat,
        document: &Document,
        (number, run): (u32, LabRun),
        values: &Values,
    ) -> Vec<LabRunResult> {
        let Some(step) = document.text().steps.get(number as usize) else { return Vec::new() };
        let result = |name: &str, title: String, ran: Ran, hint: Option<String>| LabRunResult {
            step: number,
            run,
            name: name.to_owned(),
            title,
            state: ran.outcome.state(),
            exit: ran.outcome.exit(),
            hint,
            said: ran.said,
            took: ran.took,
        };
        let mut results = Vec::new();
        let scripts = match run {
            LabRun::Checks => {
                for check in &step.checks {
                    let ran = self.run_check(seat, check, values).await;
                    let (title, hint) =
                        (fill(&check.title, values, |_| ()).into_owned(), ran.outcome.hint(check, values));
                    results.push(result(&check.name, title, ran, hint));
                }
                return results;
            }
            LabRun::Setup => step.setup.iter().map(|setup| (&setup.script, setup.container.as_deref())).collect(),
            LabRun::Solution => step.solution.iter().map(|script| (script, None)).collect::<Vec<_>>(),
        };
        for (script, container) in scripts {
            let text = fill(&script.text, values, |_| ());
            let ran = self.run_script(seat, container, (&text, Purpose::Work)).await;
            let hint = match &ran.outcome {
                progress::Outcome::NotRun(reason) => Some(reason.clone()),
                _ => None,
            };
            results.push(result(script.file.as_str(), String::new(), ran, hint));
        }
        results
    }
}

/// The checks to run.
fn wanted(record: &LabAttempt, document: &Document, step: u32, name: Option<&str>) -> Result<Vec<Check>, RequestError> {
    let checks = document.checks(step);
    let has_passed = |check: &Check| {
        let result = record.progress(step).and_then(|progress| progress.checks.get(&check.name));
        result.is_some_and(|result| result.state == CheckState::Passed)
    };
    match name {
        None => Ok(checks.iter().filter(|check| !has_passed(check)).cloned().collect()),
        Some(name) => match checks.iter().find(|check| check.name == name) {
            Some(check) => Ok(vec![check.clone()]),
            None => {
                Err(RequestError::NotFound { what: "check", id: name.chars().take(64).collect(), replaced_by: None })
            }
        },
    }
}

impl LabRun {
    /// Its name for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Checks => "checks",
            Self::Solution => "solution",
        }
    }
}
