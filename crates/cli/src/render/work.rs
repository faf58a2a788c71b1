//! How work in courses looks: deadlines, what was handed in, what it was worth.

use super::{fields, table};
use pierhead_wire::{GradebookRowView, ResultView, SubmissionView, WallMoment, WorkView};

/// What `work ls` prints.
pub(crate) fn labs(all: &[WorkView], width: Option<u16>) -> String {
    let row = |work: &WorkView| {
        vec![
            work.lab.clone(),
            work.title.clone(),
            local(work.opens.as_ref()),
            local(work.due_for_you.as_ref()),
            work.submission.as_ref().map_or_else(|| begun(work), state),
        ]
    };
    table(&["LAB", "TITLE", "OPENS", "DUE", "STATE"], all.iter().map(row), width)
}

/// What `work set` prints.
pub(crate) fn lab(work: &WorkView) -> String {
    let criterion = |one: &pierhead_wire::CriterionEntry| format!("{} ({}, {})", one.id, one.from, one.most);
    let rubric: Vec<String> = work.rubric.iter().map(criterion).collect();
    let extension = |one: &pierhead_wire::ExtensionView| format!("{} until {}", one.username, one.due.local);
    let extensions: Vec<String> = work.extensions.iter().flatten().map(extension).collect();
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    fields(&[
        ("lab", work.lab.clone()),
        ("title", work.title.clone()),
        ("opens", local(work.opens.as_ref())),
        ("due", local(work.due.as_ref())),
        ("zone", work.zone.clone()),
        ("late work", if work.late == "refuse" { "is refused" } else { "is taken and marked" }.to_owned()),
        ("handed in by itself", yes(work.collects)),
        ("rubric", rubric.join(", ")),
        ("extensions", extensions.join(", ")),
        ("results published", yes(work.published)),
    ])
}

/// What `work submissions` prints.
pub(crate) fn submissions(all: &[SubmissionView], width: Option<u16>) -> String {
    let row = |one: &SubmissionView| {
        vec![
            one.lab.clone(),
            one.username.clone(),
            one.number.to_string(),
            state(one),
            one.submitted_at.clone(),
            one.save.clone().unwrap_or_default(),
        ]
    };
    table(&["LAB", "STUDENT", "NUMBER", "STATE", "HANDED IN", "SAVE"], all.iter().map(row), width)
}

/// What `submit` prints.
pub(crate) fn submission(one: &SubmissionView) -> String {
    fields(&[
        ("lab", one.lab.clone()),
        ("submission", one.number.to_string()),
        ("state", state(one)),
        ("handed in", one.submitted_at.clone()),
        ("due", one.due_at.clone().unwrap_or_default()),
        ("save", one.save.clone().unwrap_or_default()),
        ("note", one.message.clone().unwrap_or_default()),
    ])
}

/// What `grade ls` prints.
pub(crate) fn gradebook(rows: &[GradebookRowView], width: Option<u16>) -> String {
    let labs = rows.first().map(|row| row.results.iter().map(|result| result.lab.to_uppercase()).collect::<Vec<_>>());
    let labs = labs.unwrap_or_default();
    let head: Vec<&str> =
        ["STUDENT", "NAME", "GROUP"].into_iter().chain(labs.iter().map(String::as_str)).chain(["POINTS"]).collect();
    let row = |row: &GradebookRowView| {
        let who = [row.username.clone(), row.name.clone(), row.group.clone().unwrap_or_default()];
        let sum = format!("{} of {}", row.points, row.most);
        who.into_iter().chain(row.results.iter().map(cell)).chain([sum]).collect()
    };
    table(&head, rows.iter().map(row), width)
}

fn cell(result: &ResultView) -> String {
    let Some(submission) = &result.submission else { return "-".to_owned() };
    let late = if submission.late { " late" } else { "" };
    match (submission.state.as_str(), result.points) {
        ("complete", Some(points)) => format!("{points}{late}"),
        _ => state(submission),
    }
}

/// What `grade set` prints, and `grade results` for each lab.
pub(crate) fn result(result: &ResultView) -> String {
    let line = |line: &pierhead_wire::ResultLine| {
        let points = line.points.map_or_else(|| "-".to_owned(), |points| points.to_string());
        let comment = if line.comment.is_empty() { String::new() } else { format!(" ({})", line.comment) };
        format!("{} {points} of {}{comment}", line.title, line.most)
    };
    let lines: Vec<String> = result.lines.iter().map(line).collect();
    let points = match (result.points, result.most) {
        (Some(points), Some(most)) => format!("{points} of {most}"),
        _ => "not published yet".to_owned(),
    };
    fields(&[
        ("lab", result.lab.clone()),
        ("title", result.title.clone()),
        ("due", result.due_at.clone().unwrap_or_default()),
        ("handed in", result.submission.as_ref().map(state).unwrap_or_default()),
        ("points", points),
        ("of which", lines.join(", ")),
        ("comment", result.comment.clone()),
    ])
}

fn state(one: &SubmissionView) -> String {
    let late = if one.late { ", late" } else { "" };
    let by_itself = if one.automatic { ", by itself" } else { "" };
    format!("{}{late}{by_itself}", one.state)
}

fn begun(work: &WorkView) -> String {
    if work.begun { "begun" } else { "" }.to_owned()
}

fn local(moment: Option<&WallMoment>) -> String {
    moment.map(|moment| moment.local.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_wire::Example;

    #[test]
    fn a_gradebook_has_a_column_for_each_lab() {
        let told = gradebook(&[GradebookRowView::example()], None);
        let lines: Vec<&str> = told.lines().collect();
        assert!(lines[0].contains("MYSQL") && lines[1].contains("clare") && lines[1].contains("4.5 of 5"), "{told}");
        let mut nothing = GradebookRowView::example();
        nothing.results[0].submission = None;
        assert_eq!(cell(&nothing.results[0]), "-");
        let mut failed = ResultView::example();
        failed.submission.as_mut().unwrap().state = "failed".to_owned();
        assert_eq!(cell(&failed), "failed");
    }

    #[test]
    fn results_that_are_not_told_say_so() {
        let mut one = ResultView::example();
        assert!(result(&one).contains("4.5 of 5") && result(&one).contains("Neat names"));
        (one.points, one.most, one.lines) = (None, None, Vec::new());
        assert!(result(&one).contains("not published yet"));
    }

    #[test]
    fn deadlines_are_shown_as_clocks_show_them() {
        assert!(labs(&[WorkView::example()], None).contains("2026-12-01T18:00:00+08:00"));
        let told = lab(&WorkView::example());
        assert!(told.contains("clare until 2026-12-01T18:00:00+08:00") && told.contains("style (hand, 5)"), "{told}");
        let mut late = SubmissionView::example();
        (late.late, late.automatic) = (true, true);
        assert!(submission(&late).contains("complete, late, by itself"));
        assert!(submissions(&[late], None).contains("abcdefgh23-4"));
    }
}
