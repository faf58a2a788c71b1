//! Posts at the edges of what they may say.

use super::{memory, only};
use crate::files::Folder;
use crate::import::{find, read};
use crate::model::{ImageTable, Lab, LabContainer, LabEnvironment, Problems};

const FILE: &str = "_posts/2020-01-02-a.md";

fn post(front: &str, body: &str) -> (Lab, Vec<String>) {
    only(&[(FILE, &format!("---\ntitle: T\n{front}---\n{body}"))])
}

fn hosts(lab: &Lab) -> &[LabContainer] {
    match &lab.environment {
        LabEnvironment::Containers(containers) => containers,
        LabEnvironment::Named(name) => panic!("the environment {name}"),
    }
}

#[test]
fn a_post_without_a_title_is_called_after_its_file() {
    let cases = [
        ("2019-08-01-two-nodes.markdown", "two-nodes"),
        ("2019-08-01-v1.2.md", "v1.2"),
        ("draft.md", "draft"),
        ("2019-08-nodes.md", "2019-08-nodes"),
        ("2019-08-01.md", "2019-08-01"),
        ("a-b-c-d.md", "a-b-c-d"),
    ];
    for (name, title) in cases {
        let (lab, problems) = only(&[(&format!("_posts/{name}"), "---\nterms: 1\n---\nx\n")]);
        assert_eq!((lab.title.as_str(), lab.steps[0].page.title.as_str()), (title, title), "{name}");
        assert_eq!(problems, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn only_a_number_up_to_nine_is_one_of_terminals() {
    for (terms, expected, wrong) in [
        ("0", 0, false),
        ("\"3\"", 3, false),
        ("9", 9, false),
        ("10", 1, true),
        ("300", 1, true),
        ("-1", 1, true),
        ("[2]", 1, true),
        ("~", 1, false),
    ] {
        let (lab, problems) = post(&format!("terms: {terms}\n"), "x\n");
        assert_eq!((lab.terminals.len(), hosts(&lab).len()), (expected, expected.max(1)), "{terms}");
        let message = format!("{FILE}:3: `terms` must be a number of terminals up to 9");
        assert_eq!(problems, if wrong { vec![message] } else { Vec::new() }, "{terms}");
    }
}

#[test]
fn the_image_of_a_post_without_terminals_does_not_matter() {
    let (lab, problems) = post("terms: 0\nimage: somebody/tool\n", "x\n");
    assert_eq!((problems, hosts(&lab)[0].image.as_str()), (Vec::new(), "alpine:3.22"));
    let (lab, problems) = post("image: franela/dind:rc\n", "x\n");
    assert_eq!((problems, hosts(&lab)[0].privileged), (Vec::new(), true));
}

#[test]
fn the_time_is_that_of_the_first_line_that_speaks_of_it() {
    let late = format!("{}**Time**: 20 minutes\n", "x\n".repeat(60));
    let cases = [
        ("> **Time**: Approximately 2 hours\n> **Time**: 5 minutes\n", Some(120)),
        ("* **Time**: 1h\n", Some(60)),
        ("**Time**: a while\n", None),
        ("**Time**: 0 minutes\n", None),
        ("It takes some time: 20 minutes\n", None),
        (late.as_str(), None),
    ];
    for (text, minutes) in cases {
        assert_eq!(post("", text).0.minutes, minutes, "{text}");
    }
}

#[test]
fn code_is_run_in_the_terminal_that_its_fence_names() {
    let cases = [
        (".term1", "sh run terminal=term1"),
        ("{.term2}", "sh run terminal=term2"),
        ("bash .term2", "bash run terminal=term2"),
        ("{.term1 .python}", "python run terminal=term1"),
        (".term0", ".term0"),
        (".term10", ".term10"),
        (".terminal", ".terminal"),
        ("yaml", "yaml"),
    ];
    for (info, expected) in cases {
        let (lab, problems) = post("terms: 2\n", &format!("```{info}\nls\n```\n"));
        assert_eq!(lab.steps[0].page.text, format!("```{expected}\nls\n```\n"), "{info}");
        assert_eq!(problems, Vec::<String>::new(), "{info}");
    }
}

#[test]
fn a_link_to_a_further_machine_makes_it_but_no_terminal() {
    let body =
        "[a](/x){:data-term=\".term3\"}\n\n`[b](/){:data-term=\".term5\"}`\n\n```\n[c](/){:data-port=\"81\"}\n```\n";
    let (lab, problems) = post("", body);
    let ports: Vec<_> = hosts(&lab).iter().map(|host| (host.name.as_str(), host.ports.as_slice())).collect();
    assert_eq!(ports, [("node1", &[][..]), ("node2", &[]), ("node3", &[80])]);
    assert_eq!((lab.terminals.len(), problems), (1, Vec::new()));
    assert!(lab.steps[0].page.text.starts_with("[a](preview:node3:80/x)\n"), "{}", lab.steps[0].page.text);
}

#[test]
fn a_link_to_no_port_is_a_problem_and_makes_no_machine() {
    for attributes in ["data-port=\"0\"", "data-port=\"70000\"", "data-port=\"http\"", "data-term=\".term0\""] {
        let (lab, problems) = post("", &format!("x\n[a](/b){{:{attributes}}} c\n"));
        let message = format!("{FILE}:5: the link names no terminal from .term1 on, or no port");
        assert_eq!(problems, [message], "{attributes}");
        assert_eq!(hosts(&lab).len(), 1, "{attributes}");
        assert!(hosts(&lab)[0].ports.is_empty(), "{attributes}");
        assert_eq!(lab.steps[0].page.text, "x\n[a](/b) c\n", "{attributes}");
    }
}

#[test]
fn posts_of_one_site_are_labs_of_their_own_that_link_to_each_other() {
    let files = memory(&[
        ("site/_posts/2020-01-02-second.md", "---\ntitle: B\n---\n[a](/first/?x=1#y)\n"),
        ("site/_posts/2020-01-01-first.markdown", "---\ntitle: A\n---\n[b](/second#z) ![c](/images/c.png)\n"),
        ("site/_posts/notes.txt", "x"),
        ("site/_drafts/2020-01-01-third.md", "x"),
    ]);
    let (folder, mut problems) = (Folder::new(&files), Problems::default());
    let places = find(&folder, &mut problems);
    let texts: Vec<String> = places
        .iter()
        .map(|place| read(&folder, place, &ImageTable::default(), &mut problems).unwrap().steps.remove(0).page.text)
        .collect();
    let first = "[b](/site/_posts/2020-01-02-second.md#z) ![c](/site/images/c.png)\n";
    assert_eq!(texts, [first, "[a](/site/_posts/2020-01-01-first.markdown)\n"]);
    assert_eq!(problems.into_list(), []);
}
