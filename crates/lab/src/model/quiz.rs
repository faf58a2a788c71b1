//! Questions.

use serde::{Deserialize, Serialize};

/// A question of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiz {
    /// Its name among those of its step: lower-case letters, digits and hyphens.
    pub name: String,
    /// The question: Markdown.
    pub question: String,
    /// How it is answered, and what is right.
    pub answers: Answers,
    /// What is shown with the result: Markdown, empty if nothing is.
    #[serde(default)]
    pub explanation: String,
    /// Points for a right answer.
    pub score: u32,
}

/// How a question is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answers {
    /// By a choice; several are right if several are marked.
    Choice(Vec<QuizOption>),
    /// By a text; these are right, whatever the case of their letters and the blanks around them.
    Text(Vec<String>),
}

/// One option of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuizOption {
    /// Its text: Markdown, one line.
    pub text: String,
    /// Whether it is right.
    pub right: bool,
}
