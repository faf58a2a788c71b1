//! Workshops whose descriptions, checks and actions are at the edges of what they may be.

use super::only;
use crate::model::{Check, Lab, LabEnvironment, When};

fn workshop(description: &str, text: &str) -> (Lab, Vec<String>) {
    only(&[
        ("resources/workshop.yaml", description),
        ("workshop/content/1.md", text),
        ("workshop/examiner/tests/it", "#!/bin/sh\nexit 0\n"),
    ])
}

const PLAIN: &str = "kind: Workshop\nspec: {title: T}\n";

fn page(text: &str) -> (String, Vec<String>) {
    let (lab, problems) = workshop(PLAIN, text);
    (lab.steps[0].page.text.clone(), problems)
}

fn check_of(settings: &str) -> (Option<Check>, Vec<String>) {
    let text = format!("```examiner:execute-test\n{settings}```\n");
    let (mut lab, problems) = workshop(PLAIN, &text);
    (lab.steps[0].checks.pop(), problems)
}

#[test]
fn of_several_descriptions_that_of_a_workshop_counts() {
    let cases = [
        ("kind: A\nspec: {title: a}\n---\nkind: Workshop\nspec: {title: b}\n", "b"),
        ("---\nkind: A\nspec: {title: a}\n---\n---\nkind: B\nspec: {title: b}\n", "a"),
        ("kind: A\n---\nspec: {title: c}\n", "c"),
        ("kind: Workshop\n---\nspec: {title: d}\n", "w"),
        ("", "w"),
    ];
    for (description, title) in cases {
        let (lab, problems) = only(&[("w/resources/workshop.yaml", description), ("w/workshop/content/1.md", "x\n")]);
        assert_eq!((lab.title.as_str(), problems), (title, Vec::new()), "{description}");
    }
}

#[test]
fn a_description_that_is_no_yaml_leaves_the_others() {
    let (lab, problems) = workshop("a: [\n---\nkind: Workshop\nspec: {title: b}\n", "x\n");
    assert_eq!((lab.title.as_str(), lab.steps.len(), problems.len()), ("b", 1, 1));
    assert!(problems[0].starts_with("resources/workshop.yaml:"), "{problems:?}");
}

#[test]
fn only_an_engine_that_is_wanted_makes_a_workshop_privileged() {
    for (wanted, privileged) in [("true", true), ("false", false), ("\"yes\"", true), ("[true]", false)] {
        let docker = PLAIN.replace('}', &format!(", session: {{applications: {{docker: {{enabled: {wanted}}}}}}}}}"));
        let (lab, problems) = workshop(&docker, "x\n");
        let LabEnvironment::Containers(containers) = &lab.environment else { panic!("a named environment") };
        assert_eq!((containers[0].privileged, problems), (privileged, Vec::new()), "{wanted}");
    }
}

#[test]
fn checks_have_times_within_bounds() {
    let often = |every_seconds| When::Continuous { every_seconds };
    let cases = [
        ("", 15, When::Click),
        ("timeout: 0\n", 15, When::Click),
        ("timeout: 301\n", 300, When::Click),
        ("timeout: soon\n", 15, When::Click),
        ("retries: 0\ndelay: 3\n", 15, When::Click),
        ("retries: 2\n", 15, often(5)),
        ("retries: .INF\ndelay: 0\n", 15, often(5)),
        ("retries: 1\ndelay: 9\n", 15, often(9)),
    ];
    for (settings, seconds, when) in cases {
        let (check, problems) = check_of(&format!("name: it\n{settings}"));
        let check = check.unwrap();
        assert_eq!((check.timeout_seconds, check.when), (seconds, when), "{settings}");
        assert_eq!(problems, Vec::<String>::new(), "{settings}");
    }
}

#[test]
fn a_check_that_there_can_not_be_is_left_out_and_named() {
    let cases = [
        ("name: ../../../../it\n", "leads out of the lab's folder"),
        ("name: 'a:b\\c'\n", "has a backslash"),
        ("name: ''\n", "`name` is missing"),
        ("name: [it]\n", "`name` is missing"),
        ("name: it\nurl: http://x\n", "the service that it asks"),
        ("name: it\ninputs: {}\n", "what it asks for"),
    ];
    for (settings, message) in cases {
        let (check, problems) = check_of(settings);
        assert_eq!((check, problems.len()), (None, 1), "{settings}: {problems:?}");
        assert!(problems[0].contains(message), "{settings}: {problems:?}");
    }
}

