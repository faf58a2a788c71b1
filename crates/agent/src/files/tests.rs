//! What is done with files, in a folder that stands for a container's root.

use super::channel::{Food, feed};
use super::root::Root;
use super::who::Who;
use super::{change, look, pack, work, write};
use crate::engine::BodyError;
use crate::files::channel::Outlet;
use crate::files::place::Place;
use crate::refusal::Refusal;
use hyper::body::Bytes;
use pierhead_model::{ArchiveForm, FileAct, FileBefore, FileEntry, FileKind, FilePath, FileTold};
use rustix::fs::{Mode, OFlags, open};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};

/// A container of which only files are there. What lies beside its root is not in it.
struct Bed {
    all: TempDir,
    root: Root,
}

impl Bed {
    fn set() -> Self {
        let all = tempfile::tempdir().unwrap();
        let inside = all.path().join("root");
        fs::create_dir_all(inside.join("srv/ann")).unwrap();
        fs::write(all.path().join("secret"), "of the host").unwrap();
        let root = root_of(&inside);
        Self { all, root }
    }

    /// Where something is, as the host sees it.
    fn host(&self, path: &str) -> PathBuf {
        self.all.path().join("root").join(path.trim_start_matches('/'))
    }

    fn read(&self, path: &str) -> Result<String, &'static str> {
        let (mut file, entry) = look::open(&self.root, &at(path)).map_err(|refusal| refusal.code)?;
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(entry.size, text.len() as u64);
        Ok(text)
    }

    fn list(&self, path: &str) -> Result<Vec<FileEntry>, &'static str> {
        look::list(&self.root, &at(path)).map(|listing| listing.entries).map_err(|refusal| refusal.code)
    }

    fn write_as(&self, path: &str, before: &FileBefore, bytes: &str) -> Result<FileEntry, Refusal> {
        let path = at(path);
        let wanted = write::Wanted { path: &path, before, mode: None, parents: false, size: None };
        write::write(&self.root, &wanted, &mut food(&[bytes], true))
    }

    fn write(&self, path: &str, bytes: &str) -> Result<FileEntry, &'static str> {
        self.write_as(path, &FileBefore::Any, bytes).map_err(|refusal| refusal.code)
    }

    /// What is in a folder that is not complete.
    fn rest(&self, path: &str) -> usize {
        let names = fs::read_dir(self.host(path)).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.as_bytes().starts_with(b".pierhead-")).count()
    }
}

fn root_of(path: &Path) -> Root {
    Root::new(open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap())
}

fn at(path: &str) -> FilePath {
    FilePath::parse(path).unwrap()
}

/// What comes to be written.
fn food(pieces: &[&str], is_whole: bool) -> Food {
    let (mut feed, food) = feed(pieces.len() + 1);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for piece in pieces {
            assert!(feed.give(Bytes::copy_from_slice(piece.as_bytes())).await);
        }
        if is_whole {
            feed.end().await;
        }
    });
    food
}

