use super::document::{FrontFile, LabFile};
use super::*;
use crate::files::{Folder, MemoryFiles};
use crate::model::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

mod unusual;

const LAB: &str = "\
title: Backup of a shop
summary: Save it, lose it, get it back.
containers:
  - {name: main, image: 'alpine:3.22', ports: [8080]}
  - {name: db, image: 'mariadb:11', privileged: true, user: mysql, memory: 512, command: [mariadbd, --skip-ssl],
     environment: {MARIADB_DATABASE: shop}}
terminals:
  - {name: t1}
  - {name: sql, container: db}
minutes: 45
variables:
  port: {from: 20000, to: 29999}
  colour: {one_of: [red, green]}
  word: {letters: 6}
  host: {value: 5}
languages: [en, de]
translations:
  de: {title: Sicherung, summary: Kurz}
files:
  - {from: 'assets/*.sql', to: /srv, container: db, mode: '0600'}
";

const STEP: &str = "\
---
setup:
  - run: |
      touch /tmp/a
      touch /tmp/b
    container: db
  - script: ../scripts/fill.sh
    terminal: t1
checks:
  - name: dump
    title: There is a dump
    script: /scripts/check.sh
    container: db
    timeout_seconds: 20
    score: 2
    continuous: true
    every_seconds: 7
    hints:
      - {exit: 2, text: Too small}
      - {timeout: true, text: Slow}
      - {text: Look again}
  - run: test -e /tmp/a
solution: ../scripts/solve.sh
---

# Save it

Text.
";

fn usual() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("lab.yaml", LAB),
        ("steps/1-save.md", STEP),
        ("steps/1-save.de.md", "# Sichern\n\nText.\n"),
        ("steps/10-end.md", "Only text.\n"),
        ("steps/2-lose.md", "---\ntitle: Lose it\n---\nMore.\n"),
        ("assets/shop.sql", "SELECT 1;"),
        ("scripts/fill.sh", "fill\n"),
        ("scripts/check.sh", "#!/bin/sh\ncheck\n"),
        ("scripts/solve.sh", "solve\n"),
    ])
}

fn memory(files: &BTreeMap<&str, &str>) -> MemoryFiles {
    let contents = files.iter().map(|(name, text)| (LabPath::parse(name).unwrap(), text.as_bytes().to_vec()));
    MemoryFiles::new(contents.collect()).unwrap()
}

fn read_from(files: &BTreeMap<&str, &str>) -> (Option<Lab>, Vec<Problem>) {
    let files = memory(files);
    let mut problems = Problems::default();
    let lab = read(&Folder::new(&files), &mut problems);
    (lab, problems.into_list())
}

/// The problems of the usual lab with some files put in the place of others.
fn problems_with(changed: &[(&'static str, &'static str)]) -> Vec<(String, u32, String)> {
    let mut files = usual();
    files.extend(changed.iter().copied());
    read_from(&files).1.into_iter().map(|problem| (problem.file, problem.line, problem.message)).collect()
}

#[test]
fn everything_of_a_lab_is_read() {
    let (lab, problems) = read_from(&usual());
    assert_eq!(problems, []);
    let lab = lab.unwrap();
    assert_eq!((lab.title.as_str(), lab.minutes, lab.language.as_str()), ("Backup of a shop", Some(45), "en"));
    assert_eq!(lab.translations["de"].title, "Sicherung");
    let LabEnvironment::Containers(containers) = &lab.environment else { panic!() };
    assert_eq!((containers[0].ports.as_slice(), containers[1].privileged), ([8080].as_slice(), true));
    let db = &containers[1];
    assert_eq!((db.user.as_deref(), db.memory_mb, db.command.len()), (Some("mysql"), Some(512), 2));
    assert_eq!(db.environment["MARIADB_DATABASE"], "shop");
    assert_eq!(lab.terminals[1], LabTerminal { name: "sql".to_owned(), container: Some("db".to_owned()) });
    let kinds: Vec<&VariableKind> = lab.variables.iter().map(|variable| &variable.kind).collect();
    assert_eq!(
        kinds,
        [
            &VariableKind::OneOf(vec!["red".to_owned(), "green".to_owned()]),
            &VariableKind::Fixed("5".to_owned()),
            &VariableKind::Between { from: 20_000, to: 29_999 },
            &VariableKind::Letters(6),
        ]
    );
    assert_eq!((lab.assets[0].mode, lab.assets[0].line), (Some(0o600), 20));
    let titles: Vec<&str> = lab.steps.iter().map(|step| step.page.title.as_str()).collect();
    assert_eq!(titles, ["Save it", "Lose it", "10-end"]);
}

