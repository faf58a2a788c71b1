use super::*;
use proptest::prelude::*;

/// An entry to be written, with what may be wrong about it.
#[derive(Clone)]
struct Made<'a> {
    name: &'a [u8],
    content: &'a [u8],
    deflate: bool,
    mode: u32,
    flags: u16,
    claimed: Option<u32>,
}

impl<'a> Made<'a> {
    fn new(name: &'a str, content: &'a [u8]) -> Self {
        Self { name: name.as_bytes(), content, deflate: true, mode: 0o100_644, flags: 0, claimed: None }
    }
}

fn archive(entries: &[Made<'_>]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let packed = if entry.deflate {
            miniz_oxide::deflate::compress_to_vec(entry.content, 6)
        } else {
            entry.content.to_vec()
        };
        let size = entry.claimed.unwrap_or(entry.content.len() as u32);
        let (method, name) = (if entry.deflate { 8u16 } else { 0 }, entry.name.len() as u16);
        let mut common = Vec::new();
        for half in [20, entry.flags, method, 0, 0] {
            common.extend(half.to_le_bytes());
        }
        for word in [crc32(entry.content), packed.len() as u32, size] {
            common.extend(word.to_le_bytes());
        }
        common.extend(name.to_le_bytes());
        common.extend([0, 0]);
        let at = bytes.len() as u32;
        bytes.extend(LOCAL.to_le_bytes());
        bytes.extend(&common);
        bytes.extend(entry.name);
        bytes.extend(packed);
        directory.extend(CENTRAL.to_le_bytes());
        directory.extend([30, 3]);
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(at.to_le_bytes());
        directory.extend(entry.name);
    }
    let (start, length, count) = (bytes.len() as u32, directory.len() as u32, entries.len() as u16);
    bytes.extend(directory);
    bytes.extend(END.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}

fn path(text: &str) -> LabPath {
    LabPath::parse(text).unwrap()
}

