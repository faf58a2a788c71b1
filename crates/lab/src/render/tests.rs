use super::*;
use crate::files::MemoryFiles;
use crate::model::{Answers, Format, LabContainer, LabTerminal, Problem, Step};
use proptest::prelude::*;

mod places;

fn path(text: &str) -> LabPath {
    LabPath::parse(text).unwrap()
}

fn page(text: &str) -> Page {
    Page { title: "T {{port}}".to_owned(), file: path("steps/1.md"), line: 3, text: text.to_owned() }
}

fn lab() -> Lab {
    let container =
        |name: &str| LabContainer { name: name.to_owned(), image: "alpine".to_owned(), ..LabContainer::default() };
    let step = |file: &str| Step {
        page: Page { file: path(file), ..page("") },
        translations: BTreeMap::new(),
        setup: Vec::new(),
        checks: Vec::new(),
        solution: None,
    };
    Lab {
        format: Format::Pierhead,
        title: "L".to_owned(),
        summary: String::new(),
        environment: LabEnvironment::Containers(vec![container("main"), container("db")]),
        terminals: vec![LabTerminal { name: "t1".to_owned(), container: None }],
        minutes: None,
        variables: Vec::new(),
        language: String::new(),
        translations: BTreeMap::new(),
        steps: vec![step("steps/1.md"), step("steps/2.md")],
        assets: Vec::new(),
    }
}

fn files(more: &[(&str, &str)]) -> MemoryFiles {
    let usual = [("steps/1.md", ""), ("steps/2.md", ""), ("images/a b.png", ""), ("data.csv", ""), ("x.exe", "")];
    let contents = usual.iter().chain(more).map(|(name, text)| (path(name), text.as_bytes().to_vec()));
    MemoryFiles::new(contents.collect()).unwrap()
}

fn rendered_with(text: &str, more: &[(&str, &str)]) -> (Rendered, Vec<Problem>) {
    let files = files(more);
    let folder = Folder::new(&files);
    let values = Values::from([("port".to_owned(), "8080".to_owned()), ("evil".to_owned(), "<b>*x*</b>".to_owned())]);
    let mut problems = Problems::default();
    let rendered = Renderer::new(&folder, &lab(), &values).page(&page(text), &mut problems);
    (rendered, problems.into_list())
}

fn rendered(text: &str) -> RenderedPage {
    let (rendered, problems) = rendered_with(text, &[]);
    assert_eq!(problems, [], "{text}");
    rendered.page
}

/// The one problem of a page.
fn problem(text: &str) -> (u32, String) {
    let (_, problems) = rendered_with(text, &[]);
    assert_eq!(problems.len(), 1, "{text}: {problems:?}");
    assert_eq!(problems[0].file, "steps/1.md");
    (problems[0].line, problems[0].message.clone())
}

#[test]
fn text_becomes_html() {
    let page =
        rendered("# A\n\nSome *text* and `code`.\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n\n```rust\nfn x<T>() {}\n```\n");
    assert_eq!(page.title, "T 8080");
    assert!(page.html.contains("<h1>A</h1>\n<p>Some <em>text</em> and <code>code</code>.</p>"), "{}", page.html);
    assert!(page.html.contains("<td align=\"center\">2</td>"), "{}", page.html);
    assert!(page.html.contains("<pre><code class=\"language-rust\">fn x&lt;T&gt;() {}"), "{}", page.html);
    assert_eq!(page.blocks, []);
}

#[test]
fn code_that_does_something_becomes_blocks_also_in_lists() {
    let page = rendered(
        "1. First `ls -l`{run terminal=t1}, then `x`{copy}.\n\n   ```sh run interrupt\n   make\n     all\n   ```\n\n\
         ```yaml edit file=/etc/a.yaml container=db\na: {{port}}\n```\n",
    );
    let run = |code: &str, language: &str, terminal: Option<&str>, interrupt, inline| RenderedBlock::Run {
        code: code.to_owned(),
        language: language.to_owned(),
        terminal: terminal.map(str::to_owned),
        interrupt,
        inline,
    };
    assert_eq!(
        page.blocks,
        [
            run("ls -l", "", Some("t1"), false, true),
            RenderedBlock::Copy { code: "x".to_owned(), language: String::new(), inline: true },
            run("make\n  all", "sh", None, true, false),
            RenderedBlock::Edit {
                code: "a: 8080".to_owned(),
                language: "yaml".to_owned(),
                file: "/etc/a.yaml".to_owned(),
                container: Some("db".to_owned()),
            },
        ]
    );
    assert!(
        page.html.contains("First <span data-block=\"0\"></span>, then <span data-block=\"1\"></span>."),
        "{}",
        page.html
    );
    let list = page.html.find("</ol>").unwrap();
    assert!(page.html.find("<div data-block=\"2\"></div>").unwrap() < list);
    assert!(page.html.find("<div data-block=\"3\"></div>").unwrap() > list);
}

