//! Attempts as they are shown to whose they are, and to those who may look.

use pierhead_controller::{AttemptNow, LabRunResult};
use pierhead_lab::progress::{self, Outline, StepOutline};
use pierhead_lab::{LabEnvironment, Values, fill};
use pierhead_model::{LabAttempt, QuizAnswer, SetupState};
use pierhead_wire::{
    AnswerPart, AttemptCheckView, AttemptQuizView, AttemptStepView, AttemptTerminalView, AttemptView, LabResultView,
    LabRunView, format_timestamp,
};

/// An attempt.
pub(crate) fn attempt(now: &AttemptNow) -> AttemptView {
    let record = &*now.record;
    let nothing = Outline::default();
    let outline = now.document.as_ref().map_or(&nothing, |document| &*document.outline);
    let values = now.document.as_ref().map(|document| document.values(&record.seed)).unwrap_or_default();
    let text = now.document.as_ref().map(pierhead_controller::LabDocument::text);
    let (title, summary) = text.map_or_else(
        || (now.lab.as_ref().map_or_else(|| record.lab.to_string(), |lab| lab.title.clone()), String::new()),
        |text| {
            let wording = text.translations.get(&record.language);
            let (title, summary) = wording.map_or((&text.title, &text.summary), |it| (&it.title, &it.summary));
            (title.clone(), summary.clone())
        },
    );
    let filled = |text: &str| fill(text, &values, |_| ()).into_owned();
    let step = |(number, asks): (u32, &StepOutline)| {
        let view = step(record, outline, (number, asks), &values);
        AttemptStepView { preparing: view.preparing || (asks.has_setup && now.begins_anew), ..view }
    };
    AttemptView {
        id: record.id.to_string(),
        lab: record.lab.to_string(),
        title: filled(&title),
        summary: filled(&summary),
        version: record.version,
        newest_version: now.newest,
        account: record.account.to_string(),
        group: now.members.iter().map(ToString::to_string).collect(),
        course: record.course.as_ref().map(ToString::to_string),
        language: record.language.clone(),
        languages: now.document.as_ref().map(pierhead_controller::LabDocument::languages).unwrap_or_default(),
        minutes: text.and_then(|text| text.minutes),
        workspace: now.workspace.as_ref().map(|(workspace, _)| workspace.id.to_string()),
        phase: now.workspace.as_ref().map(|(_, status)| status.phase.as_str().to_owned()),
        step: record.step,
        steps: (0..).zip(&outline.steps).map(step).collect(),
        score: progress::score(record, outline),
        most: outline.most(),
        terminals: terminals(now),
        started_at: format_timestamp(record.started_at),
        done_at: record.done_at.map(format_timestamp),
    }
}

fn step(
    record: &LabAttempt,
    outline: &Outline,
    (number, asks): (u32, &StepOutline),
    values: &Values,
) -> AttemptStepView {
    let progress = record.progress(number);
    let check = |asked: &progress::CheckOutline| {
        let result = progress.and_then(|progress| progress.checks.get(&asked.name));
        AttemptCheckView {
            name: asked.name.clone(),
            title: fill(&asked.title, values, |_| ()).into_owned(),
            continuous: asked.continuous,
            state: result.map(|result| result.state.as_str().to_owned()),
            score: result.map_or(0, |result| result.score),
            most: asked.score,
            hint: result.and_then(|result| result.hint.clone()),
            at: result.map(|result| format_timestamp(result.at)),
            tries: result.map_or(0, |result| result.tries),
        }
    };
    let quiz = |asked: &progress::QuizOutline| {
        let result = progress.and_then(|progress| progress.quizzes.get(&asked.name));
        AttemptQuizView {
            name: asked.name.clone(),
            answered: result.is_some(),
            right: result.is_some_and(|result| result.right),
            answer: result.map(|result| answer(&result.answer)).unwrap_or_default(),
            score: result.map_or(0, |result| result.score),
            most: asked.score,
            tries: result.map_or(0, |result| result.tries),
            explanation: result.map(|result| result.explanation.clone()).filter(|html| !html.is_empty()),
        }
    };
    let setup = progress.map(|progress| &progress.setup);
    AttemptStepView {
        title: fill(&asks.title, values, |_| ()).into_owned(),
        seen: progress.is_some(),
        done: progress::is_done(record, outline, number),
        preparing: asks.has_setup && setup == Some(&SetupState::Waiting),
        setup_failed: match setup {
            Some(SetupState::Failed(words)) => Some(words.clone()),
            _ => None,
        },
        checks: asks.checks.iter().map(check).collect(),
        quizzes: asks.quizzes.iter().map(quiz).collect(),
        hints: asks.hints,
        hints_opened: progress.map(|progress| progress.hints.iter().copied().collect()).unwrap_or_default(),
    }
}

fn answer(answer: &QuizAnswer) -> Vec<AnswerPart> {
    match answer {
        QuizAnswer::Choice(chosen) => chosen.iter().map(|number| AnswerPart::Option(*number)).collect(),
        QuizAnswer::Text(text) => vec![AnswerPart::Text(text.clone())],
    }
}

/// A terminal in each container, and those that the lab names beside them.
fn terminals(now: &AttemptNow) -> Vec<AttemptTerminalView> {
    let Some(text) = now.document.as_ref().map(pierhead_controller::LabDocument::text) else { return Vec::new() };
    let mut names: Vec<String> = match (&now.workspace, &text.environment) {
        (Some((workspace, _)), _) => {
            workspace.spec.containers.iter().map(|container| container.name.to_string()).collect()
        }
        (None, LabEnvironment::Containers(listed)) => listed.iter().map(|container| container.name.clone()).collect(),
        (None, LabEnvironment::Named(_)) => Vec::new(),
    };
    names.retain(|name| text.terminals.iter().all(|terminal| terminal.name != *name));
    let own = names.into_iter().map(|name| AttemptTerminalView { container: Some(name.clone()), name });
    let named = text
        .terminals
        .iter()
        .map(|terminal| AttemptTerminalView { name: terminal.name.clone(), container: terminal.container.clone() });
    own.chain(named).collect()
}

/// What came of scripts of a draft.
pub(crate) fn lab_run(results: &[LabRunResult]) -> LabRunView {
    let result = |result: &LabRunResult| LabResultView {
        step: result.step,
        run: result.run.as_str().to_owned(),
        name: result.name.clone(),
        title: result.title.clone(),
        state: result.state.as_str().to_owned(),
        exit: result.exit,
        hint: result.hint.clone(),
        said: result.said.clone(),
        seconds: (result.took.as_secs_f64() * 1000.0).round() / 1000.0,
    };
    LabRunView { results: results.iter().map(result).collect() }
}
