//! Working through a lab: coming to a step, its page, its questions and hints.

use super::{AttemptNow, find, no_step};
use crate::requests::{Actor, RequestError};
use crate::{Controller, LabFile};
use pierhead_blobs::Pieces;
use pierhead_lab::progress;
use pierhead_lab::{Answers, LabPath, Quiz, RenderedPage};
use pierhead_model::{LabAttempt, QuizAnswer};

/// The longest text of an answer, in characters.
const LONGEST_ANSWER: usize = 1_000;

/// What somebody answers: numbers of options, or one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuizReply {
    /// The options that they chose, from 0.
    Options(Vec<u32>),
    /// A text.
    Text(String),
}

impl Controller {
    /// Notes that somebody comes to a step, from 0.
    ///
    /// # Errors
    /// If there is no such attempt or step, or it is somebody else's.
    pub async fn visit_step(&self, actor: &Actor, id: &str, step: u32) -> Result<AttemptNow, RequestError> {
        let record = self.own_attempt(actor, id)?;
        let document = self.attempt_document(&record).await?;
        document.outline.step(step).ok_or_else(|| no_step(step))?;
        self.note_work(&record);
        let told = format!(", step={step}");
        self.change_attempt(&record.id, ("attempt-step", &told, Some(actor)), |attempt, now| {
            progress::visit(attempt, &document.outline, step, now);
            Ok(())
        })
        .await?;
        self.attempt(actor, id).await
    }

    /// The page of a step with the values of whose attempt it is, in the language that is named or that they read.
    ///
    /// # Errors
    /// If there is no such attempt or step, as far as they may know.
    pub async fn attempt_page(
        &self,
        actor: &Actor,
        id: &str,
        step: u32,
        language: Option<&str>,
    ) -> Result<RenderedPage, RequestError> {
        let record = find(&self.known(), actor, id).cloned()?;
        let document = self.attempt_document(&record).await?;
        if record.account == actor.username {
            self.note_work(&record);
        }
        let (language, values) = (language.unwrap_or(&record.language), document.values(&record.seed));
        let page = self.document_page(&document, step, language, values).await?;
        Ok(page.ok_or_else(|| no_step(step))?.0.page)
    }

    /// A file that pages of an attempt's lab show or lead to, and its bytes; never a script.
    ///
    /// # Errors
    /// If there is no such attempt or file, as far as they may know.
    pub async fn attempt_file(
        &self,
        actor: &Actor,
        id: &str,
        path: &str,
    ) -> Result<(LabPath, LabFile, Pieces), RequestError> {
        let record = find(&self.known(), actor, id).cloned()?;
        let document = self.attempt_document(&record).await?;
        let none = || RequestError::NotFound { what: "file", id: path.chars().take(200).collect(), replaced_by: None };
        let path = LabPath::parse(path).map_err(|_| none())?;
        let file = document.files().file(&path).filter(|_| document.outline.shown.contains(&path)).ok_or_else(none)?;
        let pieces = self.lab_file_pieces(file);
        Ok((path, file.clone(), pieces))
    }

    /// Notes the answer to a question.
    ///
    /// # Errors
    /// If there is no such attempt, step or question, it is somebody else's, or the answer is none that there can be.
    pub async fn answer_quiz(
        &self,
        actor: &Actor,
        id: &str,
        step: u32,
        name: &str,
        reply: &QuizReply,
    ) -> Result<AttemptNow, RequestError> {
        let record = self.own_attempt(actor, id)?;
        let document = self.attempt_document(&record).await?;
        let values = document.values(&record.seed);
        let page = self.document_page(&document, step, &record.language, values).await?;
        let (rendered, explanations) = page.ok_or_else(|| no_step(step))?;
        let quiz = rendered.quizzes.iter().zip(&explanations).find(|(quiz, _)| quiz.name == name);
        let none = || RequestError::NotFound { what: "quiz", id: name.chars().take(64).collect(), replaced_by: None };
        let (quiz, explanation) = quiz.ok_or_else(none)?;
        let answer = answer(quiz, reply)?;
        self.note_work(&record);
        let told = format!(", step={step}, quiz={name}");
        self.change_attempt(&record.id, ("attempt-answer", &told, Some(actor)), |attempt, now| {
            progress::take_answer(attempt, &document.outline, (step, quiz, explanation), answer.clone(), now);
            Ok(())
        })
        .await?;
        self.attempt(actor, id).await
    }

