//! Posts of Play with Docker's classroom: Markdown files with front matter in a folder `_posts`.

mod kramdown;
mod links;
mod liquid;
mod quiz;
#[cfg(test)]
mod tests;

use super::images::{Hosts, environment};
use super::node::{Node, Value, front_matter, read_yaml};
use super::page::{Dialect, Source, language, translate};
use crate::files::Folder;
use crate::import::markdown::Fence;
use crate::model::{Action, Format, ImageTable, Lab, LabTerminal, Page, Problems, Step};
use crate::path::LabPath;
use crate::spell;
use links::Site;
use std::collections::{BTreeMap, BTreeSet};

/// The folder that posts lie in.
pub(super) const POSTS: &str = "_posts";
/// The most terminals of a post.
const MOST_TERMINALS: u8 = 9;
/// What a post runs in that names no image, by its name in the table of images.
const USUAL: &str = "play-with-docker";
/// The same for a post without terminals.
const ONLY_TEXT: &str = "text";

/// Whether a file is a post.
pub(super) fn is_post(path: &LabPath) -> bool {
    path.parent().name() == POSTS && matches!(path.extension().as_str(), "md" | "markdown")
}

/// Reads a post.
pub(super) fn read(folder: &Folder<'_>, file: &LabPath, images: &ImageTable, problems: &mut Problems) -> Option<Lab> {
    let text = folder.text(file, (file, 1), problems)?;
    let (front, before) = match front_matter(&text) {
        Some((front, before)) => (read_yaml(front, file, 1, problems), before),
        None => {
            problems.error(file, 1, "the front matter is missing; a post begins with it, between two lines of `---`");
            (None, 0)
        }
    };
    let front = front.unwrap_or(Node { line: 1, value: Value::Null });
    let body = text.split_inclusive('\n').skip(before).collect::<String>();
    let terminals = terminals(&front, file, problems);
    let mut post =
        Post { file, site: Site::of(folder, file), ports: BTreeSet::new(), hosts: terminals.max(1), quizzes: 0 };
    let body = liquid::resolved(&Source { file, before, text: &body }, problems);
    let source = Source { file, before, text: &body };
    let page_text = translate(&source, &mut post, problems);
    let title = front.text_of("title").map_or_else(|| slug(file.name()), str::to_owned);
    let page = Page { title: title.clone(), file: file.clone(), line: before as u32 + 1, text: page_text };
    let image = front.get("image").filter(|_| terminals > 0);
    let usual = if terminals > 0 { USUAL } else { ONLY_TEXT };
    let mut hosts = Hosts::named((1..=post.hosts).map(host_name));
    for (terminal, port) in &post.ports {
        hosts.serves(Some(&host_name(*terminal)), *port);
    }
    let at = (file, image.map_or(front.line, |image| image.line));
    Some(Lab {
        format: Format::PlayWithDocker,
        title,
        summary: front.text_of("description").unwrap_or_default().to_owned(),
        environment: environment(image.and_then(Node::text).unwrap_or(usual), at, &hosts, images, problems),
        terminals: (1..=terminals)
            .map(|number| LabTerminal { name: terminal_name(number), container: Some(host_name(number)) })
            .collect(),
        minutes: minutes(&body),
        variables: Vec::new(),
        language: String::new(),
        translations: BTreeMap::new(),
        steps: vec![Step {
            page,
            translations: BTreeMap::new(),
            setup: Vec::new(),
            checks: Vec::new(),
            solution: None,
        }],
        assets: Vec::new(),
    })
}

/// How many terminals a post has: one, unless it says otherwise.
fn terminals(front: &Node, file: &LabPath, problems: &mut Problems) -> u8 {
    let Some(node) = front.get("terms") else { return 1 };
    let number = node.text().and_then(|text| text.parse().ok()).filter(|number| *number <= MOST_TERMINALS);
    number.unwrap_or_else(|| {
        problems.error(file, node.line, format!("`terms` must be a number of terminals up to {MOST_TERMINALS}"));
        1
    })
}

/// The time that a post says it takes, in a line such as `**Time**: Approximately 30 minutes`.
fn minutes(text: &str) -> Option<u32> {
    let line = text.lines().take(60).find(|line| line.contains("**Time**"))?;
    let number = line.find(|c: char| c.is_ascii_digit())?;
    super::page::minutes(&line[number..])
}

/// What a post is called by links: its file's name without date and ending.
fn slug(name: &str) -> String {
    let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
    let mut parts = name.splitn(4, '-');
    let dated = parts.by_ref().take(3).all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
    parts.next().filter(|rest| dated && !rest.is_empty()).unwrap_or(name).to_owned()
}

fn host_name(number: u8) -> String {
    format!("node{number}")
}

fn terminal_name(number: u8) -> String {
    format!("term{number}")
}

/// The number of a terminal that is called `.term1`.
fn terminal_number(name: &str) -> Option<u8> {
    let digits = name.trim().trim_start_matches('.').strip_prefix("term")?;
    digits.parse().ok().filter(|number| (1..=MOST_TERMINALS).contains(number))
}

struct Post<'a> {
    file: &'a LabPath,
    site: Site,
    /// What is linked to: terminal and port.
    ports: BTreeSet<(u8, u16)>,
    hosts: u8,
    quizzes: usize,
}

impl Dialect for Post<'_> {
    fn fence(&mut self, fence: &Fence<'_>, _: u32, _: &mut Problems) -> String {
        let info = fence.info.trim_start_matches('{').trim_end_matches('}');
        match info.split_whitespace().find_map(terminal_number) {
            Some(number) => {
                let other = info.split(['.', ' ']).find(|word| !word.is_empty() && terminal_number(word).is_none());
                let action = Action::Run { terminal: Some(terminal_name(number)), interrupt: false };
                fence.with_info(&spell::info(language(other.unwrap_or_default()), &action))
            }
            None => fence.with_info(fence.info),
        }
    }

    fn prose(&mut self, text: &str, line: u32, problems: &mut Problems) -> String {
        let text = quiz::questions(text, (self.file, line), &mut self.quizzes, problems);
        let text = self.previews(&text, line, problems);
        let text = self.site.links(&text);
        kramdown::without_attributes(&text)
    }
}

impl Post<'_> {
    fn previews(&mut self, text: &str, line: u32, problems: &mut Problems) -> String {
        let file = self.file;
        super::page::outside_code(text, line, |text, line| {
            links::previews(text, (file, line), problems, |terminal, port| {
                self.hosts = self.hosts.max(terminal);
                self.ports.insert((terminal, port));
            })
        })
    }
}
