//! Fences, and pages that are written anew.

use super::*;

fn fences(text: &str) -> Vec<(usize, String, String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let fence = |part| match part {
        Part::Fence(fence) => Some((fence.at, fence.info.to_owned(), fence.code(), fence.after().to_owned())),
        Part::Prose { .. } => None,
    };
    parts(&lines).into_iter().filter_map(fence).collect()
}

fn one(at: usize, info: &str, code: &str, after: &str) -> (usize, String, String, String) {
    (at, info.to_owned(), code.to_owned(), after.to_owned())
}

#[test]
fn fences_stand_in_text_lists_and_quotes() {
    let text = "a\n```sh\nls\n\nps\n```\nb\n1. c\n   ```\n     deep\n   ```{{exec}}\n- ~~~py x\n  1\n  ~~~\n> ```\n> quoted\n> ``` {{copy}}\n";
    assert_eq!(
        fences(text),
        [
            one(1, "sh", "ls\n\nps", ""),
            one(8, "", "  deep", "{{exec}}"),
            one(11, "py x", "1", ""),
            one(14, "", "quoted", "{{copy}}"),
        ]
    );
}

#[test]
fn what_looks_like_a_fence_and_is_none() {
    assert_eq!(fences("```ls -l```{{execute}}\n``\nx\n``\n--- ```\n"), []);
    assert_eq!(fences("````\n```\nx\n````\n"), [one(0, "", "```\nx", "")]);
    assert_eq!(fences("```\nx\n~~~\n```sh\n"), [one(0, "", "x\n~~~\n```sh", "")]);
    assert_eq!(fences("```\n"), [one(0, "", "", "")]);
}

#[test]
fn prose_is_all_the_rest() {
    let lines = ["a", "```", "```", "b", "c"];
    let prose: Vec<_> = parts(&lines)
        .into_iter()
        .filter_map(|part| match part {
            Part::Prose { at, lines } => Some((at, lines.to_vec())),
            Part::Fence(_) => None,
        })
        .collect();
    assert_eq!(prose, [(0, vec!["a"]), (3, vec!["b", "c"])]);
}

#[test]
fn a_fence_keeps_its_lines_under_another_info() {
    let text = "1. ```bash\n   ls\n   ```{{exec}} x\n";
    let lines: Vec<&str> = text.lines().collect();
    let Part::Fence(fence) = &parts(&lines)[0] else { panic!("no fence") };
    assert_eq!(fence.with_info("bash run"), "1. ```bash run\n   ls\n   ```");
    assert_eq!((fence.lines(), fence.indent().as_str()), (3, "   "));
    let open = ["```", "x"];
    let Part::Fence(fence) = &parts(&open)[0] else { panic!("no fence") };
    assert_eq!((fence.with_info("sh"), fence.lines()), ("```sh\nx\n```".to_owned(), 2));
}

#[test]
fn lines_to_the_left_of_a_fence_do_not_end_its_list() {
    let lines = ["4. x", "", "   ```.term1", "ls", "    ps", "", "  ```", "   ```", "out", "   ```"];
    let written: Vec<String> = parts(&lines)
        .iter()
        .filter_map(|part| if let Part::Fence(fence) = part { Some(fence.with_info("sh")) } else { None })
        .collect();
    assert_eq!(written, ["   ```sh\n   ls\n    ps\n\n   ```", "   ```sh\n   out\n   ```"]);
    let quoted = ["> ```", "> x", ">y", "> ```"];
    let Part::Fence(fence) = &parts(&quoted)[0] else { panic!("no fence") };
    assert_eq!(fence.with_info(""), "> ```\n> x\n>y\n> ```");
}

#[test]
fn a_page_keeps_the_numbers_of_its_lines() {
    let mut page = Rewritten::default();
    page.put("one", 1, "");
    page.put("short", 3, "> ");
    page.put("four", 1, "");
    page.put("a\nlonger\nblock", 1, "");
    page.put("five", 1, "");
    page.put("", 1, "");
    page.put("", 1, "");
    page.put("", 1, "");
    page.put("nine", 1, "");
    assert_eq!(page.text(), "one\nshort\n>\n>\nfour\na\nlonger\nblock\nfive\n\nnine\n");
}

#[test]
fn a_title_is_the_first_heading_without_marks() {
    assert_eq!(
        first_heading("x\n```\n# no\n```\n\n## <a name=\"x\"></a>Step 1: *Run* `ls` [here](a.md) {#id} ##\n")
            .as_deref(),
        Some("Step 1: Run ls here")
    );
    assert_eq!(first_heading("#hash\ntext\n"), None);
    assert_eq!(plain("a < b [c"), "a < b [c");
}