#[test]
fn checks_of_one_page_have_names_of_their_own_however_long() {
    let long = "a-very-long-name-of-a-check-that-goes-on-and-on";
    let block = format!("```examiner:execute-test\nname: {long}\n```\n");
    let (lab, problems) = only(&[
        ("resources/workshop.yaml", PLAIN),
        ("workshop/content/1.md", &block.repeat(11)),
        (&format!("workshop/examiner/tests/{long}"), "exit 0\n"),
    ]);
    assert_eq!(problems, Vec::<String>::new());
    let names: std::collections::BTreeSet<&str> = lab.steps[0].checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(names.len(), 11);
    assert!(names.iter().all(|name| crate::own::is_name(name)), "{names:?}");
}

#[test]
fn actions_that_are_not_known_or_not_for_here_are_named() {
    let cases = [
        ("workshop:frob\na: b", "", "the action workshop:frob is not known and is left out"),
        (
            "dashboard:open-url\nurl: terminal:1",
            "",
            "dashboard:open-url is left out: there are no tabs that it could open",
        ),
        (
            "editor:open-file\nfile: a b",
            "```yaml copy\nfile: a b\n```",
            "the action editor:open-file has nothing here; what it says is shown",
        ),
        (
            "terminal:execute\ncommand: ls\nautostart: true",
            "```sh run\nls\n```",
            "nothing is done by itself when a page opens; it is done on a click",
        ),
        (
            "terminal:execute-all\ncommand: ls",
            "```sh run\nls\n```",
            "what is for all terminals is done in the first one",
        ),
        ("execute", "", "the action execute is left out: it has no `command`"),
    ];
    for (action, expected, message) in cases {
        let (text, problems) = page(&format!("```{action}\n```\n"));
        assert_eq!(text.trim(), expected, "{action}");
        assert_eq!(problems, [format!("workshop/content/1.md:1: {message}")], "{action}");
    }
}

#[test]
fn sessions_of_pages_are_terminals_once_each_and_the_first_is_the_own_one() {
    let session = |name: &str| format!("```terminal:execute\ncommand: ls\nsession: {name}\n```\n");
    let text = ["1", "3", "Build & Run", "3"].map(session).concat();
    let (lab, problems) = workshop(PLAIN, &text);
    let names: Vec<&str> = lab.terminals.iter().map(|terminal| terminal.name.as_str()).collect();
    assert_eq!((names.as_slice(), problems), (["build-run", "terminal-3"].as_slice(), Vec::new()));
    assert!(lab.steps[0].page.text.contains("```sh run terminal=build-run\n"), "{}", lab.steps[0].page.text);
    assert!(lab.steps[0].page.text.starts_with("```sh run\n"), "{}", lab.steps[0].page.text);
}

#[test]
fn a_way_that_is_not_there_is_the_first_one_and_no_way_is_all_pages() {
    let files = |config: &str| {
        let (lab, problems) = only(&[
            ("resources/workshop.yaml", PLAIN),
            ("workshop/config.yaml", config),
            ("workshop/content/10.md", "x\n"),
            ("workshop/content/9.md", "x\n"),
        ]);
        let files: Vec<String> = lab.steps.iter().map(|step| step.page.title.clone()).collect();
        (files.join(" "), problems.len())
    };
    let paths = "pathways: {default: c, paths: {a: {steps: ['10']}, b: {steps: ['9']}}}\n";
    assert_eq!(files(paths), ("10".to_owned(), 1));
    assert_eq!(files("pathways: {paths: {}}\n"), ("9 10".to_owned(), 0));
    assert_eq!(files("modules: {activate: [gone, '../../x']}\n"), ("9 10".to_owned(), 2));
    assert_eq!(files("modules: {activate: ['10.md', '9']}\n"), ("10 9".to_owned(), 0));
}

#[test]
fn values_may_stand_in_the_file_of_modules_and_those_of_the_workshop_win() {
    let (lab, problems) = only(&[
        ("resources/workshop.yaml", PLAIN),
        (
            "workshop/modules.yaml",
            "config:\n  vars:\n  - name: A\n    value: 1\n  - name: workshop_title\n    value: x\n  - value: y\n",
        ),
        ("workshop/content/1.md", "{{ A }} {{< param workshop_title >}} {{< param ENV_X >}}\n"),
    ]);
    assert_eq!(lab.steps[0].page.text, "{{A}} {{workshop_title}} ENV_X\n");
    let values: Vec<_> = lab.variables.iter().map(|variable| format!("{variable:?}")).collect();
    assert_eq!(values.len(), 2);
    assert!(values[1].contains("\"T\"") && values[0].contains("\"1\""), "{values:?}");
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("workshop/content/1.md:1: the value of \"ENV_X\""), "{problems:?}");
    assert!(problems[1].starts_with("workshop/modules.yaml:7: \"no name\""), "{problems:?}");
}