    /// Notes that a hint of a step was opened, counted from 0.
    ///
    /// # Errors
    /// If there is no such attempt, step or hint, or it is somebody else's.
    pub async fn open_hint(&self, actor: &Actor, id: &str, step: u32, hint: u32) -> Result<AttemptNow, RequestError> {
        let record = self.own_attempt(actor, id)?;
        let document = self.attempt_document(&record).await?;
        let there = document.outline.step(step).ok_or_else(|| no_step(step))?;
        if hint >= there.hints {
            return Err(RequestError::NotFound { what: "hint", id: hint.to_string(), replaced_by: None });
        }
        let told = format!(", step={step}, hint={hint}");
        self.change_attempt(&record.id, ("attempt-hint", &told, Some(actor)), |attempt, now| {
            progress::open_hint(attempt, &document.outline, step, hint, now);
            Ok(())
        })
        .await?;
        self.attempt(actor, id).await
    }

    /// Notes that somebody works at an attempt: its workspace is not idle, and its checks go on.
    pub(super) fn note_work(&self, attempt: &LabAttempt) {
        if let Some(workspace) = &attempt.workspace {
            self.note_activity(workspace);
        }
    }
}

fn answer(quiz: &Quiz, reply: &QuizReply) -> Result<QuizAnswer, RequestError> {
    let must = |expected: String| RequestError::Invalid { field: "answer", expected };
    match (&quiz.answers, reply) {
        (Answers::Choice(options), QuizReply::Options(chosen)) => {
            let (mut chosen, most) = (chosen.clone(), options.len());
            chosen.sort_unstable();
            chosen.dedup();
            if chosen.is_empty() || chosen.iter().any(|at| *at as usize >= most) {
                return Err(must(format!("a list of options, each between 0 and {}", most.saturating_sub(1))));
            }
            Ok(QuizAnswer::Choice(chosen))
        }
        (Answers::Text(_), QuizReply::Text(text)) if text.chars().count() <= LONGEST_ANSWER => {
            Ok(QuizAnswer::Text(text.clone()))
        }
        (Answers::Choice(_), QuizReply::Text(_)) => Err(must("a list of numbers, as options are chosen".to_owned())),
        (Answers::Text(_), _) => Err(must(format!("a list of one text of at most {LONGEST_ANSWER} characters"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_lab::QuizOption;

    fn quiz(answers: Answers) -> Quiz {
        Quiz { name: "q".to_owned(), question: "?".to_owned(), answers, explanation: String::new(), score: 1 }
    }

    #[test]
    fn an_answer_is_of_the_kind_that_is_asked_for() {
        let option = |right| QuizOption { text: "a".to_owned(), right };
        let choice = quiz(Answers::Choice(vec![option(true), option(false)]));
        let options = |list: &[u32]| QuizReply::Options(list.to_vec());
        assert_eq!(answer(&choice, &options(&[1, 0, 1])).unwrap(), QuizAnswer::Choice(vec![0, 1]));
        for wrong in [options(&[]), options(&[2]), QuizReply::Text("a".to_owned())] {
            assert!(matches!(answer(&choice, &wrong), Err(RequestError::Invalid { field: "answer", .. })), "{wrong:?}");
        }
        let text = quiz(Answers::Text(vec!["80".to_owned()]));
        assert_eq!(answer(&text, &QuizReply::Text("80".to_owned())).unwrap(), QuizAnswer::Text("80".to_owned()));
        for wrong in [options(&[0]), QuizReply::Text("x".repeat(1_001))] {
            assert!(answer(&text, &wrong).is_err());
        }
    }
}
