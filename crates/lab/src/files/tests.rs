use super::*;

fn path(text: &str) -> LabPath {
    LabPath::parse(text).unwrap()
}

fn memory(files: &[(&str, &[u8])]) -> MemoryFiles {
    MemoryFiles::new(files.iter().map(|(name, bytes)| (path(name), bytes.to_vec())).collect()).unwrap()
}

/// The text of a file, or the file, line and message of the one problem.
fn text(bytes: &[u8]) -> Result<String, (String, u32, String)> {
    let files = memory(&[("a.md", bytes)]);
    let mut problems = Problems::default();
    let found = Folder::new(&files).text(&path("a.md"), (&path("lab.yaml"), 7), &mut problems);
    let list = problems.into_list();
    assert_eq!(found.is_none(), list.len() == 1, "{list:?}");
    found.ok_or_else(|| (list[0].file.clone(), list[0].line, list[0].message.clone()))
}

#[test]
fn texts_are_utf8_with_one_kind_of_line_end() {
    assert_eq!(text(b"\xEF\xBB\xBFa\r\nb\rc\n").unwrap(), "a\nb\nc\n");
    assert_eq!(text("grün 数".as_bytes()).unwrap(), "grün 数");
    let (file, line, message) = text(b"one\ntwo\nthr\xe4e\n").unwrap_err();
    assert_eq!((file.as_str(), line), ("a.md", 3));
    assert!(message.contains("not UTF-8"), "{message}");
    assert!(text(b"\xFF\xFEa\0").unwrap_err().2.contains("UTF-16"));
    assert_eq!(text(b"a\n\0").unwrap_err().1, 2);
}

#[test]
fn a_file_that_is_missing_is_a_problem_of_who_names_it() {
    let files = memory(&[]);
    let mut problems = Problems::default();
    assert!(Folder::new(&files).text(&path("gone.md"), (&path("lab.yaml"), 7), &mut problems).is_none());
    let list = problems.into_list();
    assert_eq!(
        (list[0].file.as_str(), list[0].line, list[0].message.as_str()),
        ("lab.yaml", 7, "there is no file gone.md")
    );
}

#[test]
fn texts_are_bounded_one_by_one_and_together() {
    let most = Limits::LAB.text_bytes as usize;
    let (_, _, message) = text(&vec![b'a'; most + 1]).unwrap_err();
    assert!(message.contains("more than 1048576 bytes"), "{message}");
    let big = vec![b'a'; most];
    let files = memory(&[("a.md", &big)]);
    let folder = Folder::new(&files);
    let mut problems = Problems::default();
    let mut read = 0;
    while folder.text(&path("a.md"), (&path("a.md"), 1), &mut problems).is_some() {
        read += 1;
    }
    assert_eq!(read, Limits::LAB.texts_bytes / Limits::LAB.text_bytes);
    assert!(problems.into_list()[0].message.contains("together"));
}

#[test]
fn a_part_of_a_folder_sees_nothing_else_and_shares_its_bounds() {
    let big = vec![b'a'; Limits::LAB.text_bytes as usize];
    let files = memory(&[("a/x.md", b"x"), ("a/y/z.md", &big), ("ab/x.md", b"other"), ("x.md", b"root")]);
    let part = SubFiles::new(&files, &path("a"));
    assert_eq!(part.list(), [(path("x.md"), 1), (path("y/z.md"), big.len() as u64)]);
    assert_eq!(part.read(&path("x.md"), 10).unwrap().as_ref(), b"x");
    assert_eq!(part.read(&path("ab/x.md"), 10), Err(FileError::Missing));
    let whole = Folder::new(&files);
    let mut problems = Problems::default();
    whole.with_part(&part, |part| {
        assert!(part.has(&path("y/z.md")) && !part.has(&path("a/x.md")));
        part.text(&path("y/z.md"), (&path("x.md"), 1), &mut problems).unwrap();
    });
    assert_eq!(whole.texts_left.get(), Limits::LAB.texts_bytes - Limits::LAB.text_bytes);
}

#[test]
fn more_than_a_lab_may_hold_is_refused() {
    let file = |name: String, bytes| (path(&name), bytes);
    let many = (0..=Limits::LAB.files).map(|n| file(n.to_string(), 0)).collect();
    assert_eq!(listing(many), Err(TooMuch::Files(Limits::LAB.files + 1)));
    let one = vec![file("a".to_owned(), Limits::LAB.file_bytes + 1)];
    assert!(matches!(listing(one), Err(TooMuch::File { .. })));
    let together = (0..17).map(|n| file(n.to_string(), Limits::LAB.file_bytes)).collect();
    assert!(matches!(listing(together), Err(TooMuch::Bytes(_))));
    let sorted = listing(vec![file("b".to_owned(), 1), file("a".to_owned(), 1)]).unwrap();
    assert_eq!(sorted[0].0.as_str(), "a");
}
