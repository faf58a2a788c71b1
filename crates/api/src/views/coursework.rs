//! Work in courses, as it is shown to those who have to do with it.

use pierhead_controller::{CourseNow, Gradebook, GradebookRow, LabResult, WorkNow};
use pierhead_identity::wall_time;
use pierhead_lab::grading::{Cell, CsvTable, Score};
use pierhead_model::{
    CheckState, CourseRight, FrozenCheck, FrozenQuiz, Points, Submission, SubmissionStage, Timestamp, Username, Zone,
};
use pierhead_wire::{
    CriterionEntry, ExtensionView, GradebookRowView, ResultLine, ResultView, SubmissionView, SubmittedCheck,
    SubmittedQuiz, WallMoment, WorkView, format_timestamp,
};
use std::collections::HashMap;

/// What is done at a lab of a course.
pub(crate) fn work(course: &CourseNow, now: &WorkNow) -> WorkView {
    let zone = &course.record.zone;
    let sees_all = course.right > CourseRight::Student;
    let moment = |at: Option<Timestamp>| at.map(|at| wall(at, zone));
    let extension =
        |(who, at): (&Username, &Timestamp)| ExtensionView { username: who.to_string(), due: wall(*at, zone) };
    let criterion = |criterion: &pierhead_model::Criterion| CriterionEntry {
        id: criterion.id.clone(),
        title: criterion.title.clone(),
        from: criterion.from.as_str().to_owned(),
        most: criterion.most.as_f64(),
    };
    WorkView {
        course: course.record.id.to_string(),
        lab: now.entry.lab.to_string(),
        title: now.title.clone(),
        version: now.entry.version,
        zone: zone.as_str().to_owned(),
        opens: moment(now.entry.opens_at),
        due: moment(now.entry.due_at),
        due_for_you: moment(now.due_at),
        late: now.work.late.as_str().to_owned(),
        collects: now.work.collects,
        rubric: now.work.rubric.iter().map(criterion).collect(),
        extensions: sees_all.then(|| now.work.extensions.iter().map(extension).collect()),
        published: now.work.published_at.is_some(),
        begun: now.is_begun,
        submission: now.submission.as_ref().map(|one| submission(one, sees_all || now.work.published_at.is_some())),
    }
}

fn wall(at: Timestamp, zone: &Zone) -> WallMoment {
    WallMoment { at: format_timestamp(at), local: wall_time(at, zone) }
}

/// Work that was handed in; what came out of it only if that is told.
pub(crate) fn submission(submission: &Submission, tells_results: bool) -> SubmissionView {
    let failed = match &submission.stage {
        SubmissionStage::Failed { why } => Some(why.clone()),
        _ => None,
    };
    let results = tells_results.then_some(&submission.results);
    SubmissionView {
        course: submission.key.course.to_string(),
        lab: submission.key.lab.to_string(),
        username: submission.key.account.to_string(),
        group: submission.also.iter().map(ToString::to_string).collect(),
        number: submission.key.number,
        state: submission.stage.as_str().to_owned(),
        submitted_at: format_timestamp(submission.asked_at),
        due_at: submission.due_at.map(format_timestamp),
        late: submission.late,
        automatic: submission.by.is_none(),
        version: submission.version,
        save: submission.save.as_ref().map(ToString::to_string),
        saved_at: submission.saved_at.map(format_timestamp),
        ran_on_copy: results.is_some_and(|results| results.ran_on_copy),
        checks: results.map(|results| results.checks.iter().map(check).collect()).unwrap_or_default(),
        quizzes: results.map(|results| results.quizzes.iter().map(quiz).collect()).unwrap_or_default(),
        message: failed.or_else(|| submission.note.clone()),
    }
}

fn check(check: &FrozenCheck) -> SubmittedCheck {
    let word = |state: CheckState| state.as_str().to_owned();
    SubmittedCheck {
        step: check.step,
        name: check.name.clone(),
        title: check.title.clone(),
        state: word(check.state.unwrap_or(CheckState::NotRun)),
        on_copy: check.on_copy.map(word),
        score: if check.has_passed() { check.most } else { 0 },
        most: check.most,
    }
}

