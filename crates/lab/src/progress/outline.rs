//! What a lab asks for, step by step: names and points, without texts, scripts and answers. Made once for each version.

use crate::files::Folder;
use crate::model::{Lab, Problems, Step, When};
use crate::render::{RenderedBlock, Renderer};
use crate::variables;

/// What a lab asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// Its steps.
    pub steps: Vec<StepOutline>,
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
        Self { steps: lab.steps.iter().map(|step| StepOutline::of(step, &renderer)).collect() }
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
    fn of(step: &Step, renderer: &Renderer<'_>) -> Self {
        let rendered = renderer.page(&step.page, &mut Problems::default());
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
