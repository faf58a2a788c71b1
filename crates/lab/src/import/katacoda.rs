//! Scenarios of Katacoda and Killercoda: a folder with `index.json`, its pages, scripts and assets.

mod address;
mod asset;
mod editor;
mod page;
mod quiz;
#[cfg(test)]
mod tests;

use super::images::{Hosts, environment};
use super::markdown::first_heading;
use super::node::{Node, read_json};
use super::scripts::{Named, with_hint};
use crate::files::Folder;
use crate::model::{Check, Format, ImageTable, Lab, LabTerminal, Page, Problems, Setup, Step, When};
use crate::path::LabPath;
use page::Scenario;
use std::collections::BTreeSet;

/// The file that makes a folder a scenario.
pub(super) const INDEX: &str = "index.json";

/// Whether the text of an `index.json` is that of a scenario: other tools have files of that name too.
pub(super) fn is_index(text: &str) -> bool {
    text.contains("\"details\"") || text.contains("\"backend\"")
}

/// Reads the scenario in a folder.
pub(super) fn read(folder: &Folder<'_>, place: &LabPath, images: &ImageTable, problems: &mut Problems) -> Option<Lab> {
    let file = place.resolve(INDEX).ok()?;
    let text = folder.text(&file, (&file, 1), problems)?;
    let (index, lenient) = match read_json(&text) {
        Ok(read) => read,
        Err(error) => {
            problems.error(&file, error.line, error.message);
            return None;
        }
    };
    if lenient {
        problems.warn(&file, 1, "it has comments or surplus commas, which JSON has not");
    }
    Some(Reading { folder, place, file, scenario: Scenario::of(&index) }.lab(&index, images, problems))
}

struct Reading<'a> {
    folder: &'a Folder<'a>,
    place: &'a LabPath,
    file: LabPath,
    scenario: Scenario,
}