#[test]
fn everything_of_a_step_is_read() {
    let lab = read_from(&usual()).0.unwrap();
    let step = &lab.steps[0];
    assert_eq!((step.page.text.as_str(), step.page.line), ("\nText.\n", 27));
    assert_eq!(step.translations["de"].title, "Sichern");
    assert_eq!(step.setup[0].script.text, "touch /tmp/a\ntouch /tmp/b\n");
    assert_eq!((step.setup[0].container.as_deref(), step.setup[0].script.line), (Some("db"), 3));
    assert_eq!(
        (step.setup[1].script.file.as_str(), step.setup[1].terminal.as_deref()),
        ("scripts/fill.sh", Some("t1"))
    );
    assert_eq!(step.solution.as_ref().unwrap().text, "solve\n");
    let [dump, second] = step.checks.as_slice() else { panic!("{:?}", step.checks) };
    assert_eq!((dump.name.as_str(), dump.timeout_seconds, dump.score), ("dump", 20, 2));
    assert_eq!(dump.when, When::Continuous { every_seconds: 7 });
    assert_eq!(dump.script.text, "#!/bin/sh\ncheck\n");
    assert_eq!(
        dump.hints.iter().map(|hint| (hint.exit, hint.timeout)).collect::<Vec<_>>(),
        [(Some(2), false), (None, true), (None, false)]
    );
    assert_eq!((second.name.as_str(), second.title.as_str(), second.when), ("check-2", "check-2", When::Click));
}

#[test]
fn what_is_wrong_in_the_lab_file_is_told_with_its_line() {
    let cases: [(&str, u32, &str); 18] = [
        ("title: ''\nenvironment: shell\n", 1, "title is empty"),
        ("title: a\nenvironment: shell\ncontainers: [{name: a, image: b}]\n", 3, "exactly one of `environment`"),
        ("title: a\n", 1, "exactly one of `environment`"),
        ("title: a\nenvironment: Not a name\n", 2, "can't be the name of an environment"),
        ("title: a\ncontainers: [{name: A, image: b}]\n", 2, "can't be the name of a container"),
        (
            "title: a\ncontainers: [{name: a, image: b, memory: 3}]\n",
            2,
            "`memory` is a number of MB between 4 and 65536",
        ),
        ("title: a\ncontainers: [{name: a, image: b, environment: {A=B: c}}]\n", 2, "name of an environment variable"),
        ("title: a\ncontainers: [{name: a, image: b}, {name: a, image: b}]\n", 2, "two containers a"),
        ("title: a\ncontainers: [{name: a, image: 'b c'}]\n", 2, "can't be an image"),
        ("title: a\ncontainers: [{name: a, image: b}]\nterminals: [{name: t, container: x}]\n", 3, "no container x"),
        ("title: a\nenvironment: b\nminutes: 0\n", 3, "between 1 and 10080"),
        ("title: a\nenvironment: b\nlanguages: [english]\n", 3, "not a language"),
        ("title: a\nenvironment: b\ntranslations: {fr: {title: x}}\n", 3, "not among the further"),
        ("title: a\nenvironment: b\nvariables:\n  1x: {value: a}\n", 4, "can't be the name of a variable"),
        ("title: a\nenvironment: b\nvariables:\n  x: {value: a, letters: 3}\n", 4, "exactly one of `value`"),
        ("title: a\nenvironment: b\nfiles:\n  - {from: '*.none', to: /a}\n", 4, "no file fits"),
        ("title: a\nenvironment: b\nfiles:\n  - {from: '**', to: ../a}\n", 4, "must be a path in the container"),
        (
            "title: a\nenvironment: b\nsteps:\n  - ../../etc/passwd\n  - steps/2-lose.md\n",
            4,
            "leads out of the lab's folder",
        ),
    ];
    for (text, line, part) in cases {
        let mut files = usual();
        files.insert("lab.yaml", text);
        let problems = read_from(&files).1;
        let problem = problems.iter().find(|problem| problem.message.contains(part));
        let problem = problem.unwrap_or_else(|| panic!("{text}: {problems:?}"));
        assert_eq!((problem.file.as_str(), problem.line), ("lab.yaml", line), "{text}: {problems:?}");
    }
}

