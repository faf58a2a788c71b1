//! The documents that attempts are about, with what they ask for. A published version never changes, so what was worked out
//! of one is held.

use crate::Controller;
use crate::labs::LabAt;
use crate::requests::RequestError;
use pierhead_lab::progress::Outline;
use pierhead_lab::{Check, Folder, Lab as Text, Rendered, Renderer, Values};
use pierhead_model::{Digest, LabAttempt, LabId, LabVersionRef};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most outlines that are held.
const HELD: usize = 500;

/// One state of a lab, read, and what it asks for.
#[derive(Debug, Clone)]
pub struct Document {
    at: Arc<LabAt>,
    /// What it asks for.
    pub outline: Arc<Outline>,
}

/// Outlines by the digests of the files that they are of.
#[derive(Default)]
pub(crate) struct Outlines(Mutex<BTreeMap<Digest, Arc<Outline>>>);

impl Document {
    /// What it says.
    #[must_use]
    pub fn text(&self) -> &Text {
        self.at.lab.as_ref().expect("a document is one that could be read")
    }

    /// Its files.
    #[must_use]
    pub fn files(&self) -> &crate::LabFiles {
        &self.at.files
    }

    /// The values of its variables for one student, or for whoever a word stands for.
    #[must_use]
    pub fn values(&self, seed: &str) -> Values {
        pierhead_lab::values(&self.text().variables, seed)
    }

    /// The checks of a step, from 0; none if there is no such step.
    #[must_use]
    pub fn checks(&self, step: u32) -> &[Check] {
        self.text().steps.get(step as usize).map_or(&[], |step| &step.checks)
    }

    /// The languages of its pages, its own first; none if it does not say which that is.
    #[must_use]
    pub fn languages(&self) -> Vec<String> {
        let text = self.text();
        let mut languages = vec![text.language.clone()];
        for language in text.steps.iter().flat_map(|step| step.translations.keys()) {
            if !languages.contains(language) {
                languages.push(language.clone());
            }
        }
        languages.retain(|language| !language.is_empty());
        languages
    }
}

impl Controller {
    /// A state of a lab with what it asks for. Who may see it is the caller's business.
    ///
    /// # Errors
    /// If there is no such lab or version, or its files can't be had or read.
    pub async fn lab_document(&self, id: &LabId, version: LabVersionRef) -> Result<Document, RequestError> {
        let at = self.lab_at(id, version).await?;
        if at.lab.is_none() {
            return Err(RequestError::NotFound { what: "lab that can be read", id: id.to_string(), replaced_by: None });
        }
        let digest = at.files.tree_digest.clone();
        let held = self.outlines.lock().get(&digest).cloned();
        if let Some(outline) = held {
            return Ok(Document { at, outline });
        }
        let read = Arc::clone(&at);
        let made = crate::labs::blocking(move || {
            let folder = Folder::new(&read.files);
            Ok(Arc::new(read.lab.as_ref().map(|lab| Outline::of(lab, &folder)).unwrap_or_default()))
        });
        let outline = made.await?;
        let mut held = self.outlines.lock();
        if held.len() >= HELD {
            held.clear();
        }
        held.insert(digest, Arc::clone(&outline));
        drop(held);
        Ok(Document { at, outline })
    }

    /// The document of an attempt.
    ///
    /// # Errors
    /// As [`Controller::lab_document`]: the lab may be gone.
    pub async fn attempt_document(&self, attempt: &LabAttempt) -> Result<Document, RequestError> {
        self.lab_document(&attempt.lab, LabVersionRef::Number(attempt.version)).await
    }

    /// A page of a document as somebody reads it, and of each of its questions what explains the right answer.
    pub(crate) async fn document_page(
        &self,
        document: &Document,
        step: u32,
        language: &str,
        values: Values,
    ) -> Result<Option<(Rendered, Vec<String>)>, RequestError> {
        let (at, language) = (Arc::clone(&document.at), language.to_owned());
        let rendered = crate::labs::blocking(move || {
            let Some(lab) = &at.lab else { return Ok(None) };
            let Some(step) = lab.steps.get(step as usize) else { return Ok(None) };
            let page = step.translations.get(&language).unwrap_or(&step.page);
            let folder = Folder::new(&at.files);
            let renderer = Renderer::new(&folder, lab, &values);
            let rendered = renderer.page(page, &mut pierhead_lab::Problems::default());
            let explanations = rendered.quizzes.iter().map(|quiz| renderer.explanation(page, quiz)).collect();
            Ok(Some((rendered, explanations)))
        });
        Ok(rendered.await?)
    }
}

impl Outlines {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest, Arc<Outline>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
