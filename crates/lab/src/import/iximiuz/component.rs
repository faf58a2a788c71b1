//! Components: `::name`, properties between two lines of hyphens, text, and `::` at the end.

use super::tasks::Tasks;
use crate::import::foreign::{rooted, without_foreign};
use crate::import::markdown::{Part, Rewritten, parts};
use crate::import::node::{Node, Value, read_yaml};
use crate::import::page::{Source, outside_code, outside_fences};
use crate::model::Problems;

/// The text of a page with what our format has for its components.
pub(super) fn translated(source: &Source<'_>, tasks: &mut Tasks, problems: &mut Problems) -> String {
    let foreign = |text: &str, at| without_foreign(text, source.file, source.line(at), problems);
    let text = outside_fences(source.text, foreign);
    let lines: Vec<&str> = text.lines().collect();
    // Lines of fences are no components.
    let mut fenced = vec![false; lines.len()];
    for part in parts(&lines) {
        if let Part::Fence(fence) = part {
            fenced[fence.at..(fence.at + fence.lines()).min(lines.len())].fill(true);
        }
    }
    let mut page =
        Pages { source, lines: &lines, fenced: &fenced, tasks, problems, out: Rewritten::default(), open: Vec::new() };
    let mut at = 0;
    while at < lines.len() {
        at += page.line(at);
    }
    if let Some(open) = page.open.first() {
        page.problems.error(source.file, source.line(open.at), format!("the component {} does not end", open.name));
    }
    let text = page.out.text();
    outside_fences(&text, |text, _| rooted(&tabs(text), source.file))
}

/// How many components may lie in one another.
const DEEPEST: usize = 10;

struct Open {
    name: String,
    at: usize,
    /// How many colons end it.
    colons: usize,
    /// Whether its lines are quoted.
    quotes: bool,
    /// Of a task: which one, and what of it is being read.
    task: Option<Task>,
}

struct Task {
    name: String,
    destination: Option<String>,
    title: String,
    /// Whether what is read is shown: what to do, not what was done.
    active: bool,
}

struct Pages<'a, 's> {
    source: &'a Source<'s>,
    lines: &'a [&'s str],
    fenced: &'a [bool],
    tasks: &'a mut Tasks,
    problems: &'a mut Problems,
    out: Rewritten,
    open: Vec<Open>,
}

impl Pages<'_, '_> {
    fn quote(&self) -> String {
        "> ".repeat(self.open.iter().filter(|open| open.quotes).count())
    }

    fn put(&mut self, line: &str, lines: usize) {
        let quote = self.quote();
        let text = if line.is_empty() { quote.trim_end().to_owned() } else { format!("{quote}{line}") };
        self.out.put(&text, lines, &quote);
    }

    /// Writes what begins at a line, and tells how many lines that was.
    fn line(&mut self, at: usize) -> usize {
        let line = self.lines[at];
        let colons = line.len() - line.trim_start_matches(':').len();
        let name = line[colons..].split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default();
        if self.fenced[at] || colons < 2 {
            return self.plain(at);
        }
        if name.is_empty() && line[colons..].trim().is_empty() {
            self.close(colons, at);
            return 1;
        }
        if name.is_empty() {
            return self.plain(at);
        }
        let (properties, taken) = self.properties(at);
        self.begin(name, colons, &properties, at, taken);
        taken
    }

    fn plain(&mut self, at: usize) -> usize {
        let line = self.lines[at];
        let slot =
            (!self.fenced[at]).then(|| line.strip_prefix('#')).flatten().filter(|name| !name.starts_with([' ', '#']));
        if let Some(task) = self.open.last_mut().and_then(|open| open.task.as_mut()) {
            match slot {
                Some("active") => task.active = true,
                Some(_) => task.active = false,
                None if task.active => {
                    if task.title.is_empty() {
                        task.title = line.trim().to_owned();
                    }
                    self.put(line, 1);
                    return 1;
                }
                None => {}
            }
            self.put("", 1);
            return 1;
        }
        self.put(line, 1);
        1
    }

    /// The properties of a component, and how many lines they take with its first one.
    fn properties(&mut self, at: usize) -> (Node, usize) {
        let none = Node { line: self.source.line(at), value: Value::Null };
        if self.lines.get(at + 1).map(|line| line.trim()) != Some("---") {
            return (none, 1);
        }
        let Some(end) = (at + 2..self.lines.len().min(at + 200)).find(|end| self.lines[*end].trim() == "---") else {
            return (none, 1);
        };
        // A colon before a name says that the value is code there; it is none here.
        let yaml: Vec<&str> =
            self.lines[at + 2..end].iter().map(|line| line.strip_prefix(':').unwrap_or(line)).collect();
        let before = self.source.before + at + 2;
        let node = read_yaml(&yaml.join("\n"), self.source.file, before, self.problems).unwrap_or(none);
        (node, end + 1 - at)
    }

