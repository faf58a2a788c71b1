//! Archives of every kind, unpacked beside something that must stay as it is.

use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};

/// An archive in the making. What no honest one would hold is written byte by byte.
struct Made(tar::Builder<Vec<u8>>);

impl Made {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    fn with(mut self, name: &str, kind: tar::EntryType, target: &str, bytes: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        let set = |field: &mut [u8], text: &str| field[..text.len()].copy_from_slice(text.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o4755);
        header.set_size(bytes.len() as u64);
        set(&mut header.as_gnu_mut().unwrap().name, name);
        set(&mut header.as_gnu_mut().unwrap().linkname, target);
        header.set_cksum();
        self.0.append(&header, bytes).unwrap();
        self
    }

    fn file(self, name: &str) -> Self {
        self.with(name, tar::EntryType::Regular, "", b"new")
    }

    fn link(self, name: &str, target: &str) -> Self {
        self.with(name, tar::EntryType::Symlink, target, b"")
    }

    fn unpacked(self, to: &Path) -> io::Result<Unpacked> {
        unpack_from(self.0.into_inner().unwrap().as_slice(), to)
    }
}

#[test]
fn a_folder_comes_as_it_was() {
    let here = tempfile::tempdir().unwrap();
    let to = here.path().join("copy");
    let made = Made::new().with("ann", tar::EntryType::Directory, "", b"").file("ann/a").file("ann/b/c\n");
    let made = made.link("ann/b/up", "../a").link("ann/beside", "a");
    assert_eq!(made.unpacked(&to).unwrap(), Unpacked { files: 2, left_out: vec![] });
    assert_eq!(fs::read(to.join("b/c\n")).unwrap(), b"new");
    assert_eq!(fs::read(to.join("b/up")).unwrap(), b"new");
    let mode = fs::metadata(to.join("a")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o755, "no bit makes it somebody else's");
    let alone = here.path().join("alone");
    assert_eq!(Made::new().file("a").unpacked(&alone).unwrap().files, 1);
    assert_eq!(fs::read(alone).unwrap(), b"new", "a file alone is what it is copied to");
    let again = Made::new().with("ann", tar::EntryType::Directory, "", b"").unpacked(&to);
    assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
}

#[test]
fn nothing_is_written_or_led_out_of_its_folder() {
    let here = tempfile::tempdir().unwrap();
    let secret = here.path().join("secret");
    fs::write(&secret, "old").unwrap();
    let to = here.path().join("copy");
    let made = Made::new().with("ann", tar::EntryType::Directory, "", b"");
    let made = made.link("ann/out", "..").file("ann/out/secret").file("ann/../secret").file("/ann/secret");
    let made = made.link("ann/absolute", "/etc/passwd").link("ann/far", "b/../../secret").link("../x", "a");
    let made = made.with("ann/hard", tar::EntryType::Link, "/etc/passwd", b"");
    let made = made.with("ann/pipe", tar::EntryType::Fifo, "", b"");
    let unpacked = made.unpacked(&to).unwrap();
    let expected = ["ann/../secret", "ann/absolute", "ann/far", "../x", "ann/hard", "ann/pipe"];
    let left_out: Vec<&str> = unpacked.left_out.iter().map(String::as_str).collect();
    assert!(expected.iter().all(|name| left_out.contains(name)), "{left_out:?}");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "old");
    assert_eq!(fs::read_to_string(to.join("out/secret")).unwrap(), "new", "a folder of its own");
    let names: Vec<_> = fs::read_dir(here.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn what_is_sent_are_files_and_folders_and_no_link_is_followed() {
    let here = tempfile::tempdir().unwrap();
    let folder = here.path().join("all");
    fs::create_dir_all(folder.join("b")).unwrap();
    fs::write(folder.join("a%"), "x").unwrap();
    fs::write(folder.join("b/c"), "x").unwrap();
    symlink(here.path(), folder.join("up")).unwrap();
    let copies = copies_of(&folder).unwrap();
    let names = |all: &[(PathBuf, String)]| all.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(&copies.folders), names(&copies.files)),
        (vec!["b".to_owned()], vec!["a%25".to_owned(), "b/c".to_owned()])
    );
    assert_eq!(copies.left_out, [folder.join("up")]);
}

#[test]
fn names_are_written_as_the_api_has_them() {
    for name in ["a", "a%25", "%FF", "文"] {
        assert_eq!(encoded(&decoded(name)), name);
    }
    assert_eq!(decoded(".."), "file");
}
