//! The pages of a workshop, in their order.

use super::page::Instructions;
use super::params::Params;
use super::shortcodes;
use crate::files::Folder;
use crate::import::markdown::first_heading;
use crate::import::node::{Node, Value, front_matter, read_yaml};
use crate::import::page::{Source, translate};
use crate::model::{Page, Problems, Step};
use crate::natural;
use crate::path::LabPath;
use std::collections::{BTreeMap, BTreeSet};

/// A workshop that is read.
pub(super) struct Workshop<'a> {
    pub(super) folder: &'a Folder<'a>,
    pub(super) place: &'a LabPath,
    pub(super) params: &'a Params,
    /// The terminals that pages name.
    pub(super) terminals: Vec<String>,
    /// The ports that pages link to.
    pub(super) ports: BTreeSet<u16>,
}

impl Workshop<'_> {
    /// All pages, as steps.
    pub(super) fn steps(&mut self, problems: &mut Problems) -> Vec<Step> {
        let files = self.files(problems);
        files.iter().filter_map(|file| self.step(file, problems)).collect()
    }

    fn step(&mut self, file: &LabPath, problems: &mut Problems) -> Option<Step> {
        let text = self.folder.text(file, (file, 1), problems)?;
        let (front, before) = match front_matter(&text) {
            Some((front, before)) => (read_yaml(front, file, 1, problems), before),
            None => (None, 0),
        };
        let front = front.unwrap_or(Node { line: 1, value: Value::Null });
        let body: String = text.split_inclusive('\n').skip(before).collect();
        let source = Source { file, before, text: &body };
        let ports = &mut self.ports;
        let body = shortcodes::resolved(&source, self.params, |port| ports.extend([port]), problems);
        let mut instructions = Instructions::of(self.folder, self.place, file);
        let text = translate(&Source { text: &body, ..source }, &mut instructions, problems);
        instructions.end(before as u32 + crate::import::page::breaks(&body), problems);
        self.terminals.append(&mut instructions.terminals);
        let title = front.text_of("title").map(str::to_owned).or_else(|| first_heading(&text));
        let title = title.unwrap_or_else(|| file.name().trim_end_matches(".md").to_owned());
        let page = Page { title, file: file.clone(), line: before as u32 + 1, text };
        let checks = instructions.checks;
        Some(Step { page, translations: BTreeMap::new(), setup: Vec::new(), checks, solution: None })
    }

    /// The files of the pages: those that the workshop's way through them names, else all by name.
    fn files(&self, problems: &mut Problems) -> Vec<LabPath> {
        let Ok(content) = self.place.resolve("workshop/content") else { return Vec::new() };
        let mut files: Vec<LabPath> = Vec::new();
        for (path, _) in self.folder.list() {
            match path.extension().as_str() {
                "md" if path.is_in(&content) => files.push(path.clone()),
                "adoc" if path.is_in(&content) => {
                    problems.error(path, 1, "pages in AsciiDoc are not read; only those in Markdown are");
                }
                _ => {}
            }
        }
        let named = self.named(&content, &files, problems);
        if !named.is_empty() {
            return named;
        }
        files.sort_by_cached_key(|path| path.as_str().split('/').map(natural::key).collect::<Vec<_>>());
        files
    }

    /// The pages that a description of the way through the workshop names.
    fn named(&self, content: &LabPath, files: &[LabPath], problems: &mut Problems) -> Vec<LabPath> {
        let mut named = Vec::new();
        for name in ["workshop/config.yaml", "workshop/workshop.yaml"] {
            let Some(file) = self.place.resolve(name).ok().filter(|file| self.folder.has(file)) else { continue };
            let Some(text) = self.folder.text(&file, (&file, 1), problems) else { continue };
            let Some(config) = read_yaml(&text, &file, 0, problems) else { continue };
            let pathway = config.at(&["pathways", "default"]).and_then(Node::text);
            let paths = config.at(&["pathways", "paths"]).map_or(&[][..], Node::entries);
            let default = pathway.and_then(|name| paths.iter().find(|(path, _)| path == name)).or(paths.first());
            for (path, _) in paths.iter().filter(|(path, _)| default.is_some_and(|(default, _)| default != path)) {
                problems.warn(&file, config.line, format!("the way {path:?} through the workshop is left out"));
            }
            let steps = default.map(|(_, path)| path.items_of("steps")).unwrap_or_default();
            let steps =
                if steps.is_empty() { config.at(&["modules", "activate"]).map_or(&[][..], Node::items) } else { steps };
            for step in steps {
                let Some(name) = step.text() else { continue };
                let fits = |path: &&LabPath| {
                    [format!("{name}.md"), format!("{name}/index.md"), name.to_owned()]
                        .iter()
                        .any(|name| content.resolve(name).is_ok_and(|wanted| wanted == **path))
                };
                match files.iter().find(fits) {
                    Some(path) => named.push(path.clone()),
                    None => problems.error(&file, step.line, format!("there is no page {name:?}")),
                }
            }
            if !named.is_empty() {
                break;
            }
        }
        named
    }
}