#[test]
fn no_link_leads_out_of_the_container() {
    let bed = Bed::set();
    fs::write(bed.host("secret"), "of the container").unwrap();
    let secret = bed.all.path().join("secret");
    for (name, target) in [
        ("absolute", secret.as_path()),
        ("root", Path::new("/secret")),
        ("up", Path::new("../../../../../../secret")),
        ("up-folder", Path::new("../../..")),
        ("process", Path::new("/proc/self/root/secret")),
        ("twice", Path::new("root")),
        ("loop", Path::new("loop")),
    ] {
        symlink(target, bed.host("srv/ann").join(name)).unwrap();
    }
    assert_eq!(bed.read("/srv/ann/absolute"), Err("no_such_file"), "there is no such path within");
    for name in ["root", "up", "twice", "up-folder/secret"] {
        assert_eq!(bed.read(&format!("/srv/ann/{name}")).as_deref(), Ok("of the container"), "{name}");
    }
    assert_eq!(bed.read("/srv/ann/process"), Err("no_such_file"));
    assert_eq!(bed.read("/srv/ann/loop"), Err("too_many_links"));
    // Written to, they lead as little.
    bed.write("/srv/ann/up", "new").unwrap();
    assert_eq!(bed.read("/secret").as_deref(), Ok("new"));
    assert_eq!(fs::read_to_string(&secret).unwrap(), "of the host");
    assert!(fs::symlink_metadata(bed.host("srv/ann/up")).unwrap().is_symlink(), "a link stays one");
    assert_eq!(bed.write("/srv/ann/absolute", "x"), Err("no_such_file"));
    assert_eq!(bed.write("/srv/ann/loop", "x"), Err("too_many_links"));
    assert_eq!(bed.write("/srv/ann/up-folder", "x"), Err("is_a_folder"));
    let listed = bed.list("/srv/ann").unwrap();
    let of = |name: &str| listed.iter().find(|entry| entry.name.as_ref().unwrap().shown() == name).unwrap();
    assert_eq!(
        (of("up").leads_to, of("up").target.as_deref()),
        (Some(FileKind::File), Some("../../../../../../secret"))
    );
    assert_eq!((of("up-folder").leads_to, of("absolute").leads_to), (Some(FileKind::Folder), None));
    change::remove(&bed.root, &at("/srv/ann/up-folder"), true).unwrap();
    assert!(bed.host("secret").exists(), "only the link goes");
}

