//! Workshops that are read.

use crate::import::tests::only;
use crate::model::{Format, LabEnvironment, VariableKind, When};

const WORKSHOP: &str = "apiVersion: training.educates.dev/v1beta1
kind: Workshop
metadata:
  name: lab-sample
spec:
  title: A sample
  description: What actions do
  duration: 1h
  workshop:
    image: jdk17-environment:*
  session:
    ingresses:
    - name: app
      port: 8080
    applications:
      terminal:
        enabled: true
        layout: split
      docker:
        enabled: true
";

/// The text of the only page of a workshop, and its problems.
fn page(text: &str) -> (String, Vec<String>) {
    let (lab, problems) = only(&[("resources/workshop.yaml", WORKSHOP), ("workshop/content/01.md", text)]);
    (lab.steps[0].page.text.clone(), problems)
}

fn none() -> Vec<String> {
    Vec::new()
}

fn at(line: u32, message: &str) -> String {
    format!("workshop/content/01.md:{line}: {message}")
}

#[test]
fn a_workshop_becomes_a_lab() {
    let (lab, problems) = only(&[
        ("w/resources/workshop.yaml", WORKSHOP),
        ("w/workshop/content/02-next.md", "---\ntitle: Next\n---\nb\n"),
        ("w/workshop/content/10-end/index.md", "# The end\n"),
        ("w/workshop/content/01-begin.md", "a\n"),
        ("w/workshop/content/03.adoc", "= x\n"),
        ("w/workshop/setup.d/01-first.sh", "echo a\n"),
        ("w/exercises/app/main.py", "x"),
    ]);
    assert_eq!(problems, ["w/workshop/content/03.adoc:1: pages in AsciiDoc are not read; only those in Markdown are"]);
    assert_eq!(
        (lab.format, lab.title.as_str(), lab.summary.as_str()),
        (Format::Educates, "A sample", "What actions do")
    );
    assert_eq!(lab.minutes, Some(60));
    let steps: Vec<_> =
        lab.steps.iter().map(|step| (step.page.title.as_str(), step.page.file.as_str(), step.page.line)).collect();
    let expected = [
        ("01-begin", "w/workshop/content/01-begin.md", 1),
        ("Next", "w/workshop/content/02-next.md", 4),
        ("The end", "w/workshop/content/10-end/index.md", 1),
    ];
    assert_eq!(steps, expected);
    let LabEnvironment::Containers(containers) = &lab.environment else { panic!("a named environment") };
    let shown: Vec<_> = containers.iter().map(|c| (c.name.as_str(), c.image.as_str(), c.privileged)).collect();
    assert_eq!(shown, [("workshop", "eclipse-temurin:17", true)]);
    let terminals: Vec<_> = lab.terminals.iter().map(|terminal| terminal.name.as_str()).collect();
    assert_eq!(terminals, ["terminal-2"]);
    assert_eq!(lab.steps[0].setup[0].script.text, "#!/bin/bash\necho a\n");
    assert_eq!(
        (lab.assets[0].from.as_str(), lab.assets[0].to.as_str()),
        ("w/exercises/**", concat!("/ro", "ot/exercises/"))
    );
}

#[test]
fn a_way_through_the_workshop_orders_pages() {
    let config = "pathways:\n  default: java\n  paths:\n    go:\n      steps: [a]\n    java:\n      steps:\n      - c\n      - gone\n      - a\n";
    let (lab, problems) = only(&[
        ("resources/workshop.yaml", WORKSHOP),
        ("workshop/config.yaml", config),
        ("workshop/content/a.md", "a\n"),
        ("workshop/content/b.md", "b\n"),
        ("workshop/content/c/index.md", "c\n"),
    ]);
    let files: Vec<_> = lab.steps.iter().map(|step| step.page.file.as_str()).collect();
    assert_eq!(files, ["workshop/content/c/index.md", "workshop/content/a.md"]);
    let left = "workshop/config.yaml:1: the way \"go\" through the workshop is left out";
    assert_eq!(problems, [left, "workshop/config.yaml:9: there is no page \"gone\""]);
    let (lab, _) = only(&[
        ("resources/workshop.yaml", WORKSHOP),
        ("workshop/workshop.yaml", "modules:\n  activate:\n  - b\n  - a\n"),
        ("workshop/content/a.md", "a\n"),
        ("workshop/content/b.md", "b\n"),
    ]);
    assert_eq!(lab.steps[0].page.file.as_str(), "workshop/content/b.md");
}

