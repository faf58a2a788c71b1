//! What a lab asks for, step by step: names and points, without texts, scripts and answers. Made once for each version.

use crate::files::Folder;
use crate::model::{Lab, Problems, Step, When};
use crate::path::LabPath;
use crate::render::{RenderedBlock, Renderer};
use crate::variables;
use std::collections::BTreeSet;

/// What a lab asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// Its steps.
    pub steps: Vec<StepOutline>,
    /// The files that its pages show or lead to, in all languages: what a student may have of its folder.
    pub shown: BTreeSet<LabPath>,
}

/// What a step asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepOutline {
    /// Its title.
    pub title: String,
    /// Whether something is run at the first visit.
    pub has_setup: bool,
    /// Its checks.
    pub checks: Vec<CheckOutline>,
    /// Its questions.
    pub quizzes: Vec<QuizOutline>,
    /// How many hints it has.
    pub hints: u32,
}

/// A check, as far as others than its script go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckOutline {
    /// Its name in its step.
    pub name: String,
    /// What is checked.
    pub title: String,
    /// Whether it goes on by itself.
    pub continuous: bool,
    /// The points for a pass.
    pub score: u32,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuizOutline {
    /// Its name in its step.
    pub name: String,
    /// The points for a right answer.
    pub score: u32,
}

impl Outline {
    /// What a lab asks for. All its pages are rendered for that, so it is kept.
    #[must_use]
    pub fn of(lab: &Lab, folder: &Folder<'_>) -> Self {
        let values = variables::values(&lab.variables, "");
        let renderer = Renderer::new(folder, lab, &values);
        let mut shown = BTreeSet::new();
        let steps = lab.steps.iter().map(|step| StepOutline::of(step, &renderer, &mut shown)).collect();
        Self { steps, shown }
    }

    /// One step, by its number from 0.
    #[must_use]
    pub fn step(&self, number: u32) -> Option<&StepOutline> {
        self.steps.get(number as usize)
    }

    /// The most points that can be had.
    #[must_use]
    pub fn most(&self) -> u32 {
        let of_step = |step: &StepOutline| {
            let checks = step.checks.iter().map(|check| check.score);
            checks.chain(step.quizzes.iter().map(|quiz| quiz.score)).fold(0, u32::saturating_add)
        };
        self.steps.iter().map(of_step).fold(0, u32::saturating_add)
    }
}

impl StepOutline {
    fn of(step: &Step, renderer: &Renderer<'_>, shown: &mut BTreeSet<LabPath>) -> Self {
        let rendered = renderer.page(&step.page, &mut Problems::default());
        for page in step.translations.values() {
            note_files(&renderer.page(page, &mut Problems::default()).page.blocks, shown);
        }
        note_files(&rendered.page.blocks, shown);
        let check = |check: &crate::Check| CheckOutline {
            name: check.name.clone(),
            title: check.title.clone(),
            continuous: check.when != When::Click,
            score: check.score,
        };
        let is_hint = |block: &&RenderedBlock| matches!(block, RenderedBlock::Hint { .. });
        Self {
            title: rendered.page.title.clone(),
            has_setup: !step.setup.is_empty(),
            checks: step.checks.iter().map(check).collect(),
            quizzes: rendered
                .quizzes
                .iter()
                .map(|quiz| QuizOutline { name: quiz.name.clone(), score: quiz.score })
                .collect(),
            hints: rendered.page.blocks.iter().filter(is_hint).count() as u32,
        }
    }
}

fn note_files(blocks: &[RenderedBlock], shown: &mut BTreeSet<LabPath>) {
    for block in blocks {
        if let RenderedBlock::Image { file, .. } | RenderedBlock::File { file, .. } = block {
            shown.insert(file.clone());
        }
    }
}
