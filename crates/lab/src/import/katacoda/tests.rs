//! Scenarios that are read.

use crate::import::tests::{attempt, only};
use crate::model::{Format, LabContainer, LabEnvironment, LabTerminal, When};

/// The index of a scenario with one step.
const ONE: &str =
    "{\"title\": \"One\", \"details\": {\"steps\": [{\"text\": \"step.md\"}]}, \"backend\": {\"imageid\": \"ubuntu\"}}";

/// The page of a scenario with one step, and the problems of it.
fn page(text: &str) -> (String, Vec<String>) {
    let (lab, problems) = only(&[("s/index.json", ONE), ("s/step.md", text)]);
    (lab.steps[0].page.text.clone(), problems)
}

fn none() -> Vec<String> {
    Vec::new()
}

fn containers(environment: &LabEnvironment) -> &[LabContainer] {
    match environment {
        LabEnvironment::Containers(containers) => containers,
        LabEnvironment::Named(name) => panic!("the environment {name}"),
    }
}

#[test]
fn a_scenario_becomes_a_lab() {
    let index = r#"{
  "title": "Two hosts",
  "description": "What they say to each other.",
  "time": "20 minutes",
  "details": {
    "intro": {"text": "intro.md", "background": "back.sh", "foreground": "front.sh"},
    "steps": [
      {"title": "First", "text": "one/text.md", "verify": "one/verify.sh"},
      {"text": "two.md", "background": {"host02": "back.sh"}}
    ],
    "finish": {"text": "finish.md"},
    "assets": {
      "host01": [{"file": "*.conf", "target": "/etc/app", "chmod": "0600"}, {"file": "run.sh", "target": "/usr/bin/run.sh", "chmod": "+x"}],
      "host02": [{"file": "sub/**", "target": "~/"}]
    }
  },
  "environment": {"dashboards": [{"name": "App", "port": 8080}, {"name": "Docs", "url": "https://docs.example"}]},
  "backend": {"imageid": "ubuntu"}
}"#;
    let (lab, problems) = only(&[
        ("s/index.json", index),
        ("s/intro.md", "# Welcome\nHello\n"),
        ("s/one/text.md", "Run `ls`{{exec}}\n"),
        ("s/one/verify.sh", "test -f x\n"),
        ("s/two.md", "## On the other\n```\nps\n```{{execute HOST2}}\nand `top`{{execute T2}}\n"),
        ("s/finish.md", "Done\n"),
        ("s/back.sh", "#!/bin/sh\nsleep 1\n"),
        ("s/front.sh", "echo ready\n"),
        ("s/assets/a.conf", "a"),
        ("s/assets/b.conf", "b"),
        ("s/assets/run.sh", "r"),
        ("s/assets/sub/deep/x", "x"),
    ]);
    assert_eq!(problems, ["s/index.json:17: the tab that shows https://docs.example is left out"]);
    assert_eq!((lab.format, lab.title.as_str(), lab.minutes), (Format::Katacoda, "Two hosts", Some(20)));
    assert_eq!(lab.summary, "What they say to each other.");
    let titles: Vec<&str> = lab.steps.iter().map(|step| step.page.title.as_str()).collect();
    assert_eq!(titles, ["Welcome", "First", "On the other", "The end"]);
    let hosts: Vec<(&str, &[u16])> = containers(&lab.environment)
        .iter()
        .map(|container| (container.name.as_str(), container.ports.as_slice()))
        .collect();
    assert_eq!(hosts, [("host01", &[8080][..]), ("host02", &[])]);
    assert_eq!(lab.terminals, [LabTerminal { name: "host01-2".to_owned(), container: Some("host01".to_owned()) }]);
    assert_eq!(lab.steps[1].page.text, "Run `ls`{run}\n");
    assert_eq!(
        lab.steps[2].page.text,
        "## On the other\n```sh run terminal=host02\nps\n```\nand `top`{run terminal=host01-2}\n"
    );

    let setup: Vec<_> = lab.steps[0]
        .setup
        .iter()
        .map(|setup| (setup.script.file.as_str(), setup.terminal.as_deref(), setup.script.text.as_str()))
        .collect();
    let front = ("s/front.sh", Some("host01"), "#!/bin/bash\necho ready\n");
    assert_eq!(setup, [("s/back.sh", None, "#!/bin/sh\nsleep 1\n"), front]);
    assert_eq!(lab.steps[2].setup[0].container.as_deref(), Some("host02"));

    let check = &lab.steps[1].checks[0];
    assert_eq!((check.name.as_str(), check.title.as_str(), check.when), ("verify", "First", When::Click));
    assert_eq!(check.script.text, "#!/bin/bash\ntest -f x\n");

    let assets: Vec<_> = lab
        .assets
        .iter()
        .map(|asset| (asset.from.as_str(), asset.container.as_deref(), asset.to.as_str(), asset.mode, asset.line))
        .collect();
    let home = concat!("/ro", "ot/");
    assert_eq!(
        assets,
        [
            ("s/assets/*.conf", None, "/etc/app/", Some(0o600), 13),
            ("s/assets/run.sh", None, "/usr/bin/run.sh", Some(0o755), 13),
            ("s/assets/sub/**", Some("host02"), home, None, 14),
        ]
    );
}