fn refused(entries: &[Made<'_>]) -> ZipError {
    ZipFiles::open(&archive(entries)).unwrap_err()
}

#[test]
fn files_are_listed_and_read_whether_packed_or_not() {
    let text = "text ".repeat(1000);
    let stored = Made { deflate: false, ..Made::new("a/b.txt", b"stored") };
    let folder = Made { mode: 0o040_755, ..Made::new("a/", b"") };
    let bytes = archive(&[Made::new("z.md", text.as_bytes()), folder, stored]);
    let files = ZipFiles::open(&bytes).unwrap();
    assert_eq!(files.list(), [(path("a/b.txt"), 6), (path("z.md"), 5000)]);
    assert_eq!(files.read(&path("a/b.txt"), 100).unwrap().as_ref(), b"stored");
    assert_eq!(files.read(&path("z.md"), 5000).unwrap().as_ref(), text.as_bytes());
    assert_eq!(files.read(&path("z.md"), 4999), Err(FileError::TooBig { most: 4999 }));
    assert_eq!(files.read(&path("gone"), 100), Err(FileError::Missing));
}

#[test]
fn names_that_lead_elsewhere_refuse_the_archive() {
    for name in ["../x", "/etc/passwd", "a/../../x", "..\\x", "C:/x", "a\0b"] {
        assert!(matches!(refused(&[Made::new(name, b"x")]), ZipError::Path(_)), "{name}");
    }
    let latin = Made { name: b"\xe4.md", ..Made::new("", b"x") };
    assert_eq!(refused(&[Made::new("a", b""), latin]), ZipError::Name("a".to_owned()));
    assert_eq!(refused(&[Made::new("a/./b", b"x"), Made::new("a/b", b"y")]), ZipError::Twice(path("a/b")));
}

#[test]
fn links_devices_and_secrets_refuse_the_archive() {
    for mode in [0o120_777, 0o020_644, 0o010_644] {
        assert_eq!(refused(&[Made { mode, ..Made::new("l", b"/etc/passwd") }]), ZipError::Link(path("l")));
    }
    assert_eq!(refused(&[Made { flags: 1, ..Made::new("s", b"x") }]), ZipError::Encrypted(path("s")));
}

#[test]
fn a_bomb_is_refused_by_what_it_claims_and_by_what_it_is() {
    let zeros = vec![0; 1 << 20];
    let claims_much = Made { claimed: Some(33 << 20), ..Made::new("a", b"x") };
    assert!(matches!(refused(&[claims_much]), ZipError::TooMuch(_)));
    let names: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let together: Vec<Made<'_>> =
        names.iter().map(|name| Made { claimed: Some(30 << 20), ..Made::new(name, b"x") }).collect();
    assert!(matches!(refused(&together), ZipError::TooMuch(_)));
    // It says ten bytes and holds a million: no more than ten are unpacked.
    let bytes = archive(&[Made { claimed: Some(10), ..Made::new("a", &zeros) }]);
    let files = ZipFiles::open(&bytes).unwrap();
    assert!(matches!(files.read(&path("a"), 1 << 30), Err(FileError::Read(_))));
    let many = "x".repeat(3);
    let entries: Vec<Made<'_>> = (0..u16::MAX).map(|_| Made::new(&many, b"")).collect();
    assert!(matches!(refused(&entries), ZipError::TooMuch(_)));
}

#[test]
fn what_was_changed_on_the_way_is_not_read() {
    let mut bytes = archive(&[Made { deflate: false, ..Made::new("a", b"content") }]);
    let at = bytes.windows(7).position(|part| part == b"content").unwrap();
    bytes[at] = b'C';
    let files = ZipFiles::open(&bytes).unwrap();
    assert!(matches!(files.read(&path("a"), 100), Err(FileError::Read(_))));
}

#[test]
fn the_checksum_is_the_usual_one() {
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
}

proptest! {
    #[test]
    fn damaged_archives_never_panic(at in 0usize..200, byte: u8, cut in 0usize..200) {
        let mut bytes = archive(&[Made::new("a.md", b"# A"), Made::new("b/c.md", b"text text text")]);
        if at < bytes.len() {
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        if let Ok(files) = ZipFiles::open(&bytes) {
            for (path, _) in files.list() {
                let _ = files.read(path, 1 << 20);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_archive_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut end = bytes.clone();
        end.extend(END.to_le_bytes());
        end.extend(bytes.iter().take(30));
        for bytes in [bytes, end] {
            if let Ok(files) = ZipFiles::open(&bytes) {
                prop_assert!(files.list().len() < 50);
            }
        }
    }
}

#[test]
fn what_stands_around_an_archive_is_no_matter_as_far_as_zip_allows_it() {
    let mut bytes = archive(&[Made::new("a.md", b"text")]);
    let count = bytes.len();
    let comment = b"made by hand".repeat(10);
    bytes[count - 2..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
    bytes.extend(&comment);
    let files = ZipFiles::open(&bytes).unwrap();
    assert_eq!(files.read(&path("a.md"), 4).unwrap().as_ref(), b"text");
    bytes.extend(vec![b' '; 0xFFFF]);
    assert_eq!(ZipFiles::open(&bytes).unwrap_err(), ZipError::Broken("its directory"), "the end is too far away");
    assert!(ZipFiles::open(&archive(&[])).unwrap().list().is_empty());
    assert_eq!(ZipFiles::open(b"").unwrap_err(), ZipError::Broken("its directory"));
}

#[test]
fn entries_that_can_not_be_unpacked_are_told_when_it_matters() {
    let good = archive(&[Made::new("a.md", b"text")]);
    let central = good.windows(4).position(|four| four == CENTRAL.to_le_bytes()).unwrap();
    let with = |at: usize, change: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + change.len()].copy_from_slice(change);
        bytes
    };
    let method = with(central + 10, &[12, 0]);
    assert_eq!(ZipFiles::open(&method).unwrap_err(), ZipError::Method { path: path("a.md"), method: 12 });
    for (what, bytes) in [
        ("no entry where the directory says", with(0, b"XXXX")),
        ("an entry behind the end", with(central + 42, &u32::MAX.to_le_bytes())),
        ("more packed bytes than there are", with(central + 20, &u32::MAX.to_le_bytes())),
        ("another checksum", with(central + 16, &[0; 4])),
        ("less than it claims", with(central + 24, &5u32.to_le_bytes())),
    ] {
        let files = ZipFiles::open(&bytes).unwrap();
        assert_eq!(files.list().len(), 1, "{what}");
        assert!(matches!(files.read(&path("a.md"), 100), Err(FileError::Read(_))), "{what}");
    }
    let two = with(good.len() - 12, &[2, 0]);
    assert_eq!(ZipFiles::open(&two).unwrap_err(), ZipError::Broken("an entry of its directory"));
}

#[test]
fn only_archives_from_unix_tell_kinds_of_files() {
    let mut bytes = archive(&[Made { mode: 0o120_777, ..Made::new("a.md", b"text") }]);
    assert!(matches!(ZipFiles::open(&bytes), Err(ZipError::Link(_))));
    let central = bytes.windows(4).position(|four| four == CENTRAL.to_le_bytes()).unwrap();
    bytes[central + 5] = 0;
    assert_eq!(ZipFiles::open(&bytes).unwrap().list(), [(path("a.md"), 4)]);
}