#[test]
fn links_lead_to_previews_steps_files_and_the_web() {
    let page = rendered(
        "[app](preview:{{port}}/a) [db](preview:db:5432) [next](2.md#x) [data](/data.csv) [web](https://example.com/?a=b&c)",
    );
    assert_eq!(
        page.blocks,
        [
            RenderedBlock::Preview { text: "app".to_owned(), container: None, port: 8080, path: "/a".to_owned() },
            RenderedBlock::Preview {
                text: "db".to_owned(),
                container: Some("db".to_owned()),
                port: 5432,
                path: "/".to_owned()
            },
            RenderedBlock::Step { text: "next".to_owned(), step: 1 },
            RenderedBlock::File { text: "data".to_owned(), file: path("data.csv") },
        ]
    );
    let link =
        "<a href=\"https://example.com/?a=b&amp;c\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">web</a>";
    let target_first =
        "<a href=\"https://example.com/?a=b&amp;c\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">web</a>";
    assert!(page.html.contains(link) || page.html.contains(target_first), "{}", page.html);
}

#[test]
fn images_are_files_of_the_lab() {
    let page = rendered("![a *screen*](../images/a%20b.png \"Fig. 1\")");
    let image =
        RenderedBlock::Image { file: path("images/a b.png"), alt: "a screen".to_owned(), title: "Fig. 1".to_owned() };
    assert_eq!(page.blocks, [image]);
    for (text, part) in [
        ("![a](gone.png)", "no file steps/gone.png"),
        ("![a](../../x.png)", "out of the lab's folder"),
        ("![a](https://example.com/x.png)", "must be a file of the lab"),
        ("![a](//example.com/x.png)", "must be a file of the lab"),
        ("![a](data:image/png;base64,AAAA)", "must be a file of the lab"),
        ("![a](../x.exe)", "not an image"),
        ("<img src=x.png>", "as HTML"),
    ] {
        let (line, message) = problem(text);
        assert!(line == 3 && message.contains(part), "{text}: {line} {message}");
    }
}

#[test]
fn hints_may_hold_blocks_and_stand_in_lists() {
    let page = rendered(
        "- a\n\n  > [!HINT] Look *closer*\n  > Try `ls`{run}.\n  >\n  > > [!hint]\n  > > deeper\n\n> [!NOTE]\n> seen\n",
    );
    let [
        RenderedBlock::Hint { title, html },
        RenderedBlock::Run { .. },
        RenderedBlock::Hint { title: inner, html: deeper },
    ] = page.blocks.as_slice()
    else {
        panic!("{:?}", page.blocks)
    };
    assert_eq!((title.as_str(), inner.as_str()), ("Look closer", ""));
    assert!(
        html.contains("Try <span data-block=\"1\"></span>.") && html.contains("<div data-block=\"2\"></div>"),
        "{html}"
    );
    assert!(deeper.contains("deeper") && !html.contains("deeper") && !page.html.contains("Try"), "{}", page.html);
    assert!(page.html.contains("callout") && page.html.contains("seen"), "{}", page.html);
    assert!(problem("> [!HINT] nothing").1.contains("a hint needs"));
}