#[test]
fn the_kernels_own_files_and_devices_are_not_opened() {
    let root = root_of(Path::new("/"));
    let code = |path: &str| look::open(&root, &at(path)).map(drop).map_err(|refusal| refusal.code);
    assert_eq!(code("/proc/version"), Err("not_ordinary"));
    assert_eq!(code("/proc/self/environ"), Err("not_ordinary"));
    assert_eq!(code("/dev/null"), Err("not_ordinary"));
    assert_eq!(look::list(&root, &at("/proc")).map_err(|refusal| refusal.code), Err("not_ordinary"));
    let written = write::Wanted {
        path: &at("/proc/sys/kernel/hostname"),
        before: &FileBefore::Any,
        mode: None,
        parents: false,
        size: None,
    };
    assert_eq!(write::write(&root, &written, &mut food(&["x"], true)).unwrap_err().code, "not_ordinary");
    let bed = Bed::set();
    rustix::fs::mknodat(rustix::fs::CWD, bed.host("pipe"), rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        .unwrap();
    assert_eq!(bed.read("/pipe"), Err("not_ordinary"), "nothing waits for who writes into it");
    assert_eq!(bed.write("/pipe", "x"), Err("not_ordinary"));
}

#[test]
fn names_are_bytes() {
    let bed = Bed::set();
    let names = ["new\nline", " ", "-rf", "文件", "a%25b", "%FF%FE", "..hidden", "quote\"'\\"];
    for name in names {
        bed.write(&format!("/srv/ann/{name}"), name).unwrap();
    }
    let listed = bed.list("/srv/ann").unwrap();
    let mut found: Vec<String> = listed.iter().map(|entry| entry.name.as_ref().unwrap().to_string()).collect();
    let mut expected: Vec<String> = names.map(str::to_owned).to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert!(bed.host("srv/ann").join(std::ffi::OsStr::from_bytes(b"\xff\xfe")).exists());
    for name in names {
        assert_eq!(bed.read(&format!("/srv/ann/{name}")).as_deref(), Ok(name), "{name:?}");
        change::remove(&bed.root, &at(&format!("/srv/ann/{name}")), false).unwrap();
    }
    assert!(bed.list("/srv/ann").unwrap().is_empty());
}

#[test]
fn what_was_there_stays_until_all_has_come() {
    let bed = Bed::set();
    bed.write("/srv/ann/a", "old").unwrap();
    let path = at("/srv/ann/a");
    let wanted = |size| write::Wanted { path: &path, before: &FileBefore::Any, mode: None, parents: false, size };
    let broken = write::write(&bed.root, &wanted(None), &mut food(&["half"], false)).unwrap_err();
    assert_eq!(broken.code, "broke_off");
    let short = write::write(&bed.root, &wanted(Some(9)), &mut food(&["half"], true)).unwrap_err();
    assert_eq!(short.code, "broke_off");
    assert_eq!(write::write(&bed.root, &wanted(Some(1 << 40)), &mut food(&[], true)).unwrap_err().code, "too_large");
    assert_eq!((bed.read("/srv/ann/a").as_deref(), bed.rest("srv/ann")), (Ok("old"), 0));
    write::write(&bed.root, &wanted(Some(6)), &mut food(&["new", "", "er!"], true)).unwrap();
    assert_eq!(bed.read("/srv/ann/a").as_deref(), Ok("newer!"));
}

#[test]
fn who_wrote_meanwhile_is_not_overwritten() {
    let bed = Bed::set();
    let first = bed.write_as("/srv/ann/a", &FileBefore::Absent, "one").unwrap();
    assert_eq!(bed.write_as("/srv/ann/a", &FileBefore::Absent, "two").unwrap_err().code, "exists");
    let second = bed.write_as("/srv/ann/a", &FileBefore::Tagged(first.tag.clone()), "two").unwrap();
    assert_ne!(first.tag, second.tag);
    let refused = bed.write_as("/srv/ann/a", &FileBefore::Tagged(first.tag.clone()), "three").unwrap_err();
    assert_eq!((refused.status.as_u16(), refused.code), (412, "changed"));
    assert_eq!(bed.write_as("/srv/ann/b", &FileBefore::Tagged(first.tag), "x").unwrap_err().code, "changed");
    assert_eq!(bed.read("/srv/ann/a").as_deref(), Ok("two"));
    assert_eq!(look::open(&bed.root, &at("/srv/ann/a")).unwrap().1.tag, second.tag, "the same, read again");
    // Of many at once one wins.
    let tag = FileBefore::Tagged(second.tag);
    let won = std::thread::scope(|scope| {
        let each: Vec<_> = (0..8)
            .map(|number: u32| {
                let (bed, tag) = (&bed, &tag);
                scope.spawn(move || bed.write_as("/srv/ann/a", tag, &format!("{number} was here")).is_ok())
            })
            .collect();
        each.into_iter().map(|one| one.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!((won, bed.rest("srv/ann")), (1, 0));
}

#[test]
fn a_file_keeps_its_mode_and_no_bit_makes_it_somebody_elses() {
    let bed = Bed::set();
    bed.write("/srv/ann/a", "x").unwrap();
    let mode = |path: &str| fs::metadata(bed.host(path)).unwrap().mode() & 0o7777;
    assert_eq!(mode("srv/ann/a"), 0o644);
    fs::set_permissions(bed.host("srv/ann/a"), fs::Permissions::from_mode(0o4751)).unwrap();
    bed.write("/srv/ann/a", "y").unwrap();
    assert_eq!(mode("srv/ann/a"), 0o751);
    let path = at("/new/way/b");
    let wanted = write::Wanted { path: &path, before: &FileBefore::Any, mode: Some(0o600), parents: true, size: None };
    write::write(&bed.root, &wanted, &mut food(&["z"], true)).unwrap();
    assert_eq!((mode("new/way/b"), bed.read("/new/way/b").as_deref()), (0o600, Ok("z")));
    assert_eq!(bed.write("/srv/ann", "x"), Err("is_a_folder"));
    assert_eq!(bed.write("/srv/none/a", "x"), Err("no_such_file"));
    assert_eq!(bed.write("/srv/ann/a/b", "x"), Err("not_a_folder"));
}

#[test]
fn folders_are_made_moved_and_removed() {
    let bed = Bed::set();
    let make = |path: &str, parents| change::make_folder(&bed.root, &at(path), parents).map_err(|refusal| refusal.code);
    assert_eq!(make("/srv/ann/a", false).unwrap().kind, FileKind::Folder);
    assert_eq!(make("/srv/ann/a", false), Err("exists"));
    assert!(make("/srv/ann/a", true).is_ok());
    assert_eq!(make("/x/y/z", false), Err("no_such_file"));
    assert!(make("/x/y/z", true).is_ok());
    bed.write("/x/y/z/f", "f").unwrap();
    let rename = |from: &str, to: &str, replaces| {
        change::rename(&bed.root, &at(from), &at(to), replaces).map(drop).map_err(|refusal| refusal.code)
    };
    assert_eq!(rename("/x/y", "/srv/ann/y", false), Ok(()));
    assert_eq!(bed.read("/srv/ann/y/z/f").as_deref(), Ok("f"));
    assert_eq!(rename("/srv/ann/y", "/srv/ann/y/z/y", true), Err("into_itself"));
    assert_eq!(rename("/srv/ann/none", "/srv/ann/b", false), Err("no_such_file"));
    bed.write("/srv/ann/g", "g").unwrap();
    assert_eq!(rename("/srv/ann/g", "/srv/ann/y/z/f", false), Err("exists"));
    assert_eq!(rename("/srv/ann/g", "/srv/ann/y", true), Err("exists"), "a folder is not replaced");
    assert_eq!(rename("/srv/ann/g", "/srv/ann/y/z/f", true), Ok(()));
    assert_eq!(bed.read("/srv/ann/y/z/f").as_deref(), Ok("g"));
    let remove =
        |path: &str, recursive| change::remove(&bed.root, &at(path), recursive).map_err(|refusal| refusal.code);
    symlink("/srv", bed.host("srv/ann/y/z/up")).unwrap();
    assert_eq!(remove("/srv/ann/y", false), Err("not_empty"));
    assert_eq!(remove("/srv/ann/y", true), Ok(()));
    assert_eq!(remove("/srv/ann/y", true), Err("no_such_file"));
    assert_eq!(remove("/", true), Err("in_use"));
    assert!(bed.host("srv/ann/a").exists(), "what a link led to is still there");
}

#[test]
fn folders_without_end_exhaust_nothing() {
    let bed = Bed::set();
    let mut path = bed.host("deep");
    for _ in 0..change::DEEPEST + 5 {
        fs::create_dir(&path).unwrap();
        path.push("d");
    }
    let refused = change::remove(&bed.root, &at("/deep"), true).unwrap_err();
    assert_eq!(refused.code, "too_deep");
    let mut archive = Vec::new();
    pack::pack(pack::begin(&bed.root, &at("/deep")).unwrap(), ArchiveForm::Tar, &mut archive).unwrap();
    let text = unpacked(&archive).remove("deep/LEFT-OUT.txt").unwrap();
    assert!(String::from_utf8(text).unwrap().contains("deep/d/d/d"));
}

/// Files of an archive, links as what they lead to.
fn unpacked(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let read = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut bytes = Vec::new();
        match entry.link_name_bytes() {
            Some(target) => bytes.extend_from_slice(&target),
            None => drop(entry.read_to_end(&mut bytes).unwrap()),
        }
        (name, bytes)
    };
    archive.entries().unwrap().map(read).collect()
}

#[test]
fn a_folder_is_one_file_and_its_links_stay_links() {
    let bed = Bed::set();
    let long = "long-".repeat(40);
    bed.write("/srv/ann/a", "one").unwrap();
    bed.write(&format!("/srv/ann/{long}"), "two").unwrap();
    bed.write("/srv/ann/%FF", "three").unwrap();
    fs::create_dir(bed.host("srv/ann/empty")).unwrap();
    symlink(bed.all.path().join("secret"), bed.host("srv/ann/out")).unwrap();
    symlink(bed.all.path(), bed.host("srv/ann/folder-out")).unwrap();
    let top = pack::begin(&bed.root, &at("/srv/ann")).unwrap();
    let mut archive = Vec::new();
    pack::pack(top, ArchiveForm::Tar, &mut archive).unwrap();
    let found = unpacked(&archive);
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    let long = format!("ann/{long}");
    let mut expected = vec!["ann", "ann/a", "ann/empty", "ann/folder-out", long.as_str(), "ann/out", "ann/\u{fffd}"];
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!((found["ann/a"].as_slice(), found[&long].as_slice()), (&b"one"[..], &b"two"[..]));
    assert_eq!(found["ann/out"], bed.all.path().join("secret").as_os_str().as_bytes());
    let mut zip = Vec::new();
    pack::pack(pack::begin(&bed.root, &at("/srv/ann")).unwrap(), ArchiveForm::Zip, &mut zip).unwrap();
    assert!(zip.starts_with(b"PK") && !zip.windows(11).any(|part| part == b"of the host"));
    let single = pack::begin(&bed.root, &at("/srv/ann/a")).unwrap();
    let mut archive = Vec::new();
    pack::pack(single, ArchiveForm::Tar, &mut archive).unwrap();
    assert_eq!(unpacked(&archive), BTreeMap::from([("a".to_owned(), b"one".to_vec())]));
    assert_eq!(pack::begin(&bed.root, &at("/srv/ann/folder-out")).map(drop).unwrap_err().code, "no_such_file");
}

/// What a thread answers that acts as somebody.
fn as_user(bed: &Bed, who: Who, act: &FileAct, bytes: &[&str]) -> Result<FileTold, &'static str> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (outlet, mut pieces) = mpsc::channel::<Result<Bytes, BodyError>>(64);
    let outlet = runtime.block_on(async { Outlet::new(outlet) });
    let place = Place { root: root_of(&bed.host("")), who };
    let (tell, told) = oneshot::channel();
    let food = food(bytes, true);
    std::thread::scope(|scope| {
        scope.spawn(|| work(&place, act, food, outlet, tell));
        let told = runtime.block_on(told).unwrap();
        while let Some(piece) = runtime.block_on(pieces.recv()) {
            piece.unwrap();
        }
        told.map_err(|refusal| refusal.code)
    })
}

#[test]
fn nobody_may_more_than_the_containers_user() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let bed = Bed::set();
    // The way there is open to all, what is in it to some.
    fs::set_permissions(bed.all.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (nobody, somebody) = (|| Who::numbered(4242, 4242), || Who::numbered(4243, 4243));
    std::os::unix::fs::chown(bed.host("srv/ann"), Some(4242), Some(4242)).unwrap();
    fs::set_permissions(bed.host("srv/ann"), fs::Permissions::from_mode(0o700)).unwrap();
    let write =
        |path: &str| FileAct::Write { path: at(path), before: FileBefore::Any, mode: None, parents: false, size: None };
    assert!(as_user(&bed, nobody(), &write("/srv/ann/a"), &["mine"]).is_ok());
    let about = fs::metadata(bed.host("srv/ann/a")).unwrap();
    assert_eq!((about.uid(), about.gid()), (4242, 4242), "it is theirs");
    assert!(matches!(as_user(&bed, nobody(), &FileAct::Read { path: at("/srv/ann/a") }, &[]), Ok(FileTold::Entry(_))));
    for act in [
        FileAct::List { path: at("/srv/ann") },
        FileAct::Read { path: at("/srv/ann/a") },
        FileAct::Remove { path: at("/srv/ann/a"), recursive: false },
        FileAct::Move { path: at("/srv/ann/a"), to: at("/tmp"), replaces: true },
        FileAct::MakeFolder { path: at("/srv/mine"), parents: false },
        write("/srv/ann/a"),
        write("/srv/b"),
    ] {
        assert_eq!(as_user(&bed, somebody(), &act, &["x"]), Err("file_forbidden"), "{act:?}");
    }
    // A root without capabilities is somebody like others.
    assert_eq!(as_user(&bed, Who::numbered(0, 0), &FileAct::List { path: at("/srv/ann") }, &[]), Err("file_forbidden"));
    assert!(
        as_user(&bed, Who::oneself(), &FileAct::List { path: at("/srv/ann") }, &[]).is_ok(),
        "this thread is itself"
    );
    assert!(rustix::process::geteuid().is_root(), "and so are all others");
}