#[test]
fn what_a_workshop_has_and_there_is_not_here_is_reported() {
    let description = "---\nkind: Other\n---\nkind: Workshop\nspec:\n  title: K\n  session:\n    namespaces:\n      budget: medium\n    env:\n    - name: A\n      value: b\n";
    let (lab, problems) = only(&[("resources/workshop.yaml", description), ("workshop/content/a.md", "a\n")]);
    assert_eq!(lab.title, "K");
    let behind = "are left out: the environment has to have them by itself";
    assert_eq!(
        problems,
        [
            format!("resources/workshop.yaml:9: namespaces of Kubernetes {behind}"),
            format!("resources/workshop.yaml:11: environment variables of the session {behind}"),
        ]
    );
    let (lab, problems) = only(&[("lab-x/workshop/content/a.md", "a\n")]);
    assert_eq!((lab.title.as_str(), lab.steps.len()), ("lab-x", 1));
    let missing = "the description of the workshop is missing; its title and image are not known";
    assert_eq!(problems, [format!("lab-x/resources/workshop.yaml:1: {missing}")]);
}

#[test]
fn actions_of_terminals_become_code_that_is_run() {
    let text = "```terminal:execute\ncommand: echo \"a\"\nsession: 2\n```\n1. x\n   ```execute-1\n   ls\n   ps\n   ```\n```terminal:execute\ncommand: |-\n  one\n  two\n```\n```terminal:interrupt\n```\n```terminal:clear\nsession: 1\n```\n```execute\n<ctrl+c>\n```\n```bash\nplain\n```\n";
    let expected = "```sh run terminal=terminal-2\necho \"a\"\n```\n\n1. x\n   ```sh run\n   ls\n   ps\n   ```\n```sh run\none\ntwo\n```\n\n```sh run interrupt\ntrue\n```\n```sh run\nclear\n```\n```sh run interrupt\ntrue\n```\n```bash\nplain\n```\n";
    let (written, problems) = page(text);
    assert_eq!(problems, none());
    assert_eq!(written, expected);
    let (written, problems) =
        page("```execute-all\nls\n```\n```terminal:input\ntext: well\n```\n```terminal:execute\nsession: 1\n```\n");
    assert_eq!(written, "```sh run\nls\n```\n```sh run\nwell\n```\n\n\n\n");
    assert_eq!(
        problems,
        [
            at(1, "what is for all terminals is done in the first one"),
            at(4, "the text is run as a command is"),
            at(7, "the action terminal:execute is left out: it has no `command`"),
        ]
    );
}

#[test]
fn texts_are_copied_and_files_are_edited() {
    let text = "```copy\na b\n```\n`c`{{<copy>}} `d`{{copy}} `e`\n```workshop:copy\ntext: f\n```\n```editor:create-file\nfile: ~/exercises/x.yaml\ntext: |\n  a:\n    b: c\n```\n";
    let home = concat!("/ro", "ot/");
    let expected = format!(
        "```copy\na b\n```\n`c`{{copy}} `d`{{copy}} `e`\n```copy\nf\n```\n```yaml edit file={home}exercises/x.yaml\na:\n  b: c\n```\n\n\n"
    );
    assert_eq!(page(text), (expected, none()));
    let text = "```editor:append-lines-to-file\nfile: /etc/x\ntext: more\n```\n```editor:open-file\nfile: y.py\nline: 3\n```\n```editor:insert-lines-before-line\nfile: y.py\nline: 1\ntext: z\n```\n```editor:execute-command\ncommand: a.b\n```\n```editor:delete-file\nfile: y.py\n```\n";
    let (written, problems) = page(text);
    assert!(written.starts_with("```edit file=/etc/x\nmore\n```\n\n"), "{written}");
    let five: Vec<&str> = problems.iter().map(|problem| problem.split(": ").next().unwrap()).collect();
    assert_eq!(five, [1, 5, 9, 14, 17].map(|line| format!("workshop/content/01.md:{line}")));
    assert!(written.ends_with("```yaml copy\ncommand: a.b\n```\n```yaml copy\nfile: y.py\n```\n"), "{written}");
}

#[test]
fn tabs_that_have_an_address_become_links() {
    let text = "```dashboard:open-url\nurl: {{< param ingress_protocol >}}://app-{{< param session_name >}}.{{< param ingress_domain >}}/x\n```\n[b]({{ingress_protocol}}://app-{{session_namespace}}.{{ingress_domain}}) `curl http://app-{{< param session_name >}}.{{< param ingress_domain >}}`\n```dashboard:reload-dashboard\nname: Docs\nurl: https://docs.example\n```\n```dashboard:open-dashboard\nname: Terminal\n```\n```files:download-file\npath: a.txt\n```\n```unheard:of\n```\n";
    let (written, problems) = page(text);
    let lines: Vec<&str> = written.lines().filter(|line| !line.is_empty()).collect();
    let file = concat!("`/ro", "ot/a.txt`{copy}");
    let expected = [
        "[preview:8080/x](preview:8080/x)",
        "[b](preview:8080) `curl http://localhost:8080`",
        "[Docs](https://docs.example)",
        file,
        "```unheard:of",
        "```",
    ];
    assert_eq!(lines, expected);
    let tab = "dashboard:open-dashboard is left out: there are no tabs that it could open";
    let files = "files:download-file is left out: files go in and out beside the document";
    assert_eq!(problems, [at(9, tab), at(12, files)]);
}

