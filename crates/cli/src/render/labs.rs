//! How labs of the pool look.

use super::{fields, table};
use crate::escape::escape;
use pierhead_wire::{
    LabDiffView, LabFileDiffView, LabHistoryView, LabImageView, LabImagesView, LabOutlineView, LabProblemView,
    LabVersionView, LabView,
};

/// What `lab ls` prints.
pub(crate) fn list(labs: &[LabView], width: Option<u16>) -> String {
    let row = |lab: &LabView| {
        let newest = lab.versions.last().map_or_else(|| "-".to_owned(), |version| version.number.to_string());
        let steps = lab.versions.last().map_or_else(|| "-".to_owned(), |version| version.steps.to_string());
        vec![lab.id.clone(), lab.title.clone(), lab.owner.clone(), lab.visibility.clone(), newest, steps]
    };
    table(&["LAB", "TITLE", "OWNER", "VISIBLE", "VERSION", "STEPS"], labs.iter().map(row), width)
}

/// What `lab show` prints.
pub(crate) fn one(lab: &LabView, outline: &LabOutlineView, width: Option<u16>) -> String {
    let draft = lab.draft.as_ref().map(|draft| format!("revision {}, by {} at {}", draft.revision, draft.by, draft.at));
    let mut parts = vec![fields(&[
        ("lab", lab.id.clone()),
        ("title", lab.title.clone()),
        ("summary", lab.summary.clone()),
        ("owner", lab.owner.clone()),
        ("also written by", lab.authors.join(", ")),
        ("visible", lab.visibility.clone()),
        ("draft", draft.unwrap_or_default()),
        ("languages", outline.languages.join(", ")),
        ("made", lab.created_at.clone()),
    ])];
    if !outline.steps.is_empty() {
        let rows = outline.steps.iter().enumerate().map(|(number, step)| {
            vec![(number + 1).to_string(), step.title.clone(), step.checks.to_string(), step.quizzes.to_string()]
        });
        parts.push(table(&["STEP", "TITLE", "CHECKS", "QUIZZES"], rows, width));
    }
    if !lab.versions.is_empty() {
        let row = |version: &LabVersionView| {
            vec![
                version.number.to_string(),
                version.steps.to_string(),
                version.by.clone(),
                version.at.clone(),
                version.note.clone(),
            ]
        };
        parts.push(table(&["VERSION", "STEPS", "BY", "AT", "NOTE"], lab.versions.iter().map(row), width));
    }
    if !outline.problems.is_empty() {
        parts.push(outline.problems.iter().map(problem).collect::<Vec<_>>().join("\n"));
    }
    parts.join("\n\n")
}

/// What is wrong, on one line.
pub(crate) fn problem(problem: &LabProblemView) -> String {
    let LabProblemView { file, line, message, severity } = problem;
    format!("{}:{line}: {}: {}", escape(file), escape(severity), escape(message))
}

/// What `lab history` prints.
pub(crate) fn history(history: &[LabHistoryView], width: Option<u16>) -> String {
    let row = |draft: &LabHistoryView| {
        let more = match (&draft.path, &draft.to, draft.restored) {
            (Some(path), Some(to), _) => format!(" {path} to {to}"),
            (Some(path), None, _) => format!(" {path}"),
            (None, _, Some(revision)) => format!(" revision {revision}"),
            _ => String::new(),
        };
        vec![draft.revision.to_string(), format!("{}{more}", draft.what), draft.by.clone(), draft.at.clone()]
    };
    table(&["REVISION", "WHAT", "BY", "AT"], history.iter().map(row), width)
}

/// What `lab diff` prints.
pub(crate) fn diff(diff: &LabDiffView) -> String {
    let file = |file: &LabFileDiffView| match &file.text {
        Some(text) => {
            let lines: Vec<String> = text.lines().map(|line| escape(line).into_owned()).collect();
            format!("{} {}\n{}", file.kind, escape(&file.path), lines.join("\n"))
        }
        None => format!("{} {} ({} to {} bytes)", file.kind, escape(&file.path), file.bytes_before, file.bytes),
    };
    let mut parts: Vec<String> = diff.files.iter().map(file).collect();
    if diff.has_more {
        parts.push("and more files".to_owned());
    }
    parts.join("\n")
}

/// What `lab images` prints.
pub(crate) fn images(images: &LabImagesView, width: Option<u16>) -> String {
    let becomes = |image: &LabImageView| match (&image.environment, &image.image) {
        (Some(name), _) => format!("environment {name}"),
        (None, Some(image)) => image.clone(),
        (None, None) => String::new(),
    };
    let row = |(name, image): (&String, &LabImageView)| {
        let privileged = if image.privileged { "privileged" } else { "" };
        vec![name.clone(), becomes(image), privileged.to_owned()]
    };
    let rows = images.images.iter().map(row).chain([vec![
        "(any other)".to_owned(),
        becomes(&images.otherwise),
        if images.otherwise.privileged { "privileged" } else { "" }.to_owned(),
    ]]);
    table(&["IMAGE", "BECOMES", ""], rows, width)
}