#[test]
fn quizzes_tell_the_page_nothing_of_their_answers() {
    let text = "```quiz name=ports score=2\nWhich **port**?\n- [ ] `80`\n- [x] {{port}}\n> because\n```\n\n```quiz\nHow many?\n= {{port}}\n```\n";
    let (rendered, problems) = rendered_with(text, &[]);
    assert_eq!(problems, []);
    let json = serde_json::to_string(&rendered.page).unwrap();
    assert!(!json.contains("because") && !json.contains("right") && !json.contains("[x]"), "{json}");
    let [RenderedBlock::Quiz(choice), RenderedBlock::Quiz(text)] = rendered.page.blocks.as_slice() else {
        panic!("{json}")
    };
    assert_eq!(choice.options, ["<p><code>80</code></p>\n", "<p>8080</p>\n"]);
    assert_eq!((choice.several, choice.score, choice.name.as_str()), (false, 2, "ports"));
    assert_eq!((text.options.len(), text.name.as_str()), (0, "quiz-2"));
    assert_eq!(rendered.quizzes[1].answers, Answers::Text(vec!["8080".to_owned()]));
    let (line, message) = problem("text\n\n```quiz\nWhich?\n- [ ] a\n```\n");
    assert!(line == 5 && message.contains("none of the options"), "{line} {message}");
    assert!(problem("```quiz name=a\nA?\n= 1\n```\n```quiz name=a\nB?\n= 1\n```\n").1.contains("two quizzes a"));
}

#[test]
fn variables_are_text_wherever_they_stand() {
    let page = rendered("{{evil}} `{{evil}}` <b>{{evil}}</b>\n\n```sh run\n{{evil}} {{unknown}}\n```\n");
    assert!(
        page.html.contains("<p>&lt;b&gt;*x*&lt;/b&gt; <code>&lt;b&gt;*x*&lt;/b&gt;</code> <b>&lt;b&gt;"),
        "{}",
        page.html
    );
    let RenderedBlock::Run { code, .. } = &page.blocks[0] else { panic!() };
    assert_eq!(code, "<b>*x*</b> {{unknown}}");
    assert_eq!(problem("one\n\nsee {{my_port}}"), (5, "the lab has no variable my_port".to_owned()));
}

#[test]
fn files_stand_in_the_place_of_their_images() {
    let parts = [
        ("parts/a.md", "---\ntitle: A\n---\nfrom *a* `ls`{run}\n\n![](b.md)\n"),
        ("parts/b.md", "> [!HINT] B\n> from b\n\n![gone](gone.png)\n"),
    ];
    let (rendered, problems) = rendered_with("before\n\n![](/parts/a.md)\n\nafter\n", &parts);
    let html = &rendered.page.html;
    let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text} in {html}"));
    assert!(
        at("before") < at("from <em>a</em>")
            && at("from <em>a</em>") < at("data-block=\"1\"")
            && at("data-block=\"1\"") < at("after")
    );
    assert_eq!(rendered.page.blocks.len(), 2, "{:?}", rendered.page.blocks);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].file.as_str(), problems[0].line), ("parts/b.md", 4));
}

#[test]
fn files_that_include_themselves_end() {
    let circle = [("steps/a.md", "![](b.md)\n"), ("steps/b.md", "x\n\n![](a.md)\n")];
    let (_, problems) = rendered_with("![](a.md)\n", &circle);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].file.as_str(), problems[0].line), ("steps/b.md", 3));
    assert!(problems[0].message.contains("includes itself"), "{problems:?}");
    let (_, problems) = rendered_with("![](1.md)\n", &[]);
    assert!(problems[0].message.contains("includes itself"), "{problems:?}");
    // Each includes the next one twice: without a bound that were millions.
    let names: Vec<String> = (0..30).map(|n| format!("steps/n{n}.md")).collect();
    let filler = "filler ".repeat(1000);
    let texts: Vec<String> = (1..31).map(|n| format!("{filler}\n\n![](n{n}.md)\n\n![](n{n}.md)\n")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    let (rendered, problems) = rendered_with("![](n0.md)\n", &many);
    assert!(!problems.is_empty() && rendered.page.html.len() < 2 * LONGEST_PAGE, "{}", rendered.page.html.len());
}

