//! Reads `lab.yaml` into a lab.

use super::document::{AssetFile, ContainerFile, LabFile, VariableFile, WordingFile};
use super::names::{is_language, is_name, is_variable, mode_of};
use super::{LAB_FILE, steps};
use crate::files::{Folder, Limits};
use crate::glob::Pattern;
use crate::model::{
    Asset, Format, Lab, LabContainer, LabEnvironment, LabTerminal, Problems, Variable, VariableKind, Wording,
};
use crate::path::LabPath;
use crate::yaml;
use serde_saphyr::Spanned;
use std::collections::{BTreeMap, BTreeSet};

/// The most containers of a lab.
const CONTAINERS: usize = 16;

/// Reads the lab in a folder; none if there is no `lab.yaml` that can be read. All else that is wrong is a problem, and
/// the rest is read.
pub fn read(folder: &Folder<'_>, problems: &mut Problems) -> Option<Lab> {
    let file = LabPath::parse(LAB_FILE).ok()?;
    let text = folder.text(&file, (&LabPath::root(), 1), problems)?;
    let written: LabFile = yaml::read(&text, &file, 1, problems)?;
    let line = |key: &str| line_of_key(&text, key);
    let title = one_line(&written.title, (&file, line("title")), problems);
    let environment = environment(&written, &file, &line, problems);
    let terminals = terminals(&written, &environment, (&file, line("terminals")), problems);
    let languages = languages(&written, (&file, line("languages")), problems);
    if written.minutes.is_some_and(|minutes| !(1..=10_080).contains(&minutes)) {
        problems.error(&file, line("minutes"), "`minutes` must be between 1 and 10080 (a week)");
    }
    let further = languages.iter().skip(1).cloned().collect::<Vec<_>>();
    for language in written.translations.keys().filter(|language| !further.contains(language)) {
        let message = format!("{language} is not among the further `languages` of the lab");
        problems.error(&file, line("translations"), message);
    }
    let paths = step_paths(folder, &written, (&file, line("steps")), &further, problems);
    let step = |(path, at): &(LabPath, u32)| steps::read(folder, path, (&file, *at), &further, problems);
    let steps = paths.iter().filter_map(step).collect();
    Some(Lab {
        format: Format::Pierhead,
        title,
        summary: written.summary.trim().to_owned(),
        environment,
        terminals,
        minutes: written.minutes,
        variables: variables(&written, &file, problems),
        language: languages.first().cloned().unwrap_or_default(),
        translations: wordings(written.translations),
        steps,
        assets: written.files.iter().filter_map(|asset| self::asset(folder, asset, &file, problems)).collect(),
    })
}

/// The line on which a key of the first level stands; the first if it does not.
fn line_of_key(text: &str, key: &str) -> u32 {
    let found = text.lines().position(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
    found.map_or(1, |line| u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1))
}

/// A text that must be one line and not empty.
pub(super) fn one_line(text: &str, (file, line): (&LabPath, u32), problems: &mut Problems) -> String {
    const LONGEST: usize = 200;
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.is_empty() {
        problems.error(file, line, "the title is empty");
    } else if flat.chars().count() > LONGEST {
        problems.error(file, line, format!("the title is longer than {LONGEST} characters"));
        return flat.chars().take(LONGEST).collect();
    }
    flat
}

fn environment(
    written: &LabFile,
    file: &LabPath,
    line: &impl Fn(&str) -> u32,
    problems: &mut Problems,
) -> LabEnvironment {
    match (&written.environment, written.containers.as_slice()) {
        (Some(name), []) if is_name(name) => LabEnvironment::Named(name.clone()),
        (Some(name), []) => {
            let message =
                format!("{name:?} can't be the name of an environment: lower-case letters, digits and hyphens");
            problems.error(file, line("environment"), message);
            LabEnvironment::Named(name.clone())
        }
        (None, [_, ..]) => {
            containers(&written.containers, (file, line("containers")), problems);
            LabEnvironment::Containers(written.containers.iter().map(container).collect())
        }
        (named, listed) => {
            let at = if listed.is_empty() { 1 } else { line("containers") };
            let message = "exactly one of `environment` (a name) and `containers` (a list) is needed";
            problems.error(file, at, message);
            let listed = LabEnvironment::Containers(listed.iter().map(container).collect());
            named.clone().map_or(listed, LabEnvironment::Named)
        }
    }
}

