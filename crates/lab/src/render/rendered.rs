//! What a rendered page is, as data: the form that pages in browsers are written against.

use crate::model::Quiz;
use crate::path::LabPath;
use serde::{Deserialize, Serialize};

/// A rendered page, with what only the controller may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// What a student may get.
    pub page: RenderedPage,
    /// Its questions with their answers, in the order of the page, for [`Quiz::is_right`].
    pub quizzes: Vec<Quiz>,
}

/// A page for a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderedPage {
    /// Its title: plain text.
    pub title: String,
    /// Its text: HTML in which nothing runs and that loads nothing. An empty `span` or `div` with the attribute
    /// `data-block="N"` is the slot of the block N.
    pub html: String,
    /// What its slots hold, by their numbers; those of hints too.
    pub blocks: Vec<RenderedBlock>,
}

/// Something in a page that is more than text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum RenderedBlock {
    /// Code that is run in a terminal on a click.
    Run {
        /// The code, without a line break at its end.
        code: String,
        /// Its language, for colours; empty if unknown.
        language: String,
        /// The terminal; the one that is open without.
        terminal: Option<String>,
        /// Whether what runs there is interrupted first.
        interrupt: bool,
        /// Whether it stands within a line.
        inline: bool,
    },
    /// Code that is copied on a click.
    Copy {
        /// The code, without a line break at its end.
        code: String,
        /// Its language, for colours; empty if unknown.
        language: String,
        /// Whether it stands within a line.
        inline: bool,
    },
    /// Text that is put into a file of a container with an editor.
    Edit {
        /// The text.
        code: String,
        /// Its language, for colours; empty if unknown.
        language: String,
        /// The file, from the container's root on.
        file: String,
        /// The container; the first one without.
        container: Option<String>,
    },
    /// A link to what a container serves.
    Preview {
        /// The text of the link.
        text: String,
        /// The container; the first one without.
        container: Option<String>,
        /// The port.
        port: u16,
        /// Path and query, beginning with a slash.
        path: String,
    },
    /// An image of the lab's folder.
    Image {
        /// The file.
        file: LabPath,
        /// What it shows, for those who don't see it.
        alt: String,
        /// A caption; empty if there is none.
        title: String,
    },
    /// A hint, which is closed until the student asks for it.
    Hint {
        /// What it is about: plain text, empty if it says nothing.
        title: String,
        /// Its content: HTML like the page's, with slots of its own.
        html: String,
    },
    /// A question.
    Quiz(RenderedQuiz),
    /// A link to another step of the lab.
    Step {
        /// The text of the link.
        text: String,
        /// The step, from 0.
        step: usize,
    },
    /// A link to another file of the lab's folder.
    File {
        /// The text of the link.
        text: String,
        /// The file.
        file: LabPath,
    },
}

/// A question without its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderedQuiz {
    /// Its name among those of its page.
    pub name: String,
    /// The question: HTML without slots.
    pub question: String,
    /// What can be chosen, each as HTML without slots; empty if a text is asked for.
    pub options: Vec<String>,
    /// Whether several may be chosen.
    pub several: bool,
    /// Points for a right answer.
    pub score: u32,
}
