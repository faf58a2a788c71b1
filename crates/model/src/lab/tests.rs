use super::*;

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn digest(digit: char) -> Digest {
    Digest::parse(digit.to_string().repeat(64)).unwrap()
}

fn draft(revision: u64, by: &str, at: u64) -> LabDraft {
    LabDraft { revision, tree: digest('a'), at: Timestamp(at), by: name(by) }
}

fn written(path: &str) -> LabChange {
    LabChange::Written { path: path.to_owned() }
}

#[test]
fn a_digest_is_64_digits_and_nothing_else() {
    assert_eq!(digest('f').as_str().len(), 64);
    for bad in ["", "../x", &"0F".repeat(32), &"0g".repeat(32), &"0f".repeat(31), &"é".repeat(32)] {
        assert!(Digest::parse(bad).is_err(), "{bad:?}");
        assert!(serde_json::from_value::<Digest>(bad.into()).is_err(), "{bad:?}");
    }
}

#[test]
fn writing_on_at_one_file_is_one_change() {
    let mut history = LabHistory::default();
    history.add(&draft(1, "ann", 0), LabChange::Made);
    history.add(&draft(2, "ann", 1_000), written("a.md"));
    history.add(&draft(3, "ann", 100_000), written("a.md"));
    assert_eq!(history.drafts.iter().map(|draft| draft.revision).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((history.drafts[1].since, history.drafts[1].at), (Timestamp(1_000), Timestamp(100_000)));
    // Counted from where it began, or nothing would be left of an afternoon.
    history.add(&draft(4, "ann", 121_001), written("a.md"));
    history.add(&draft(5, "bob", 121_002), written("a.md"));
    history.add(&draft(6, "bob", 121_003), written("b.md"));
    history.add(&draft(7, "bob", 121_004), LabChange::Pushed);
    history.add(&draft(8, "bob", 121_005), LabChange::Pushed);
    assert_eq!(history.drafts.iter().map(|draft| draft.revision).collect::<Vec<_>>(), [1, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn only_the_last_drafts_are_remembered() {
    let mut history = LabHistory::default();
    for revision in 1..=150 {
        history.add(&draft(revision, "ann", revision), LabChange::Pushed);
    }
    assert_eq!((history.drafts.len(), history.drafts[0].revision), (LabHistory::KEPT, 51));
}

#[test]
fn it_is_known_who_changed_a_file_last() {
    let mut history = LabHistory::default();
    history.add(&draft(1, "ann", 1), LabChange::Pushed);
    history.add(&draft(2, "bob", 2), written("steps/1.md"));
    history.add(&draft(3, "eve", 3), LabChange::Moved { path: "images".to_owned(), to: "pictures".to_owned() });
    let by = |path: &str| history.last_of(path).map(|draft| draft.by.to_string()).unwrap();
    assert_eq!((by("steps/1.md"), by("steps/2.md"), by("pictures/a.png")), ("bob".into(), "ann".into(), "eve".into()));
    assert_eq!((by("images/a.png"), by("pictures2/a.png")), ("eve".into(), "ann".into()));
    assert!(LabHistory::default().last_of("x").is_none());
}

#[test]
fn a_change_that_a_newer_program_made_can_be_read() {
    let text = r#"{"drafts":[{"revision":1,"tree":"TREE","since":1,"at":1,"by":"ann","what":{"do":"folded"}}]}"#;
    let history: LabHistory = serde_json::from_str(&text.replace("TREE", &"0".repeat(64))).unwrap();
    assert_eq!(history.drafts[0].what, LabChange::Other);
    for what in [LabChange::Made, written("a"), LabChange::Restored { revision: 7 }] {
        let text = serde_json::to_string(&what).unwrap();
        assert_eq!(serde_json::from_str::<LabChange>(&text).unwrap(), what, "{text}");
    }
}

#[test]
fn a_lab_is_found_by_its_versions() {
    let version = |number, digit| LabVersion {
        number,
        tree: digest(digit),
        title: "T".to_owned(),
        summary: String::new(),
        steps: 1,
        note: String::new(),
        at: Timestamp(1),
        by: name("ann"),
    };
    let mut lab = Lab {
        id: LabId::parse("shell").unwrap(),
        owner: name("ann"),
        authors: BTreeSet::from([name("bob")]),
        visibility: Visibility::Private,
        title: "T".to_owned(),
        summary: String::new(),
        draft: draft(1, "ann", 1),
        versions: Vec::new(),
        published: 0,
        created_at: Timestamp(1),
    };
    assert_eq!((lab.tree(LabVersionRef::Draft), lab.tree(LabVersionRef::Newest)), (Some(&digest('a')), None));
    lab.versions = vec![version(3, 'c'), version(4, 'd')];
    assert_eq!(lab.tree(LabVersionRef::Newest), Some(&digest('d')));
    assert_eq!(lab.tree(LabVersionRef::Number(3)), Some(&digest('c')));
    assert_eq!(lab.tree(LabVersionRef::Number(1)), None);
    assert!(lab.is_author(&name("ann")) && lab.is_author(&name("bob")) && !lab.is_author(&name("eve")));
    let text = serde_json::to_string(&lab).unwrap();
    assert_eq!(serde_json::from_str::<Lab>(&text).unwrap(), lab);
}

#[test]
fn environments_of_labs_have_names_of_their_own() {
    let id = |text: &str| LabId::parse(text).unwrap();
    assert_eq!(id("shell").environment().as_str(), "lab-shell");
    assert_eq!(id("shell").draft_environment().as_str(), "lab-shell-draft");
    assert_eq!(id("shell").prepared_environment().as_str(), "lab-shell-prepared");
    let (one, other) = (id(&"a".repeat(40)), id(&format!("{}b", "a".repeat(39))));
    assert_eq!(one.environment().as_str().len(), 40);
    assert_ne!(one.environment(), other.environment());
    assert_ne!(one.draft_environment(), one.prepared_environment());
    // Also if what is cut ends in a hyphen.
    let hyphens = id(&format!("a{}b", "-".repeat(38)));
    assert!(hyphens.prepared_environment().as_str().starts_with("lab-a-"));
}