#[test]
fn names_that_the_lab_does_not_have_are_told() {
    for (text, message) in [
        ("```sh run terminal=t9\nls\n```\n", "the lab has no terminal or container t9"),
        ("`ls`{run terminal=t9}", "the lab has no terminal or container t9"),
        ("```sh edit file=/a container=c9\n```\n", "the lab has no container c9"),
        ("[a](preview:c9:80)", "the lab has no container c9"),
        ("[a](gone.md)", "there is no file steps/gone.md"),
    ] {
        assert_eq!(problem(text), (3, message.to_owned()), "{text}");
    }
    assert!(problem("a\n\n```sh run teminal=db\n```\n").1.contains("not known here"));
    rendered("`ls`{run terminal=db}");
}

#[test]
fn a_page_that_is_too_long_or_too_deep_is_shown_as_text() {
    let long = "word ".repeat(LONGEST_PAGE / 4);
    let (page, problems) = rendered_with(&long, &[]);
    assert!(page.page.html.starts_with("<pre>word") && problems[0].message.contains("bytes"), "{problems:?}");
    let (page, problems) = rendered_with(&format!("a\n\n{}<b>x", "> ".repeat(50_000)), &[]);
    assert!(page.page.html.starts_with("<pre>") && !page.page.html.contains("<b>"));
    assert_eq!((problems[0].line, problems.len()), (5, 1));
    rendered(&format!("a\n\n{}\n\n{}\n", "-".repeat(200), "* ".repeat(100)));
}

/// Everything that may stand in what a browser gets.
fn assert_harmless(page: &RenderedPage) {
    let mut all = vec![page.html.clone()];
    for block in &page.blocks {
        match block {
            RenderedBlock::Hint { html, .. } => all.push(html.clone()),
            RenderedBlock::Quiz(quiz) => all.extend(quiz.options.iter().chain([&quiz.question]).cloned()),
            _ => {}
        }
    }
    for html in all {
        for tag in html.split('<').skip(1) {
            let tag = tag.split('>').next().unwrap().trim_start_matches('/');
            let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            let allowed = "a abbr b blockquote br caption cite code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i ins \
                           kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td th thead tr u ul";
            assert!(allowed.split_whitespace().any(|known| known == name), "<{name}> in {html}");
            for part in attributes.split("=\"").map(|part| part.rsplit(['"', ' ']).next().unwrap()) {
                let known = [
                    "href",
                    "title",
                    "class",
                    "open",
                    "data-block",
                    "data-callout",
                    "start",
                    "align",
                    "colspan",
                    "rowspan",
                    "target",
                    "rel",
                    "",
                ];
                assert!(known.contains(&part), "{part} in {html}");
            }
        }
        for href in html.split("href=\"").skip(1) {
            assert!(["http:", "https:", "mailto:"].iter().any(|scheme| href.starts_with(scheme)), "{html}");
        }
    }
}

const INJECTIONS: [&str; 44] = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//x></sCrIpT>",
    "<script\n>alert(1)</script\n>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=x></object><embed src=x>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=' java&#x0A;script:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href=x onclick=alert(1)>x</a>",
    "<div onmouseover=alert(1) style='position:fixed;inset:0'>x</div>",
    "<form action=/api/logout method=post><input type=submit><button formaction=x>x</button></form>",
    "<base href=//evil><link rel=stylesheet href=x><meta http-equiv=refresh content='0;url=//evil'>",
    "<style>*{background:url(//evil)}</style>",
    "<body onload=alert(1)><html><head><title>x</title>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<template><script>alert(1)</script></template>",
    "<video src=x onerror=alert(1)><audio autoplay><source src=x>",
    "<details open ontoggle=alert(1)>x</details>",
    "<marquee onstart=alert(1)>x</marquee><blink>",
    "<textarea><script>alert(1)</script></textarea>",
    "<p id=app name=x class=modal>x</p>",
    "<div data-block=0 DATA-BLOCK='1'>x</div>",
    "<span data-block=\"99999999\">x</span>",
    "<!-- --!> <script>alert(1)</script> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?><!DOCTYPE html>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "[x](vbscript:x) [y](data:text/html,x) [z](file:///etc/passwd) [b](blob:x)",
    "![x](javascript:alert(1)) ![y](http://evil/x.png) ![\"><script>](x.png)",
    "[x](https://a\"onclick=alert(1)//)",
    "[x](https://a 'a\" onmouseover=\"alert(1)')",
    "<javascript:alert(1)> <https://a\"onclick=x>",
    "```\"><script>alert(1)</script>\ncode\n```",
    "```sh run\n</div><script>alert(1)</script>\n```\n`<script>`{run}",
    "> [!HINT] <script>alert(1)</script>\n> <script>alert(1)</script><img src=x onerror=alert(1)>",
    "```quiz\n<script>alert(1)</script> [x](javascript:x)\n- [x] <img src=x onerror=alert(1)>\n- [ ] ![x](//evil)\n```",
];

