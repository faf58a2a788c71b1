use super::*;
use crate::files::MemoryFiles;
use proptest::prelude::*;

fn report_of(files: &[(&str, &[u8])]) -> Report {
    let contents = files.iter().map(|(name, bytes)| (LabPath::parse(name).unwrap(), bytes.to_vec()));
    let files = MemoryFiles::new(contents.collect()).unwrap();
    check(&files, "folder", &ImageTable::default(), Problems::default())
}

const LAB: &[u8] = b"title: A\nenvironment: shell\n";

#[test]
fn a_lab_is_counted_by_what_it_holds() {
    let step = b"# One\n`ls`{run} `x`{copy}\n\n```sh edit file=/a\nx\n```\n\n[a](preview:80)\n\n> [!HINT] h\n> `y`{run}\n\n```quiz\nA?\n= 1\n```\n";
    let report = report_of(&[("lab.yaml", LAB), ("steps/1.md", step)]);
    assert_eq!(report.problems, []);
    assert_eq!((report.title.as_str(), report.format, report.errors()), ("A", Some(Format::Pierhead), 0));
    let expected = StepLine {
        title: "One".to_owned(),
        blocks: 4,
        runs: 2,
        previews: 1,
        hints: 1,
        quizzes: 1,
        ..StepLine::default()
    };
    assert_eq!(report.steps, [expected]);
}

#[test]
fn several_labs_are_reported_together_and_know_their_folders() {
    let report = report_of(&[
        ("course/10/lab.yaml", LAB),
        ("course/10/steps/1.md", b"# Ten\n"),
        ("course/2/lab.yaml", LAB),
        ("course/2/steps/1.md", b"# Two\n\n[x](/steps/gone.md)\n"),
        ("course/2/inner/lab.yaml", LAB),
    ]);
    let paths: Vec<&str> = report.labs.iter().map(|lab| lab.path.as_str()).collect();
    assert_eq!((paths.as_slice(), report.title.as_str()), (["course/2", "course/10"].as_slice(), "folder"));
    assert_eq!(report.steps.iter().map(|step| step.title.as_str()).collect::<Vec<_>>(), ["Two", "Ten"]);
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert_eq!((report.problems[0].file.as_str(), report.problems[0].line), ("course/2/steps/1.md", 3));
}

#[test]
fn a_folder_without_labs_is_a_problem() {
    let report = report_of(&[("README.md", b"# Nothing\n")]);
    assert_eq!((report.format, report.errors(), report.problems[0].file.as_str()), (None, 1, "."));
    assert!(report.problems[0].message.contains("there is no lab here"));
}

#[test]
fn a_lab_inside_another_format_is_its_own() {
    let scenario = br#"{"title": "S", "details": {"steps": [{"title": "One", "text": "one.md"}]}, "backend": {"imageid": "ubuntu"}}"#;
    let report = report_of(&[
        ("a/lab.yaml", LAB),
        ("a/steps/1.md", b"# A\n"),
        ("a/old/index.json", scenario),
        ("a/old/one.md", b"x\n"),
        ("b/index.json", scenario),
        ("b/one.md", b"`ls`{{exec}}\n"),
    ]);
    let labs: Vec<(&str, Format)> = report.labs.iter().map(|lab| (lab.path.as_str(), lab.format)).collect();
    assert_eq!(labs, [("a", Format::Pierhead), ("b", Format::Katacoda)]);
    assert_eq!(report.steps[1].runs, 1, "{report:?}");
}

#[test]
fn containers_that_scripts_name_must_be_there() {
    let step =
        b"---\nsetup: [{run: a, container: x}, {run: b, terminal: y}]\nchecks: [{run: a, container: z}]\n---\n# A\n";
    let lab = b"title: A\ncontainers: [{name: main, image: a}]\nfiles: [{from: lab.yaml, to: /a, container: w}]\n";
    let report = report_of(&[("lab.yaml", lab), ("steps/1.md", step)]);
    for name in ["w", "x", "y", "z"] {
        assert!(report.problems.iter().any(|problem| problem.message.contains(name)), "{name}: {:?}", report.problems);
    }
    assert_eq!(report.errors(), 4);
}

#[test]
fn ten_thousand_steps_and_a_big_image_are_read_and_more_problems_than_anybody_reads_are_counted() {
    let mut files: BTreeMapOfFiles = [(LabPath::parse("lab.yaml").unwrap(), LAB.to_vec())].into();
    for number in 0..10_000 {
        let text =
            format!("# Step {number}\n\nDo `ls`{{run}}, then [see](gone-{number}.md).\n\n```sh run\nmake\n```\n");
        files.insert(LabPath::parse(&format!("steps/{number}.md")).unwrap(), text.into_bytes());
    }
    files.insert(LabPath::parse("images/big.png").unwrap(), vec![0; 10 << 20]);
    files.insert(LabPath::parse("steps/9999.md").unwrap(), b"# Last\n\n![big](/images/big.png)\n".to_vec());
    let files = MemoryFiles::new(files).unwrap();
    let report = check(&files, "big", &ImageTable::default(), Problems::default());
    assert_eq!((report.steps.len(), report.steps[9_999].images, report.steps[5].blocks), (10_000, 1, 2));
    assert_eq!(report.problems.len(), Problems::MOST + 1);
    assert_eq!(report.problems[Problems::MOST].message, "and 8999 more problems");
}

type BTreeMapOfFiles = std::collections::BTreeMap<LabPath, Vec<u8>>;

