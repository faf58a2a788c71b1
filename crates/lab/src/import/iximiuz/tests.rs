//! Challenges, tutorials and lessons that are read.

use crate::import::tests::only;
use crate::model::{Format, LabEnvironment, When};

const FRONT: &str = "---
kind: challenge

title: Find it
description: |
  Something is
  hidden.

playground:
  name: docker
  machines:
  - name: dev
  - name: other
  tabs:
  - kind: ide
  - machine: dev
  - kind: http-port
    machine: other
    number: 8080

tasks:
  init_second:
    init: true
    needs: [init_first]
    machine: other
    run: echo second
  init_first:
    init: true
    run: |
      echo first
  verify_it:
    machine: dev
    env:
    - PLACE=/tmp/it's
    - ID=x(.needs.other.stdout)
    timeout_seconds: 90
    run: |
      test -e $PLACE
    hintcheck: |
      echo look in /tmp
    failcheck: |
      test -d /tmp
  verify_unseen:
    user: laborant
    run: exit 0
  helper_noise:
    helper: true
    run: sleep 1
  nothing:
    machine: nowhere
---
";

#[test]
fn a_challenge_becomes_a_lab() {
    let body = "Do it.\n\n::simple-task\n---\n:tasks: tasks\n:name: verify_it\n---\n#active\nWaiting for **it**...\n\n#completed\nYay!\n::\n\nEnd\n";
    let (lab, problems) =
        only(&[("c/index.md", &format!("{FRONT}{body}")), ("c/solution.md", "x\n"), ("c/README.md", "x\n")]);
    assert_eq!(
        (lab.format, lab.title.as_str(), lab.summary.as_str()),
        (Format::Iximiuz, "Find it", "Something is hidden.")
    );
    let LabEnvironment::Containers(containers) = &lab.environment else { panic!("a named environment") };
    let shown: Vec<_> = containers.iter().map(|c| (c.name.as_str(), c.privileged, c.ports.as_slice())).collect();
    assert_eq!(shown, [("dev", true, &[][..]), ("other", true, &[8080][..])]);

    let step = &lab.steps[0];
    assert_eq!(step.page.text, "Do it.\n\n\n\n\n\n\n\nWaiting for **it**...\n\n\n\n\n\nEnd\n");
    let setup: Vec<_> =
        step.setup.iter().map(|setup| (setup.container.as_deref(), setup.script.text.as_str())).collect();
    assert_eq!(setup, [(None, "#!/bin/bash\necho first\n"), (Some("other"), "#!/bin/bash\necho second")]);
    let check = &step.checks[0];
    assert_eq!(
        (check.name.as_str(), check.title.as_str(), check.timeout_seconds),
        ("verify-it", "Waiting for it...", 90)
    );
    assert_eq!((check.when, check.container.as_deref()), (When::Continuous { every_seconds: 2 }, None));
    let place = "PLACE='/tmp/it'\\''s'";
    let tested = format!("(\n(\n{place}\ntest -d /tmp\n) || exit 1\n{place}\ntest -e $PLACE\n)");
    let text = format!(
        "#!/bin/bash\n{tested}\nstatus=$?\n[ \"$status\" -eq 0 ] || (\n{place}\necho look in /tmp\n)\nexit \"$status\"\n"
    );
    assert_eq!(check.script.text, text);
    assert_eq!((step.checks[1].name.as_str(), step.checks[1].title.as_str()), ("verify-unseen", "verify unseen"));

    let lines: Vec<_> = problems.iter().map(|problem| problem.split_once(": ").unwrap()).collect();
    let missing = ["`run` of the task nothing is missing; it must be a script"];
    let expected = [
        ("c/index.md:15", "the tab \"ide\" is left out"),
        ("c/index.md:35", "ID=x(.needs.other.stdout) is left out: the output of other tasks is not known"),
        ("c/index.md:44", "no page shows the task verify_unseen; it is checked at the end"),
        ("c/index.md:44", "the task verify_unseen is run as the container's user, not as another one"),
        ("c/index.md:47", "the task helper_noise is left out: nothing runs on and on beside a lab"),
        ("c/index.md:50", missing[0]),
        ("c/solution.md:1", "the solution is left out: it is a text, and only a script can be run for tests"),
    ];
    let near = |line: &str| line.rsplit_once(':').map(|(file, _)| file.to_owned());
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for ((at, message), (expected_at, expected)) in lines.iter().zip(expected) {
        assert_eq!((near(at), *message), (near(expected_at), expected), "{at} {expected_at}");
    }
}

/// The text of the only page of a tutorial, and its problems.
fn page(body: &str) -> (String, Vec<String>) {
    let (lab, problems) = only(&[("index.md", &format!("---\nkind: tutorial\ntitle: T\n---\n{body}"))]);
    (lab.steps[0].page.text.clone(), problems)
}

