//! Writes a lab in our own format, whatever the format that it was read from.

use super::document::{
    AssetFile, CheckFile, ContainerFile, FrontFile, HintFile, LabFile, SetupFile, TerminalFile, VariableFile,
    WordingFile,
};
use super::names::slug;
use super::{LAB_FILE, steps};
use crate::files::Folder;
use crate::model::{
    Asset, Check, Format, Lab, LabContainer, LabEnvironment, Page, Problems, Script, Step, Variable, VariableKind, When,
};
use crate::path::LabPath;
use crate::render::{RenderedBlock, Renderer};
use crate::variables::Values;
use crate::yaml::written;
use std::collections::BTreeMap;

/// What a file of a written lab holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// This text.
    Text(String),
    /// What this file of the folder holds that the lab was read from.
    Copy(LabPath),
}

/// The files of a lab in our own format: `folder` is the one that it was read from.
pub fn write(lab: &Lab, folder: &Folder<'_>, problems: &mut Problems) -> BTreeMap<LabPath, Written> {
    let mut writer = Writer { lab, files: BTreeMap::new(), problems };
    let mut listed = Vec::new();
    for (number, step) in lab.steps.iter().enumerate() {
        if let Some(path) = writer.step(number, step) {
            listed.push(written(path.as_str().to_owned()));
        }
    }
    let head = head(lab, listed);
    match (serde_saphyr::to_string(&head), LabPath::parse(LAB_FILE)) {
        (Ok(text), Ok(path)) => writer.text(path, text),
        (Err(error), _) => writer.problems.error(&LabPath::root(), 1, format!("lab.yaml can't be written: {error}")),
        (_, Err(error)) => writer.problems.error(&LabPath::root(), 1, error.to_string()),
    }
    for path in copied(lab, folder) {
        writer.copy(path);
    }
    writer.files
}

/// The files that pages show or link to, and those that are put into containers.
fn copied(lab: &Lab, folder: &Folder<'_>) -> Vec<LabPath> {
    let values = Values::new();
    let renderer = Renderer::new(folder, lab, &values);
    let mut paths = Vec::new();
    // What is wrong with the pages was said when they were checked.
    let mut known = Problems::default();
    for page in lab.steps.iter().flat_map(|step| step.translations.values().chain([&step.page])) {
        let rendered = renderer.page(page, &mut known).page;
        paths.extend(rendered.blocks.into_iter().filter_map(|block| match block {
            RenderedBlock::Image { file, .. } | RenderedBlock::File { file, .. } => Some(file),
            _ => None,
        }));
    }
    for asset in &lab.assets {
        paths.extend(asset.files(folder.list()).into_iter().map(|(path, _)| path.clone()));
    }
    paths
}

fn head(lab: &Lab, steps: Vec<serde_saphyr::Spanned<String>>) -> LabFile {
    let (environment, containers) = match &lab.environment {
        LabEnvironment::Named(name) => (Some(name.clone()), Vec::new()),
        LabEnvironment::Containers(containers) => (None, containers.iter().cloned().map(container).collect()),
    };
    let further = lab.steps.iter().flat_map(|step| step.translations.keys()).chain(lab.translations.keys());
    let mut languages: Vec<String> = vec![lab.language.clone()];
    for language in further {
        if !languages.contains(language) {
            languages.push(language.clone());
        }
    }
    let terminal = |terminal: &crate::model::LabTerminal| TerminalFile {
        name: terminal.name.clone(),
        container: terminal.container.clone(),
    };
    let wording = |(language, wording): (&String, &crate::model::Wording)| {
        (language.clone(), WordingFile { title: wording.title.clone(), summary: wording.summary.clone() })
    };
    LabFile {
        title: lab.title.clone(),
        summary: lab.summary.clone(),
        environment,
        containers,
        terminals: lab.terminals.iter().map(terminal).collect(),
        minutes: lab.minutes,
        variables: lab.variables.iter().map(|v| (v.name.clone(), written(variable(v)))).collect(),
        languages: languages.into_iter().filter(|language| !language.is_empty()).collect(),
        translations: lab.translations.iter().map(wording).collect(),
        steps,
        files: lab.assets.iter().map(|asset| written(self::asset(asset))).collect(),
    }
}

fn container(container: LabContainer) -> ContainerFile {
    let LabContainer { name, image, ports, privileged, command, environment, user, memory_mb } = container;
    ContainerFile { name, image, ports, privileged, command, environment, user, memory: memory_mb }
}

fn variable(variable: &Variable) -> VariableFile {
    let none = VariableFile::default();
    match variable.kind.clone() {
        VariableKind::Fixed(value) => VariableFile { value: Some(value), ..none },
        VariableKind::OneOf(one_of) => VariableFile { one_of, ..none },
        VariableKind::Between { from, to } => VariableFile { from: Some(from), to: Some(to), ..none },
        VariableKind::Letters(letters) => VariableFile { letters: Some(letters), ..none },
    }
}

