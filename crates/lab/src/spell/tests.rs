use super::*;
use crate::files::{Folder, MemoryFiles};
use crate::model::{Answers, Format, Lab, LabEnvironment, Page, Problems, QuizOption};
use crate::path::LabPath;
use crate::render::{Rendered, RenderedBlock, Renderer};
use crate::variables::Values;
use proptest::prelude::*;

/// What the renderer makes of a text; nothing may be wrong with it.
fn rendered(text: &str) -> Rendered {
    let lab = Lab {
        format: Format::Pierhead,
        title: "L".to_owned(),
        summary: String::new(),
        environment: LabEnvironment::Named("shell".to_owned()),
        terminals: Vec::new(),
        minutes: None,
        variables: Vec::new(),
        language: String::new(),
        translations: Default::default(),
        steps: Vec::new(),
        assets: Vec::new(),
    };
    let page = Page { title: "T".to_owned(), file: LabPath::parse("1.md").unwrap(), line: 1, text: text.to_owned() };
    let (files, values) = (MemoryFiles::default(), Values::new());
    let folder = Folder::new(&files);
    let mut problems = Problems::default();
    let rendered = Renderer::new(&folder, &lab, &values).page(&page, &mut problems);
    assert_eq!(problems.into_list(), [], "{text}");
    rendered
}

fn run(terminal: &str) -> Action {
    Action::Run { terminal: Some(terminal.to_owned()), interrupt: true }
}

#[test]
fn a_fence_is_longer_than_any_in_its_code() {
    let code = "````md\n```sh\nls\n```\n````";
    let text = fence("md", &Action::Copy, code, "");
    assert!(text.starts_with("`````md copy\n"), "{text}");
    let page = rendered(&text).page;
    let copied = RenderedBlock::Copy { code: code.to_owned(), language: "md".to_owned(), inline: false };
    assert_eq!(page.blocks, [copied]);
}

#[test]
fn a_fence_in_a_list_stays_in_its_item() {
    let text = format!("1. First:\n\n   {}\n2. Second\n", fence("sh", &run("t1"), "a\n\n  b", "   "));
    let page = rendered(&text).page;
    let RenderedBlock::Run { code, terminal, interrupt, .. } = &page.blocks[0] else { panic!("{page:?}") };
    assert_eq!((code.as_str(), terminal.as_deref(), *interrupt), ("a\n\n  b", Some("t1"), true));
    assert!(page.html.find("data-block").unwrap() < page.html.find("Second").unwrap());
    assert_eq!(page.html.matches("<ol>").count(), 1, "{}", page.html);
}

#[test]
fn code_within_a_line_may_hold_backticks() {
    for code in ["ls -l", "echo `date`", "`date`", "``", "a ``` b"] {
        let page = rendered(&format!("Do {} now", inline(code, &run("db")))).page;
        let [RenderedBlock::Run { code: found, inline: true, .. }] = page.blocks.as_slice() else {
            panic!("{code}: {page:?}")
        };
        assert_eq!(found, code);
    }
    let edit = Action::Edit { file: "/a".to_owned(), container: None };
    assert_eq!(inline("x", &edit), "`x`{copy}");
}

#[test]
fn an_editor_block_names_its_file() {
    let edit = Action::Edit { file: "/etc/a.conf".to_owned(), container: Some("web".to_owned()) };
    let page = rendered(&fence("", &edit, "a = 1\n", "")).page;
    let block = RenderedBlock::Edit {
        code: "a = 1".to_owned(),
        language: String::new(),
        file: "/etc/a.conf".to_owned(),
        container: Some("web".to_owned()),
    };
    assert_eq!(page.blocks, [block]);
}

#[test]
fn previews_are_links_of_their_own() {
    assert_eq!(preview(None, 80, ""), "preview:80");
    assert_eq!(preview(Some("web"), 8080, "/a?b=c"), "preview:web:8080/a?b=c");
    let page = rendered(&format!("[see]({})", preview(Some("web"), 8080, "/a?b=c"))).page;
    let block = RenderedBlock::Preview {
        text: "see".to_owned(),
        container: Some("web".to_owned()),
        port: 8080,
        path: "/a?b=c".to_owned(),
    };
    assert_eq!(page.blocks, [block]);
}

#[test]
fn a_hint_holds_paragraphs_and_code() {
    let inner = format!("One.\n\nTwo:\n\n{}", fence("sh", &Action::RUN, "ls\n\npwd", ""));
    let page = rendered(&hint("Look here", &inner)).page;
    let [RenderedBlock::Hint { title, html }, RenderedBlock::Run { code, .. }] = page.blocks.as_slice() else {
        panic!("{page:?}")
    };
    assert_eq!((title.as_str(), code.as_str()), ("Look here", "ls\n\npwd"));
    assert!(html.contains("<p>One.</p>") && html.contains("data-block=\"1\""), "{html}");
}

#[test]
fn a_quiz_keeps_what_is_right_and_why() {
    let option = |text: &str, right| QuizOption { text: text.to_owned(), right };
    let asked = Quiz {
        name: "q".to_owned(),
        question: "Which of ```` these?".to_owned(),
        answers: Answers::Choice(vec![option("`a`", true), option("b", false), option("c", true)]),
        explanation: "Both.\n\nReally.".to_owned(),
        score: 3,
    };
    let found = rendered(&quiz(&asked, ""));
    assert_eq!(found.quizzes, [asked]);
    let RenderedBlock::Quiz(shown) = &found.page.blocks[0] else { panic!("{:?}", found.page) };
    assert!(shown.several && shown.options.len() == 3 && shown.score == 3);
    let texts = Answers::Text(vec!["a b".to_owned(), "c".to_owned()]);
    let text = Quiz { answers: texts, explanation: String::new(), score: 1, ..found.quizzes[0].clone() };
    assert_eq!(rendered(&format!("- item\n\n  {}", quiz(&text, "  "))).quizzes, [text]);
}

proptest! {
    #[test]
    fn any_code_survives_its_fence(code in "[ -~]{0,12}(\n[ -~`]{0,12}){0,5}", indent in 0usize..4) {
        prop_assume!(!code.trim().is_empty() && !code.contains("{{"));
        let text = format!("{}x\n\n{}{}", if indent > 0 { "1. " } else { "" }, " ".repeat(if indent > 0 { 3 } else { 0 }),
            fence("sh", &Action::Copy, &code, if indent > 0 { "   " } else { "" }));
        let page = rendered(&text).page;
        let [RenderedBlock::Copy { code: found, .. }] = page.blocks.as_slice() else { panic!("{text}: {page:?}") };
        prop_assert_eq!(found.trim_end_matches('\n'), code.trim_end_matches('\n'));
    }
}