impl Reading<'_> {
    fn lab(mut self, index: &Node, images: &ImageTable, problems: &mut Problems) -> Lab {
        let empty = Node { line: index.line, value: super::node::Value::Null };
        let details = index.get("details").unwrap_or(&empty);
        if details.get("steps").is_none() {
            problems.error(&self.file, details.line, "`details.steps` is missing; it must be a list of steps");
        }
        let title = index.text_of("title").map_or_else(|| self.place.name().to_owned(), str::to_owned);
        let continuous = index.text_of("type").is_some_and(|kind| kind.starts_with("challenge"));
        let mut steps = Vec::new();
        let intro = details.get("intro").map(|node| (node, "Introduction".to_owned()));
        let numbered = details.items_of("steps").iter().enumerate();
        let numbered = numbered.map(|(number, node)| (node, format!("Step {}", number + 1)));
        let finish = details.get("finish").map(|node| (node, "The end".to_owned()));
        for (node, name) in intro.into_iter().chain(numbered).chain(finish) {
            steps.extend(self.step(node, &name, continuous, problems));
        }
        let assets = details.get("assets").map(|node| asset::read(self.folder, self.place, &self.file, node, problems));
        let (assets, named) = assets.unwrap_or_default();
        self.scenario.hosts = self.scenario.hosts.max(named);
        self.dashboards(index, problems);
        let backend = index.at(&["backend", "imageid"]);
        let image = backend.and_then(Node::text).unwrap_or("ubuntu");
        let line = backend.map_or(index.line, |node| node.line);
        let hosts = self.hosts(image);
        Lab {
            format: Format::Katacoda,
            title,
            summary: index.text_of("description").unwrap_or_default().to_owned(),
            environment: environment(image, (&self.file, line), &hosts, images, problems),
            terminals: self.terminals(),
            minutes: index.text_of("time").and_then(super::page::minutes),
            variables: Vec::new(),
            language: String::new(),
            translations: std::collections::BTreeMap::new(),
            steps,
            assets,
        }
    }

    /// One step; the introduction and the end are steps too. None if there is nothing in it.
    fn step(&mut self, node: &Node, name: &str, continuous: bool, problems: &mut Problems) -> Option<Step> {
        let text = self.page(node, problems);
        let setup = self.setup(node, problems);
        let checks = self.check(node, name, continuous, problems);
        if text.is_none() && setup.is_empty() && checks.is_empty() {
            return None;
        }
        let (file, text) = text.unwrap_or_else(|| (self.file.clone(), "\n".to_owned()));
        let title = node.text_of("title").map(str::to_owned).or_else(|| first_heading(&text));
        let title = title.unwrap_or_else(|| name.to_owned());
        let page = Page { title, file, line: 1, text };
        Some(Step { page, translations: std::collections::BTreeMap::new(), setup, checks, solution: None })
    }

    /// The page of a step, with its answer behind it for those who ask for it.
    fn page(&mut self, node: &Node, problems: &mut Problems) -> Option<(LabPath, String)> {
        let named = Named::of(self.folder, &self.file, self.place);
        let Some(text) = node.get("text") else {
            problems.error(&self.file, node.line, "`text` is missing; it must be the file with the page");
            return None;
        };
        let (file, text) = named.text(text, problems)?;
        let mut page = self.scenario.translate(&file, &text, problems);
        if let Some((file, text)) = node.get("answer").and_then(|answer| named.text(answer, problems)) {
            let answer = self.scenario.translate(&file, &text, problems);
            page.push('\n');
            page.push_str(&crate::spell::hint("Answer", answer.trim_end()));
        }
        Some((file, page))
    }

    /// What is run when somebody comes to a step: unseen first, since the other may wait for it.
    fn setup(&mut self, node: &Node, problems: &mut Problems) -> Vec<Setup> {
        let mut setup = Vec::new();
        let kinds = [("background", false), ("courseData", false), ("foreground", true), ("code", true)];
        for (key, seen) in kinds {
            let Some(named) = node.get(key) else { continue };
            let by_host: Vec<(Option<String>, &Node)> = match named.entries() {
                [] => vec![(None, named)],
                entries => entries.iter().map(|(host, node)| (Some(asset::host(host)), node)).collect(),
            };
            for (host, node) in by_host {
                let Some(script) = Named::of(self.folder, &self.file, self.place).script(node, problems) else {
                    continue;
                };
                let number = host.as_deref().and_then(page::host_number).unwrap_or(1);
                self.scenario.hosts = self.scenario.hosts.max(number);
                let terminal = seen.then(|| page::host_name(number));
                let script = self.scenario.script(script, problems);
                setup.push(Setup { script, container: host, terminal });
            }
        }
        setup
    }

    fn check(&mut self, node: &Node, name: &str, continuous: bool, problems: &mut Problems) -> Vec<Check> {
        let named = Named::of(self.folder, &self.file, self.place);
        let hint = node.get("hint").and_then(|hint| named.script(hint, problems));
        let Some(verify) = node.get("verify") else {
            if hint.is_some() {
                problems.error(&self.file, node.line, "`hint` is left out, since the step has no `verify`");
            }
            return Vec::new();
        };
        let Some(script) = named.script(verify, problems) else { return Vec::new() };
        let script = with_hint(script, hint.as_ref());
        let when = if continuous { When::Continuous { every_seconds: Check::EVERY_SECONDS } } else { When::Click };
        let title = node.text_of("title").unwrap_or(name).to_owned();
        let timeout_seconds = Check::LONGEST_SECONDS.min(60);
        vec![Check {
            name: "verify".to_owned(),
            title,
            script,
            container: None,
            timeout_seconds,
            score: 1,
            when,
            hints: Vec::new(),
        }]
    }

    /// Tabs beside the terminal that show a port; those that show another site have nothing here.
    fn dashboards(&mut self, index: &Node, problems: &mut Problems) {
        for tab in index.at(&["environment", "dashboards"]).map_or(&[][..], Node::items) {
            match (tab.number::<u16>("port"), tab.text_of("url").or_else(|| tab.text_of("href"))) {
                (Some(port), _) => self.scenario.serve(1, port),
                (None, Some(address)) => {
                    problems.warn(&self.file, tab.line, format!("the tab that shows {address} is left out"));
                }
                (None, None) => {}
            }
        }
    }

    /// Some images stand for several machines by their names.
    fn hosts(&mut self, image: &str) -> Hosts {
        let several =
            if image.contains("2nodes") || image.contains("cluster") || image.contains("swarm") { 2 } else { 1 };
        self.scenario.hosts = self.scenario.hosts.max(several);
        let mut hosts = Hosts::named((1..=self.scenario.hosts).map(page::host_name));
        for (host, port) in &self.scenario.ports {
            hosts.serves(Some(&page::host_name(*host)), *port);
        }
        hosts
    }

    /// Further terminals of a machine; the first one has the machine's own name.
    fn terminals(&self) -> Vec<LabTerminal> {
        let further: &BTreeSet<(u8, u8)> = &self.scenario.terminals;
        further
            .iter()
            .map(|(host, terminal)| LabTerminal {
                name: page::terminal_name(*host, *terminal),
                container: Some(page::host_name(*host)),
            })
            .collect()
    }
}
