//! Where links, images, includes and quizzes lead, and what is left of those that lead nowhere.

use super::*;
use crate::render::links::decoded;

/// The page and the messages of its problems.
fn with_problems(text: &str, more: &[(&str, &str)]) -> (RenderedPage, Vec<String>) {
    let (rendered, problems) = rendered_with(text, more);
    (rendered.page, problems.into_iter().map(|problem| problem.to_string()).collect())
}

#[test]
fn links_to_steps_and_files_are_found_however_they_are_written() {
    let step = |text: &str, step| RenderedBlock::Step { text: text.to_owned(), step };
    let file = |text: &str, name: &str| RenderedBlock::File { text: text.to_owned(), file: path(name) };
    let preview = |text: &str| RenderedBlock::Preview {
        text: text.to_owned(),
        container: None,
        port: 8080,
        path: "/".to_owned(),
    };
    for (text, block) in [
        ("[a](2.md?x=1#y)", step("a", 1)),
        ("[a](../steps/./2.md)", step("a", 1)),
        ("[*a* `b`](/steps/1.md)", step("a b", 0)),
        ("[port {{port}}](2.md)", step("port 8080", 1)),
        ("[](/data.csv)", file("data.csv", "data.csv")),
        ("[a](../images/a%20b.png)", file("a", "images/a b.png")),
        ("[](preview:{{port}})", preview("port 8080")),
    ] {
        assert_eq!(rendered(text).blocks, [block], "{text}");
    }
    let page = rendered("[here](#there) [mail](mailto:a@example.com) [rest](https://example.com/{{port}})");
    assert_eq!(page.blocks, []);
    assert!(!page.html.contains("there") && page.html.contains("here"), "{}", page.html);
    assert!(page.html.contains("href=\"mailto:a@example.com\""), "{}", page.html);
    assert!(page.html.contains("href=\"https://example.com/8080\""), "{}", page.html);
}

#[test]
fn a_page_in_another_language_is_the_step_that_it_translates() {
    let files = files(&[("steps/2.de.md", "")]);
    let (folder, values) = (Folder::new(&files), Values::new());
    let mut lab = lab();
    lab.steps[1].translations.insert("de".to_owned(), Page { file: path("steps/2.de.md"), ..page("") });
    let mut problems = Problems::default();
    let rendered = Renderer::new(&folder, &lab, &values).page(&page("[weiter](2.de.md)"), &mut problems);
    assert_eq!(problems.into_list(), []);
    assert_eq!(rendered.page.blocks, [RenderedBlock::Step { text: "weiter".to_owned(), step: 1 }]);
}

#[test]
fn links_that_lead_nowhere_leave_their_text() {
    for (text, part) in [
        ("[left](ftp://example.com/x)", "a link begins with http:"),
        ("[left](<\u{1}javascript:alert>)", "a link begins with http:"),
        ("[left](%2e%2e/%2e%2e/x)", "leads out of the lab's folder"),
        ("[left](..%5cx)", "backslash"),
        ("[left](a%00b)", "control character"),
        ("[left](preview:0)", "is not `preview:PORT/path`"),
        ("[left](preview:{{none}})", "is not `preview:PORT/path`"),
        ("[left](../steps)", "there is no file steps"),
    ] {
        let (page, problems) = with_problems(text, &[]);
        assert!(page.html.contains("left") && !page.html.contains("href"), "{text}: {}", page.html);
        assert_eq!(page.blocks, [], "{text}");
        assert!(problems.len() == 1 && problems[0].contains(part), "{text}: {problems:?}");
    }
}

#[test]
fn images_that_can_not_be_shown_leave_what_they_show() {
    for (text, left) in [
        ("![a *red* box](gone.png)", "a red box"),
        ("![a box](../x.exe)", "a box"),
        ("![port {{port}}](../data.csv)", "port 8080"),
        ("![a box](//example.com/x.png)", "<em>a box</em>"),
        ("![](data:image/png;base64,AAAA)", "(image)"),
        ("![a box](https://example.com/x.png)", ">a box</a>"),
        ("![](https://example.com/x.png)", ">https://example.com/x.png</a>"),
    ] {
        let (page, problems) = with_problems(text, &[]);
        assert!(page.html.contains(left) && !page.html.contains("<img"), "{text}: {}", page.html);
        assert_eq!((page.blocks.len(), problems.len()), (0, 1), "{text}: {problems:?}");
    }
    let (page, problems) = with_problems("![{{port}}](/B.PNG \"At {{port}}\")", &[("B.PNG", "")]);
    assert_eq!(problems, Vec::<String>::new());
    let shown = RenderedBlock::Image { file: path("B.PNG"), alt: "8080".to_owned(), title: "At 8080".to_owned() };
    assert_eq!(page.blocks, [shown]);
}

