//! The one renderer: a page becomes HTML in which nothing runs, and typed blocks that the page fills its slots with.
//!
//! Markdown is parsed once; everything that is more than text is taken out of the tree and replaced by a slot, an empty
//! `<span data-block="N">` or `<div data-block="N">`. What is left is made HTML and cleaned by a list of what is allowed,
//! so what raw HTML an author writes is kept as far as it is harmless.

mod clean;
mod hints;
mod includes;
mod links;
mod markdown;
mod quizzes;
mod rendered;
mod walk;

pub use rendered::{Rendered, RenderedBlock, RenderedPage, RenderedQuiz};

use crate::files::Folder;
use crate::model::{Lab, LabEnvironment, Page, Problems, Quiz};
use crate::path::LabPath;
use crate::variables::{self, Values};
use std::collections::{BTreeMap, BTreeSet};

/// The most bytes of a page's text.
pub const LONGEST_PAGE: usize = 128 << 10;

/// Renders the pages of one lab for one student.
pub struct Renderer<'a> {
    folder: &'a Folder<'a>,
    values: &'a Values,
    /// The values as they are written in raw HTML.
    escaped: Values,
    steps: BTreeMap<LabPath, usize>,
    containers: Option<BTreeSet<String>>,
    terminals: BTreeSet<String>,
    cleaner: ammonia::Builder<'static>,
}

impl<'a> Renderer<'a> {
    /// A renderer for a lab, the folder that it was read from, and the values of its variables.
    #[must_use]
    pub fn new(folder: &'a Folder<'a>, lab: &Lab, values: &'a Values) -> Self {
        let mut steps = BTreeMap::new();
        for (number, step) in lab.steps.iter().enumerate() {
            for page in step.translations.values().chain([&step.page]) {
                steps.insert(page.file.clone(), number);
            }
        }
        let containers = match &lab.environment {
            LabEnvironment::Named(_) => None,
            LabEnvironment::Containers(list) => Some(list.iter().map(|container| container.name.clone()).collect()),
        };
        let terminals = lab.terminals.iter().map(|terminal| terminal.name.clone()).collect();
        let escaped = values.iter().map(|(name, value)| (name.clone(), clean::escaped(value))).collect();
        Self { folder, values, escaped, steps, containers, terminals, cleaner: clean::cleaner() }
    }

    /// Renders a page. What is wrong in it is a problem, and the rest is rendered.
    pub fn page(&self, page: &Page, problems: &mut Problems) -> Rendered {
        let title = variables::fill(&page.title, self.values, |_| ()).into_owned();
        let arena = comrak::Arena::new();
        let mut walk = walk::Walk::new(self, &arena, problems);
        let html = walk.page(page);
        let (blocks, quizzes) = walk.done();
        Rendered { page: RenderedPage { title, html, blocks }, quizzes }
    }

    /// What explains the right answer of a quiz: HTML without slots, empty if nothing does.
    #[must_use]
    pub fn explanation(&self, page: &Page, quiz: &Quiz) -> String {
        if quiz.explanation.is_empty() {
            return String::new();
        }
        let (arena, mut problems) = (comrak::Arena::new(), Problems::default());
        let source = walk::Source { file: &page.file, line: page.line };
        walk::Walk::new(self, &arena, &mut problems).fragment(&quiz.explanation, source)
    }

    /// What is wrong with the name of a container; containers of an environment of the pool are not known here.
    fn unknown_container(&self, name: Option<&str>) -> Option<String> {
        let known = self.containers.as_ref()?;
        let name = name.filter(|name| !known.contains(*name))?;
        Some(format!("the lab has no container {name}"))
    }

    /// What is wrong with the name of a terminal.
    fn unknown_terminal(&self, name: Option<&str>) -> Option<String> {
        let known = self.containers.as_ref()?;
        let name = name.filter(|name| !known.contains(*name) && !self.terminals.contains(*name))?;
        Some(format!("the lab has no terminal or container {name}"))
    }
}

#[cfg(test)]
mod tests;
