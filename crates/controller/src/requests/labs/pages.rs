//! What a lab shows: its steps, its pages, and what a page would be.

use super::{Actor, RequestError, may_write, no_version};
use crate::Controller;
use crate::labs::{LabAt, LabPreview};
use pierhead_lab::{Check, Lab as Document, LabEnvironment, LabPath, Problem, Rendered, Values};
use pierhead_model::{Lab, LabVersionRef};
use std::sync::Arc;

/// The longest text of a file that is previewed, in bytes.
const LONGEST_TEXT: usize = 1 << 20;

/// A state of a lab, as a table of contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabOutline {
    /// The lab.
    pub lab: Arc<Lab>,
    /// What it is called.
    pub title: String,
    /// What it is about.
    pub summary: String,
    /// Its languages, the one of its steps first; empty if nobody said.
    pub languages: Vec<String>,
    /// Its terminals, and in which container they are; those of the containers' own names first, if it describes them.
    pub terminals: Vec<(String, Option<String>)>,
    /// Its steps.
    pub steps: Vec<LabOutlineStep>,
    /// What is wrong with it; nothing for those who don't write it.
    pub problems: Vec<Problem>,
}

/// A step in a table of contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabOutlineStep {
    /// What it is called.
    pub title: String,
    /// Its file; nothing for those who don't write the lab.
    pub file: Option<LabPath>,
    /// How many checks it has.
    pub checks: usize,
    /// How many questions.
    pub quizzes: usize,
}

/// A page of a lab.
#[derive(Debug, Clone)]
pub struct LabPage {
    /// The page.
    pub rendered: Arc<Rendered>,
    /// The checks of its step.
    pub checks: Vec<Check>,
}

impl Controller {
    /// What a state of a lab holds. Those who don't write it see what is published, and not what is wrong.
    ///
    /// # Errors
    /// If there is no such lab or version, as far as they may know.
    pub async fn lab_outline(
        &self,
        actor: &Actor,
        id: &str,
        version: Option<LabVersionRef>,
    ) -> Result<LabOutline, RequestError> {
        let lab = self.lab(actor, id)?;
        let is_author = may_write(actor, &lab);
        let version = version.unwrap_or(if is_author { LabVersionRef::Draft } else { LabVersionRef::Newest });
        if version == LabVersionRef::Draft && !is_author {
            return Err(super::not_an_author());
        }
        let digest = lab.tree(version).cloned().ok_or_else(|| no_version(&lab, version))?;
        let (at, checked) = (self.library.lab(&digest).await?, self.library.check(&digest).await?);
        let mut problems = if is_author { checked.problems.clone() } else { Vec::new() };
        if is_author && let Err(RequestError::LabInvalid(more)) = self.lab_spec(&lab, &at, Some(actor)) {
            problems.extend(more.into_iter().filter(|problem| !checked.problems.contains(problem)));
        }
        let (title, summary) = at.lab.as_ref().map_or_else(
            || (lab.title.clone(), lab.summary.clone()),
            |document| (document.title.clone(), document.summary.clone()),
        );
        let pages = at.lab.iter().flat_map(|document| &document.steps);
        let step = |(step, line): (&pierhead_lab::Step, &pierhead_lab::StepLine)| LabOutlineStep {
            title: line.title.clone(),
            file: is_author.then(|| step.page.file.clone()),
            checks: line.checks,
            quizzes: line.quizzes,
        };
        Ok(LabOutline {
            title,
            summary,
            languages: at.lab.as_ref().map(languages).unwrap_or_default(),
            terminals: at.lab.as_ref().map(terminals).unwrap_or_default(),
            steps: pages.zip(&checked.steps).map(step).collect(),
            problems,
            lab,
        })
    }

    /// A page of a lab for those who write it; steps count from 0.
    ///
    /// # Errors
    /// If there is no such lab, version or step as far as they may know.
    pub async fn lab_page(
        &self,
        actor: &Actor,
        id: &str,
        version: LabVersionRef,
        step: usize,
        language: Option<&str>,
    ) -> Result<LabPage, RequestError> {
        let lab = self.lab_to_write(actor, id)?;
        let digest = lab.tree(version).cloned().ok_or_else(|| no_version(&lab, version))?;
        let rendered = self.library.page(&digest, step, language).await?.ok_or_else(|| no_step(step))?;
        let at = self.library.lab(&digest).await?;
        let checks = at.lab.as_ref().and_then(|lab| lab.steps.get(step)).map(|step| step.checks.clone());
        Ok(LabPage { rendered, checks: checks.unwrap_or_default() })
    }

    /// A page of a state of a lab, with the values of whoever reads it; `None` if there is no such step. Who may see it is
    /// the caller's business.
    ///
    /// # Errors
    /// If its files can't be had.
    pub async fn render_lab_page(
        &self,
        at: &Arc<LabAt>,
        step: usize,
        language: Option<&str>,
        values: Values,
    ) -> Result<Option<Rendered>, RequestError> {
        Ok(self.library.rendered(Arc::clone(at), step, language.map(str::to_owned), values).await?)
    }

    /// What a page would be if a file of the draft held this text. Nothing is kept of it.
    ///
    /// # Errors
    /// If there is no such lab as far as they may know, or it is for others to write.
    pub async fn preview_lab(
        &self,
        actor: &Actor,
        id: &str,
        path: LabPath,
        text: String,
    ) -> Result<LabPreview, RequestError> {
        let lab = self.lab_to_write(actor, id)?;
        if text.len() > LONGEST_TEXT {
            return Err(RequestError::Invalid { field: "text", expected: "a text of at most 1 MiB".to_owned() });
        }
        Ok(self.library.preview(&lab.draft.tree, path, text).await?)
    }
}

/// The languages of a lab, that of its steps first.
fn languages(document: &Document) -> Vec<String> {
    let mut languages = vec![document.language.clone()];
    let further = document.steps.iter().flat_map(|step| step.translations.keys()).chain(document.translations.keys());
    for language in further {
        if !languages.contains(language) {
            languages.push(language.clone());
        }
    }
    languages.retain(|language| !language.is_empty());
    languages
}

fn terminals(document: &Document) -> Vec<(String, Option<String>)> {
    let mut terminals = Vec::new();
    if let LabEnvironment::Containers(containers) = &document.environment {
        terminals.extend(containers.iter().map(|container| (container.name.clone(), Some(container.name.clone()))));
    }
    terminals.extend(document.terminals.iter().map(|terminal| (terminal.name.clone(), terminal.container.clone())));
    terminals
}

fn no_step(step: usize) -> RequestError {
    RequestError::NotFound { what: "step", id: step.to_string(), replaced_by: None }
}
