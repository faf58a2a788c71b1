//! Examples of work in courses.

use super::{Example, MOMENT};
use crate::{
    CriterionEntry, ExtensionRequest, ExtensionView, GradeUpdate, GradebookRowView, ResultLine, ResultView,
    SubmissionView, SubmittedCheck, SubmittedQuiz, WallMoment, WorkUpdate, WorkView,
};
use std::collections::BTreeMap;

const DUE: &str = "2026-12-01T10:00:00.000Z";

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn due() -> WallMoment {
    WallMoment { at: DUE.to_owned(), local: "2026-12-01T18:00:00+08:00".to_owned() }
}

fn criterion() -> CriterionEntry {
    CriterionEntry { id: "style".to_owned(), title: "Style".to_owned(), from: "hand".to_owned(), most: 5.0 }
}

impl Example for WorkView {
    fn example() -> Self {
        Self {
            course: "cs-101".to_owned(),
            lab: "mysql".to_owned(),
            title: "A database of your own".to_owned(),
            version: Some(2),
            zone: "Asia/Shanghai".to_owned(),
            opens: Some(WallMoment { at: MOMENT.to_owned(), local: "2026-11-22T06:10:06+08:00".to_owned() }),
            due: Some(due()),
            due_for_you: Some(due()),
            late: "mark".to_owned(),
            collects: true,
            rubric: vec![criterion()],
            extensions: Some(vec![ExtensionView { username: "clare".to_owned(), due: due() }]),
            published: false,
            begun: true,
            submission: Some(SubmissionView::example()),
        }
    }
}

impl Example for WorkUpdate {
    fn example() -> Self {
        Self {
            opens: text(""),
            due: text("2026-12-01T18:00"),
            late: text("mark"),
            collects: Some(true),
            rubric: Some(vec![criterion()]),
            published: Some(false),
        }
    }
}

impl Example for ExtensionRequest {
    fn example() -> Self {
        Self { due: "2026-12-03T18:00".to_owned() }
    }
}

impl Example for SubmissionView {
    fn example() -> Self {
        let check = SubmittedCheck {
            step: 0,
            name: "up".to_owned(),
            title: "The server answers".to_owned(),
            state: "passed".to_owned(),
            on_copy: text("failed"),
            score: 2,
            most: 2,
        };
        Self {
            course: "cs-101".to_owned(),
            lab: "mysql".to_owned(),
            username: "clare".to_owned(),
            group: vec!["wu".to_owned()],
            number: 1,
            state: "complete".to_owned(),
            submitted_at: MOMENT.to_owned(),
            due_at: text(DUE),
            late: false,
            automatic: false,
            version: 2,
            save: text("abcdefgh23-4"),
            saved_at: text(MOMENT),
            ran_on_copy: true,
            checks: vec![check],
            quizzes: vec![SubmittedQuiz { step: 1, name: "port".to_owned(), score: Some(1), most: 1 }],
            message: text("the workspace stopped before it could be saved: this is what had been saved last"),
        }
    }
}

impl Example for GradeUpdate {
    fn example() -> Self {
        Self {
            points: BTreeMap::from([("style".to_owned(), Some(4.5)), ("checks".to_owned(), None)]),
            comments: BTreeMap::from([("style".to_owned(), "Neat names".to_owned())]),
            comment: text("Well done."),
        }
    }
}

impl Example for ResultView {
    fn example() -> Self {
        let line = ResultLine {
            criterion: "style".to_owned(),
            title: "Style".to_owned(),
            points: Some(4.5),
            most: 5.0,
            by_hand: true,
            comment: "Neat names".to_owned(),
        };
        Self {
            lab: "mysql".to_owned(),
            title: "A database of your own".to_owned(),
            due_at: text(DUE),
            published: true,
            submission: Some(SubmissionView::example()),
            points: Some(4.5),
            most: Some(5.0),
            whole: true,
            lines: vec![line],
            comment: "Well done.".to_owned(),
            graded_by: text("wang"),
            graded_at: text(MOMENT),
        }
    }
}

impl Example for GradebookRowView {
    fn example() -> Self {
        Self {
            username: "clare".to_owned(),
            name: "Clare Li".to_owned(),
            group: text("A"),
            suspended: false,
            points: 4.5,
            most: 5.0,
            results: vec![ResultView::example()],
        }
    }
}