fn containers(listed: &[ContainerFile], (file, line): (&LabPath, u32), problems: &mut Problems) {
    if listed.len() > CONTAINERS {
        problems.error(file, line, format!("there are {} containers; a lab may have {CONTAINERS}", listed.len()));
    }
    let mut seen = BTreeSet::new();
    for container in listed {
        if !is_name(&container.name) {
            let message = format!(
                "{:?} can't be the name of a container: lower-case letters, digits and hyphens",
                container.name
            );
            problems.error(file, line, message);
        }
        if !seen.insert(&container.name) {
            problems.error(file, line, format!("there are two containers {}", container.name));
        }
        if container.image.is_empty() || container.image.contains(|c: char| c.is_whitespace() || c.is_control()) {
            problems.error(file, line, format!("{:?} can't be an image", container.image));
        }
        if container.ports.contains(&0) {
            problems.error(file, line, "a port is a number between 1 and 65535");
        }
        let variables = container.environment.keys();
        for variable in variables.filter(|name| name.is_empty() || name.contains(['=', '\0'])) {
            problems.error(file, line, format!("{variable:?} can't be the name of an environment variable"));
        }
        if container.memory.is_some_and(|memory| !LabContainer::MEMORY_MB.contains(&memory)) {
            let (least, most) = (LabContainer::MEMORY_MB.start(), LabContainer::MEMORY_MB.end());
            problems.error(file, line, format!("`memory` is a number of MB between {least} and {most}"));
        }
    }
}

fn container(written: &ContainerFile) -> LabContainer {
    let ContainerFile { name, image, ports, privileged, command, environment, user, memory } = written.clone();
    LabContainer { name, image, ports, privileged, command, environment, user, memory_mb: memory }
}

fn terminals(
    written: &LabFile,
    environment: &LabEnvironment,
    (file, line): (&LabPath, u32),
    problems: &mut Problems,
) -> Vec<LabTerminal> {
    for terminal in &written.terminals {
        if !is_name(&terminal.name) {
            let message =
                format!("{:?} can't be the name of a terminal: lower-case letters, digits and hyphens", terminal.name);
            problems.error(file, line, message);
        }
        if let (Some(container), LabEnvironment::Containers(known)) = (&terminal.container, environment)
            && !known.iter().any(|known| known.name == *container)
        {
            problems.error(file, line, format!("the lab has no container {container}"));
        }
    }
    let terminals = written.terminals.iter().cloned();
    terminals.map(|terminal| LabTerminal { name: terminal.name, container: terminal.container }).collect()
}

fn languages(written: &LabFile, (file, line): (&LabPath, u32), problems: &mut Problems) -> Vec<String> {
    let mut languages: Vec<String> = Vec::new();
    for language in &written.languages {
        if !is_language(language) {
            problems.error(file, line, format!("{language:?} is not a language; one is written as `en` or `pt-BR`"));
        } else if languages.contains(language) {
            problems.error(file, line, format!("the language {language} is there twice"));
        } else {
            languages.push(language.clone());
        }
    }
    languages
}

fn wordings(written: BTreeMap<String, WordingFile>) -> BTreeMap<String, Wording> {
    let wording = |(language, wording): (String, WordingFile)| {
        (language, Wording { title: wording.title, summary: wording.summary })
    };
    written.into_iter().map(wording).collect()
}

