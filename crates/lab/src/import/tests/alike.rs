//! Labs of every format are written in our own and read again alike.

use super::memory;
use crate::MemoryFiles;
use crate::check::{check, check_lab, with_lab};
use crate::import::find;
use crate::model::{Format, ImageTable, Lab, Problems, Report};
use crate::own::{Written, write};
use crate::{Files, Folder};

const KATACODA: [(&str, &str); 8] = [
    (
        "a/b/s/index.json",
        r#"{
  "title": "A scenario",
  "description": "In two machines.",
  "details": {
    "intro": {"text": "intro.md", "background": "setup.sh"},
    "steps": [
      {"title": "First", "text": "first.md", "verify": "verify.sh"},
      {"title": "Second", "text": "second.md", "foreground": "setup.sh"}
    ],
    "finish": {"text": "finish.md"},
    "assets": {"host02": [{"file": "*.conf", "target": "/etc/app", "chmod": "0640"}]}
  },
  "backend": {"imageid": "ubuntu"}
}"#,
    ),
    ("a/b/s/intro.md", "# Welcome\n\n![Logo](../logo.png)\n"),
    (
        "a/b/s/first.md",
        "Copy `this`{{copy}}, run `that`{{exec}}.\n\n1. Then\n   ```bash\n   ls -l\n   ```{{execute HOST2}}\n\n[open]({{TRAFFIC_HOST2_8080}}/x)\n\n>>Q1: Which?<<\n(*) one\n( ) two\n",
    ),
    (
        "a/b/s/second.md",
        "<pre class=\"file\" data-filename=\"a.txt\" data-target=\"replace\">text</pre>\n\n```\nplain\n```\n",
    ),
    ("a/b/s/finish.md", "Done.\n"),
    ("a/b/s/verify.sh", "#!/bin/sh\ntest -f a\n"),
    ("a/b/s/setup.sh", "#!/bin/sh\ntouch b\n"),
    ("a/b/s/assets/x.conf", "a = 1\n"),
];

const POST: [(&str, &str); 1] = [(
    "_posts/2020-01-02-a-post.markdown",
    "---\ntitle: A post\nterms: 2\n---\nFirst\n```.term1\nls\n```\nthen\n```.term2\nps\n```\n[the site](/){:data-term=\".term2\"}{:data-port=\"80\"}\n\n{:.quiz}\nWhat?\n- [x] this\n- [ ] that\n",
)];

const WORKSHOP: [(&str, &str); 4] = [
    (
        "resources/workshop.yaml",
        "kind: Workshop\nspec:\n  title: A workshop\n  description: With actions.\n  duration: 30m\n  session:\n    ingresses:\n    - name: app\n      port: 8080\n",
    ),
    ("workshop/config.yaml", "params:\n- name: COLOUR\n  value: red\n"),
    (
        "workshop/content/01.md",
        "---\ntitle: One\n---\nIt is {{< param COLOUR >}}.\n\n```terminal:execute\ncommand: echo {{< param COLOUR >}}\nsession: 2\n```\n\n```section:begin\ntitle: More\n```\n\n```copy\nhidden\n```\n\n```section:end\n```\n\n```editor:create-file\nfile: /tmp/x.yaml\ntext: |\n  a: b\n```\n\n```examiner:execute-test\nname: is-there\ntitle: It is there\nargs:\n- x\nretries: 5\ndelay: 2\n```\n",
    ),
    ("workshop/examiner/tests/is-there", "#!/bin/bash\ntest -e \"$1\"\n"),
];

const CHALLENGE: [(&str, &str); 1] = [(
    "index.md",
    "---\nkind: challenge\ntitle: A challenge\ndescription: Find it.\nplayground:\n  name: docker\n  machines:\n  - name: dev\n  - name: db\ntasks:\n  prepare:\n    init: true\n    machine: db\n    run: touch /tmp/x\n  verify_it:\n    timeout_seconds: 20\n    run: test -e /tmp/y\n    hintcheck: echo no\n---\nFind `it`.\n\n::simple-task\n---\n:tasks: tasks\n:name: verify_it\n---\n#active\nWaiting for it\n\n#completed\nThere\n::\n\n::hint-box\n---\n:summary: Hint 1\n---\nLook\n::\n",
)];

