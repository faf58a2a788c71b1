//! Whatever a document writes, it is read, and its lines keep their numbers.

use super::memory;
use crate::Folder;
use crate::import::{find, read};
use crate::model::{ImageTable, Lab, Problem, Problems};
use proptest::prelude::*;

/// Pieces of documents that mean something in one format or another, and text.
const PIECES: [&str; 48] = [
    "text",
    "text with `code` in it",
    "`code`{{copy}}",
    "`code`{{execute HOST2 T3}}",
    "`code`{{exec",
    "`",
    "``` ",
    "```",
    "```bash",
    "```.term1",
    "```{{exec}}",
    "~~~",
    "   ```",
    "> ```",
    "- ```sh",
    "1. item",
    "> quote",
    "# heading",
    "#active",
    "",
    "   ",
    "{:.quiz}",
    "- [x] right",
    "- ( ) wrong",
    ">>Q1: question<<",
    ">>open",
    "(*) right",
    "=== answer",
    "=~= [a-z]",
    "[link](/){:data-term=\".term1\"}{:data-port=\"80\"}",
    "[link]({{TRAFFIC_HOST1_80}}/x",
    "[[HOST2_IP]] [[HOST_SUBDOMAIN]]-80-[[KATACODA_HOST]].environments.katacoda.com",
    "<pre class=\"file\" data-filename=\"x\">",
    "</pre>",
    "<iframe src=\"a\"",
    "<img src='b'>",
    "![image](https://x.example/a.png",
    "{% raw %}",
    "{{ \"{{ x \"}}}}",
    "{{< note >}}",
    "{{< /note >}}",
    "{{< param session_name >}}",
    "```section:begin",
    "```terminal:execute",
    "::hint-box",
    "::",
    "---",
    ":name: é\u{301}中",
];

fn document() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        5 => prop::sample::select(PIECES.to_vec()).prop_map(str::to_owned),
        1 => (prop::sample::select(PIECES.to_vec()), prop::sample::select(PIECES.to_vec())).prop_map(|(a, b)| format!("{a} {b}")),
        1 => "[ -~éä中\u{e000}]{0,30}",
    ];
    prop::collection::vec(line, 0..25).prop_map(|lines| lines.join("\n") + "\n")
}

/// Reads a document as a page of each format.
fn read_as_each(page: &str) -> Vec<(Lab, Vec<Problem>)> {
    let index = "{\"details\": {\"steps\": [{\"text\": \"p.md\", \"verify\": \"p.md\", \"answer\": \"p.md\"}]}}";
    let (post, unit) = (format!("---\ntitle: x\n---\n{page}"), format!("---\nkind: tutorial\ntitle: x\n---\n{page}"));
    let all: [&[(&str, &str)]; 4] = [
        &[("s/index.json", index), ("s/p.md", page)],
        &[("_posts/2020-01-01-x.md", &post)],
        &[("resources/workshop.yaml", "spec:\n  title: x\n"), ("workshop/content/1.md", page)],
        &[("index.md", &unit)],
    ];
    let read = |files: &&[(&str, &str)]| {
        let files = memory(files);
        let folder = Folder::new(&files);
        let mut problems = Problems::default();
        let places = find(&folder, &mut problems);
        assert_eq!(places.len(), 1, "{places:?}");
        let lab = read(&folder, &places[0], &ImageTable::default(), &mut problems).expect("a lab");
        (lab, problems.into_list())
    };
    all.iter().map(read).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_document_is_read_in_every_format(page in document()) {
        let lines = page.lines().count();
        for (lab, problems) in read_as_each(&page) {
            prop_assert!(lab.steps.len() <= 1);
            for problem in problems {
                prop_assert!(!problem.message.is_empty());
                prop_assert!(problem.line as usize <= lines + 5, "{} of {lines} lines", problem);
            }
        }
    }

    #[test]
    fn text_without_marks_stays_as_it_is(words in prop::collection::vec("[a-zA-Z0-9 ,.!?'äé中_*+-]{0,40}", 1..15)) {
        let page: String = words.iter().map(|words| format!("a{}\n", words.trim_end())).collect();
        for (lab, problems) in read_as_each(&page) {
            let text = &lab.steps[0].page.text;
            prop_assert!(text.starts_with(&page), "{text:?} is not {page:?}");
            prop_assert!(problems.iter().all(|problem| problem.line == 1 || problem.file != "p.md"));
        }
    }

    #[test]
    fn a_description_is_read_or_refused(index in "[\\[\\]{}:,\"a-z0-9\\\\/\n ]{0,60}") {
        for name in ["s/index.json", "structure.json", "x-pathway.json"] {
            let text = format!("{{\"details\": {index}");
            let files = memory(&[(name, &text), ("resources/workshop.yaml", &index), ("workshop/content/1.md", "x\n")]);
            let folder = Folder::new(&files);
            let mut problems = Problems::default();
            for place in find(&folder, &mut problems) {
                let _ = read(&folder, &place, &ImageTable::default(), &mut problems);
            }
        }
    }
}

#[test]
fn long_documents_take_no_time() {
    let repeated = [
        "`a`{{copy}} ",
        "[[HOST_IP]]",
        "{{",
        "[x](/",
        "![a](https://x",
        "<iframe",
        "{:",
        ":tab-locator-inline{",
        "\u{e000}",
        "https://",
    ];
    for piece in repeated {
        let page = piece.repeat(60_000 / piece.len()) + "\n";
        for (lab, _) in read_as_each(&page) {
            assert_eq!(lab.steps.len(), 1, "{piece}");
        }
    }
    for line in [
        "```\n",
        "::hint-box\n",
        ">>Q<<\n",
        "{:.quiz}\n",
        "{{< note >}}\n",
        "```section:begin\n```\n",
        "<pre class=\"file\">\n",
    ] {
        let page = line.repeat(3_000);
        for (lab, problems) in read_as_each(&page) {
            assert_eq!(lab.steps.len(), 1, "{line}");
            assert!(problems.len() <= Problems::MOST + 1, "{line}: {}", problems.len());
        }
    }
}
