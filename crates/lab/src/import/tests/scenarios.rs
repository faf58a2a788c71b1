//! Scenarios at the edges: files for machines, scripts that are no names, questions and texts for files.

use super::only;
use crate::model::{Lab, LabEnvironment};

fn scenario(details: &str, image: &str) -> (Lab, Vec<String>) {
    let index = format!("{{\"details\": {{{details}}},\n\"backend\": {{\"imageid\": \"{image}\"}}}}");
    only(&[
        ("s/index.json", &index),
        ("s/a.md", "x\n"),
        ("s/v.sh", "exit 0\n"),
        ("s/assets/app.conf", "a"),
        ("s/assets/sub/b.sh", "b"),
    ])
}

/// The page of a scenario with one step, and its problems.
fn page(text: &str) -> (String, Vec<String>) {
    let index = "{\"details\": {\"steps\": [{\"text\": \"a.md\"}]}}";
    let (lab, problems) = only(&[("index.json", index), ("a.md", text)]);
    (lab.steps[0].page.text.clone(), problems)
}

fn names(lab: &Lab) -> Vec<(&str, bool)> {
    match &lab.environment {
        LabEnvironment::Containers(all) => all.iter().map(|one| (one.name.as_str(), one.privileged)).collect(),
        LabEnvironment::Named(name) => panic!("the environment {name}"),
    }
}

#[test]
fn a_target_is_a_folder_unless_it_ends_in_the_name_of_the_file() {
    let home = concat!("/ro", "ot");
    let cases = [
        ("app.conf", "", format!("{home}/")),
        ("app.conf", "~", format!("{home}/")),
        ("app.conf", "~/x", format!("{home}/x/")),
        ("app.conf", "x/", format!("{home}/x/")),
        ("app.conf", "app.conf", format!("{home}/app.conf")),
        ("app.conf", "/etc/app.conf", "/etc/app.conf".to_owned()),
        ("app.conf", "/etc/other.conf", "/etc/other.conf/".to_owned()),
        ("/sub/b.sh", "/bin", "/bin/".to_owned()),
        ("sub/b.sh", "/bin/b.sh", "/bin/b.sh".to_owned()),
    ];
    for (file, target, expected) in cases {
        let target = if target.is_empty() { String::new() } else { format!(", \"target\": \"{target}\"") };
        let (lab, problems) =
            scenario(&format!("\"steps\": [], \"assets\": {{\"host01\": {{\"file\": \"{file}\"{target}}}}}"), "bash");
        assert_eq!(problems, Vec::<String>::new(), "{file} {target}");
        assert_eq!(lab.assets.iter().map(|asset| &asset.to).collect::<Vec<_>>(), [&expected], "{file} {target}");
    }
}

#[test]
fn permissions_are_octal_digits_or_what_scenarios_add() {
    let cases = [
        ("+x", Some(0o755)),
        ("ug+x", Some(0o755)),
        ("a+r", Some(0o644)),
        ("+w", Some(0o666)),
        ("+rwx", Some(0o777)),
        ("0600", Some(0o600)),
        ("4755", Some(0o4755)),
        ("10000", None),
        ("888", None),
        ("+7", None),
        ("u=rw", None),
    ];
    for (written, mode) in cases {
        let asset = format!("{{\"file\": \"app.conf\", \"chmod\": \"{written}\"}}");
        let (lab, problems) = scenario(&format!("\"steps\": [], \"assets\": {{\"client\": [{asset}]}}"), "bash");
        assert_eq!((lab.assets[0].mode, lab.assets[0].container.as_deref()), (mode, None), "{written}");
        assert_eq!(problems.len(), usize::from(mode.is_none()), "{written}: {problems:?}");
    }
}

