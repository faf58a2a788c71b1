//! Attempts at labs, and what comes of scripts.

use crate::FieldError;
use serde::{Deserialize, Serialize};

/// Body of `POST /api/labs/{id}/attempts`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AttemptRequest {
    /// The language in which one reads; the lab's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The course for which one works; the first that one takes and that shows the lab if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<String>,
}

/// Body of `PUT /api/attempts/{id}/step`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StepRequest {
    /// The step, from 0.
    pub step: u32,
}

/// Body of `POST /api/attempts/{id}/steps/{step}/checks`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CheckRequest {
    /// The check; all of the step that have not passed if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Body of `POST /api/attempts/{id}/steps/{step}/quizzes/{name}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerRequest {
    /// The numbers of the options that are chosen, from 0, or one text.
    pub answer: Vec<AnswerPart>,
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum AnswerPart {
    /// The number of an option, from 0.
    Option(u32),
    /// A text.
    Text(String),
}

/// Body of `POST /api/attempts/{id}/reset`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResetRequest {
    /// The step, from 0; everything, with the workspace, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
}

/// An attempt at a lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptView {
    /// Its id.
    pub id: String,
    /// The lab.
    pub lab: String,
    /// What that is called.
    pub title: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// The version of it that is worked with.
    pub version: u32,
    /// The newest version that is published; absent if the lab is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_version: Option<u32>,
    /// Whose it is.
    pub account: String,
    /// Who works at it too: the others of their group in the course.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<String>,
    /// The course in which it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<String>,
    /// The language in which it is read; empty for the lab's own.
    pub language: String,
    /// The languages of the lab, its own first.
    pub languages: Vec<String>,
    /// How many minutes it takes, as its author guesses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// The workspace, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// The phase of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The step that the student is at, from 0.
    pub step: u32,
    /// The steps.
    pub steps: Vec<AttemptStepView>,
    /// The points so far.
    pub score: u32,
    /// The most that can be had.
    pub most: u32,
    /// The terminals, and in which container they are: those of the containers first.
    pub terminals: Vec<AttemptTerminalView>,
    /// When it was begun (RFC 3339).
    pub started_at: String,
    /// When all of it was done (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<String>,
}

/// A step of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptStepView {
    /// Its title.
    pub title: String,
    /// Whether it was seen.
    pub seen: bool,
    /// Whether all that it asks for was done.
    pub done: bool,
    /// Whether something is still to be run before it can be checked.
    #[serde(default)]
    pub preparing: bool,
    /// What of that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup_failed: Option<String>,
    /// Its checks.
    pub checks: Vec<AttemptCheckView>,
    /// Its questions.
    pub quizzes: Vec<AttemptQuizView>,
    /// How many hints it has.
    pub hints: u32,
    /// Those that were opened, from 0.
    pub hints_opened: Vec<u32>,
}

/// A check of a step, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptCheckView {
    /// Its name.
    pub name: String,
    /// What is checked.
    pub title: String,
    /// Whether it goes on by itself until it passes.
    pub continuous: bool,
    /// `passed`, `failed`, `timed-out` or `not-run`; absent before its first run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The points that it gave.
    pub score: u32,
    /// The points for a pass.
    pub most: u32,
    /// What the student is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// When that was (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// How often the student asked for it.
    pub tries: u32,
}

/// A question of a step, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptQuizView {
    /// Its name.
    pub name: String,
    /// Whether it was answered.
    pub answered: bool,
    /// Whether rightly.
    pub right: bool,
    /// The answer: numbers of options, or one text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answer: Vec<AnswerPart>,
    /// The points that it gave.
    pub score: u32,
    /// The points for a right answer.
    pub most: u32,
    /// How many answers were given.
    pub tries: u32,
    /// What explains the right answer, once there was one: HTML in which nothing runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

/// A terminal beside the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptTerminalView {
    /// Its name, as blocks of pages write it.
    pub name: String,
    /// The container; the first one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

/// Body of `POST /api/labs/{id}/checks`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LabRunRequest {
    /// The workspace in which scripts of the draft are run.
    pub workspace: String,
    /// The step, from 0; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// `checks` (the default), `setup` or `solution`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// What came of scripts of a draft.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabRunView {
    /// Each that was run, in its order.
    pub results: Vec<LabResultView>,
}

/// What came of one script.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LabResultView {
    /// The step, from 0.
    pub step: u32,
    /// `checks`, `setup` or `solution`.
    pub run: String,
    /// The name of the check, or the file of the script.
    pub name: String,
    /// What is checked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// `passed`, `failed`, `timed-out` or `not-run`.
    pub state: String,
    /// The exit status, if it ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i64>,
    /// What a student would be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The last that it said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub said: String,
    /// How long it took.
    pub seconds: f64,
}

/// An answer as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// Options, from 0.
    Options(Vec<u32>),
    /// A text.
    Text(String),
}

impl AnswerRequest {
    /// What was answered.
    ///
    /// # Errors
    /// If it is neither numbers alone nor one text.
    pub fn check(self) -> Result<Answered, FieldError> {
        const EXPECTED: &str = "a list of numbers of options, or a list of one text";
        let is_number = |part: &AnswerPart| matches!(part, AnswerPart::Option(_));
        match self.answer.as_slice() {
            [AnswerPart::Text(text)] => Ok(Answered::Text(text.clone())),
            parts if !parts.is_empty() && parts.len() <= 100 && parts.iter().all(is_number) => {
                let number =
                    |part: &AnswerPart| if let AnswerPart::Option(number) = part { Some(*number) } else { None };
                Ok(Answered::Options(parts.iter().filter_map(number).collect()))
            }
            _ => Err(FieldError::new("answer", EXPECTED)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(json: &str) -> Result<Answered, FieldError> {
        serde_json::from_str::<AnswerRequest>(json).unwrap().check()
    }

    #[test]
    fn an_answer_is_numbers_or_a_text() {
        assert_eq!(answer(r#"{"answer": [0, 2]}"#).unwrap(), Answered::Options(vec![0, 2]));
        assert_eq!(answer(r#"{"answer": ["80"]}"#).unwrap(), Answered::Text("80".to_owned()));
        for wrong in [r#"{"answer": []}"#, r#"{"answer": [0, "a"]}"#, r#"{"answer": ["a", "b"]}"#] {
            assert_eq!(answer(wrong).unwrap_err().field, "answer", "{wrong}");
        }
        assert!(serde_json::from_str::<AnswerRequest>(r#"{"answer": [-1]}"#).is_err());
    }
}