fn quiz(quiz: &FrozenQuiz) -> SubmittedQuiz {
    SubmittedQuiz { step: quiz.step, name: quiz.name.clone(), score: quiz.score, most: quiz.most }
}

/// What somebody's work at a lab came to.
pub(crate) fn result(result: &LabResult) -> ResultView {
    let score = result.score.as_ref();
    let line = |line: &pierhead_lab::grading::ScoreLine| ResultLine {
        criterion: line.criterion.id.clone(),
        title: line.criterion.title.clone(),
        points: line.points.map(Points::as_f64),
        most: line.criterion.most.as_f64(),
        by_hand: line.by_hand,
        comment: line.comment.clone(),
    };
    ResultView {
        lab: result.lab.to_string(),
        title: result.title.clone(),
        due_at: result.due_at.map(format_timestamp),
        published: result.published_at.is_some(),
        submission: result.submission.as_ref().map(|one| submission(one, score.is_some())),
        points: score.map(|score| score.points.as_f64()),
        most: score.map(|score| score.most.as_f64()),
        whole: score.is_some_and(|score| score.is_whole),
        lines: score.map(|score| score.lines.iter().map(line).collect()).unwrap_or_default(),
        comment: result.comment.clone(),
        graded_by: result.graded.as_ref().map(|(by, _)| by.to_string()),
        graded_at: result.graded.as_ref().map(|(_, at)| format_timestamp(*at)),
    }
}

/// What a student came to, with what they are called.
pub(crate) fn gradebook_row(row: &GradebookRow, called: &HashMap<Username, String>) -> GradebookRowView {
    let (points, most) = sums(row);
    GradebookRowView {
        username: row.account.to_string(),
        name: called.get(&row.account).cloned().unwrap_or_default(),
        group: row.group.clone(),
        suspended: row.suspended,
        points: points.as_f64(),
        most: most.as_f64(),
        results: row.labs.iter().map(result).collect(),
    }
}

fn sums(row: &GradebookRow) -> (Points, Points) {
    let sum = |of: fn(&Score) -> Points| {
        row.labs.iter().filter_map(|lab| lab.score.as_ref().map(of)).fold(Points(0), Points::plus)
    };
    (sum(|score| score.points), sum(|score| score.most))
}

/// The gradebook as a table for other programs.
pub(crate) fn gradebook_csv(gradebook: &Gradebook, called: &HashMap<Username, String>) -> String {
    let mut table = CsvTable::default();
    let zone = &gradebook.course.record.zone;
    let labs = gradebook.course.record.labs.iter().map(|entry| entry.lab.as_str());
    let of_lab =
        |lab: &str| ["state", "submitted", "late", "points", "most"].map(|what| Cell::text(format!("{lab} {what}")));
    let head = ["username", "name", "group"].map(Cell::text).into_iter().chain(labs.flat_map(of_lab));
    table.row(head.chain(["points", "most"].map(Cell::text)));
    for row in &gradebook.rows {
        let text = |text: Option<&String>| text.map_or(Cell::Empty, Cell::text);
        let who = [Cell::text(row.account.as_str()), text(called.get(&row.account)), text(row.group.as_ref())];
        let (points, most) = sums(row);
        let sums = [Cell::Number(points.to_string()), Cell::Number(most.to_string())];
        table.row(who.into_iter().chain(row.labs.iter().flat_map(|lab| cells(lab, zone))).chain(sums));
    }
    table.into_text()
}

fn cells(result: &LabResult, zone: &Zone) -> [Cell; 5] {
    let number = |points: Points| Cell::Number(points.to_string());
    let score = result.score.as_ref();
    let has_points = |score: &&Score| score.lines.iter().any(|line| line.points.is_some());
    let (points, most) = (score.filter(has_points).map(|score| score.points), score.map(|score| score.most));
    let [state, submitted, late] = match &result.submission {
        None => [Cell::Empty, Cell::Empty, Cell::Empty],
        Some(one) => {
            let late = if one.late { Cell::text("late") } else { Cell::Empty };
            [Cell::text(one.stage.as_str()), Cell::text(wall_time(one.asked_at, zone)), late]
        }
    };
    [state, submitted, late, points.map_or(Cell::Empty, number), most.map_or(Cell::Empty, number)]
}

#[cfg(test)]
mod tests;
