use super::*;
use crate::spell;
use proptest::prelude::*;

fn run(terminal: Option<&str>, interrupt: bool) -> Action {
    Action::Run { terminal: terminal.map(str::to_owned), interrupt }
}

#[test]
fn the_words_of_fences() {
    let read = |text: &str| info(text).unwrap();
    assert_eq!(read("sh run"), Info::Action("sh".to_owned(), Action::RUN));
    assert_eq!(read("run"), Info::Action(String::new(), Action::RUN));
    assert_eq!(read("SQL run terminal=db interrupt"), Info::Action("sql".to_owned(), run(Some("db"), true)));
    assert_eq!(read("yaml copy"), Info::Action("yaml".to_owned(), Action::Copy));
    let edit = Action::Edit { file: "/etc/a.yaml".to_owned(), container: Some("web".to_owned()) };
    assert_eq!(read("yaml edit file=/etc/a.yaml container=web"), Info::Action("yaml".to_owned(), edit));
    assert_eq!(read("quiz"), Info::Quiz { name: None, score: 1 });
    assert_eq!(read("quiz score=3 name=ports"), Info::Quiz { name: Some("ports".to_owned()), score: 3 });
    for plain in ["", "js {1,3}", "sh title=run", "python running", "sh not run"] {
        assert!(matches!(read(plain), Info::Plain(_)), "{plain}");
    }
    assert_eq!(read("<script> x"), Info::Plain(String::new()));
}

#[test]
fn what_is_almost_ours_is_wrong_and_says_what_is_known() {
    for (text, part) in [
        ("sh run terminl=db", "`terminal=…` and `interrupt`"),
        ("sh run terminal=", "terminal="),
        ("sh run terminal=DB", "name of a terminal"),
        ("sh run terminal=a terminal=b", "twice"),
        ("sh run interrupt interrupt", "twice"),
        ("sh copy now", "nothing"),
        ("yaml edit", "file="),
        ("yaml edit file=etc/x", "from its root"),
        ("yaml edit file=/a/../b", "without `..`"),
        ("quiz name=A", "name of a quiz"),
        ("quiz score=many", "`score`"),
        ("quiz score=1001", "`score`"),
    ] {
        let message = info(text).unwrap_err();
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn inline_code_has_a_suffix() {
    assert_eq!(suffix("{run} and"), Some((Ok(Action::RUN), 5)));
    assert_eq!(suffix("{ copy }"), Some((Ok(Action::Copy), 8)));
    assert_eq!(suffix("{run terminal=t1}."), Some((Ok(run(Some("t1"), false)), 17)));
    assert!(matches!(suffix("{run now}"), Some((Err(_), 9))));
    for none in ["", " {run}", "{}", "{{run}}", "{run", "{edit file=/a}", "{name}"] {
        assert_eq!(suffix(none), None, "{none}");
    }
}

#[test]
fn links_to_previews() {
    let to = |url: &str| preview(url).unwrap().unwrap();
    assert_eq!(to("preview:8080"), (None, 8080, "/".to_owned()));
    assert_eq!(to("preview:web:80/a/b?c=d#e"), (Some("web".to_owned()), 80, "/a/b?c=d#e".to_owned()));
    assert_eq!(to("preview:80?x"), (None, 80, "/?x".to_owned()));
    assert_eq!(preview("https://example.com"), None);
    for wrong in [
        "preview:",
        "preview:0",
        "preview:65536",
        "preview:Web:80",
        "preview:a:b:80",
        "preview:80/a b",
        "preview:80\\x",
    ] {
        assert!(preview(wrong).unwrap().is_err(), "{wrong}");
    }
}

#[test]
fn quizzes_of_both_kinds() {
    let read = |content: &str| quiz("q".to_owned(), 1, content);
    let choice = read("Which?\n\nReally?\n- [ ] `a`\n* [X] b\n\n> because\n>  of c\n").unwrap();
    assert_eq!(choice.question, "Which?\n\nReally?");
    assert_eq!(choice.explanation, "because\n of c");
    let Answers::Choice(options) = &choice.answers else { panic!("{choice:?}") };
    assert_eq!(
        options.iter().map(|option| (option.text.as_str(), option.right)).collect::<Vec<_>>(),
        [("`a`", false), ("b", true)]
    );
    let text = read("How many?\n= 42\n= forty-two").unwrap();
    assert_eq!(text.answers, Answers::Text(vec!["42".to_owned(), "forty-two".to_owned()]));
    for (wrong, part) in [
        ("", "no question"),
        ("- [x] a", "no question"),
        ("Which?", "needs either"),
        ("Which?\n- [ ] a", "none of the options"),
        ("Which?\n- [x] a\n= b", "needs either"),
        ("Which?\n- [x] a\nmore", "only lines"),
    ] {
        let message = read(wrong).unwrap_err();
        assert!(message.contains(part), "{wrong:?}: {message}");
    }
    assert!(read(&format!("Which?\n{}", "- [x] a\n".repeat(51))).is_err());
}

fn actions() -> impl Strategy<Value = Action> {
    let name = "[a-z][a-z0-9]{0,8}";
    prop_oneof![
        (proptest::option::of(name), any::<bool>())
            .prop_map(|(terminal, interrupt)| Action::Run { terminal, interrupt }),
        Just(Action::Copy),
        ("(/[a-z0-9._-]{1,6}){1,3}", proptest::option::of(name))
            .prop_filter("no way up", |(file, _)| !file.contains(".."))
            .prop_map(|(file, container)| Action::Edit { file, container }),
    ]
}

proptest! {
    #[test]
    fn what_is_spelled_is_read_again(action in actions(), language in "(sh|sql|c\\+\\+|)") {
        prop_assert_eq!(info(&spell::info(&language, &action)), Ok(Info::Action(language, action)));
    }

    #[test]
    fn a_spelled_quiz_is_read_again(
        question in "[a-z?]{1,20}( [a-z]{1,5}){0,3}",
        options in proptest::collection::vec(("[a-z`*]{1,10}", any::<bool>()), 1..6),
        explanation in "([a-z]{1,9}){0,1}",
        score in 0u32..1000,
    ) {
        let mut options: Vec<QuizOption> = options.into_iter().map(|(text, right)| QuizOption { text, right }).collect();
        options[0].right = true;
        let asked = Quiz { name: "q".to_owned(), question, answers: Answers::Choice(options), explanation, score };
        let spelled = spell::quiz(&asked, "");
        let mut lines = spelled.lines();
        let first = lines.next().unwrap().trim_start_matches('`').to_owned();
        prop_assert_eq!(info(&first), Ok(Info::Quiz { name: Some("q".to_owned()), score }));
        let content: Vec<&str> = lines.take_while(|line| !line.starts_with("```")).collect();
        prop_assert_eq!(quiz("q".to_owned(), score, &content.join("\n")), Ok(asked));
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,60}") {
        let _ = (info(&text), suffix(&text), preview(&text), quiz("q".to_owned(), 1, &text));
        let _ = (suffix(&format!("{{{text}")), preview(&format!("preview:{text}")));
    }
}