/// The files of the steps, each with the line that names it.
fn step_paths(
    folder: &Folder<'_>,
    written: &LabFile,
    (file, line): (&LabPath, u32),
    further: &[String],
    problems: &mut Problems,
) -> Vec<(LabPath, u32)> {
    let mut paths = Vec::new();
    for step in &written.steps {
        let at = yaml::line_of(step, 1);
        match LabPath::root().resolve(&step.value) {
            Ok(path) if paths.iter().any(|(known, _)| *known == path) => {
                problems.error(file, at, format!("the step {path} is there twice"));
            }
            Ok(path) => paths.push((path, at)),
            Err(error) => problems.error(file, at, error.to_string()),
        }
        if paths.len() > Limits::LAB.steps {
            break;
        }
    }
    if written.steps.is_empty() {
        paths = listed_steps(folder, further).into_iter().map(|path| (path, line)).collect();
    }
    if paths.len() > Limits::LAB.steps {
        problems.error(file, line, format!("there are more than {} steps", Limits::LAB.steps));
        paths.truncate(Limits::LAB.steps);
    }
    if paths.is_empty() {
        problems.error(
            file,
            line,
            "there are no steps: neither under `steps` nor as Markdown files in the folder steps/",
        );
    }
    paths
}

/// The Markdown files in `steps/`, without translations, numbers in names counting as numbers.
fn listed_steps(folder: &Folder<'_>, further: &[String]) -> Vec<LabPath> {
    let translated = |path: &LabPath| {
        let stem = path.name().trim_end_matches(".md");
        further.iter().any(|language| stem.ends_with(&format!(".{language}")))
    };
    let paths = folder.list().iter().map(|(path, _)| path);
    let mut steps: Vec<LabPath> = paths
        .filter(|path| path.parent().as_str() == "steps" && path.extension() == "md" && !translated(path))
        .cloned()
        .collect();
    steps.sort_by_cached_key(|path| crate::natural::key(path.name()));
    steps
}

fn variables(written: &LabFile, file: &LabPath, problems: &mut Problems) -> Vec<Variable> {
    let variables = written.variables.iter();
    variables.filter_map(|(name, value)| variable(name, value, file, problems)).collect()
}

fn variable(name: &str, written: &Spanned<VariableFile>, file: &LabPath, problems: &mut Problems) -> Option<Variable> {
    let line = yaml::line_of(written, 1);
    if !is_variable(name) {
        let message =
            format!("{name:?} can't be the name of a variable: a letter, then letters, digits and underscores");
        problems.error(file, line, message);
        return None;
    }
    let VariableFile { value, one_of, from, to, letters } = written.value.clone();
    let kind = match (value, one_of.is_empty(), from, to, letters) {
        (Some(value), true, None, None, None) => VariableKind::Fixed(value),
        (None, false, None, None, None) => VariableKind::OneOf(one_of),
        (None, true, Some(from), Some(to), None) if from <= to => VariableKind::Between { from, to },
        (None, true, None, None, Some(letters)) if (1..=64).contains(&letters) => VariableKind::Letters(letters),
        _ => {
            let message = format!(
                "the variable {name} needs exactly one of `value`, `one_of`, `from` with a `to` that is not less, and \
                 `letters` between 1 and 64"
            );
            problems.error(file, line, message);
            return None;
        }
    };
    Some(Variable { name: name.to_owned(), kind })
}

fn asset(folder: &Folder<'_>, written: &Spanned<AssetFile>, file: &LabPath, problems: &mut Problems) -> Option<Asset> {
    let line = yaml::line_of(written, 1);
    let AssetFile { from, to, container, mode } = written.value.clone();
    let bits = mode.as_deref().map(mode_of);
    if bits == Some(None) {
        let message =
            format!("{:?} can't be permissions; they are octal digits such as \"0755\"", mode.unwrap_or_default());
        problems.error(file, line, message);
        return None;
    }
    if !to.starts_with('/') || to.split('/').any(|part| part == "..") || to.contains('\0') {
        let message = format!("{to:?} must be a path in the container, from its root on and without `..`");
        problems.error(file, line, message);
        return None;
    }
    match Pattern::parse(&from) {
        Ok(pattern) if !folder.list().iter().any(|(path, _)| pattern.fits(path)) => {
            problems.error(file, line, format!("no file fits {from:?}"));
            None
        }
        Ok(_) => Some(Asset { from, container, to, mode: bits.flatten(), file: file.clone(), line }),
        Err(error) => {
            problems.error(file, line, error.to_string());
            None
        }
    }
}