#[test]
fn percent_signs_mean_bytes_only_where_that_is_text() {
    for (text, means) in [
        ("a%20b", "a b"),
        ("%C3%bc", "ü"),
        ("100%", "100%"),
        ("%2", "%2"),
        ("%zz%41", "%zzA"),
        ("%+1", "%+1"),
        ("%%41", "%A"),
        ("%e4x", "%e4x"),
        ("ü%ü", "ü%ü"),
    ] {
        assert_eq!(decoded(text), means, "{text}");
    }
}

#[test]
fn only_a_paragraph_of_its_own_includes_a_file() {
    let parts = [("parts/a.md", "---\ntitle: Hidden\n---\ninner {{port}}\n")];
    let (page, problems) = with_problems("> ![](/parts/a.md)\n", &parts);
    assert_eq!(problems, Vec::<String>::new());
    assert!(page.html.contains("<blockquote>\n<p>inner 8080</p>"), "{}", page.html);
    assert!(!page.html.contains("Hidden"), "{}", page.html);
    let (page, problems) = with_problems("see ![part](/parts/a.md)\n", &parts);
    assert!(problems.len() == 1 && problems[0].contains("not an image"), "{problems:?}");
    assert!(page.html.contains("see part") && !page.html.contains("inner"), "{}", page.html);
    let (_, problems) = with_problems("a\n\n![](parts/none.md)\n\nb\n", &parts);
    assert_eq!(problems, ["steps/1.md:5: there is no file steps/parts/none.md"]);
}

#[test]
fn what_is_wrong_in_an_included_file_is_told_there() {
    let deep = format!("---\ntitle: A\n---\nfine\n\n{}x\n", "> ".repeat(50));
    let (page, problems) = with_problems("before\n\n![](/deep.md)\n\nafter\n", &[("deep.md", &deep)]);
    assert!(problems.len() == 1 && problems[0].starts_with("deep.md:6: too many quotes"), "{problems:?}");
    assert!(page.html.contains("before") && page.html.contains("after"), "{}", page.html);
    let names: Vec<String> = (0..12).map(|n| format!("steps/n{n}.md")).collect();
    let texts: Vec<String> = (0..12).map(|n| format!("text-{n}.\n\n![](n{}.md)\n", n + 1)).collect();
    let chain: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    let (page, problems) = with_problems("![](n0.md)\n", &chain);
    assert_eq!(problems, ["steps/n7.md:3: more than 8 files include one another"]);
    assert!(page.html.contains("text-7.") && !page.html.contains("text-8."), "{}", page.html);
}

#[test]
fn a_quiz_holds_text_and_nothing_else() {
    let (rendered, problems) = rendered_with(
        "```quiz\n<u>Which</u> of `{{port}}`?\n- [x] ![the image](../images/a%20b.png)\n- [x] `ls`{run}\n- [ ] c\n```\n",
        &[],
    );
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].line, problems[0].message.as_str()), (4, "images stand before a quiz, not in it"));
    let [RenderedBlock::Quiz(quiz)] = rendered.page.blocks.as_slice() else { panic!("{:?}", rendered.page) };
    assert_eq!(quiz.question, "<p>Which of <code>8080</code>?</p>\n");
    assert_eq!(quiz.options[..2], ["<p>the image</p>\n", "<p><code>ls</code>{run}</p>\n"]);
    assert!(quiz.several, "two are right");
}