/// Files as a hostile or clumsy author makes them: names that mean something, with anything in them.
fn folders() -> impl Strategy<Value = BTreeMapOfFiles> {
    let name = proptest::sample::select(vec![
        "lab.yaml",
        "steps/1.md",
        "steps/2.md",
        "index.json",
        "step1.md",
        "structure.json",
        "_posts/2020-01-01-a.markdown",
        "workshop/content/a.md",
        "resources/workshop.yaml",
        "workshop/config.yaml",
        "index.md",
        "a/lab.yaml",
        "verify.sh",
    ]);
    let piece = proptest::sample::select(vec![
        "---\n",
        "title: a\n",
        "environment: b\n",
        "steps: [steps/1.md]\n",
        "checks:\n  - run: a\n",
        "{",
        "}",
        "[",
        "]",
        "\"details\": {\"steps\": [{\"text\": \"step1.md\"}]}",
        "{\"title\": \"a\", ",
        "```sh run\n",
        "```\n",
        "`a`{{exec}} ",
        "![](/steps/1.md)\n",
        "> [!HINT] a\n",
        "{:.quiz}\n",
        "- [x] a\n",
        "\n",
        "&a ",
        "*a ",
        "kind: Workshop\n",
        "spec:\n",
        "```terminal:execute\ncommand: ls\n```\n",
        "tasks:\n  a:\n    run: b\n",
        "<script>",
        ": ",
        "- ",
        "\t",
        "ü",
        "{{TRAFFIC_HOST1_80}}",
    ]);
    let text = proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat().into_bytes());
    let content = prop_oneof![3 => text, 1 => proptest::collection::vec(any::<u8>(), 0..200)];
    proptest::collection::btree_map(name.prop_map(|name| LabPath::parse(name).unwrap()), content, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_folder_panics_and_whatever_is_not_read_is_said(files in folders()) {
        let files = MemoryFiles::new(files).unwrap();
        let report = check(&files, "folder", &ImageTable::default(), Problems::default());
        prop_assert!(report.problems.iter().all(|problem| problem.line >= 1 && !problem.file.is_empty() && !problem.message.contains('\n')));
        prop_assert!(!report.steps.is_empty() || report.errors() > 0, "{:?}", report);
    }
}

#[test]
fn a_lab_at_the_root_takes_all_that_lies_in_it() {
    let report = report_of(&[
        ("lab.yaml", LAB),
        ("steps/1.md", b"# A\n"),
        ("old/index.json", b"{\"details\": {}}"),
        ("_posts/2020-01-01-a.md", b"x\n"),
        ("inner/lab.yaml", LAB),
    ]);
    assert_eq!((report.labs.len(), report.steps.len(), report.problems.len()), (0, 1, 0), "{report:?}");
    assert_eq!((report.title.as_str(), report.format), ("A", Some(Format::Pierhead)));
}

#[test]
fn a_lab_that_can_not_be_read_has_its_line_and_no_steps() {
    let report = report_of(&[("a/index.json", b"{\"details\": {"), ("b/lab.yaml", LAB), ("b/steps/1.md", b"# B\n")]);
    let shown: Vec<_> = report.labs.iter().map(|lab| (lab.path.as_str(), lab.title.as_str(), lab.steps)).collect();
    assert_eq!(shown, [("b", "A", 1), ("a", "a", 0)]);
    assert_eq!((report.steps.len(), report.errors()), (1, 1), "{:?}", report.problems);
    assert_eq!(report.problems[0].file, "a/index.json");
}

#[test]
fn of_too_many_labs_the_first_are_checked_and_the_number_is_said() {
    let file = |number: usize| (LabPath::parse(&format!("_posts/{number}.md")).unwrap(), b"---\n---\nx\n".to_vec());
    for (number, wrong) in [(LABS, false), (LABS + 1, true)] {
        let files = MemoryFiles::new((0..number).map(file).collect()).unwrap();
        let report = check(&files, "posts", &ImageTable::default(), Problems::default());
        assert_eq!((report.labs.len(), report.steps.len()), (LABS, LABS));
        let messages: Vec<_> = report.problems.iter().map(|problem| problem.message.as_str()).collect();
        let message = "there are 1001 labs; the first 1000 were checked";
        assert_eq!(messages, if wrong { vec![message] } else { Vec::new() });
    }
}

#[test]
fn what_was_found_before_is_reported_with_the_rest() {
    let mut before = Problems::default();
    before.warn(&"z", 3, "odd");
    let files = MemoryFiles::new([(LabPath::parse("README.md").unwrap(), Vec::new())].into()).unwrap();
    let report = check(&files, "folder", &ImageTable::default(), before);
    let shown: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!((report.errors(), shown.len(), shown[1].as_str()), (1, 2, "z:3: odd"));
}

#[test]
fn containers_of_a_named_environment_are_not_known_and_may_be_named() {
    let step =
        b"---\nsetup: [{run: a, container: x}, {run: b, terminal: y}]\nchecks: [{run: a, container: z}]\n---\n# A\n";
    let report = report_of(&[("lab.yaml", LAB), ("steps/1.md", step)]);
    assert_eq!((report.problems.as_slice(), report.steps[0].checks), ([].as_slice(), 1));
}

#[test]
fn a_problem_of_a_lab_below_is_told_from_that_of_another_one() {
    let bad = b"# A\n\n![x](/gone.png)\n";
    let report =
        report_of(&[("a/lab.yaml", LAB), ("a/steps/1.md", bad), ("b/c/lab.yaml", LAB), ("b/c/steps/1.md", bad)]);
    let places: Vec<_> = report.problems.iter().map(|problem| (problem.file.as_str(), problem.line)).collect();
    assert_eq!(places, [("a/steps/1.md", 3), ("b/c/steps/1.md", 3)]);
}
