use super::*;
use crate::LabPath;

fn told(problems: Problems) -> Vec<String> {
    problems.into_list().iter().map(ToString::to_string).collect()
}

#[test]
fn problems_are_told_by_file_and_line_and_once() {
    let mut problems = Problems::default();
    problems.warn(&"b.md", 1, "later");
    problems.error(&"a.md", 10, "ten");
    problems.error(&"a.md", 2, "two");
    problems.error(&"a.md", 2, "two");
    problems.error(&LabPath::root(), 0, "whole");
    assert!(problems.any_errors());
    assert_eq!(told(problems), [".:1: whole", "a.md:2: two", "a.md:10: ten", "b.md:1: later"]);
}

#[test]
fn warnings_alone_are_no_errors() {
    let mut problems = Problems::default();
    problems.warn(&"a.md", 1, "odd");
    assert!(!problems.any_errors());
    assert_eq!(problems.into_list()[0].severity, Severity::Warning);
}

#[test]
fn those_of_a_folder_inside_name_the_whole_path() {
    let found = || {
        let mut found = Problems::default();
        found.error(&"steps/1.md", 3, "wrong");
        found.warn(&LabPath::root(), 1, "odd");
        found
    };
    let mut problems = Problems::default();
    problems.take_from(&LabPath::parse("course/one").unwrap(), found());
    assert!(problems.any_errors());
    assert_eq!(told(problems), ["course/one:1: odd", "course/one/steps/1.md:3: wrong"]);
    let mut problems = Problems::default();
    problems.take_from(&LabPath::root(), found());
    assert_eq!(told(problems), [".:1: odd", "steps/1.md:3: wrong"]);
}

#[test]
fn no_document_fills_the_memory_with_problems() {
    let many = |count: usize| {
        let mut problems = Problems::default();
        (0..count).for_each(|n| problems.error(&"a.md", n as u32, format!("number {n}")));
        problems
    };
    assert_eq!(many(Problems::MOST).into_list().len(), Problems::MOST);
    let mut problems = many(Problems::MOST - 1);
    problems.take_from(&LabPath::parse("x").unwrap(), many(Problems::MOST + 5));
    let list = problems.into_list();
    assert_eq!(list.len(), Problems::MOST + 1);
    assert_eq!(list[Problems::MOST].message, "and 1004 more problems");
}
