//! Tasks and playgrounds that name what there is not, or themselves.

use super::only;
use crate::model::{Lab, LabEnvironment};

fn document(front: &str, body: &str) -> (Lab, Vec<String>) {
    only(&[("index.md", &format!("---\nkind: challenge\ntitle: T\n{front}---\n{body}"))])
}

fn setups(front: &str) -> Vec<String> {
    let (lab, problems) = document(front, "x\n");
    assert_eq!(problems, Vec::<String>::new(), "{front}");
    lab.steps[0].setup.iter().map(|setup| setup.script.text.trim_start_matches("#!/bin/bash\n").to_owned()).collect()
}

#[test]
fn what_others_need_is_run_first_and_a_circle_ends() {
    let chain = "tasks:\n  c: {init: true, run: c, needs: [b]}\n  b: {init: true, run: b, needs: a}\n  a: {init: true, run: a}\n";
    assert_eq!(setups(chain), ["a", "b", "c"]);
    let circle = "tasks:\n  a: {init: true, run: a, needs: [b]}\n  b: {init: true, run: b, needs: [a]}\n  c: {init: true, run: c, needs: [gone]}\n";
    assert_eq!(setups(circle), ["c", "a", "b"]);
    let itself = "tasks:\n  a: {init: true, run: a, needs: [a]}\n  b: {init: true, run: b}\n";
    assert_eq!(setups(itself), ["b", "a"]);
}

#[test]
fn times_of_tasks_are_within_bounds() {
    for (written, seconds) in [
        ("", 10),
        ("timeout_seconds: 0", 10),
        ("timeout_seconds: 7", 7),
        ("timeout_seconds: 999", 300),
        ("timeout_seconds: -1", 10),
    ] {
        let (lab, _) = document(&format!("tasks:\n  a:\n    run: x\n    {written}\n"), "x\n");
        assert_eq!(lab.steps[0].checks[0].timeout_seconds, seconds, "{written}");
    }
}

#[test]
fn a_task_for_a_machine_that_there_is_not_is_a_problem() {
    let front = "playground: {name: docker, machines: [{name: one}, two, {name: one}, {size: 1}]}\ntasks:\n  a: {run: x, machine: two}\n  b: {run: x, machine: three}\n  c: {run: [x]}\n  d: {init: true}\n";
    let (lab, problems) = document(front, "x\n");
    let LabEnvironment::Containers(containers) = &lab.environment else { panic!("a named environment") };
    assert_eq!(containers.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    let of: Vec<_> = lab.steps[0].checks.iter().map(|check| check.container.as_deref()).collect();
    assert_eq!(of[0], Some("two"));
    let errors: Vec<&String> = problems.iter().filter(|problem| !problem.contains("no page shows")).collect();
    assert_eq!(
        errors,
        [
            "index.md:4: \"one\" can't be the name of a machine, or is that of another one",
            "index.md:7: the task b is for the machine three, which there is not",
            "index.md:8: `run` of the task c is missing; it must be a script",
            "index.md:9: `run` of the task d is missing; it must be a script",
        ]
    );
}

#[test]
fn values_for_a_task_are_words_and_others_are_left_out() {
    let front = "tasks:\n  a:\n    run: test\n    env:\n    - A=$(rm -r /)\n    - B='x' y=z\n    - 1C=x\n    - D\n    - E=x(.tasks.b.stdout)\n";
    let (lab, problems) = document(front, "x\n");
    let expected = "#!/bin/bash\nA='$(rm -r /)'\nB=''\\''x'\\'' y=z'\ntest";
    assert_eq!(lab.steps[0].checks[0].script.text, expected);
    let left: Vec<&str> =
        problems.iter().filter_map(|problem| problem.split_once(" is left out: ")).map(|(at, _)| at).collect();
    assert_eq!(left, ["index.md:10: 1C=x", "index.md:11: D", "index.md:12: E=x(.tasks.b.stdout)"]);
}

#[test]
fn a_task_that_is_shown_twice_is_checked_once_where_it_is_shown_first() {
    let unit = "---\nkind: unit\n---\n# Second\n::simple-task\n---\n:tasks: tasks\n:name: a\n---\n#active\nAgain\n::\n";
    let first = "---\nkind: lesson\ntitle: T\ntasks:\n  a: {run: x}\n  b: {run: y}\n---\n::simple-task\n---\n:tasks: tasks\n:name: a\n---\n#active\nFirst\n::\n";
    let (lab, problems) = only(&[("index.md", first), ("unit-1.md", unit)]);
    let checks: Vec<Vec<&str>> =
        lab.steps.iter().map(|step| step.checks.iter().map(|check| check.title.as_str()).collect()).collect();
    assert_eq!(checks, [vec!["First"], vec!["b"]]);
    assert_eq!(lab.steps[1].page.title, "Second");
    assert_eq!(problems, ["index.md:6: no page shows the task b; it is checked at the end"]);
}

#[test]
fn front_matter_that_is_no_yaml_leaves_the_page() {
    let (lab, problems) = document("tasks: [\n", "# Head\n");
    assert_eq!((lab.steps.len(), lab.steps[0].page.title.as_str(), problems.len()), (1, "Head", 1));
    assert!(lab.steps[0].checks.is_empty() && problems[0].starts_with("index.md:"), "{problems:?}");
}