#[test]
fn a_quiz_that_is_broken_shows_nothing_of_its_answers() {
    let (page, problems) = with_problems("before\n\n```quiz\nWhich?\n- [x] secret\n= mixed\n```\n\nafter\n", &[]);
    assert!(problems.len() == 1 && problems[0].starts_with("steps/1.md:5: a quiz needs either"), "{problems:?}");
    assert!(!page.html.contains("secret") && !page.html.contains("mixed"), "{}", page.html);
    assert!(page.html.contains("before") && page.html.contains("after") && page.blocks.is_empty());
    let clash = "```quiz name=quiz-2\nA?\n= 1\n```\n\n```quiz\nB?\n= 1\n```\n";
    assert_eq!(problem(clash), (8, "the step has two quizzes quiz-2".to_owned()));
}

#[test]
fn an_explanation_is_cleaned_like_the_page_and_has_no_slots() {
    let files = files(&[]);
    let (folder, values, lab) = (Folder::new(&files), Values::from([("n".to_owned(), "<7>".to_owned())]), lab());
    let renderer = Renderer::new(&folder, &lab, &values);
    let mut quiz = Quiz {
        name: "q".to_owned(),
        question: "?".to_owned(),
        answers: Answers::Text(vec!["a".to_owned()]),
        explanation: "As {{n}} *is*, <script>alert(1)</script><div data-block=0>x</div> `ls`{run}".to_owned(),
        score: 1,
    };
    let html = renderer.explanation(&page(""), &quiz);
    assert!(html.starts_with("<p>As &lt;7&gt; <em>is</em>,"), "{html}");
    assert!(!html.contains("<script") && !html.contains("data-block"), "{html}");
    quiz.explanation.clear();
    assert_eq!(renderer.explanation(&page(""), &quiz), "");
}

#[test]
fn an_environment_of_the_pool_may_have_any_container() {
    let files = files(&[]);
    let (folder, values) = (Folder::new(&files), Values::new());
    let lab = Lab { environment: LabEnvironment::Named("shell".to_owned()), ..lab() };
    let mut problems = Problems::default();
    let text = "`ls`{run terminal=any} [a](preview:other:80)\n\n```sh edit file=/a container=third\nx\n```\n";
    let rendered = Renderer::new(&folder, &lab, &values).page(&page(text), &mut problems);
    assert_eq!(problems.into_list(), []);
    assert_eq!(rendered.page.blocks.len(), 3);
}

#[test]
fn attributes_stay_only_with_values_that_are_harmless() {
    for (html, stays) in [
        ("<code class=\"language-c++\">x</code>", true),
        ("<code class=\"modal\">x</code>", false),
        ("<div class=\"callout\">x</div>", true),
        ("<div class=\"callout modal\">x</div>", false),
        ("<ol start=\"7\"><li>x</li></ol>", true),
        ("<ol start=\"-7\"><li>x</li></ol>", false),
        ("<table><tbody><tr><td colspan=\"12\">x</td></tr></tbody></table>", true),
        ("<table><tbody><tr><td rowspan=\"1000\">x</td></tr></tbody></table>", false),
        ("<table><tbody><tr><td align=\"right\">x</td></tr></tbody></table>", true),
        ("<table><tbody><tr><td align=\"10em\">x</td></tr></tbody></table>", false),
        ("<abbr title=\"x y\">x</abbr>", true),
    ] {
        let page = rendered(html);
        let wanted = html.split('"').nth(1).unwrap();
        assert_eq!(page.html.contains(&format!("\"{wanted}\"")), stays, "{html}: {}", page.html);
        assert!(page.html.contains('x'), "{html}: {}", page.html);
    }
    let page = rendered("<a href=\"/api/v1/hosts\" title=\"t\">own</a>\n");
    assert!(!page.html.contains("/api") && page.html.contains("own"), "{}", page.html);
}

#[test]
fn a_long_page_is_cut_between_letters() {
    let (page, problems) = with_problems(&"ü".repeat(LONGEST_PAGE), &[]);
    assert!(problems.len() == 1 && problems[0].contains("make several steps"), "{problems:?}");
    let shown = page.html.strip_prefix("<pre>").and_then(|rest| rest.strip_suffix("</pre>")).unwrap();
    assert!(shown.chars().all(|c| c == 'ü') && (64 << 10) - 2 <= shown.len() && shown.len() <= (64 << 10));
}