#[test]
fn a_lab_file_that_is_broken_is_one_problem() {
    for (text, line) in [("title: [a\nenvironment: b\n", 2), ("title: a\nenviroment: b\n", 2), ("- a\n", 1), ("", 1)] {
        let mut files = usual();
        files.insert("lab.yaml", text);
        let (lab, problems) = read_from(&files);
        assert!(lab.is_none() && problems.len() == 1, "{text}: {problems:?}");
        assert_eq!(problems[0].file, "lab.yaml");
        assert!(problems[0].line.abs_diff(line) <= 1, "{text}: {problems:?}");
    }
}

#[test]
fn what_is_wrong_in_a_step_costs_no_other() {
    let cases: [(&str, u32, &str); 11] = [
        ("---\nchecks:\n  - {title: a}\n---\n# A\n", 3, "exactly one of `script`"),
        ("---\nchecks:\n  - {run: a, script: b}\n---\n# A\n", 3, "exactly one of `script`"),
        ("---\nchecks:\n  - {run: ' '}\n---\n# A\n", 3, "`run` is empty"),
        ("---\nchecks:\n  - {script: gone.sh}\n---\n# A\n", 3, "there is no file steps/gone.sh"),
        ("---\nchecks:\n  - {script: ../../x}\n---\n# A\n", 3, "leads out of the lab's folder"),
        ("---\nchecks:\n  - {run: a, timeout_seconds: 301}\n---\n# A\n", 3, "`timeout_seconds`"),
        ("---\nchecks:\n  - {run: a, every_seconds: 3}\n---\n# A\n", 3, "`every_seconds`"),
        ("---\nchecks:\n  - {run: a, name: x}\n  - {run: a, name: x}\n---\n# A\n", 4, "two checks x"),
        ("---\nchecks:\n  - {run: a, hints: [{exit: 0, text: x}]}\n---\n# A\n", 3, "a hint is for"),
        ("---\nsolution: gone.sh\n---\n# A\n", 2, "there is no file steps/gone.sh"),
        ("---\ncheks: []\n---\n# A\n", 2, "cheks"),
    ];
    for (text, line, part) in cases {
        let mut files = usual();
        files.insert("steps/2-lose.md", text);
        let (lab, problems) = read_from(&files);
        assert_eq!(lab.unwrap().steps.len(), 3, "{text}");
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert_eq!((problems[0].file.as_str(), problems[0].line), ("steps/2-lose.md", line), "{problems:?}");
        assert!(problems[0].message.contains(part), "{text}: {problems:?}");
    }
}

#[test]
fn steps_that_are_listed_are_those_and_no_others() {
    let listed = "title: a\nenvironment: b\nsteps: [steps/10-end.md, steps/gone.md, steps/10-end.md]\n";
    let problems = problems_with(&[("lab.yaml", listed)]);
    let messages: Vec<&str> = problems.iter().map(|(_, _, message)| message.as_str()).collect();
    assert_eq!(messages, ["the step steps/10-end.md is there twice", "there is no file steps/gone.md"]);
    let translated = problems_with(&[("steps/1-save.de.md", "---\nchecks: [{run: a}]\n---\n# A\n")]);
    assert!(translated[0].2.contains("no checks and scripts of its own"), "{translated:?}");
}

/// Writes a lab and reads it again; files that are copied come from the folder.
fn written_and_read(lab: &Lab, from: &MemoryFiles) -> (Option<Lab>, Vec<Problem>) {
    use crate::files::Files;
    let folder = Folder::new(from);
    let mut problems = Problems::default();
    let files = write(lab, &folder, &mut problems);
    assert_eq!(problems.into_list(), []);
    let content = |content: Written| match content {
        Written::Text(text) => text.into_bytes(),
        Written::Copy(path) => from.read(&path, 1 << 20).unwrap().into_owned(),
    };
    let files = MemoryFiles::new(files.into_iter().map(|(path, written)| (path, content(written))).collect()).unwrap();
    let mut problems = Problems::default();
    let lab = read(&Folder::new(&files), &mut problems);
    (lab, problems.into_list())
}

