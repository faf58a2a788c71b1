//! Trees and their lines.

use super::*;
use crate::model::Problems;
use crate::path::LabPath;

fn yaml(text: &str, before: usize) -> (Option<Node>, Vec<(u32, String)>) {
    let mut problems = Problems::default();
    let node = read_yaml(text, &LabPath::root(), before, &mut problems);
    (node, problems.into_list().into_iter().map(|problem| (problem.line, problem.message)).collect())
}

#[test]
fn json_knows_its_lines_and_forgives_what_people_write() {
    let text = "{\n  // which one\n  \"title\": \"A \\\"lab\\\"\",\n  \"steps\": [\n    {\"text\": \"a.md\", \"n\": 12},\n\t{\"text\": \"b.md\",},\n  ],\n  \"none\": null, \"yes\": true\n}\n";
    let (node, lenient) = read_json(text).unwrap();
    assert!(lenient);
    assert_eq!(node.text_of("title"), Some("A \"lab\""));
    let steps = node.items_of("steps");
    assert_eq!(
        steps.iter().map(|step| (step.line, step.text_of("text").unwrap())).collect::<Vec<_>>(),
        [(5, "a.md"), (6, "b.md")]
    );
    assert_eq!(steps[0].number::<u16>("n"), Some(12));
    assert!(node.get("none").is_none());
    assert!(node.is("yes"));
    assert_eq!(node.at(&["steps", "text"]), None);
    assert!(!read_json("{\"a\": [1, 2], \"b\": {}}").unwrap().1);
}

#[test]
fn json_that_is_none_says_where() {
    let cases = [
        ("{\n\"a\": 1\n\"b\": 2}", 3, "a comma or } is missing"),
        ("{\n\n\"a\" 1}", 3, "a colon is missing behind \"a\""),
        ("[1, 2", 1, "a comma or ] is missing"),
        ("{\"a\":\n", 2, "it ends too early"),
        ("{\"a\": \"b\n\n", 3, "a text does not end"),
        ("{\"a\": \"\\q\"}", 1, "a text has an escape that there is not"),
        ("{} {}", 1, "something stands behind its end"),
        ("{a: 1}", 1, "the name of a value is missing"),
        ("", 1, "it ends too early"),
    ];
    for (text, line, what) in cases {
        let error = read_json(text).unwrap_err();
        assert_eq!(
            (error.line, error.message.as_str()),
            (line, format!("this is not JSON: {what}").as_str()),
            "{text}"
        );
    }
    let deep = "[".repeat(100_000);
    assert!(read_json(&deep).unwrap_err().message.contains("more than 64"));
}

#[test]
fn yaml_knows_its_lines() {
    let text = "kind: challenge\ntasks:\n  first:\n    run: |\n      echo one\n      exit 1\n    n: 3\n  second: {init: true}\nlist:\n- a\n- 2\n";
    let node = yaml(text, 10).0.unwrap();
    assert_eq!(node.text_of("kind"), Some("challenge"));
    let tasks = node.get("tasks").unwrap();
    assert_eq!(
        tasks.entries().iter().map(|(name, task)| (name.as_str(), task.line)).collect::<Vec<_>>(),
        [("first", 14), ("second", 18)]
    );
    let run = tasks.at(&["first", "run"]).unwrap();
    assert_eq!((run.line, run.text()), (15, Some("echo one\nexit 1")));
    assert_eq!(tasks.at(&["first"]).unwrap().number::<u8>("n"), Some(3));
    assert!(tasks.at(&["second"]).unwrap().is("init"));
    assert_eq!(node.items_of("list").iter().map(|item| item.text().unwrap()).collect::<Vec<_>>(), ["a", "2"]);
    assert_eq!(yaml("", 4).0.unwrap(), Node { line: 5, value: Value::Null });
}

#[test]
fn yaml_that_is_none_says_where() {
    let (node, problems) = yaml("a: 1\nb: [1,\nc: }\n", 5);
    assert_eq!((node, problems.len()), (None, 1));
    assert!(problems[0].0 >= 6, "{problems:?}");
}

#[test]
fn front_matter_stands_between_lines_of_hyphens() {
    assert_eq!(front_matter("---\na: 1\nb: 2\n---\ntext\n"), Some(("a: 1\nb: 2\n", 4)));
    assert_eq!(front_matter("---\n---\n"), Some(("", 2)));
    assert_eq!(front_matter("text\n---\n"), None);
    assert_eq!(front_matter("--- x\na\n---\n"), None);
    assert_eq!(front_matter("---\na: 1\n"), None);
}

#[test]
fn texts_of_json_are_what_they_say() {
    let cases = [
        (r#""\u00e9\n\t\"\\\/""#, "é\n\t\"\\/"),
        (r#""\ud83d\ude00""#, "😀"),
        ("\"a\nb\tc\"", "a\nb\tc"),
        ("\"// no comment /* */\"", "// no comment /* */"),
        ("\"ü{}[],:\"", "ü{}[],:"),
        ("/* a\n*/ -1.5e+3 // b", "-1.5e+3"),
        ("true", "true"),
    ];
    for (text, expected) in cases {
        assert_eq!(read_json(text).unwrap().0.value, Value::Text(expected.to_owned()), "{text}");
    }
    for text in [
        r#""\ud83d""#,
        r#""\u12""#,
        "\"a\u{1}\"",
        "\"a",
        "\"a\\\"",
        "/* a",
        ",",
        "[,]",
        "{\"a\": ,}",
        "[1}",
        "\u{feff}1",
    ] {
        assert!(read_json(text).is_err(), "{text}");
    }
}

#[test]
fn what_stands_behind_a_text_of_several_lines_has_its_own_line() {
    let (node, lenient) = read_json("{\"a\": \"x\ny\n\", /* \n */ \"b\": [\n\n1]}").unwrap();
    assert!(lenient);
    assert_eq!(node.get("b").map(|node| (node.line, node.items()[0].line)), Some((4, 6)));
}

#[test]
fn whatever_a_key_says_is_asked_for_as_what_it_should_be() {
    let (node, _) = yaml("a: ' x '\nb: ''\nc: [1, 2]\nd: {e: 'YES'}\nf: 300\ng: ~\na: y\n", 0);
    assert!(node.is_none(), "a key stands there twice");
    let node = yaml("a: ' x '\nb: ''\nc: [1, 2]\nd: {e: 'YES', h: 'no'}\nf: 300\ng: ~\n", 0).0.unwrap();
    assert_eq!((node.text_of("a"), node.text_of("b"), node.text_of("c")), (Some("x"), None, None));
    assert_eq!((node.number::<u8>("f"), node.number::<u16>("f"), node.number::<u16>("a")), (None, Some(300), None));
    let inner = node.get("d").unwrap();
    assert_eq!((inner.is("e"), inner.is("h"), inner.is("gone"), node.is("d")), (true, false, false, false));
    assert_eq!((node.get("g"), node.items_of("g").len(), node.items_of("a").len()), (None, 0, 1));
    assert_eq!((node.items_of("c").len(), node.get("c").unwrap().entries().len()), (2, 0));
    assert_eq!(node.at(&[]), Some(&node));
}
