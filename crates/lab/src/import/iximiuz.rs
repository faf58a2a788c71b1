//! Challenges, tutorials and lessons of iximiuz Labs: `index.md` with front matter, and units beside it.

mod component;
mod tasks;
#[cfg(test)]
mod tests;

use super::images::{Hosts, environment};
use super::markdown::first_heading;
use super::node::{Node, Value, front_matter, read_yaml};
use super::page::Source;
use crate::files::Folder;
use crate::model::{Format, ImageTable, Lab, LabTerminal, Page, Problems, Step};
use crate::natural;
use crate::own::{is_name, slug};
use crate::path::LabPath;
use std::collections::BTreeMap;
use tasks::Tasks;

/// The kinds of documents that are labs; others only say what belongs together.
const LABS: [&str; 6] = ["challenge", "tutorial", "lesson", "training", "skill-path", "roadmap"];
/// What a document runs in that names no playground.
const USUAL: &str = "ubuntu";

/// Whether a file may be the first page of a document.
pub(super) fn may_be_index(path: &LabPath) -> bool {
    path.name() == "index.md"
}

/// Whether the first page is that of a lab.
pub(super) fn is_lab(text: &str) -> bool {
    let kind = |line: &str| line.strip_prefix("kind:").map(|kind| kind.trim().trim_matches(['"', '\'']).to_owned());
    front_matter(text)
        .and_then(|(front, _)| front.lines().find_map(kind))
        .is_some_and(|kind| LABS.contains(&kind.as_str()))
}

/// Reads the document in a folder.
pub(super) fn read(folder: &Folder<'_>, place: &LabPath, images: &ImageTable, problems: &mut Problems) -> Option<Lab> {
    let file = place.resolve("index.md").ok()?;
    let text = folder.text(&file, (&file, 1), problems)?;
    let (front, before) = front_matter(&text)?;
    let front = read_yaml(front, &file, 1, problems).unwrap_or(Node { line: 1, value: Value::Null });
    let playground = front.get("playground");
    let mut hosts = Hosts::named(machines(playground, &file, problems));
    let mut tasks = Tasks::read(&front, &file, &hosts.names, problems);
    let mut steps = Vec::new();
    let body: String = text.split_inclusive('\n').skip(before).collect();
    if !body.trim().is_empty() {
        let title = front.text_of("title").unwrap_or_default().to_owned();
        steps.push(step(&Source { file: &file, before, text: &body }, title, &mut tasks, problems));
    }
    for unit in units(folder, place) {
        steps.extend(read_unit(folder, &unit, &mut tasks, problems));
    }
    if let Some(first) = steps.first_mut() {
        first.setup = std::mem::take(&mut tasks.setup);
    }
    if let Some(last) = steps.last_mut() {
        last.checks.append(&mut tasks.rest(&file, problems));
    }
    left_out(folder, place, playground, &file, problems);
    for (machine, port) in tabs(playground) {
        hosts.serves(machine, port);
    }
    let name = playground.and_then(|node| node.text().or_else(|| node.text_of("name")));
    let at = (&file, playground.map_or(front.line, |node| node.line));
    Some(Lab {
        format: Format::Iximiuz,
        title: front.text_of("title").unwrap_or(place.name()).to_owned(),
        summary: front.text_of("description").unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
        environment: environment(name.unwrap_or(USUAL), at, &hosts, images, problems),
        terminals: Vec::<LabTerminal>::new(),
        minutes: None,
        variables: Vec::new(),
        language: String::new(),
        translations: BTreeMap::new(),
        steps,
        assets: Vec::new(),
    })
}

fn step(source: &Source<'_>, title: String, tasks: &mut Tasks, problems: &mut Problems) -> Step {
    let text = component::translated(source, tasks, problems);
    let title = if title.is_empty() { first_heading(&text).unwrap_or_else(|| "Step".to_owned()) } else { title };
    let page = Page { title, file: source.file.clone(), line: source.before as u32 + 1, text };
    let checks = tasks.shown();
    Step { page, translations: BTreeMap::new(), setup: Vec::new(), checks, solution: None }
}

/// The further pages of a document, in their order.
fn units(folder: &Folder<'_>, place: &LabPath) -> Vec<LabPath> {
    let unit = |path: &&LabPath| {
        let name = path.name();
        path.parent() == *place
            && path.extension() == "md"
            && name != "index.md"
            && !is_solution(name)
            && name != "README.md"
    };
    let mut units: Vec<LabPath> = folder.list().iter().map(|(path, _)| path).filter(unit).cloned().collect();
    units.sort_by_cached_key(|path| natural::key(path.name()));
    units
}

fn is_solution(name: &str) -> bool {
    name.starts_with("solution")
}

fn read_unit(folder: &Folder<'_>, file: &LabPath, tasks: &mut Tasks, problems: &mut Problems) -> Option<Step> {
    let text = folder.text(file, (file, 1), problems)?;
    let (front, before) = match front_matter(&text) {
        Some((front, before)) => (read_yaml(front, file, 1, problems), before),
        // It is a page all the same, named by its first heading.
        None => (None, 0),
    };
    let front = front.unwrap_or(Node { line: 1, value: Value::Null });
    let body: String = text.split_inclusive('\n').skip(before).collect();
    let title = front.text_of("title").unwrap_or_default().to_owned();
    Some(step(&Source { file, before, text: &body }, title, tasks, problems))
}

/// The machines of a playground; one, if it does not name them.
fn machines(playground: Option<&Node>, file: &LabPath, problems: &mut Problems) -> Vec<String> {
    let mut names = Vec::new();
    for machine in playground.map_or(&[][..], |node| node.items_of("machines")) {
        let Some(name) = machine.text_of("name").or_else(|| machine.text()) else { continue };
        if is_name(name) && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        } else {
            problems.error(
                file,
                machine.line,
                format!("{name:?} can't be the name of a machine, or is that of another one"),
            );
        }
    }
    if names.is_empty() {
        let name = playground.and_then(|node| node.text_of("name")).map_or_else(|| "machine".to_owned(), slug);
        names.push(name);
    }
    names
}

/// The ports that tabs show, by machine.
fn tabs(playground: Option<&Node>) -> Vec<(Option<&str>, u16)> {
    let tabs = playground.map_or(&[][..], |node| node.items_of("tabs"));
    tabs.iter().filter_map(|tab| Some((tab.text_of("machine"), tab.number("number")?))).collect()
}

/// What has nothing here.
fn left_out(folder: &Folder<'_>, place: &LabPath, playground: Option<&Node>, file: &LabPath, problems: &mut Problems) {
    for (path, _) in folder.list().iter().filter(|(path, _)| path.parent() == *place && is_solution(path.name())) {
        problems.warn(path, 1, "the solution is left out: it is a text, and only a script can be run for tests");
    }
    for tab in playground.map_or(&[][..], |node| node.items_of("tabs")) {
        if let Some(kind) = tab.text_of("kind").filter(|kind| !matches!(*kind, "terminal" | "http-port")) {
            problems.warn(file, tab.line, format!("the tab {kind:?} is left out"));
        }
    }
}
