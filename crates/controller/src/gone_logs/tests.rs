use super::*;
use pierhead_store::seal::Sealer;
use std::path::Path;

const CANARY: &str = "canary-8f2e";

fn files(directory: &Path, most: usize, age_ms: u64) -> Files {
    let sealer = Arc::new(Sealer::open_or_create(directory).unwrap());
    Files::open(directory.join("logs"), sealer, most, Duration::from_millis(age_ms)).unwrap()
}

fn log(id: &str, gone_at: u64, text: &str) -> GoneLog {
    GoneLog {
        container: ContainerId::parse(id).unwrap(),
        name: "web.0.1".to_owned(),
        engine: EngineId::parse("a").unwrap(),
        app: None,
        owner: None,
        gone_at: Timestamp(gone_at),
        lines: vec![Line { is_stderr: false, stamp: String::new(), text: text.to_owned() }],
    }
}

fn text(found: Option<GoneLog>) -> Option<String> {
    let lines = found?.lines(&LogOptions::default());
    Some(lines.into_iter().map(|line| String::from_utf8(line.bytes).unwrap()).collect())
}

fn count(directory: &Path) -> usize {
    std::fs::read_dir(directory.join("logs")).unwrap().count()
}

#[test]
fn a_log_is_found_by_the_beginning_of_its_id_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let open = || files(directory.path(), 10, 1_000);
    let before = open();
    before.write(&log("abc1", 5, "one\n"), Timestamp(5)).unwrap();
    before.write(&log("abd2", 6, "two\n"), Timestamp(6)).unwrap();
    std::fs::write(directory.path().join("logs/draft-abc9"), "half").unwrap();
    for files in [before, open()] {
        let find = |id: &str| text(files.read(id, Timestamp(7)).unwrap());
        assert_eq!((find("abc"), find("abd2")), (Some("one\n".to_owned()), Some("two\n".to_owned())));
        assert_eq!((find("ab"), find("abc12"), find("x")), (None, None, None), "one of several, longer, another");
    }
    assert_eq!(count(directory.path()), 2, "the draft is gone");
}

#[test]
fn the_newest_stay_and_nothing_stays_for_ever() {
    let directory = tempfile::tempdir().unwrap();
    let files = files(directory.path(), 3, 1_000);
    for at in 0..10 {
        files.write(&log(&format!("c{at}"), at, "x"), Timestamp(at)).unwrap();
    }
    assert_eq!(count(directory.path()), 3);
    assert!(text(files.read("c6", Timestamp(10)).unwrap()).is_none());
    assert!(text(files.read("c7", Timestamp(10)).unwrap()).is_some());
    files.write(&log("c9", 11, "again"), Timestamp(11)).unwrap();
    assert_eq!(
        (count(directory.path()), text(files.read("c9", Timestamp(11)).unwrap())),
        (3, Some("again".to_owned()))
    );
    assert!(text(files.read("c9", Timestamp(1_012)).unwrap()).is_none());
    assert_eq!(count(directory.path()), 0);
}

#[test]
fn nothing_of_it_can_be_read_in_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let files = files(directory.path(), 3, 1_000);
    files.write(&log("c1", 1, CANARY), Timestamp(1)).unwrap();
    for file in std::fs::read_dir(directory.path().join("logs")).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let bytes = std::fs::read_to_string(&path).unwrap();
        assert!(!bytes.contains(CANARY) && !bytes.contains("web.0.1"));
        std::fs::write(&path, bytes.replace(|letter: char| letter.is_ascii_digit(), "x")).unwrap();
    }
    assert!(files.read("c1", Timestamp(1)).is_err(), "a damaged file is told from none");
}

#[test]
fn a_file_that_went_by_itself_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    let files = files(directory.path(), 3, 1_000);
    files.write(&log("c1", 1, "x"), Timestamp(1)).unwrap();
    std::fs::remove_dir_all(directory.path().join("logs")).unwrap();
    assert!(files.read("c1", Timestamp(1)).unwrap().is_none());
}