/// The lab in some files, that lab written and read again, and what the second reading reports.
fn twice(files: &[(&str, &str)]) -> (Lab, Lab, Report) {
    let files = memory(files);
    let images = ImageTable::default();
    let mut problems = Problems::default();
    let places = find(&Folder::new(&files), &mut problems);
    let (lab, steps, written) =
        with_lab(&Folder::new(&files), &places[0], &images, &mut problems, |lab, folder, problems| {
            (lab.clone(), check_lab(lab, folder, problems), write(lab, folder, problems))
        })
        .unwrap();
    assert_eq!(problems.into_list(), []);
    let content = |written| match written {
        Written::Text(text) => text.into_bytes(),
        Written::Copy(from) => files.read(&from, u64::MAX).unwrap().into_owned(),
    };
    let written =
        MemoryFiles::new(written.into_iter().map(|(path, written)| (path, content(written))).collect()).unwrap();
    let report = check(&written, "again", &images, Problems::default());
    assert_eq!(report.steps, steps);
    let place = crate::import::Place { path: crate::LabPath::root(), format: Format::Pierhead };
    let mut problems = Problems::default();
    let again = with_lab(&Folder::new(&written), &place, &images, &mut problems, |lab, _, _| lab.clone()).unwrap();
    (lab, again, report)
}

/// What must be the same whatever the format: all but files, lines and the format itself.
fn essence(lab: &Lab) -> impl PartialEq + std::fmt::Debug + use<> {
    let steps: Vec<_> = lab
        .steps
        .iter()
        .map(|step| {
            let checks: Vec<_> = step
                .checks
                .iter()
                .map(|check| {
                    let words = (check.name.clone(), check.title.clone(), check.script.text.trim_end().to_owned());
                    (words, check.container.clone(), check.timeout_seconds, check.score, check.when)
                })
                .collect();
            let setup: Vec<_> = step
                .setup
                .iter()
                .map(|setup| (setup.script.text.trim_end().to_owned(), setup.container.clone(), setup.terminal.clone()))
                .collect();
            (step.page.title.clone(), checks, setup)
        })
        .collect();
    let assets: Vec<_> =
        lab.assets.iter().map(|asset| (asset.container.clone(), asset.to.clone(), asset.mode)).collect();
    let words = (lab.title.clone(), lab.summary.clone(), lab.minutes);
    (words, lab.environment.clone(), lab.terminals.clone(), lab.variables.clone(), steps, assets)
}

fn alike(files: &[(&str, &str)]) -> Report {
    let (before, after, report) = twice(files);
    assert_eq!(essence(&before), essence(&after));
    assert_eq!(after.format, Format::Pierhead);
    assert_eq!(report.problems, []);
    report
}

#[test]
fn a_scenario_is_written_alike() {
    let files: Vec<_> = KATACODA.into_iter().chain([("a/b/logo.png", "not really an image")]).collect();
    let report = alike(&files);
    let counts: Vec<_> =
        report.steps.iter().map(|step| (step.blocks, step.runs, step.checks, step.quizzes, step.previews)).collect();
    assert_eq!(counts, [(0, 0, 0, 0, 0), (3, 2, 1, 1, 1), (1, 0, 0, 0, 0), (0, 0, 0, 0, 0)]);
    assert_eq!(report.steps[0].images, 1);
}

#[test]
fn a_post_is_written_alike() {
    let report = alike(&POST);
    let step = &report.steps[0];
    assert_eq!((step.runs, step.previews, step.quizzes), (2, 1, 1));
}

#[test]
fn a_workshop_is_written_alike() {
    let report = alike(&WORKSHOP);
    let step = &report.steps[0];
    assert_eq!((step.blocks, step.runs, step.hints, step.checks), (3, 1, 1, 1));
}

#[test]
fn a_challenge_is_written_alike() {
    let report = alike(&CHALLENGE);
    let step = &report.steps[0];
    assert_eq!((step.hints, step.checks), (1, 1));
}
