//! Reads the files of steps.

use super::document::{CheckFile, FrontFile, HintFile, SetupFile};
use super::front;
use super::lab::one_line;
use super::names::is_name;
use super::scripts::{self, At};
use crate::files::Folder;
use crate::model::{Check, OutcomeHint, Page, Problems, Setup, Step, When};
use crate::path::LabPath;
use crate::yaml;
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, BTreeSet};

/// The most checks of a step.
const CHECKS: usize = 100;

/// Reads a step; none if its file can't be read. `from` is the file and line that names it.
pub(super) fn read(
    folder: &Folder<'_>,
    path: &LabPath,
    from: (&LabPath, u32),
    further: &[String],
    problems: &mut Problems,
) -> Option<Step> {
    let (page, front, first) = page(folder, path, from, problems)?;
    let mut translations = BTreeMap::new();
    for language in further {
        let Some(translated) = translation(path, language).filter(|path| folder.has(path)) else { continue };
        if let Some((page, front, first)) = self::page(folder, &translated, from, problems) {
            if has_scripts(&front) {
                let message = "a translation has no checks and scripts of its own; those of the step count";
                problems.error(&translated, first, message);
            }
            translations.insert(language.clone(), page);
        }
    }
    let at = |line| At { file: path, line };
    let setup = front
        .setup
        .iter()
        .filter_map(|setup| self::setup(folder, at(yaml::line_of(setup, first)), &setup.value, problems));
    let setup = setup.collect();
    let checks = checks(folder, path, (&front.checks, first), problems);
    let solution = front
        .solution
        .as_ref()
        .and_then(|named| scripts::from_file(folder, at(yaml::line_of(named, first)), &named.value, problems));
    Some(Step { page, translations, setup, checks, solution })
}

fn has_scripts(front: &FrontFile) -> bool {
    !front.setup.is_empty() || !front.checks.is_empty() || front.solution.is_some()
}

/// The file of a step in another language: `01-start.md` is `01-start.de.md` in German.
pub(super) fn translation(path: &LabPath, language: &str) -> Option<LabPath> {
    let stem = path.as_str().strip_suffix(".md")?;
    LabPath::parse(&format!("{stem}.{language}.md")).ok()
}

/// A page, the head of its file, and the line where that begins.
fn page(
    folder: &Folder<'_>,
    path: &LabPath,
    from: (&LabPath, u32),
    problems: &mut Problems,
) -> Option<(Page, FrontFile, u32)> {
    let text = folder.text(path, from, problems)?;
    let parts = front::split(&text);
    let (head, first) = parts.head.unwrap_or(("", 1));
    // A head that is broken costs the checks, not the page.
    let front: FrontFile = if head.trim().is_empty() {
        FrontFile::default()
    } else {
        yaml::read(head, path, first, problems).unwrap_or_default()
    };
    let heading = front::first_heading(parts.body);
    let (title, body, later) = match (&front.title, heading) {
        (Some(title), Some((heading, body, later))) if *title == heading => (heading, body, later),
        (Some(title), _) => (title.clone(), parts.body, 0),
        (None, Some((heading, body, later))) => (heading, body, later),
        (None, None) => (path.name().trim_end_matches(".md").to_owned(), parts.body, 0),
    };
    let title = one_line(&title, (path, 1), problems);
    let page = Page { title, file: path.clone(), line: parts.line.saturating_add(later), text: body.to_owned() };
    Some((page, front, first))
}

fn setup(folder: &Folder<'_>, at: At<'_>, written: &SetupFile, problems: &mut Problems) -> Option<Setup> {
    let script = scripts::script(folder, at, (written.script.as_deref(), written.run.as_deref()), problems)?;
    Some(Setup { script, container: written.container.clone(), terminal: written.terminal.clone() })
}

fn checks(
    folder: &Folder<'_>,
    path: &LabPath,
    (written, first): (&[Spanned<CheckFile>], u32),
    problems: &mut Problems,
) -> Vec<Check> {
    if written.len() > CHECKS {
        problems.error(path, first, format!("there are {} checks; a step may have {CHECKS}", written.len()));
    }
    let mut seen = BTreeSet::new();
    let mut checks = Vec::new();
    for (number, written) in written.iter().take(CHECKS).enumerate() {
        let at = At { file: path, line: yaml::line_of(written, first) };
        if let Some(check) = check(folder, at, (number, &written.value), problems) {
            if !seen.insert(check.name.clone()) {
                problems.error(path, at.line, format!("the step has two checks {}", check.name));
                continue;
            }
            checks.push(check);
        }
    }
    checks
}

fn check(
    folder: &Folder<'_>,
    at: At<'_>,
    (number, written): (usize, &CheckFile),
    problems: &mut Problems,
) -> Option<Check> {
    let mut wrong = |message: String| problems.error(at.file, at.line, message);
    let name = written.name.clone().unwrap_or_else(|| format!("check-{}", number + 1));
    if !is_name(&name) {
        wrong(format!("{name:?} can't be the name of a check: lower-case letters, digits and hyphens"));
    }
    let timeout_seconds = written.timeout_seconds.unwrap_or(Check::TIMEOUT_SECONDS);
    if !(1..=Check::LONGEST_SECONDS).contains(&timeout_seconds) {
        wrong(format!("`timeout_seconds` must be between 1 and {}", Check::LONGEST_SECONDS));
    }
    let score = written.score.unwrap_or(1);
    if score > 1000 {
        wrong("`score` must be at most 1000".to_owned());
    }
    let every_seconds = written.every_seconds.unwrap_or(Check::EVERY_SECONDS);
    if !(1..=3600).contains(&every_seconds) || (written.every_seconds.is_some() && !written.continuous) {
        wrong("`every_seconds` is for a check with `continuous: true`, between 1 and 3600".to_owned());
    }
    if written.hints.iter().any(|hint| hint.exit == Some(0) || (hint.exit.is_some() && hint.timeout)) {
        wrong(
            "a hint is for an `exit` status that is not 0, for `timeout: true`, or for both without either".to_owned(),
        );
    }
    let script = scripts::script(folder, at, (written.script.as_deref(), written.run.as_deref()), problems)?;
    let hint = |HintFile { exit, timeout, text }: HintFile| OutcomeHint { exit, timeout, text };
    Some(Check {
        title: written.title.clone().unwrap_or_else(|| name.clone()),
        name,
        script,
        container: written.container.clone(),
        timeout_seconds: timeout_seconds.clamp(1, Check::LONGEST_SECONDS),
        score: score.min(1000),
        when: if written.continuous {
            When::Continuous { every_seconds: every_seconds.clamp(1, 3600) }
        } else {
            When::Click
        },
        hints: written.hints.iter().cloned().map(hint).collect(),
    })
}
