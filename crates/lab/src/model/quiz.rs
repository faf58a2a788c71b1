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

/// What a student answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The numbers of the options that were chosen, from 0.
    Choice(Vec<usize>),
    /// A text.
    Text(String),
}

impl Quiz {
    /// Whether an answer is right: all that is right was chosen and nothing else, or the text is one of those that are.
    #[must_use]
    pub fn is_right(&self, answer: &Answer) -> bool {
        match (&self.answers, answer) {
            (Answers::Choice(options), Answer::Choice(chosen)) => {
                chosen.iter().all(|chosen| *chosen < options.len())
                    && options.iter().enumerate().all(|(number, option)| option.right == chosen.contains(&number))
            }
            (Answers::Text(texts), Answer::Text(text)) => {
                let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
                texts.iter().any(|right| flat(right) == flat(text))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiz(answers: Answers) -> Quiz {
        Quiz { name: "q".to_owned(), question: "?".to_owned(), answers, explanation: String::new(), score: 1 }
    }

    #[test]
    fn a_choice_is_right_if_all_of_it_is() {
        let option = |right| QuizOption { text: "a".to_owned(), right };
        let quiz = quiz(Answers::Choice(vec![option(true), option(false), option(true)]));
        assert!(quiz.is_right(&Answer::Choice(vec![2, 0])));
        for wrong in [vec![], vec![0], vec![0, 1, 2], vec![0, 2, 3], vec![1]] {
            assert!(!quiz.is_right(&Answer::Choice(wrong)));
        }
        assert!(!quiz.is_right(&Answer::Text("a".to_owned())));
    }

    #[test]
    fn a_text_is_right_whatever_its_case_and_blanks() {
        let quiz = quiz(Answers::Text(vec!["Forty Two".to_owned(), "42".to_owned()]));
        for (text, right) in [(" forty  two ", true), ("42", true), ("fortytwo", false), ("", false)] {
            assert_eq!(quiz.is_right(&Answer::Text(text.to_owned())), right, "{text}");
        }
        assert!(!quiz.is_right(&Answer::Choice(vec![0])));
    }
}
