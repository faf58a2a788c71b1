//! Workshops of Educates: pages in `workshop/content`, a description in `resources/workshop.yaml`.

mod actions;
mod checks;
mod page;
mod pages;
mod params;
mod shortcodes;
#[cfg(test)]
mod tests;

use super::images::{Hosts, environment};
use super::node::{Node, Value, read_yaml};
use crate::files::Folder;
use crate::model::{Asset, Format, ImageTable, Lab, LabTerminal, Problems, Script, Setup, Variable, VariableKind};
use crate::path::LabPath;
use pages::Workshop;
use params::Params;
use std::collections::BTreeMap;

/// Where pages lie in a workshop.
const CONTENT: &str = "workshop/content/";
/// The folder in which a workshop's own files lie in its container.
const HOME: &str = "/root";
/// What a workshop runs in that names no image.
const USUAL: &str = "base-environment";
/// The container of a workshop.
const CONTAINER: &str = "workshop";

/// The workshop that a page is of.
pub(super) fn workshop_of(path: &LabPath) -> Option<LabPath> {
    let text = path.as_str();
    let at = text.find(CONTENT).filter(|at| *at == 0 || text[..*at].ends_with('/'))?;
    (path.extension() == "md").then(|| LabPath::parse(&text[..at]).ok()).flatten()
}

/// Reads the workshop in a folder.
pub(super) fn read(folder: &Folder<'_>, place: &LabPath, images: &ImageTable, problems: &mut Problems) -> Option<Lab> {
    let file = place.resolve("resources/workshop.yaml").ok()?;
    let description = description(folder, &file, problems);
    let none = Node { line: 1, value: Value::Null };
    let spec = description.as_ref().and_then(|node| node.get("spec")).unwrap_or(&none);
    let params = Params::read(folder, place, spec, problems);
    let mut workshop = Workshop { folder, place, params: &params, terminals: Vec::new(), ports: Default::default() };
    let mut steps = workshop.steps(problems);
    let (terminals, linked) = (std::mem::take(&mut workshop.terminals), std::mem::take(&mut workshop.ports));
    if let Some(first) = steps.first_mut() {
        first.setup = setup(folder, place, problems);
    }
    left_out(spec, &file, problems);
    let mut hosts = Hosts::named([CONTAINER.to_owned()]);
    hosts.privileged = spec.at(&["session", "applications", "docker"]).is_some_and(|docker| docker.is("enabled"));
    for port in linked {
        hosts.serves(None, port);
    }
    let image = spec.at(&["workshop", "image"]).or_else(|| spec.at(&["content", "image"]));
    let at = (&file, image.map_or(spec.line, |image| image.line));
    let mut sessions: Vec<String> = split(spec).into_iter().chain(terminals).collect();
    sessions.sort();
    sessions.dedup();
    Some(Lab {
        format: Format::Educates,
        title: spec.text_of("title").map_or_else(|| place.name().to_owned(), str::to_owned),
        summary: spec.text_of("description").unwrap_or_default().to_owned(),
        environment: environment(image.and_then(Node::text).unwrap_or(USUAL), at, &hosts, images, problems),
        terminals: sessions
            .into_iter()
            .map(|name| LabTerminal { name, container: Some(CONTAINER.to_owned()) })
            .collect(),
        minutes: spec.text_of("duration").and_then(super::page::minutes),
        variables: variables(&params),
        language: String::new(),
        translations: BTreeMap::new(),
        steps,
        assets: assets(folder, place),
    })
}

/// The description of the workshop: of several documents in the file, the one that is of a workshop.
fn description(folder: &Folder<'_>, file: &LabPath, problems: &mut Problems) -> Option<Node> {
    if !folder.has(file) {
        problems.error(file, 1, "the description of the workshop is missing; its title and image are not known");
        return None;
    }
    let text = folder.text(file, (file, 1), problems)?;
    let mut before = 0;
    let mut documents = Vec::new();
    let mut document = String::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if line.trim_end() == "---" {
            documents.push((std::mem::take(&mut document), before));
            before = number + 1;
        } else {
            document.push_str(line);
        }
    }
    documents.push((document, before));
    let read = documents.iter().filter_map(|(text, before)| read_yaml(text, file, *before, problems));
    let nodes: Vec<Node> = read.filter(|node| node.value != Value::Null).collect();
    let workshop = nodes.iter().find(|node| node.text_of("kind") == Some("Workshop")).cloned();
    workshop.or_else(|| nodes.into_iter().find(|node| node.get("spec").is_some()))
}

/// The further terminal of a layout that shows two.
fn split(spec: &Node) -> Option<String> {
    let layout = spec.at(&["session", "applications", "terminal"])?.text_of("layout")?;
    layout.starts_with("split").then(|| page::terminal_name("2"))
}

fn variables(params: &Params) -> Vec<Variable> {
    let fixed =
        |(name, value): (&String, &String)| Variable { name: name.clone(), kind: VariableKind::Fixed(value.clone()) };
    params.own.iter().map(fixed).collect()
}

/// The files of the exercises, which lie in the home folder there.
fn assets(folder: &Folder<'_>, place: &LabPath) -> Vec<Asset> {
    let Ok(exercises) = place.resolve("exercises") else { return Vec::new() };
    if !folder.list().iter().any(|(path, _)| path.is_in(&exercises)) {
        return Vec::new();
    }
    let from = format!("{exercises}/**");
    let (container, to) = (None, format!("{HOME}/exercises/"));
    vec![Asset { from, container, to, mode: None, file: exercises, line: 1 }]
}

/// The scripts that are run when a session starts.
fn setup(folder: &Folder<'_>, place: &LabPath, problems: &mut Problems) -> Vec<Setup> {
    let Ok(scripts) = place.resolve("workshop/setup.d") else { return Vec::new() };
    let in_it = |path: &&LabPath| path.parent() == scripts && path.extension() == "sh";
    let files = folder.list().iter().map(|(path, _)| path).filter(in_it);
    let script = |file: &LabPath| {
        let text = folder.text(file, (file, 1), problems)?;
        let script = Script { file: file.clone(), line: 1, text: super::scripts::interpreted(&text) };
        Some(Setup { script, container: None, terminal: None })
    };
    files.filter_map(script).collect()
}

/// What a workshop asks for that there is nothing for here.
fn left_out(spec: &Node, file: &LabPath, problems: &mut Problems) {
    let all = [
        (["session", "namespaces"], "namespaces of Kubernetes"),
        (["session", "objects"], "objects of Kubernetes"),
        (["environment", "objects"], "objects of Kubernetes"),
        (["session", "env"], "environment variables of the session"),
        (["workshop", "packages"], "packages of extensions"),
    ];
    for (keys, what) in all {
        if let Some(node) = spec.at(&keys) {
            problems.error(file, node.line, format!("{what} are left out: the environment has to have them by itself"));
        }
    }
}
