//! Finds the labs in a folder, of whatever format, and says what is in them and what is wrong.

use crate::files::{Files, Folder, SubFiles};
use crate::import::{self, Place};
use crate::model::{Format, ImageTable, Lab, LabEnvironment, LabLine, Page, Problems, Report, Step, StepLine};
use crate::own;
use crate::path::LabPath;
use crate::render::{RenderedBlock, RenderedPage, Renderer};
use crate::variables;
use std::collections::BTreeSet;

/// The most labs of a folder.
const LABS: usize = 1000;

/// The labs in a folder: those of our own format, and those of others that don't lie in one of them. What course files
/// name and is not there is a problem.
#[must_use]
pub fn find(folder: &Folder<'_>, problems: &mut Problems) -> Vec<Place> {
    let mut own = BTreeSet::new();
    let mut places = Vec::new();
    let lab_files = folder.list().iter().map(|(path, _)| path).filter(|path| own::is_lab_file(path));
    let mut folders: Vec<LabPath> = lab_files.map(LabPath::parent).collect();
    folders.sort_by_cached_key(|folder| folder.as_str().split_terminator('/').count());
    for path in folders {
        if !lies_in(&path, &own) {
            places.push(Place { path: path.clone(), format: Format::Pierhead });
            own.insert(path);
        }
    }
    places.sort_by_cached_key(|place| crate::natural::key(place.path.as_str()));
    places.extend(import::find(folder, problems).into_iter().filter(|place| !lies_in(&place.path, &own)));
    places
}

/// Whether a path is one of these folders or lies in one.
fn lies_in(path: &LabPath, folders: &BTreeSet<LabPath>) -> bool {
    let mut path = path.clone();
    loop {
        if folders.contains(&path) {
            return true;
        }
        if path == LabPath::root() {
            return false;
        }
        path = path.parent();
    }
}

/// Reads the lab at a place and hands it over with the folder that its paths begin in; none if nothing could be read.
pub fn with_lab<T>(
    folder: &Folder<'_>,
    place: &Place,
    images: &ImageTable,
    problems: &mut Problems,
    then: impl FnOnce(&Lab, &Folder<'_>, &mut Problems) -> T,
) -> Option<T> {
    if place.format != Format::Pierhead {
        let lab = import::read(folder, place, images, problems)?;
        return Some(then(&lab, folder, problems));
    }
    let below = SubFiles::new(folder.files(), &place.path);
    let mut found = Problems::default();
    let made = folder.with_part(&below, |part| {
        let lab = own::read(part, &mut found)?;
        Some(then(&lab, part, &mut found))
    });
    problems.take_from(&place.path, found);
    made
}

/// Checks everything in a folder that is called `name`, without running anything of it. `problems` are those that were
/// found when the folder was opened.
#[must_use]
pub fn check(files: &dyn Files, name: &str, images: &ImageTable, mut problems: Problems) -> Report {
    let folder = Folder::new(files);
    let mut places = find(&folder, &mut problems);
    if places.is_empty() {
        let message = "there is no lab here: neither lab.yaml nor a lab of a format that can be imported";
        problems.error(&LabPath::root(), 1, message);
    }
    if places.len() > LABS {
        problems.error(&LabPath::root(), 1, format!("there are {} labs; the first {LABS} were checked", places.len()));
        places.truncate(LABS);
    }
    let (mut labs, mut steps) = (Vec::new(), Vec::new());
    for place in &places {
        let read = |lab: &Lab, folder: &Folder<'_>, problems: &mut Problems| {
            (lab.title.clone(), check_lab(lab, folder, problems))
        };
        let read = with_lab(&folder, place, images, &mut problems, read);
        let (title, lines) = read.unwrap_or_else(|| (place.path.name().to_owned(), Vec::new()));
        let path = place.path.to_string();
        labs.push(LabLine { path, format: place.format, title, steps: lines.len() });
        steps.extend(lines);
    }
    let title = match labs.as_slice() {
        [only] => only.title.clone(),
        _ => name.to_owned(),
    };
    let labs = if labs.len() == 1 { Vec::new() } else { labs };
    Report { format: places.first().map(|place| place.format), title, labs, steps, problems: problems.into_list() }
}

/// Checks one lab and says what its steps hold.
pub fn check_lab(lab: &Lab, folder: &Folder<'_>, problems: &mut Problems) -> Vec<StepLine> {
    check_names(lab, problems);
    let values = variables::values(&lab.variables, "");
    let renderer = Renderer::new(folder, lab, &values);
    let line = |step: &Step| {
        for page in step.translations.values() {
            renderer.page(page, problems);
        }
        let rendered = renderer.page(&step.page, problems);
        StepLine { checks: step.checks.len(), ..counted(&rendered.page) }
    };
    lab.steps.iter().map(line).collect()
}

fn counted(page: &RenderedPage) -> StepLine {
    let mut line = StepLine { title: page.title.clone(), ..StepLine::default() };
    for block in &page.blocks {
        match block {
            RenderedBlock::Run { .. } => {
                line.blocks += 1;
                line.runs += 1;
            }
            RenderedBlock::Copy { .. } | RenderedBlock::Edit { .. } => line.blocks += 1,
            RenderedBlock::Preview { .. } => line.previews += 1,
            RenderedBlock::Image { .. } => line.images += 1,
            RenderedBlock::Hint { .. } => line.hints += 1,
            RenderedBlock::Quiz(_) => line.quizzes += 1,
            RenderedBlock::Step { .. } | RenderedBlock::File { .. } => {}
        }
    }
    line
}

/// Containers and terminals that scripts and files name and the lab does not have.
fn check_names(lab: &Lab, problems: &mut Problems) {
    let LabEnvironment::Containers(containers) = &lab.environment else { return };
    let has = |name: &Option<String>| name.as_ref().is_none_or(|name| containers.iter().any(|c| c.name == *name));
    let is_terminal = |name: &String| lab.terminals.iter().any(|terminal| terminal.name == *name);
    let shown = |name: &Option<String>| name.clone().unwrap_or_default();
    for asset in lab.assets.iter().filter(|asset| !has(&asset.container)) {
        problems.error(&asset.file, asset.line, format!("the lab has no container {}", shown(&asset.container)));
    }
    for step in &lab.steps {
        let Page { file, .. } = &step.page;
        for check in step.checks.iter().filter(|check| !has(&check.container)) {
            let message =
                format!("the lab has no container {}, which the check {} names", shown(&check.container), check.name);
            problems.error(file, 1, message);
        }
        for setup in &step.setup {
            if !has(&setup.container) {
                problems.error(file, 1, format!("the lab has no container {}", shown(&setup.container)));
            }
            if setup.terminal.as_ref().is_some_and(|name| !is_terminal(name)) && !has(&setup.terminal) {
                problems.error(file, 1, format!("the lab has no terminal or container {}", shown(&setup.terminal)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