/// A lab without the lines and files that it was read from.
fn without_places(mut lab: Lab) -> Lab {
    let nowhere = |script: &mut Script| (script.file, script.line) = (LabPath::root(), 1);
    for step in &mut lab.steps {
        for page in step.translations.values_mut().chain([&mut step.page]) {
            (page.line, page.file) = (1, LabPath::root());
        }
        step.setup.iter_mut().for_each(|setup| nowhere(&mut setup.script));
        step.checks.iter_mut().for_each(|check| nowhere(&mut check.script));
        step.solution.iter_mut().for_each(nowhere);
    }
    lab.assets.iter_mut().for_each(|asset| asset.line = 1);
    lab
}

#[test]
fn a_lab_that_is_written_is_read_as_the_same() {
    let files = memory(&usual());
    let mut problems = Problems::default();
    let lab = read(&Folder::new(&files), &mut problems).unwrap();
    let (again, problems) = written_and_read(&lab, &files);
    assert_eq!(problems, []);
    assert_eq!(without_places(again.unwrap()), without_places(lab));
}

#[test]
fn an_imported_lab_gets_files_of_its_own() {
    let files = memory(&usual());
    let mut problems = Problems::default();
    let mut lab = read(&Folder::new(&files), &mut problems).unwrap();
    lab.format = Format::Katacoda;
    let paths: Vec<String> = write(&lab, &Folder::new(&files), &mut problems).keys().map(LabPath::to_string).collect();
    assert_eq!(
        paths,
        [
            "assets/shop.sql",
            "lab.yaml",
            "scripts/01-check-2.sh",
            "scripts/01-dump.sh",
            "scripts/01-setup-1.sh",
            "scripts/01-setup-2.sh",
            "scripts/01-solution.sh",
            "steps/01-save-it.de.md",
            "steps/01-save-it.md",
            "steps/02-lose-it.md",
            "steps/03-10-end.md",
        ]
    );
    let (again, problems) = written_and_read(&lab, &files);
    assert_eq!(problems, []);
    lab.format = Format::Pierhead;
    assert_eq!(without_places(again.unwrap()), without_places(lab));
}

#[test]
fn a_file_that_would_hide_another_is_a_problem() {
    let mut files = usual();
    files.insert("steps/03-10-end.md", "# From elsewhere\n");
    files.insert("steps/10-end.md", "[other](03-10-end.md)\n");
    let files = memory(&files);
    let mut problems = Problems::default();
    let mut lab = read(&Folder::new(&files), &mut problems).unwrap();
    lab.format = Format::Katacoda;
    lab.steps.retain(|step| step.page.file.as_str() != "steps/03-10-end.md");
    let written = write(&lab, &Folder::new(&files), &mut problems);
    let list = problems.into_list();
    assert_eq!(list.len(), 1, "{list:?}");
    assert_eq!(list[0].file, "steps/03-10-end.md");
    assert!(matches!(&written[&LabPath::parse("steps/03-10-end.md").unwrap()], Written::Text(_)));
}

#[test]
fn what_pages_show_and_containers_get_is_written_along() {
    let mut files = usual();
    files.extend([("images/a.png", "png"), ("data.csv", "1"), ("images/unused.png", "png")]);
    files.insert("steps/2-lose.md", "# Lose it\n\n![a](/images/a.png) [data](../data.csv)\n");
    let files = memory(&files);
    let mut problems = Problems::default();
    let lab = read(&Folder::new(&files), &mut problems).unwrap();
    let written = write(&lab, &Folder::new(&files), &mut problems);
    assert_eq!(problems.into_list(), []);
    let copied: Vec<&str> = written
        .iter()
        .filter(|(_, content)| matches!(content, Written::Copy(_)))
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(copied, ["assets/shop.sql", "data.csv", "images/a.png"]);
}

#[test]
fn more_steps_than_allowed_and_files_of_other_encodings_are_told() {
    let mut contents: BTreeMap<LabPath, Vec<u8>> = BTreeMap::new();
    contents.insert(LabPath::parse("lab.yaml").unwrap(), b"title: a\nenvironment: b\n".to_vec());
    for number in 0..=crate::Limits::LAB.steps {
        contents.insert(LabPath::parse(&format!("steps/{number}.md")).unwrap(), b"x\n".to_vec());
    }
    contents.insert(LabPath::parse("steps/3.md").unwrap(), b"# A\n\nna\xefve\n".to_vec());
    contents.insert(LabPath::parse("steps/5.md").unwrap(), b"\xff\xfe#\0".to_vec());
    let files = MemoryFiles::new(contents).unwrap();
    let mut problems = Problems::default();
    let lab = read(&Folder::new(&files), &mut problems).unwrap();
    assert_eq!(lab.steps.len(), crate::Limits::LAB.steps - 2);
    let list: Vec<(String, u32)> =
        problems.into_list().into_iter().map(|problem| (problem.file, problem.line)).collect();
    let expected = [("lab.yaml", 1), ("steps/3.md", 3), ("steps/5.md", 1)].map(|(file, line)| (file.to_owned(), line));
    assert_eq!(list, expected);
}