#[test]
fn boxes_become_hints_notes_and_images() {
    let body = "::hint-box\n---\n:summary: Hint 1\n---\n\nTry `ls`.\n```sh\nls\n```\n::\n::remark-box\n---\nkind: warning\n---\nMind\n::\n::image-box\n---\n:src: __static__/a.png\n:alt: 'An image: a'\n---\n_Caption_\n::\n::details-box\n---\n:summary: More\n---\na\n::remark-box\nb\n::\n::\n";
    let expected = "> [!HINT] Hint 1\n>\n>\n>\n>\n> Try `ls`.\n> ```sh\n> ls\n> ```\n\n> [!WARNING]\n>\n>\n>\n> Mind\n\n![An image: a](/__static__/a.png)\n\n\n\n\n_Caption_\n\n> [!HINT] More\n>\n>\n>\n> a\n> > [!NOTE]\n> > b\n>\n\n";
    let (written, problems) = page(body);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(written, expected);
}

#[test]
fn tabs_answers_and_cards() {
    let body = "In :tab-locator-inline{text='dev' machine='dev'} and `:tab-locator-inline{}`.\n::user-input-task\n---\n:tasks: tasks\n:name: gone\n:destination: /tmp/id\n---\n#active\nEnter it\n::\n::card-challenge\n---\n:challenge: challenges.x\n---\n::\n::novelty\nshown\n::\n```\n::hint-box\n```\n::\n::slide-show\n---\nslides:\n- image: a.png\n  alt: A\n- image: b.png\n---\n";
    let (written, problems) = page(body);
    let lines: Vec<&str> = written.lines().filter(|line| !line.is_empty()).collect();
    let answer = "`echo ANSWER > /tmp/id`{copy}";
    let expected = [
        "In **dev** and `:tab-locator-inline{}`.",
        "Enter it",
        answer,
        "shown",
        "```",
        "::hint-box",
        "```",
        "![A](/a.png) ![](/b.png)",
    ];
    assert_eq!(lines, expected);
    assert_eq!(
        problems,
        [
            "index.md:6: there is no task \"gone\"",
            "index.md:6: there is no field for the answer; a command puts it into its file",
            "index.md:15: the card of challenges.x is left out: it is not in this lab",
            "index.md:20: the component novelty is not known; its text is shown",
            "index.md:26: a component ends that did not begin",
            "index.md:27: the component slide-show does not end",
        ]
    );
}

#[test]
fn a_lesson_has_its_units_as_steps() {
    let unit = |title: &str| format!("---\nkind: unit\n\ntitle: {title}\n---\n\nText of {title}\n");
    let (lab, problems) = only(&[
        ("m/1.lesson/index.md", "---\nkind: lesson\ntitle: Lesson\nplayground:\n  name: ubuntu\n---\n"),
        ("m/1.lesson/unit-10.md", &unit("Ten")),
        ("m/1.lesson/unit-2.md", &unit("Two")),
        ("m/index.md", "---\nkind: course\ntitle: Course\n---\nx\n"),
    ]);
    assert_eq!(problems, Vec::<String>::new());
    let steps: Vec<_> =
        lab.steps.iter().map(|step| (step.page.title.as_str(), step.page.line, step.page.text.as_str())).collect();
    assert_eq!(steps, [("Two", 6, "\nText of Two\n"), ("Ten", 6, "\nText of Ten\n")]);
}

#[test]
fn a_playground_without_names_has_one_machine() {
    let text = "---\nkind: tutorial\ntitle: T\nplayground:\n  name: k3s\n  machines:\n  - name: Not_a_name\n---\nx\n";
    let (lab, problems) = only(&[("index.md", text)]);
    let LabEnvironment::Containers(containers) = &lab.environment else { panic!("a named environment") };
    assert_eq!(containers.iter().map(|container| container.name.as_str()).collect::<Vec<_>>(), ["k3s"]);
    let image = "index.md:5: the image \"k3s\" is not in the table of images; the image ubuntu:24.04 stands in for it";
    let machine = "index.md:7: \"Not_a_name\" can't be the name of a machine, or is that of another one";
    assert_eq!(problems, [image, machine]);
}

#[test]
fn a_page_without_front_matter_is_a_step_all_the_same() {
    let (lab, problems) = only(&[
        ("index.md", FRONT),
        ("unit-2.md", "# On foot\n\nIt begins at once.\n"),
        ("unit-3.md", "No heading.\n"),
    ]);
    let steps: Vec<_> = lab.steps.iter().map(|step| (step.page.title.as_str(), step.page.line)).collect();
    assert_eq!(&steps[steps.len() - 2..], [("On foot", 1), ("Step", 1)], "{problems:?}");
    assert!(lab.steps[lab.steps.len() - 2].page.text.contains("It begins at once."));
}