#[test]
fn machines_are_those_of_the_image_and_those_that_are_named() {
    assert_eq!(names(&scenario("\"steps\": []", "docker-swarm").0), [("host01", true), ("host02", true)]);
    assert_eq!(names(&scenario("\"steps\": []", "docker").0), [("host01", true)]);
    let (lab, problems) = scenario("\"steps\": [{\"background\": {\"host03\": \"v.sh\"}, \"text\": \"a.md\"}]", "bash");
    assert_eq!((names(&lab).len(), problems), (3, Vec::new()));
    let (lab, problems) = scenario("\"steps\": [], \"assets\": {\"host200\": [{\"file\": \"app.conf\"}]}", "bash");
    assert_eq!(names(&lab).len(), 1);
    assert_eq!(problems, ["s/index.json:1: \"host200\" is no machine's name; the files go to host01"]);
}

#[test]
fn a_name_of_a_file_must_be_one() {
    let cases = [
        ("{\"text\": [\"a.md\"]}", "this must be the name of a file"),
        ("{\"text\": \" \"}", "this must be the name of a file"),
        ("{\"text\": \"a.md\", \"verify\": {\"run\": \"v.sh\"}}", "this must be the name of a file"),
        ("{\"text\": \"a.md\", \"verify\": \"../../v.sh\"}", "the path \"../../v.sh\" leads out of the lab's folder"),
        ("{\"text\": \"a.md\", \"foreground\": \"v\"}", "there is no file s/v"),
    ];
    for (step, message) in cases {
        let (lab, problems) = scenario(&format!("\n\"steps\": [{step}]"), "bash");
        assert_eq!(problems, [format!("s/index.json:2: {message}")], "{step}");
        assert!(lab.steps.iter().all(|step| step.checks.is_empty() && step.setup.is_empty()), "{step}");
    }
    let (lab, problems) = scenario("\"steps\": {\"text\": \"/a.md\", \"verify\": \"/v.sh\"}", "bash");
    assert_eq!((lab.steps.len(), lab.steps[0].checks.len(), problems), (1, 1, Vec::new()));
}

#[test]
fn text_for_a_file_that_can_not_be_put_there_is_copied() {
    let pre = |attributes: &str| format!("<pre class=\"file\"{attributes}>a &amp;&amp; b</pre>\n");
    let cases = [
        (" data-target=\"clipboard\"", "```copy\na && b\n```\n", None),
        ("", "```copy\na && b\n```\n", Some("no file (replace)")),
        (" data-filename=\"a b.txt\"", "```txt copy\na && b\n```\n", Some("a b.txt (replace)")),
        (" data-filename='/x.c' data-target='insert'", "```c copy\na && b\n```\n", Some("/x.c (insert)")),
        (" data-filename='/x.c++'", "```edit file=/x.c++\na && b\n```\n", None),
    ];
    for (attributes, expected, wrong) in cases {
        let (text, problems) = page(&pre(attributes));
        assert_eq!(text, expected, "{attributes}");
        assert_eq!(problems.len(), usize::from(wrong.is_some()), "{problems:?}");
        assert!(wrong.is_none_or(|wrong| problems[0].contains(wrong)), "{problems:?}");
    }
    let open = "<pre class=\"file\" data-filename=\"/x\">\nnever closed\n";
    assert_eq!(page(open), (open.to_owned(), Vec::new()));
}

#[test]
fn a_pattern_that_is_only_a_text_is_an_answer() {
    let cases = [
        (">>A?<<\n=~= ^yes$\n", "```quiz name=q1\nA?\n= yes\n```\n"),
        (">>q12: A?<<\n=== 1+1\n", "```quiz name=q1\nA?\n= 1+1\n```\n"),
        (">>Note: A?<<\n- (x) b\n- ( ) c\n", "```quiz name=q1\nNote: A?\n- [x] b\n- [ ] c\n```\n"),
    ];
    for (text, expected) in cases {
        assert_eq!(page(text), (expected.to_owned(), Vec::new()), "{text}");
    }
    let (text, problems) = page(">>A?<<\n=== this\n=~= a|b\n");
    assert_eq!(text, "```quiz name=q1\nA?\n= this\n```\n");
    assert_eq!(problems, ["a.md:1: answers are not compared with patterns; \"a|b\" is left out"]);
}
