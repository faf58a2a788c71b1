//! Posts that are read.

use crate::import::tests::only;
use crate::model::{Format, LabEnvironment, LabTerminal};

const POST: &str = "_posts/2019-08-01-two-nodes.markdown";

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_post_becomes_a_lab() {
    let text = "---\nlayout: post\ntitle:  \"Two nodes\"\nterms: 2\ndescription: Both at once\n---\n\n> **Time**: Approximately 45 minutes\n\n## First {#first}\n```.term1\ndocker swarm init\n```\nand there\n   ```.term2\n   docker node ls\n   ```\n```\noutput\n```\nSee the [site](/){:data-term=\".term2\"}{:data-port=\"8080\"} or [that](../images/x.png){:target=\"_blank\"}.\n";
    let (lab, problems) = only(&[(POST, text)]);
    assert_eq!(problems, none());
    assert_eq!(
        (lab.format, lab.title.as_str(), lab.summary.as_str()),
        (Format::PlayWithDocker, "Two nodes", "Both at once")
    );
    assert_eq!(lab.minutes, Some(45));
    let terminal = |number: u8| LabTerminal { name: format!("term{number}"), container: Some(format!("node{number}")) };
    assert_eq!(lab.terminals, [terminal(1), terminal(2)]);
    let LabEnvironment::Containers(containers) = &lab.environment else { panic!("a named environment") };
    let shown: Vec<_> = containers.iter().map(|c| (c.name.as_str(), c.privileged, c.ports.as_slice())).collect();
    assert_eq!(shown, [("node1", true, &[][..]), ("node2", true, &[8080][..])]);
    let page = &lab.steps[0].page;
    assert_eq!((page.title.as_str(), page.line, lab.steps.len()), ("Two nodes", 7, 1));
    let expected = "\n> **Time**: Approximately 45 minutes\n\n## First \n```sh run terminal=term1\ndocker swarm init\n```\nand there\n   ```sh run terminal=term2\n   docker node ls\n   ```\n```\noutput\n```\nSee the [site](preview:node2:8080) or [that](/images/x.png).\n";
    assert_eq!(page.text, expected);
}

#[test]
fn a_post_may_have_no_terminal_or_another_image() {
    let (lab, problems) = only(&[(POST, "---\ntitle: Only text\nterms: 0\n---\nx\n")]);
    assert_eq!((problems, lab.terminals.len()), (none(), 0));
    let LabEnvironment::Containers(containers) = &lab.environment else { panic!("a named environment") };
    assert_eq!((containers.len(), containers[0].privileged, containers[0].image.as_str()), (1, false, "alpine:3.22"));
    let (lab, problems) = only(&[(POST, "---\ntitle: Other\n\nimage: somebody/tool:1\nterms: many\n---\nx\n")]);
    assert_eq!(lab.terminals.len(), 1);
    let image = format!(
        "{POST}:4: the image \"somebody/tool:1\" is not in the table of images; the image ubuntu:24.04 stands in for it"
    );
    assert_eq!(problems, [image, format!("{POST}:5: `terms` must be a number of terminals up to 9")]);
}

#[test]
fn a_post_without_front_matter_is_read_nevertheless() {
    let (lab, problems) = only(&[(POST, "# Heading\n")]);
    assert_eq!((lab.title.as_str(), lab.steps[0].page.text.as_str()), ("two-nodes", "# Heading\n"));
    let message = "the front matter is missing; a post begins with it, between two lines of `---`";
    assert_eq!(problems, [format!("{POST}:1: {message}")]);
    let (lab, problems) = only(&[(POST, "---\ntitle: [a\nterms: 1\n---\ntext\n")]);
    assert_eq!((lab.title.as_str(), lab.steps[0].page.line), ("two-nodes", 5));
    assert_eq!(problems.len(), 1);
}

#[test]
fn what_a_post_quotes_and_asks_keeps_its_lines() {
    let text = "---\ntitle: Q\n---\n> * TOC\n> {:toc}\n\n{:.quiz}\nWhat shows `{{ \"{{ json .Mounts \"}}}}`?\n- ( ) this\n- (x) that\n\n![x]({{site.baseurl}}/images/a.png) {{ page.title }}\n[next](/other)\n\n```.term1\ninspect -f \"{{ \"{{ json .X \"}}}}\"\n```\n";
    let (lab, problems) = only(&[(POST, text)]);
    let expected = ">\n> \n\n```quiz name=q1\nWhat shows `{{ json .Mounts }}`?\n- [ ] this\n- [x] that\n```\n![x](/images/a.png) \n[next](/other)\n\n```sh run terminal=term1\ninspect -f \"{{ json .X }}\"\n```\n";
    assert_eq!(lab.steps[0].page.text, expected);
    let message = "the template {{ page.title }} is left out: its value is not known here";
    assert_eq!(problems, [format!("{POST}:12: {message}")]);
}

#[test]
fn a_post_is_called_as_its_file_if_nothing_else_says_how() {
    for (file, title) in [
        ("_posts/2019-08-01-two-nodes.md", "two-nodes"),
        ("_posts/2019-08-01-.md", "2019-08-01-"),
        ("_posts/notes.md", "notes"),
    ] {
        assert_eq!(only(&[(file, "---\nlayout: post\n---\nx\n")]).0.title, title, "{file}");
    }
}
