//! The nouns of a lab. Readers of all formats make these, and everything else goes by them.

mod action;
mod asset;
mod check;
mod environment;
mod format;
mod lab;
mod problem;
mod quiz;
mod report;
mod step;
mod variable;

pub use action::Action;
pub use asset::Asset;
pub use check::{Check, OutcomeHint, Script, When};
pub use environment::{ImageTable, LabContainer, LabEnvironment, LabTerminal, MappedTo};
pub use format::Format;
pub use lab::{Lab, Wording};
pub use problem::{Problem, Problems, Severity};
pub use quiz::{Answer, Answers, Quiz, QuizOption};
pub use report::{LabLine, Report, StepLine};
pub use step::{Page, Setup, Step};
pub use variable::{Variable, VariableKind};