#[test]
fn a_challenge_is_checked_again_and_again_and_hints_by_itself() {
    let index = r#"{"type": "challenge@0.8", "title": "C", "details": {"steps": [
      {"title": "Find it", "text": "1.md", "verify": "v.sh", "hint": "h.sh", "answer": "a.md"},
      {"title": "No check", "text": "1.md", "hint": "h.sh"}]}, "backend": {"imageid": "bash"}}"#;
    let (lab, problems) = only(&[
        ("index.json", index),
        ("1.md", "Look\n"),
        ("v.sh", "#!/bin/bash\nexit 1\n"),
        ("h.sh", "#!/bin/bash\necho look\n"),
        ("a.md", "It is\n\n`there`{{copy}}\n"),
    ]);
    assert_eq!(problems, ["index.json:3: `hint` is left out, since the step has no `verify`"]);
    let check = &lab.steps[0].checks[0];
    assert_eq!(check.when, When::Continuous { every_seconds: 5 });
    assert!(check.script.text.contains("exit 1") && check.script.text.contains("echo look"), "{}", check.script.text);
    assert_eq!(lab.steps[0].page.text, "Look\n\n> [!HINT] Answer\n> It is\n>\n> `there`{copy}\n");
}

#[test]
fn whatever_is_missing_is_named_with_its_line_and_the_rest_is_read() {
    let index = r#"{
  "details": {
    "intro": {"text": "gone.md", "foreground": "gone.sh"},
    "steps": [
      {"text": "here.md",
       "verify": "../../out.sh",
       "background": "empty.sh"},
      {"title": "no text"}
    ],
    "assets": {"host01": [
      {"file": "none*", "target": "/x"},
      {"target": "/x"},
      {"file": "../../../etc/passwd", "target": "/x"},
      {"file": "a", "target": "/x", "chmod": "rwx"}],
      "elsewhere": [{"file": "a", "target": "y"}]}
  },
  "backend": {"imageid": "our-own"}
}"#;
    let files = [("a/s/index.json", index), ("a/s/here.md", "text\n"), ("a/s/empty.sh", "\n"), ("a/s/assets/a", "a")];
    let (lab, problems) = only(&files);
    assert_eq!(lab.title, "s");
    assert_eq!(lab.steps.len(), 1);
    assert_eq!(lab.assets.len(), 2);
    assert_eq!(lab.assets[1].to, concat!("/ro", "ot/y/"));
    assert_eq!(
        problems,
        [
            "a/s/empty.sh:1: the script is empty and is left out",
            "a/s/index.json:3: there is no file a/s/gone.md",
            "a/s/index.json:3: there is no file a/s/gone.sh",
            "a/s/index.json:6: there is no file out.sh",
            "a/s/index.json:8: `text` is missing; it must be the file with the page",
            "a/s/index.json:11: there is no file that fits a/s/assets/none*",
            "a/s/index.json:12: `file` is missing; it must be a file in the folder assets, or a pattern of files",
            "a/s/index.json:13: there is no file that fits etc/passwd",
            "a/s/index.json:14: the permissions must be octal digits, such as 0755, or +x",
            "a/s/index.json:15: \"elsewhere\" is no machine's name; the files go to host01",
            "a/s/index.json:17: the image \"our-own\" is not in the table of images; the image ubuntu:24.04 stands in for it",
        ]
    );
}