#[test]
fn sections_become_hints_and_notes_stay_notes() {
    let text = "a\n```section:begin\ntitle: Solution\n```\nb\n\n```execute\nls\n```\n```section:begin\nname: inner\ntitle: More\n```\nc\n```section:end\nname: inner\n```\n```section:end\n```\nd\n{{< warning >}}\ne\n{{< /warning >}}\nf\n";
    let expected = "a\n> [!HINT] Solution\n>\n>\n> b\n>\n> ```sh run\n> ls\n> ```\n> **More**\n>\n>\n>\n> c\n>\n>\n>\n\n\nd\n> [!WARNING]\n> e\n\nf\n";
    assert_eq!(page(text), (expected.to_owned(), none()));
    let (_, problems) = page("```section:end\n```\n{{< /note >}}\n{{< youtube x >}}\n{{< note >}}\n");
    assert_eq!(
        problems,
        [
            at(1, "a section ends that did not begin"),
            at(3, "a note ends that did not begin"),
            at(4, "the template \"youtube\" is left out"),
            at(5, "a section or note does not end"),
        ]
    );
}

#[test]
fn values_are_those_of_the_workshop_or_are_named() {
    let config = "params:\n- name: COLOUR\n  value: red\n- name: not-a-name\n  value: x\n";
    let text = "{{< param COLOUR >}} {{ COLOUR }} {{COLOUR}}\n{{< param session_name >}} {{< param nothing >}} {{ .Go }} {{unknown}}\n![x]({{< baseurl >}}/y.png)\n{% raw %}{{ z }}{% endraw %}\n";
    let (lab, problems) = only(&[
        ("w/resources/workshop.yaml", WORKSHOP),
        ("w/workshop/config.yaml", config),
        ("w/workshop/content/01.md", text),
    ]);
    let expected = "{{COLOUR}} {{COLOUR}} {{COLOUR}}\nsession_name nothing {{ .Go }} {{unknown}}\n![x](/w/workshop/static/y.png)\n{{ z }}\n";
    assert_eq!(lab.steps[0].page.text, expected);
    let colour = lab.variables.iter().find(|variable| variable.name == "COLOUR").unwrap();
    assert_eq!(colour.kind, VariableKind::Fixed("red".to_owned()));
    assert_eq!(
        problems,
        [
            "w/workshop/config.yaml:4: \"not-a-name\" can't be the name of a variable: a letter, then letters, digits and underscores",
            "w/workshop/content/01.md:2: no value is known for \"nothing\"",
            "w/workshop/content/01.md:2: the value of \"session_name\" is that of a session there, and is not known here",
        ]
    );
}

#[test]
fn the_examiner_becomes_checks() {
    let text = "```examiner:execute-test\nname: is-there\ntitle: It is *there*\nargs:\n- one\n- it's\ntimeout: 5\nretries: .INF\ndelay: 1\n```\n```examiner:execute-test\nname: is-there\n```\n```examiner:execute-test\nname: gone\n```\n```examiner:execute-test\nname: py\nargs: [x]\n```\n```examiner:execute-test\nname: ask\ninputs:\n  schema: {}\n```\n```examiner:execute-test\ntitle: none\n```\n";
    let (lab, problems) = only(&[
        ("resources/workshop.yaml", WORKSHOP),
        ("workshop/content/01.md", text),
        ("workshop/examiner/tests/is-there", "#!/bin/bash\ntest -e $1\n"),
        ("workshop/examiner/tests/py", "#!/usr/bin/env python3\n"),
        ("workshop/examiner/tests/ask", "#!/bin/bash\n"),
    ]);
    assert_eq!(
        problems,
        [
            at(15, "there is no file workshop/examiner/tests/gone"),
            at(24, "the check \"ask\" is left out: there is nothing for what it asks for"),
            at(26, "`name` is missing; it must be a program in workshop/examiner/tests"),
            "workshop/examiner/tests/py:1: arguments can be given to shell scripts only; the check is left out"
                .to_owned(),
        ]
    );
    let checks: Vec<_> = lab.steps[0]
        .checks
        .iter()
        .map(|check| {
            (check.name.as_str(), check.title.as_str(), check.timeout_seconds, check.when, check.script.text.as_str())
        })
        .collect();
    let often = When::Continuous { every_seconds: 1 };
    assert_eq!(
        checks,
        [
            ("is-there", "It is *there*", 5, often, "#!/bin/bash\nset -- 'one' 'it'\\''s'; test -e $1\n"),
            ("is-there-2", "is-there", 15, When::Click, "#!/bin/bash\ntest -e $1\n"),
        ]
    );
    assert!(lab.steps[0].page.text.starts_with("*It is there*\n"), "{}", lab.steps[0].page.text);
}

#[test]
fn an_action_that_is_no_yaml_is_shown() {
    let (written, problems) = page("```terminal:execute\ncommand: [a\n```\nb\n");
    assert_eq!(written, "```yaml\ncommand: [a\n```\nb\n");
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("workshop/content/01.md:"), "{problems:?}");
}
