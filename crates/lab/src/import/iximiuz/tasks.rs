//! Tasks: what is run at the start, and what must hold.

use crate::import::node::{Node, Value};
use crate::import::scripts::{interpreted, with_hint};
use crate::model::{Check, Problems, Script, Setup, When};
use crate::own::slug;
use crate::path::LabPath;
use std::collections::BTreeMap;

/// The time that a task gets there unless it says otherwise, in seconds.
const TIMEOUT_SECONDS: u32 = 10;
/// How often tasks are run there, in seconds.
const EVERY_SECONDS: u32 = 2;

/// The tasks of a document.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    /// What is run at the start.
    pub(super) setup: Vec<Setup>,
    /// What must hold, by name, with the line; those that a page shows are taken out.
    checks: BTreeMap<String, (u32, Check)>,
    /// Those that the page shows that is read, in its order.
    shown: Vec<Check>,
    /// Those that some page showed.
    done: Vec<String>,
}

impl Tasks {
    /// The tasks in the front matter.
    pub(super) fn read(front: &Node, file: &LabPath, machines: &[String], problems: &mut Problems) -> Self {
        let mut tasks = Self::default();
        let mut setups: Vec<(usize, &str, Setup)> = Vec::new();
        let all = front.get("tasks").map_or(&[][..], Node::entries);
        let depths = depths(all);
        for (name, node) in all {
            let Some(script) = script(node, "run", file, problems) else {
                problems.error(file, node.line, format!("`run` of the task {name} is missing; it must be a script"));
                continue;
            };
            let machine = node.text_of("machine");
            if let Some(machine) = machine.filter(|machine| !machines.iter().any(|known| known == machine)) {
                problems.error(
                    file,
                    node.line,
                    format!("the task {name} is for the machine {machine}, which there is not"),
                );
            }
            let container = machine.filter(|machine| machines.first().is_none_or(|first| first != machine));
            let container = container.map(str::to_owned);
            if node.is("helper") {
                problems.error(
                    file,
                    node.line,
                    format!("the task {name} is left out: nothing runs on and on beside a lab"),
                );
            } else if node.is("init") {
                let depth = depths.get(name.as_str()).copied().unwrap_or(0);
                setups.push((depth, name, Setup { script, container, terminal: None }));
            } else {
                let check = check(name, node, script, container, file, problems);
                tasks.checks.insert(name.clone(), (node.line, check));
            }
        }
        // Those that others need come first.
        setups.sort_by_key(|(depth, _, _)| *depth);
        tasks.setup = setups.into_iter().map(|(_, _, setup)| setup).collect();
        tasks
    }

    /// That a page shows a task, with this title if it says one; whether there is such a task.
    pub(super) fn show(&mut self, name: &str, title: &str) -> bool {
        let Some((_, mut check)) = self.checks.remove(name) else { return self.done.iter().any(|done| done == name) };
        if !title.is_empty() {
            check.title = title.to_owned();
        }
        self.done.push(name.to_owned());
        self.shown.push(check);
        true
    }

    /// The tasks that the page showed that was read last.
    pub(super) fn shown(&mut self) -> Vec<Check> {
        std::mem::take(&mut self.shown)
    }

    /// The tasks that no page shows: they must hold nevertheless.
    pub(super) fn rest(&mut self, file: &LabPath, problems: &mut Problems) -> Vec<Check> {
        let rest = std::mem::take(&mut self.checks);
        for (name, (line, _)) in &rest {
            problems.warn(file, *line, format!("no page shows the task {name}; it is checked at the end"));
        }
        rest.into_values().map(|(_, check)| check).collect()
    }
}

/// How many tasks must have been run before each, for tasks that need no more than `DEEPEST` others one by one.
fn depths(all: &[(String, Node)]) -> BTreeMap<&str, usize> {
    const DEEPEST: usize = 16;
    let mut depths: BTreeMap<&str, usize> = all.iter().map(|(name, _)| (name.as_str(), 0)).collect();
    for _ in 0..DEEPEST {
        for (name, node) in all {
            let needs = node.items_of("needs").iter().filter_map(Node::text);
            let depth = needs.filter_map(|need| depths.get(need)).map(|depth| depth + 1).max().unwrap_or(0);
            depths.insert(name, depth.min(DEEPEST));
        }
    }
    depths
}

fn script(node: &Node, key: &str, file: &LabPath, problems: &mut Problems) -> Option<Script> {
    let found = node.get(key)?;
    let Value::Text(text) = &found.value else { return None };
    let mut environment = String::new();
    for variable in node.items_of("env") {
        match variable.text().and_then(|text| text.split_once('=')) {
            Some((name, value)) if !value.contains("x(.") && crate::own::is_variable(name) => {
                environment.push_str(&format!("{name}={}\n", crate::import::scripts::quoted(value)));
            }
            _ if key == "run" => {
                let message = format!(
                    "{} is left out: the output of other tasks is not known",
                    variable.text().unwrap_or_default()
                );
                problems.error(file, variable.line, message);
            }
            _ => {}
        }
    }
    let text = interpreted(text);
    let text = match text.split_once('\n') {
        Some((first, rest)) if !environment.is_empty() => format!("{first}\n{environment}{rest}"),
        _ => text,
    };
    Some(Script { file: file.clone(), line: found.line, text })
}

fn check(
    name: &str,
    node: &Node,
    run: Script,
    container: Option<String>,
    file: &LabPath,
    problems: &mut Problems,
) -> Check {
    if node.get("user").is_some() {
        problems.warn(file, node.line, format!("the task {name} is run as the container's user, not as another one"));
    }
    let hint = script(node, "hintcheck", file, problems);
    let failed = script(node, "failcheck", file, problems);
    let timeout = node.number::<u32>("timeout_seconds").filter(|timeout| *timeout > 0).unwrap_or(TIMEOUT_SECONDS);
    Check {
        name: slug(name),
        title: name.replace(['_', '-'], " "),
        script: with_hint(failing(run, failed.as_ref()), hint.as_ref()),
        container,
        timeout_seconds: timeout.min(Check::LONGEST_SECONDS),
        score: 1,
        when: When::Continuous { every_seconds: EVERY_SECONDS },
        hints: Vec::new(),
    }
}

/// A check that does not pass either if what must not happen has happened.
fn failing(run: Script, failed: Option<&Script>) -> Script {
    let Some(failed) = failed else { return run };
    let rest =
        |script: &Script| script.text.split_once('\n').map_or(String::new(), |(_, rest)| rest.trim_end().to_owned());
    let first = run.text.lines().next().unwrap_or_default().to_owned();
    Script { text: format!("{first}\n(\n{}\n) || exit 1\n{}\n", rest(failed), rest(&run)), ..run }
}