#[test]
fn an_index_that_can_not_be_read_is_one_problem() {
    let (lab, problems) = attempt(&[("s/index.json", "{\"details\": {\n\"steps\": [}")]);
    assert_eq!((lab, problems), (None, vec!["s/index.json:2: this is not JSON: a value is missing".to_owned()]));
    let (lab, problems) = only(&[("s/index.json", "{\n// one\n\"details\": {},}")]);
    assert_eq!(lab.steps.len(), 0);
    let lenient = "s/index.json:1: it has comments or surplus commas, which JSON has not";
    assert_eq!(problems, [lenient, "s/index.json:3: `details.steps` is missing; it must be a list of steps"]);
}

#[test]
fn code_in_lines_has_its_suffix() {
    let cases = [
        ("`a`{{copy}} and `b`{{exec}}.", "`a`{copy} and `b`{run}."),
        ("`a`{{execute}}`b` {{copy}}", "`a`{run}`b`{copy}"),
        ("```a`` `b```{{execute interrupt T1}}", "```a`` `b```{run terminal=host01 interrupt}"),
        ("`a`{{execute HOST2 T3}}", "`a`{run terminal=host02-3}"),
        ("`a`{{}} [`b`{{copy}}](https://x.example)", "`a` [`b`{copy}](https://x.example)"),
        ("[`a`{{copy}}]({{TRAFFIC_HOST1_80}})", "[`a`](preview:80)"),
        ("`a{{b}}` {{c}} `d` e", "`a{{b}}` {{c}} `d` e"),
        ("* `a\n  b`{{exec}}\n* c", "* `a\n  b`{run}\n* c"),
    ];
    for (text, expected) in cases {
        assert_eq!(page(&format!("{text}\n")), (format!("{expected}\n"), none()), "{text}");
    }
}

#[test]
fn fences_have_theirs_behind_the_end() {
    let text = "1. Do\n   ```bash\n   ls\n   ```{{exec}}\n\n```yaml\na: b\n``` {{copy}}\n\n```\nplain\n```\n\n~~~\nx\n~~~{{execute HOST1 interrupt}}\n";
    let expected = "1. Do\n   ```bash run\n   ls\n   ```\n\n```yaml copy\na: b\n```\n\n```\nplain\n```\n\n~~~sh run terminal=host01 interrupt\nx\n~~~\n";
    assert_eq!(page(text), (expected.to_owned(), none()));
}

#[test]
fn suffixes_that_mean_nothing_here_are_reported() {
    let (text, problems) =
        page("a\n`x`{{execute loudly}}\n`^C`{{execute ctrl-seq}}\n`app.js`{{open}}\n\n```\ny\n```{{frobnicate}}\n");
    assert_eq!(text, "a\n`x`{run}\n`^C`\n`app.js`{copy}\n\n```\ny\n```\n");
    assert_eq!(
        problems,
        [
            "s/step.md:2: `{{execute loudly}}` behind code is not known; the word \"loudly\" is left out",
            "s/step.md:3: keys are not sent on a click; the text says only which ones to press",
            "s/step.md:4: the name of the file is copied on a click; nothing opens it in an editor",
            "s/step.md:8: `{{frobnicate}}` behind code is not known; the word \"frobnicate\" is left out",
        ]
    );
}

#[test]
fn traffic_leads_to_previews() {
    let text = "[a]({{TRAFFIC_HOST1_3000}}/x?y=z) {{TRAFFIC_HOST2_80}}/health.\n[b](https://[[HOST_SUBDOMAIN]]-8080-[[KATACODA_HOST]].environments.katacoda.com/c) https://[[HOST2_SUBDOMAIN]]-81-[[KATACODA_HOST]].environments.katacoda.com\n";
    let (lab, problems) = only(&[("s/index.json", ONE), ("s/step.md", text)]);
    let expected = "[a](preview:3000/x?y=z) [port 80/health](preview:host02:80/health).\n[b](preview:8080/c) [port 81](preview:host02:81)\n";
    assert_eq!((lab.steps[0].page.text.as_str(), problems), (expected, none()));
    let ports: Vec<&[u16]> = containers(&lab.environment).iter().map(|container| container.ports.as_slice()).collect();
    assert_eq!(ports, [&[3000, 8080][..], &[80, 81][..]]);
}