fn asset(asset: &Asset) -> AssetFile {
    AssetFile {
        from: asset.from.clone(),
        to: asset.to.clone(),
        container: asset.container.clone(),
        mode: asset.mode.map(|mode| format!("{mode:04o}")),
    }
}

struct Writer<'a> {
    lab: &'a Lab,
    files: BTreeMap<LabPath, Written>,
    problems: &'a mut Problems,
}

impl Writer<'_> {
    fn is_own(&self) -> bool {
        self.lab.format == Format::Pierhead
    }

    fn text(&mut self, path: LabPath, text: String) {
        self.put(path, Written::Text(text));
    }

    fn copy(&mut self, path: LabPath) {
        self.put(path.clone(), Written::Copy(path));
    }

    fn put(&mut self, path: LabPath, content: Written) {
        match self.files.get(&path) {
            Some(there) if *there != content && !matches!(content, Written::Copy(_) if self.is_own()) => {
                self.problems.error(&path, 1, "the lab has a file of a name that its own format needs for another");
            }
            Some(_) => {}
            None => {
                self.files.insert(path, content);
            }
        }
    }

    /// Writes a step and says where.
    fn step(&mut self, number: usize, step: &Step) -> Option<LabPath> {
        let count = self.lab.steps.len();
        let digits = count.to_string().len().max(2);
        let ordinal = format!("{:0digits$}", number + 1);
        let path = if self.is_own() {
            step.page.file.clone()
        } else {
            LabPath::parse(&format!("steps/{ordinal}-{}.md", slug(&step.page.title))).ok()?
        };
        let mut front = FrontFile { title: Some(step.page.title.clone()), ..FrontFile::default() };
        for (index, setup) in step.setup.iter().enumerate() {
            let (script, run) = self.script(&setup.script, &step.page, &format!("{ordinal}-setup-{}", index + 1));
            let (container, terminal) = (setup.container.clone(), setup.terminal.clone());
            front.setup.push(written(SetupFile { script, run, container, terminal }));
        }
        for check in &step.checks {
            let (script, run) = self.script(&check.script, &step.page, &format!("{ordinal}-{}", check.name));
            front.checks.push(written(check_file(check, script, run)));
        }
        if let Some(solution) = &step.solution {
            // A solution has a file in every case.
            let (script, _) = self.script(solution, &step.page, &format!("{ordinal}-solution"));
            front.solution = script.map(written);
        }
        self.page(path.clone(), &front, &step.page);
        for (language, page) in &step.translations {
            let front = FrontFile { title: Some(page.title.clone()), ..FrontFile::default() };
            if let Some(path) = steps::translation(&path, language) {
                self.page(path, &front, page);
            }
        }
        Some(path)
    }

    fn page(&mut self, path: LabPath, front: &FrontFile, page: &Page) {
        match serde_saphyr::to_string(front) {
            Ok(head) => {
                let end = if page.text.ends_with('\n') { "" } else { "\n" };
                self.text(path, format!("---\n{}\n---\n{}{end}", head.trim_end(), page.text));
            }
            Err(error) => self.problems.error(&path, 1, format!("the head of the step can't be written: {error}")),
        }
    }

    /// Writes a script, and gives its file, or its text if it stood in the document.
    fn script(&mut self, script: &Script, page: &Page, name: &str) -> (Option<String>, Option<String>) {
        if self.is_own() && script.file == page.file {
            return (None, Some(script.text.clone()));
        }
        let path = if self.is_own() { Ok(script.file.clone()) } else { LabPath::parse(&format!("scripts/{name}.sh")) };
        match path {
            Ok(path) => {
                self.text(path.clone(), script.text.clone());
                (Some(format!("/{}", path.as_str())), None)
            }
            Err(_) => (None, Some(script.text.clone())),
        }
    }
}

fn check_file(check: &Check, script: Option<String>, run: Option<String>) -> CheckFile {
    let (continuous, every_seconds) = match check.when {
        When::Click => (false, None),
        When::Continuous { every_seconds } => (true, (every_seconds != Check::EVERY_SECONDS).then_some(every_seconds)),
    };
    let hint =
        |hint: &crate::model::OutcomeHint| HintFile { exit: hint.exit, timeout: hint.timeout, text: hint.text.clone() };
    CheckFile {
        name: Some(check.name.clone()),
        title: Some(check.title.clone()),
        script,
        run,
        container: check.container.clone(),
        timeout_seconds: (check.timeout_seconds != Check::TIMEOUT_SECONDS).then_some(check.timeout_seconds),
        score: (check.score != 1).then_some(check.score),
        continuous,
        every_seconds,
        hints: check.hints.iter().map(hint).collect(),
    }
}