#[test]
fn nothing_of_a_document_runs_loads_or_pretends() {
    for text in INJECTIONS {
        for text in [text.to_owned(), format!("- {text}\n  {text}"), format!("a {text} b"), format!("> {text}")] {
            let (rendered, _) = rendered_with(&text, &[]);
            assert_harmless(&rendered.page);
            let slots = rendered.page.html.matches("data-block").count();
            assert!(slots <= rendered.page.blocks.len(), "{text}: {}", rendered.page.html);
        }
    }
}

#[test]
fn raw_html_that_is_harmless_stays() {
    let page = rendered("Press <kbd>Ctrl</kbd><br>\n\n<details><summary>More</summary>\n\n*text*\n\n</details>\n");
    assert!(page.html.contains("<kbd>Ctrl</kbd><br>"), "{}", page.html);
    assert!(
        page.html.contains("<details><summary>More</summary>") && page.html.contains("<em>text</em>"),
        "{}",
        page.html
    );
}

#[test]
fn hostile_pages_take_no_time() {
    let half = LONGEST_PAGE / 2;
    for part in [
        "\\",
        "*a **a ",
        "[",
        "![",
        "<b><i>",
        "`",
        "``` ",
        "<a",
        "{{",
        "`a`{run ",
        "&",
        "|a|b|\n|-|-|\n",
        "<table><b>",
        "a\n> ",
        "[a](",
        "_*~",
        "<!--",
        "$$",
        "- a\n  ",
    ] {
        let text = part.repeat(half / part.len());
        let (rendered, _) = rendered_with(&text, &[]);
        eprintln!("{part:?}");
        assert_harmless(&rendered.page);
    }
    let (page, problems) = rendered_with(&format!("a\n{}", "&".repeat(4097)), &[]);
    assert!(page.page.html.starts_with("<pre>") && problems[0].line == 4, "{problems:?}");
    rendered(&"a & b ".repeat(4096));
    let steps: String = (0..600).map(|depth| format!("{}- a\n", "  ".repeat(depth))).collect();
    assert_harmless(&rendered_with(&steps, &[]).0.page);
}

#[test]
fn the_form_of_a_page_stays() {
    let page = rendered("`ls`{run}\n\n[a](preview:80) ![b](/images/a%20b.png)\n\n```quiz name=q\nA?\n- [x] b\n```\n");
    assert_eq!(
        serde_json::to_value(&page).unwrap(),
        serde_json::json!({
            "title": "T 8080",
            "html": "<p><span data-block=\"0\"></span></p>\n<p><span data-block=\"1\"></span> <span data-block=\"2\"></span></p>\n<div data-block=\"3\"></div>\n",
            "blocks": [
                {"kind": "run", "code": "ls", "language": "", "terminal": null, "interrupt": false, "inline": true},
                {"kind": "preview", "text": "a", "container": null, "port": 80, "path": "/"},
                {"kind": "image", "file": "images/a b.png", "alt": "b", "title": ""},
                {"kind": "quiz", "name": "q", "question": "<p>A?</p>\n", "options": ["<p>b</p>\n"], "several": false, "score": 1},
            ],
        })
    );
    let json = serde_json::to_string(&page).unwrap();
    assert_eq!(serde_json::from_str::<RenderedPage>(&json).unwrap(), page);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_is_written_is_harmless(parts in proptest::collection::vec(proptest::sample::select(
        INJECTIONS.iter().copied().chain(["\n", "\n\n", "> ", "- ", "`", "```", "{run}", "<", ">", "\"", "{{evil}}", "![](1.md)"]).collect::<Vec<_>>()
    ), 1..12)) {
        let (rendered, _) = rendered_with(&parts.concat(), &[]);
        assert_harmless(&rendered.page);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        assert_harmless(&rendered_with(&text, &[]).0.page);
    }
}
