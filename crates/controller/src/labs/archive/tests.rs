use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;

struct Bed {
    folder: tempfile::TempDir,
}

impl Bed {
    fn set() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn unpacking(&self, kept: &[&[u8]]) -> Unpacking {
        let kept = kept.iter().map(|bytes| crate::labs::digest_of(bytes)).collect();
        let spool = self.folder.path().join("spool");
        Unpacking { spool, name: "x".to_owned(), kept, count: 0, bytes: 0, looked: 0 }
    }

    fn untar(&self, archive: &[u8]) -> Result<UnpackedFiles, LibraryError> {
        untar(archive, &mut self.unpacking(&[]))
    }

    fn left(&self) -> usize {
        fs::read_dir(self.folder.path().join("spool")).map_or(0, Iterator::count)
    }
}

/// An archive of these: the type of each entry, its name as bytes, how long it says that it is, and its content.
fn archive(entries: &[(tar::EntryType, &[u8], u64, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (kind, name, size, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(*size);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn file<'a>(name: &'a str, content: &'a [u8]) -> (tar::EntryType, &'a [u8], u64, &'a [u8]) {
    (tar::EntryType::Regular, name.as_bytes(), content.len() as u64, content)
}

fn said(refused: Result<UnpackedFiles, LibraryError>) -> String {
    refused.err().map(|error| error.to_string()).unwrap_or_else(|| panic!("it was taken"))
}

#[test]
fn files_are_taken_out_and_go_when_nobody_keeps_them() {
    let bed = Bed::set();
    let big = vec![7_u8; 700_000];
    let mut builder = tar::Builder::new(Vec::new());
    let long = format!("{}/{}.md", "a".repeat(90), "b".repeat(90));
    for (path, content) in
        [("lab.yaml", &b"title: T"[..]), ("./big.bin", &big), (&long, b"long"), (".git/config", b"x")]
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(if path == "lab.yaml" { 0o644 } else { 0o755 });
        builder.append_data(&mut header, path, content).unwrap();
    }
    let files = bed.untar(&builder.into_inner().unwrap()).unwrap();
    let listed: Vec<(&str, u64)> = files.list().iter().map(|(path, bytes)| (path.as_str(), *bytes)).collect();
    assert_eq!(listed, [(long.as_str(), 4), ("big.bin", 700_000), ("lab.yaml", 8)]);
    let path = |text: &str| LabPath::parse(text).unwrap();
    assert!(files.is_executable(&path("big.bin")) && !files.is_executable(&path("lab.yaml")));
    assert_eq!(files.read(&path("lab.yaml"), 100).unwrap(), &b"title: T"[..]);
    assert_eq!(files.read(&path("lab.yaml"), 3), Err(FileError::TooBig { most: 3 }));
    assert_eq!(files.tree().unwrap().files.len(), 3);
    assert_eq!(bed.left(), 3);
    drop(files);
    assert_eq!(bed.left(), 0);
}

#[test]
fn what_is_kept_already_is_not_written_again() {
    let bed = Bed::set();
    let bytes = archive(&[file("a", b"same"), file("b", b"same"), file("c", b"new"), file("d", b"new")]);
    let files = untar(&bytes[..], &mut bed.unpacking(&[b"same"])).unwrap();
    assert_eq!((files.list().len(), bed.left()), (4, 1));
}

#[test]
fn names_from_records_before_a_file_count() {
    let bed = Bed::set();
    let pax = b"23 path=from/record.md\n";
    let bytes = archive(&[
        (tar::EntryType::XGlobalHeader, b"g", 5, b"skip\n"),
        (tar::EntryType::XHeader, b"x", pax.len() as u64, pax),
        file("short", b"1"),
        file("plain", b"2"),
    ]);
    let files = bed.untar(&bytes).unwrap();
    let listed: Vec<&str> = files.list().iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(listed, ["from/record.md", "plain"]);
    for pax in [&b"99 path=x\n"[..], b"path=x\n", b"9 path=x", b"\xff path=x\n"] {
        let bytes = archive(&[(tar::EntryType::XHeader, b"x", pax.len() as u64, pax), file("a", b"1")]);
        assert!(said(bed.untar(&bytes)).contains("a record of names"), "{pax:?}");
    }
}

#[test]
fn nothing_leads_out_of_the_folder() {
    let bed = Bed::set();
    for name in ["../x", "/etc/passwd", "a/../../x", "a\\b", "c:x"] {
        let words = said(bed.untar(&archive(&[file("ok", b"1"), file(name, b"1")])));
        assert!(words.contains("path") && words.contains("nothing was changed"), "{name}: {words}");
    }
    assert!(said(bed.untar(&archive(&[(tar::EntryType::Regular, b"a\xff", 0, b"")]))).contains("not UTF-8"));
    for kind in [tar::EntryType::Symlink, tar::EntryType::Link, tar::EntryType::Char, tar::EntryType::Fifo] {
        assert!(said(bed.untar(&archive(&[(kind, b"l", 0, b"")]))).contains("a link or a device"), "{kind:?}");
    }
    assert!(said(bed.untar(&archive(&[file("a", b"1"), file("a", b"2")]))).contains("a twice"));
    let pax = b"16 path=../../x\n";
    let bytes = archive(&[(tar::EntryType::XHeader, b"x", pax.len() as u64, pax), file("a", b"1")]);
    assert!(said(bed.untar(&bytes)).contains("leads out"));
    assert_eq!(bed.left(), 0, "nothing is half unpacked");
}

#[test]
fn sizes_are_never_believed() {
    let bed = Bed::set();
    let huge = Limits::LAB.file_bytes + 1;
    assert!(said(bed.untar(&archive(&[(tar::EntryType::Regular, b"a", huge, b"")]))).contains("may have 33554432"));
    // It says more than there is.
    let bytes = archive(&[(tar::EntryType::Regular, b"a", 9_000, b"short")]);
    assert!(matches!(bed.untar(&bytes), Err(LibraryError::Interrupted)));
    assert!(matches!(bed.untar(&bytes[..700]), Err(LibraryError::Interrupted)));
    // A name that would fill the memory.
    let name = vec![b'a'; 200_000];
    let bytes = archive(&[(tar::EntryType::GNULongName, b"l", 200_000, &name), file("a", b"1")]);
    assert!(said(bed.untar(&bytes)).contains("a name of more than 64 KiB"));
    assert!(said(bed.untar(&vec![1_u8; 4096])).contains("can't be unpacked"));
    let mut unpacking = bed.unpacking(&[]);
    unpacking.bytes = Limits::LAB.bytes;
    assert!(matches!(unpacking.take(&b"x"[..], 1, false), Err(LibraryError::Tree(_))));
    unpacking = bed.unpacking(&[]);
    unpacking.count = Limits::LAB.files as u64;
    assert!(matches!(unpacking.take(&b"x"[..], 1, false), Err(LibraryError::Tree(_))));
    assert_eq!(bed.left(), 0);
}

#[test]
fn what_unpacks_to_too_much_ends_soon() {
    let bed = Bed::set();
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0_u8; 1 << 20];
    for _ in 0..64 {
        packed.write_all(&zeros).unwrap();
    }
    let packed = packed.finish().unwrap();
    let mut unpacking = bed.unpacking(&[]);
    let from = Bounded { from: MultiGzDecoder::new(&packed[..]), left: 8 << 20 };
    // An archive of nothing but end marks has no files; one that goes on for ever must not be read for ever.
    let ended = untar(Concat { head: archive(&[]), tail: from, at: 0 }, &mut unpacking);
    assert!(ended.is_ok() || matches!(ended, Err(LibraryError::TooLarge { .. })));
    let mut bounded = Bounded { from: MultiGzDecoder::new(&packed[..]), left: 8 << 20 };
    let error = io::copy(&mut bounded, &mut io::sink()).unwrap_err();
    assert!(matches!(broken(error), LibraryError::TooLarge { .. }));
}

/// Some bytes, and what follows.
struct Concat<R> {
    head: Vec<u8>,
    tail: R,
    at: usize,
}

impl<R: Read> Read for Concat<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&self.head[self.at..]).read(buffer)?;
        self.at += read;
        if read > 0 { Ok(read) } else { self.tail.read(buffer) }
    }
}