/// Texts as people and other formats write them, awkward ones among them.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,12}",
        "[ -~]{1,30}",
        "(yes|null|~|1e3|0x1f|- a|# b|'c|\"d|@e|a: b|>|\\||%f|&g|\\*h|\\[i|\\{j)",
        "\\PC{1,20}"
    ]
    .prop_map(|text: String| text.split_whitespace().collect::<Vec<_>>().join(" "))
    .prop_filter("not empty", |text| !text.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_texts_there_are_they_survive(title in texts(), script in "\\PC{0,20}(\n\\PC{0,20}){0,4}", hint in texts(), value in texts()) {
        prop_assume!(!script.trim().is_empty());
        let files = memory(&usual());
        let mut problems = Problems::default();
        let mut lab = read(&Folder::new(&files), &mut problems).unwrap();
        lab.title = title.clone();
        lab.summary = hint.clone();
        lab.variables[0].kind = VariableKind::OneOf(vec![value.clone(), title.clone()]);
        let step = &mut lab.steps[0];
        step.page.title = title;
        step.checks[0].hints[0].text = hint;
        step.checks[1].script.text = script;
        let (again, problems) = written_and_read(&lab, &files);
        prop_assert_eq!(problems, vec![]);
        prop_assert_eq!(without_places(again.unwrap()), without_places(lab));
    }
}

/// The schema of `lab.yaml` and of the heads of steps, as it is published.
fn schema() -> String {
    use utoipa::PartialSchema;
    let mut definitions = Vec::new();
    <LabFile as utoipa::ToSchema>::schemas(&mut definitions);
    <FrontFile as utoipa::ToSchema>::schemas(&mut definitions);
    definitions.push(("FrontFile".to_owned(), FrontFile::schema()));
    let definitions: BTreeMap<String, _> = definitions.into_iter().collect();
    let mut whole = serde_json::to_value(LabFile::schema()).unwrap();
    whole["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    whole["title"] = "A lab of Pierhead: lab.yaml. The head of a step is $defs/FrontFile".into();
    whole["$defs"] = serde_json::to_value(definitions).unwrap();
    serde_json::to_string_pretty(&whole).unwrap().replace("#/components/schemas/", "#/$defs/") + "\n"
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lab.schema.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, schema()).unwrap();
    }
    let published = std::fs::read_to_string(file).unwrap();
    assert!(published == schema(), "docs/lab.schema.json is not up to date: run this test with UPDATE=1");
    for key in ["\"additionalProperties\": false", "\"one_of\"", "\"timeout_seconds\"", "\"required\""] {
        assert!(published.contains(key), "{key}");
    }
}

#[test]
fn the_example_of_the_documentation_is_a_lab() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/labs.md")).unwrap();
    let mut files = BTreeMap::new();
    let mut lines = text.lines().peekable();
    // Each file of the example follows a line with its name, indented by four.
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("`").and_then(|rest| rest.strip_suffix("`:")) {
            let mut content = String::new();
            while let Some(line) = lines.next_if(|line| line.is_empty() || line.starts_with("    ")) {
                content.push_str(line.strip_prefix("    ").unwrap_or(line));
                content.push('\n');
            }
            let content = format!("{}\n", content.trim_matches('\n'));
            files.insert(LabPath::parse(name).unwrap(), content.into_bytes());
        }
    }
    assert!(files.len() >= 3, "{files:?}");
    let files = MemoryFiles::new(files).unwrap();
    let report = crate::check(&files, "example", &ImageTable::default(), Problems::default());
    assert_eq!(report.problems, []);
    let step = &report.steps[0];
    let all = [step.runs, step.checks, step.hints, step.quizzes, step.previews, step.images];
    assert!(step.blocks > step.runs && all.iter().all(|count| *count > 0), "{report:?}");
}