    fn begin(&mut self, name: &str, colons: usize, properties: &Node, at: usize, taken: usize) {
        let line = self.source.line(at);
        let text = |key: &str| properties.text_of(key).unwrap_or_default();
        let nested = self.open.iter().any(|open| open.name == "hint-box" || open.name == "details-box");
        let mut open = Open { name: name.to_owned(), at, colons, quotes: false, task: None };
        let written = match name {
            "hint-box" | "details-box" if !nested => {
                open.quotes = true;
                format!("> [!HINT] {}", text("summary"))
            }
            "hint-box" | "details-box" => format!("**{}**", text("summary")),
            "remark-box" => {
                open.quotes = true;
                let kind = match text("kind") {
                    "warning" => "WARNING",
                    "error" => "CAUTION",
                    _ => "NOTE",
                };
                format!("> [!{kind}]")
            }
            "image-box" => format!("![{}]({})", text("alt"), text("src")),
            "slide-show" => images(properties),
            "simple-task" | "user-input-task" => {
                let task = text("name").to_owned();
                let destination = properties.text_of("destination").map(str::to_owned);
                open.task = Some(Task { name: task, destination, title: String::new(), active: false });
                String::new()
            }
            "card-challenge" | "card" | "card-tutorial" | "card-playground" => {
                let of = properties.entries().first().and_then(|(_, node)| node.text()).unwrap_or_default();
                self.problems.warn(
                    self.source.file,
                    line,
                    format!("the card of {of} is left out: it is not in this lab"),
                );
                String::new()
            }
            "tabbed" => String::new(),
            _ => {
                self.problems.warn(
                    self.source.file,
                    line,
                    format!("the component {name} is not known; its text is shown"),
                );
                String::new()
            }
        };
        let first = format!("{}{written}", self.quote());
        // A component of one line ends where it begins.
        let rest = self.lines[at].trim_end();
        let ends = rest.len() > 2 * colons && rest.ends_with("::") && taken == 1;
        if self.open.len() >= DEEPEST && !ends {
            self.problems.error(self.source.file, line, "too many components begin inside one another");
        } else if !ends {
            self.open.push(open);
        }
        self.out.put(first.trim_end(), taken, &self.quote());
    }

    fn close(&mut self, colons: usize, at: usize) {
        let Some(index) = self.open.iter().rposition(|open| open.colons == colons) else {
            let line = self.source.line(at);
            self.problems.error(self.source.file, line, "a component ends that did not begin");
            self.put("", 1);
            return;
        };
        self.open.truncate(index + 1);
        let line = self.source.line(self.open[index].at);
        let task = self.open[index].task.take();
        self.open.truncate(index);
        let mut written = String::new();
        if let Some(task) = task {
            if !self.tasks.show(&task.name, &crate::import::markdown::plain(&task.title)) {
                self.problems.error(self.source.file, line, format!("there is no task {:?}", task.name));
            }
            if let Some(destination) = task.destination {
                self.problems.warn(
                    self.source.file,
                    line,
                    "there is no field for the answer; a command puts it into its file",
                );
                written = format!("`echo ANSWER > {destination}`{{copy}}");
            }
        }
        self.put(&written, 1);
    }
}

/// The images of a show, one behind the other.
fn images(properties: &Node) -> String {
    let image =
        |slide: &Node| Some(format!("![{}]({})", slide.text_of("alt").unwrap_or_default(), slide.text_of("image")?));
    properties.items_of("slides").iter().filter_map(image).collect::<Vec<_>>().join(" ")
}

/// The text with the names of tabs in place of what opens them: `:tab-locator-inline{text='x' machine='y'}`.
fn tabs(text: &str) -> String {
    const TAB: &str = ":tab-locator-inline{";
    outside_code(text, 1, |text, _| {
        let (mut written, mut rest) = (String::new(), text);
        while let Some((before, behind)) = rest.split_once(TAB) {
            let near = crate::import::spans::window(behind);
            let end = near.find('}').unwrap_or(near.len());
            let (inner, behind) = (&behind[..end], behind[end..].strip_prefix('}').unwrap_or(&behind[end..]));
            let shown = inner.split("text=").nth(1).and_then(|value| {
                let quote = value.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
                value[1..].split(quote).next()
            });
            written.push_str(before);
            written.push_str(&format!("**{}**", shown.unwrap_or("tab")));
            rest = behind;
        }
        written + rest
    })
}
