//! Labs that are odd, at a bound or beyond it: what is said, and what is read nevertheless.

use super::*;

/// The lab and the messages of its problems, with some files put in the place of the usual ones.
fn read_with(changed: &[(&'static str, &'static str)]) -> (Option<Lab>, Vec<String>) {
    let mut files = usual();
    files.extend(changed.iter().copied());
    let (lab, problems) = read_from(&files);
    (lab, problems.into_iter().map(|problem| problem.to_string()).collect())
}

#[test]
fn values_of_the_lab_file_beyond_their_bounds_are_told() {
    for (rest, line, part) in [
        ("environment: b\nlanguages: [de, en, de]\n", 3, "the language de is there twice"),
        ("environment: b\nminutes: 10081\n", 3, "between 1 and 10080"),
        ("environment: b\nvariables:\n  x: {letters: 65}\n", 4, "`letters` between 1 and 64"),
        ("environment: b\nvariables:\n  x: {letters: 0}\n", 4, "`letters` between 1 and 64"),
        ("environment: b\nvariables:\n  x: {from: 2, to: 1}\n", 4, "the variable x needs exactly one"),
        ("environment: b\nvariables:\n  x: {from: 2}\n", 4, "the variable x needs exactly one"),
        ("environment: b\nvariables:\n  x: {}\n", 4, "the variable x needs exactly one"),
        ("environment: b\nfiles:\n  - {from: '**', to: /a, mode: '0999'}\n", 4, "can't be permissions"),
        ("environment: b\nfiles:\n  - {from: ../x, to: /a}\n", 4, "leads out of the lab's folder"),
        ("environment: b\nfiles:\n  - {from: '**', to: /a/../b}\n", 4, "must be a path in the container"),
        ("environment: b\nterminals: [{name: T1}]\n", 3, "can't be the name of a terminal"),
        ("containers: [{name: a, image: ''}]\n", 2, "\"\" can't be an image"),
        ("containers: [{name: a, image: b, ports: [80, 0]}]\n", 2, "between 1 and 65535"),
        ("containers: [{name: a, image: b, memory: 65537}]\n", 2, "`memory`"),
        ("containers: [{name: a, image: b, environment: {'': c}}]\n", 2, "name of an environment variable"),
    ] {
        let text = format!("title: a\n{rest}");
        let mut files = usual();
        files.insert("lab.yaml", &text);
        let (lab, problems) = read_from(&files);
        assert!(lab.is_some(), "{text}: the rest is read");
        let told: Vec<(u32, &str)> =
            problems.iter().filter(|p| p.file == "lab.yaml").map(|p| (p.line, p.message.as_str())).collect();
        assert!(told.len() == 1 && told[0].0 == line && told[0].1.contains(part), "{text}: {problems:?}");
    }
}

#[test]
fn a_lab_has_as_many_containers_as_allowed_and_no_more() {
    for (count, wrong) in [(16, 0), (17, 1)] {
        let list: Vec<String> = (0..count).map(|n| format!("{{name: c{n}, image: alpine}}")).collect();
        let text = format!("title: a\ncontainers: [{}]\n", list.join(", "));
        let mut files = usual();
        files.insert("lab.yaml", &text);
        files.insert("steps/1-save.md", "# A\n");
        files.remove("steps/1-save.de.md");
        let problems = read_from(&files).1;
        assert_eq!(problems.len(), wrong, "{problems:?}");
        assert!(problems.iter().all(|problem| problem.message.contains("there are 17 containers")));
    }
}

#[test]
fn a_lab_without_steps_says_where_they_would_be() {
    let files = BTreeMap::from([("lab.yaml", "title: a\nenvironment: b\n"), ("other/1.md", "# A\n")]);
    let (lab, problems) = read_from(&files);
    assert_eq!(lab.unwrap().steps.len(), 0);
    assert!(problems.len() == 1 && problems[0].message.contains("in the folder steps/"), "{problems:?}");
}

#[test]
fn only_languages_of_the_lab_make_a_file_a_translation() {
    let titles = |languages: &'static str| -> Vec<String> {
        let (lab, _) = read_with(&[("lab.yaml", languages)]);
        lab.unwrap().steps.into_iter().map(|step| step.page.title).collect()
    };
    assert_eq!(titles("title: a\nenvironment: b\nlanguages: [en, de]\n"), ["Save it", "Lose it", "10-end"]);
    assert_eq!(titles("title: a\nenvironment: b\n"), ["Sichern", "Save it", "Lose it", "10-end"]);
    assert_eq!(titles("title: a\nenvironment: b\nlanguages: [de]\n").len(), 4, "the first one is that of the steps");
}

#[test]
fn titles_become_one_line_of_bounded_length() {
    let (lab, problems) = read_with(&[
        ("steps/2-lose.md", "---\ntitle: |\n  Lose\n  it  all\n---\n# Other heading\n"),
        ("steps/10-end.md", "---\ntitle: End\n---\n# End\n\nText.\n"),
    ]);
    assert_eq!(problems, Vec::<String>::new());
    let lab = lab.unwrap();
    assert_eq!(
        (lab.steps[1].page.title.as_str(), lab.steps[1].page.text.as_str()),
        ("Lose it all", "# Other heading\n")
    );
    assert_eq!((lab.steps[2].page.text.as_str(), lab.steps[2].page.line), ("\nText.\n", 5), "it is not told twice");
    let long = format!("# {}\n", "ü".repeat(201));
    let mut files = usual();
    files.insert("steps/10-end.md", &long);
    let (lab, problems) = read_from(&files);
    assert_eq!(lab.unwrap().steps[2].page.title, "ü".repeat(200));
    assert!(problems.len() == 1 && problems[0].message.contains("longer than 200"), "{problems:?}");
}

