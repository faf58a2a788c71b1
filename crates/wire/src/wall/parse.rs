//! Checks of what is asked about many people.

use super::{HandRequest, MessageRequest, MessagesReadRequest, WallChangeRequest};
use crate::FieldError;
use pierhead_model::{CourseId, EnvironmentId, LONGEST_MESSAGE, LONGEST_QUESTION, LabId, WorkspaceId};
use std::collections::BTreeSet;

/// The most workspaces that are named at once.
const MOST_NAMED: usize = 500;
/// The most minutes by which something is put off.
const MOST_MINUTES: u32 = 7 * 24 * 60;

/// What shall be done for many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WallChangeKind {
    /// Put the end off, by so many minutes.
    Extend(u32),
    /// Save, and run on.
    Save,
    /// Stand still.
    Pause,
    /// Go on.
    Resume,
    /// Save, and stop.
    Stop,
    /// Run again.
    Start,
}

/// Whom something is about, as a request or a query names them.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallNames<'a> {
    /// An environment.
    pub environment: Option<&'a str>,
    /// A course.
    pub course: Option<&'a str>,
    /// A lab.
    pub lab: Option<&'a str>,
    /// Workspaces.
    pub workspaces: Option<&'a [String]>,
}

/// Whom something is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WallNamed {
    /// Only what is of this environment.
    pub environment: Option<EnvironmentId>,
    /// Only what is of this course.
    pub course: Option<CourseId>,
    /// Only what is for this lab.
    pub lab: Option<LabId>,
    /// Only these workspaces.
    pub workspaces: Option<BTreeSet<WorkspaceId>>,
}

impl WallNames<'_> {
    /// What they name.
    ///
    /// # Errors
    /// [`FieldError`] names the field and the accepted form.
    pub fn named(&self) -> Result<WallNamed, FieldError> {
        let environment = self.environment.map(EnvironmentId::parse).transpose();
        let environment = environment.map_err(|invalid| FieldError::of("environment", &invalid))?;
        let course = self.course.map(CourseId::parse).transpose();
        let course = course.map_err(|invalid| FieldError::of("course", &invalid))?;
        let lab = self.lab.map(LabId::parse).transpose().map_err(|invalid| FieldError::of("lab", &invalid))?;
        let mut named = WallNamed { environment, course, lab, workspaces: None };
        let Some(ids) = self.workspaces else { return Ok(named) };
        if ids.is_empty() || ids.len() > MOST_NAMED {
            return Err(FieldError::new("workspaces", "the ids of 1 to 500 workspaces"));
        }
        let parsed: Result<BTreeSet<_>, _> = ids.iter().map(|id| WorkspaceId::parse(id.as_str())).collect();
        named.workspaces = Some(parsed.map_err(|invalid| FieldError::of("workspaces", &invalid))?);
        Ok(named)
    }
}

impl WallChangeRequest {
    /// Whom it is about.
    #[must_use]
    pub fn names(&self) -> WallNames<'_> {
        WallNames {
            environment: self.environment.as_deref(),
            course: self.course.as_deref(),
            lab: self.lab.as_deref(),
            workspaces: self.workspaces.as_deref(),
        }
    }

    /// What shall be done.
    ///
    /// # Errors
    /// [`FieldError`] names the field and the accepted form.
    pub fn kind(&self) -> Result<WallChangeKind, FieldError> {
        if self.minutes.is_some() && self.change != "extend" {
            return Err(FieldError::new("minutes", "given to extend only"));
        }
        match (self.change.as_str(), self.minutes) {
            ("extend", Some(minutes @ 1..=MOST_MINUTES)) => Ok(WallChangeKind::Extend(minutes)),
            ("extend", _) => Err(FieldError::new("minutes", "a whole number from 1 to 10080")),
            ("save", _) => Ok(WallChangeKind::Save),
            ("pause", _) => Ok(WallChangeKind::Pause),
            ("resume", _) => Ok(WallChangeKind::Resume),
            ("stop", _) => Ok(WallChangeKind::Stop),
            ("start", _) => Ok(WallChangeKind::Start),
            _ => Err(FieldError::new("change", "extend, save, pause, resume, stop or start")),
        }
    }
}

impl HandRequest {
    /// The question, without spaces around it; none if it is empty.
    ///
    /// # Errors
    /// [`FieldError`] if it is too long.
    pub fn question(&self) -> Result<Option<&str>, FieldError> {
        let question = self.question.as_deref().map(str::trim).filter(|question| !question.is_empty());
        match question.is_some_and(|question| !is_text(question, LONGEST_QUESTION)) {
            true => Err(FieldError::new("question", "at most 200 characters, without control characters")),
            false => Ok(question),
        }
    }
}

impl MessageRequest {
    /// Whom it is for.
    #[must_use]
    pub fn names(&self) -> WallNames<'_> {
        WallNames {
            environment: self.environment.as_deref(),
            course: self.course.as_deref(),
            lab: self.lab.as_deref(),
            workspaces: self.workspaces.as_deref(),
        }
    }

    /// What it says, without spaces around it.
    ///
    /// # Errors
    /// [`FieldError`] if that is nothing, or too long.
    pub fn text(&self) -> Result<&str, FieldError> {
        let text = self.text.trim();
        match !text.is_empty() && is_text(text, LONGEST_MESSAGE) {
            true => Ok(text),
            false => Err(FieldError::new("text", "1 to 2000 characters, without control characters but line breaks")),
        }
    }
}

impl MessagesReadRequest {
    /// The ids.
    ///
    /// # Errors
    /// [`FieldError`] if there are none, or too many.
    pub fn ids(&self) -> Result<&[String], FieldError> {
        match self.messages.len() {
            1..=100 => Ok(&self.messages),
            _ => Err(FieldError::new("messages", "the ids of 1 to 100 messages")),
        }
    }
}

fn is_text(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest && text.chars().all(|char| char == '\n' || !char.is_control())
}