#[test]
fn addresses_that_are_not_known_are_named() {
    let text = "[ports]({{TRAFFIC_SELECTOR}}) and [[KATACODA_DOMAIN]] [[link]]\n`curl {{TRAFFIC_HOST1_99}}/x`{{exec}}\n\n```\nssh [[HOST2_IP]]\nping [[HOST_IP]] {{TRAFFIC_HOST1_0}}\n```{{exec}}\n";
    let (text, problems) = page(text);
    let expected = "[ports](#) and KATACODA_DOMAIN [[link]]\n`curl http://host01:99/x`{run}\n\n```sh run\nssh host02\nping host01 {{TRAFFIC_HOST1_0}}\n```\n";
    assert_eq!(text, expected);
    let inside = "the address of a preview is not known in code; the address within the environment stands there";
    assert_eq!(
        problems,
        [
            "s/step.md:1: KATACODA_DOMAIN has no value here".to_owned(),
            "s/step.md:1: there is no page with all ports; the ports are listed beside the document".to_owned(),
            format!("s/step.md:2: {inside}"),
            "s/step.md:5: the machine's name host02 stands for its address".to_owned(),
            "s/step.md:6: the machine's name host01 stands for its address".to_owned(),
        ]
    );
}

#[test]
fn questions_become_quizzes() {
    let text = ">>Q1: Which?<<\n(*) one\n( ) two\n\n>> Name it <<\n=== it\n=~= .*that.*\n\n>>Q3: All of\nthem?<<\n[*] a\n[ ] b\nend\n";
    let expected = "```quiz name=q1\nWhich?\n- [x] one\n- [ ] two\n```\n```quiz name=q2\nName it\n= it\n= that\n```\n```quiz name=q3\nAll of them?\n- [x] a\n- [ ] b\n```\nend\n";
    assert_eq!(page(text), (expected.to_owned(), none()));
    let (text, problems) = page("a\n>>Q1: x<<\n( ) no\n\n>>y<<\n=~= ^[a-z]+$\nb\n>> no question\n");
    assert_eq!(text, "a\n**x**\n\n\n**y**\n\nb\n>> no question\n");
    assert_eq!(
        problems,
        [
            "s/step.md:2: no answer of the question is marked as right; it is left out",
            "s/step.md:5: answers are not compared with patterns; \"^[a-z]+$\" is left out",
            "s/step.md:5: the question has no answer; it is left out",
        ]
    );
}

#[test]
fn text_for_files_becomes_an_edit() {
    let index = ONE.replace("\"backend\"", "\"environment\": {\"uieditorpath\": \"/app/\"}, \"backend\"");
    let text = "a\n<pre class=\"file\" data-filename=\"src/x.js\" data-target=\"replace\">if (a &lt; b) {\n  `c`{{copy}}\n}\n</pre>\n<pre class=\"file\" data-filename=\"/etc/y\" data-target=\"append\">more</pre>\n<pre>plain</pre>\n`z`{{exec}}\n";
    let (lab, problems) = only(&[("s/index.json", &index), ("s/step.md", text)]);
    let expected = "a\n```js edit file=/app/src/x.js\nif (a < b) {\n  `c`{{copy}}\n}\n```\n```copy\nmore\n```\n<pre>plain</pre>\n`z`{run}\n";
    assert_eq!(lab.steps[0].page.text, expected);
    assert_eq!(problems, ["s/step.md:6: the text for /etc/y (append) is copied on a click, not put there"]);
}

#[test]
fn nothing_that_is_written_ends_the_reading() {
    let hostile = [
        "{{",
        "}}",
        "`{{exec",
        "``` {{",
        "[[HOST",
        ">>",
        "<<",
        "<pre class=\"file\"",
        "{{TRAFFIC_HOST9_99999}}",
        "\u{0}",
        "é`é`{{copy}}é",
    ];
    for first in hostile {
        for second in hostile {
            let text = format!("{first}\n{second}{first} {second}\n");
            if !text.contains('\0') {
                let (written, _) = page(&text);
                assert!(!written.is_empty(), "{text}");
            }
        }
    }
}