#[test]
fn a_broken_head_costs_the_checks_and_not_the_page() {
    let (lab, problems) = read_with(&[("steps/1-save.md", "---\nchecks: [{run: a}\n---\n# Save it\n\nText.\n")]);
    let step = lab.unwrap().steps.remove(0);
    assert_eq!((step.page.title.as_str(), step.page.line, step.checks.len()), ("Save it", 5, 0));
    assert!(problems.len() == 1 && problems[0].starts_with("steps/1-save.md:"), "{problems:?}");
    let (lab, problems) = read_with(&[("steps/1-save.md", "---\nchecks: [{run: a}]\n# Save it\n")]);
    let step = lab.unwrap().steps.remove(0);
    assert_eq!((step.page.title.as_str(), step.checks.len()), ("1-save", 0), "a head that never ends is text");
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn numbers_of_checks_beyond_their_bounds_are_told_and_bounded() {
    let head = "---\nchecks:\n  - {run: a, score: 1001, timeout_seconds: 0, continuous: true, every_seconds: 9999}\n---\n# A\n";
    let (lab, problems) = read_with(&[("steps/1-save.md", head)]);
    let check = lab.unwrap().steps[0].checks[0].clone();
    assert_eq!((check.score, check.timeout_seconds, check.when), (1000, 1, When::Continuous { every_seconds: 3600 }));
    for part in ["`score`", "`timeout_seconds`", "`every_seconds`"] {
        assert!(problems.iter().any(|problem| problem.contains(part) && problem.contains(".md:3:")), "{problems:?}");
    }
    let many = format!("---\nchecks:\n{}---\n# A\n", "  - {run: a}\n".repeat(101));
    let mut files = usual();
    files.insert("steps/1-save.md", &many);
    let (lab, problems) = read_from(&files);
    assert_eq!(lab.unwrap().steps[0].checks.len(), 100);
    assert!(problems.len() == 1 && problems[0].message.contains("there are 101 checks"), "{problems:?}");
}

#[test]
fn a_script_that_is_empty_is_told_in_its_own_file() {
    let (lab, problems) = read_with(&[("scripts/fill.sh", " \n\n"), ("scripts/solve.sh", "")]);
    let step = lab.unwrap().steps.remove(0);
    assert_eq!((step.setup.len(), step.solution), (1, None));
    assert_eq!(problems, ["scripts/fill.sh:1: the script is empty", "scripts/solve.sh:1: the script is empty"]);
}

#[test]
fn a_step_is_read_by_itself_without_its_lab() {
    let files = memory(&usual());
    let mut problems = Problems::default();
    let read =
        |name: &str, problems: &mut Problems| read_step(&Folder::new(&files), &LabPath::parse(name).unwrap(), problems);
    let step = read("steps/1-save.md", &mut problems).unwrap();
    assert_eq!((step.checks.len(), step.setup.len(), step.translations.len()), (2, 2, 0));
    assert_eq!(read("steps/1-save.de.md", &mut problems).unwrap().page.title, "Sichern");
    assert_eq!(problems.clone().into_list(), []);
    assert!(read("steps/gone.md", &mut problems).is_none());
    assert_eq!(problems.into_list()[0].to_string(), "steps/gone.md:1: there is no file steps/gone.md");
}

#[test]
fn steps_of_equal_titles_and_great_numbers_keep_their_order_when_written() {
    let files = memory(&usual());
    let mut problems = Problems::default();
    let mut lab = read(&Folder::new(&files), &mut problems).unwrap();
    lab.format = Format::Educates;
    let plain = Step { setup: Vec::new(), checks: Vec::new(), solution: None, ..lab.steps[1].clone() };
    lab.steps = (0..101).map(|_| plain.clone()).collect();
    for (number, step) in lab.steps.iter_mut().enumerate() {
        step.page.text = format!("Text {number}");
    }
    let written = write(&lab, &Folder::new(&files), &mut problems);
    assert_eq!(problems.into_list(), []);
    let steps: Vec<&str> = written.keys().map(LabPath::as_str).filter(|path| path.starts_with("steps/")).collect();
    assert_eq!((steps.len(), steps[0], steps[100]), (101, "steps/001-lose-it.md", "steps/101-lose-it.md"));
    let (again, problems) = written_and_read(&lab, &files);
    assert_eq!(problems, []);
    let texts: Vec<String> = again.unwrap().steps.into_iter().map(|step| step.page.text).collect();
    assert!(texts.iter().enumerate().all(|(number, text)| *text == format!("Text {number}\n")), "{texts:?}");
}

#[test]
fn scripts_that_stood_in_the_step_stay_there_and_files_stay_files() {
    let files = memory(&usual());
    let mut problems = Problems::default();
    let lab = read(&Folder::new(&files), &mut problems).unwrap();
    let written = write(&lab, &Folder::new(&files), &mut problems);
    let text = |name: &str| match &written[&LabPath::parse(name).unwrap()] {
        Written::Text(text) => text.as_str(),
        Written::Copy(path) => panic!("{path} is copied"),
    };
    let step = text("steps/1-save.md");
    assert!(step.contains("touch /tmp/a") && step.contains("script: /scripts/check.sh"), "{step}");
    assert!(!step.contains("timeout_seconds: 10") && !step.contains("score: 1\n"), "what is usual is not said: {step}");
    assert_eq!(text("scripts/check.sh"), "#!/bin/sh\ncheck\n");
    assert!(!written.keys().any(|path| path.as_str().contains("check-2")), "{:?}", written.keys());
}
