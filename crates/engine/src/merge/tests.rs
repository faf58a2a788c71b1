//! Layers as engines write them, put on one another in two ways: one by one, and as one.

mod unhappy;

use super::*;
use futures_util::TryStreamExt;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

type Name = Vec<u8>;

/// An entry of a layer to be made.
#[derive(Debug, Clone, PartialEq)]
enum Make {
    Folder {
        mode: u32,
        opaque: bool,
    },
    File {
        mode: u32,
        content: Vec<u8>,
    },
    Symlink,
    /// To one of the files before it.
    Link(usize),
    Hide,
}

fn path(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

fn marked(name: &[u8], mark: &[u8]) -> Name {
    match name.iter().rposition(|byte| *byte == b'/') {
        Some(at) => [&name[..=at], mark, &name[at + 1..]].concat(),
        None => [mark, name].concat(),
    }
}

/// A layer with these entries, folders before what is in them.
fn layer(entries: &BTreeMap<Name, Make>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut files: Vec<&Name> = vec![];
    for (name, make) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(0);
        header.set_mode(0o600);
        header.set_uid(name.len() as u64);
        let mut plain = |header: &mut tar::Header, name: &[u8], content: &[u8]| {
            header.set_size(content.len() as u64);
            append(&mut builder, header, name, None, content);
        };
        match make {
            Make::Folder { mode, opaque } => {
                header.set_mode(*mode);
                header.set_entry_type(tar::EntryType::Directory);
                plain(&mut header, &[name, b"/".as_slice()].concat(), b"");
                if *opaque {
                    header.set_entry_type(tar::EntryType::Regular);
                    plain(&mut header, &[name, b"/.wh..wh..opq".as_slice()].concat(), b"");
                }
            }
            Make::File { mode, content } => {
                header.set_mode(*mode);
                plain(&mut header, name, content);
                files.push(name);
            }
            Make::Link(to) if !files.is_empty() => {
                header.set_entry_type(tar::EntryType::Link);
                append(&mut builder, &mut header, name, Some(files[to % files.len()]), b"");
            }
            Make::Link(_) => {
                plain(&mut header, name, b"no link");
                files.push(name);
            }
            Make::Symlink => {
                header.set_entry_type(tar::EntryType::Symlink);
                append(&mut builder, &mut header, name, Some(b"/else/where"), b"");
            }
            Make::Hide => plain(&mut header, &marked(name, b".wh."), b""),
        }
    }
    builder.into_inner().unwrap()
}

/// As engines write it: whatever a head cannot hold stands in properties before it.
fn append(
    builder: &mut tar::Builder<Vec<u8>>,
    header: &mut tar::Header,
    name: &[u8],
    link: Option<&[u8]>,
    content: &[u8],
) {
    let mut records: Vec<(&str, &[u8])> = vec![("SCHILY.xattr.user.name", name)];
    if name.len() > 90 || !name.is_ascii() {
        records.push(("path", name));
        header.set_path("short").unwrap();
    } else {
        header.set_path(path(name)).unwrap();
    }
    if let Some(link) = link {
        records.push(("linkpath", link));
    }
    builder.append_pax_extensions(records).unwrap();
    header.set_cksum();
    builder.append(header, content).unwrap();
}

/// What lies under a name once layers were put on one another.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    kind: char,
    content: Vec<u8>,
    rights: (u32, u64),
    attributes: Vec<u8>,
    /// Names of the same file have the same number.
    same: u64,
}

#[derive(Debug, Clone, Default)]
struct Files {
    by_name: BTreeMap<Name, Found>,
    next: u64,
}

impl Files {
    fn remove(&mut self, name: &[u8], keep: &BTreeSet<Name>, itself: bool) {
        let inside = |other: &Name| other.starts_with(&[name, b"/"].concat()) || (itself && other == name);
        self.by_name.retain(|other, _| keep.contains(other) || !inside(other));
    }

    /// Puts a layer on top, entry by entry, as an engine does.
    fn put(&mut self, layer: &[u8]) {
        let mut own: BTreeSet<Name> = BTreeSet::new();
        for entry in tar::Archive::new(layer).entries().unwrap() {
            let mut entry = entry.unwrap();
            let named = entry.path_bytes().into_owned();
            let name: Name = named.strip_suffix(b"/").unwrap_or(&named).to_vec();
            let at = name.iter().rposition(|byte| *byte == b'/');
            let (folder, last) = (&name[..at.unwrap_or(0)], &name[at.map_or(0, |at| at + 1)..]);
            if last == b".wh..wh..opq" {
                assert!(own.contains(folder), "a mark without its folder");
                self.remove(folder, &own, false);
                continue;
            }
            if let Some(hidden) = last.strip_prefix(b".wh.") {
                let hidden = if folder.is_empty() { hidden.to_vec() } else { [folder, b"/", hidden].concat() };
                self.remove(&hidden, &own, true);
                continue;
            }
            assert!(folder.is_empty() || own.contains(folder), "{name:?} comes without its folder");
            let kind = entry.header().entry_type();
            let is_folder = kind.is_dir();
            if !(is_folder && self.by_name.get(&name).is_some_and(|found| found.kind == 'd')) {
                self.remove(&name, &BTreeSet::new(), true);
            }
            self.next += 1;
            let mut content = vec![];
            io::Read::read_to_end(&mut entry, &mut content).unwrap();
            let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default();
            let rights = (entry.header().mode().unwrap(), entry.header().uid().unwrap());
            let attributes = entry.pax_extensions().unwrap().map_or(vec![], |mut said| {
                let ours = said.find(|said| said.as_ref().unwrap().key() == Ok("SCHILY.xattr.user.name"));
                ours.map_or(vec![], |said| said.unwrap().value_bytes().to_vec())
            });
            let found = if kind.is_hard_link() {
                self.by_name.get(&link).unwrap_or_else(|| panic!("{name:?} leads to {link:?}")).clone()
            } else {
                let kind = if is_folder {
                    'd'
                } else if kind.is_symlink() {
                    'l'
                } else {
                    'f'
                };
                let content = if kind == 'l' { link } else { content };
                Found { kind, content, rights, attributes, same: self.next }
            };
            self.by_name.insert(name.clone(), found);
            own.insert(name);
        }
    }

    /// The same with numbers that say only which names are of one file.
    fn settled(&self) -> BTreeMap<Name, Found> {
        let mut first: BTreeMap<u64, u64> = BTreeMap::new();
        let settle = |(at, (name, found)): (usize, (&Name, &Found))| {
            let same = *first.entry(found.same).or_insert(at as u64);
            // A folder keeps its number when it is put on itself.
            let same = if found.kind == 'd' { 0 } else { same };
            (name.clone(), Found { same, ..found.clone() })
        };
        self.by_name.iter().enumerate().map(settle).collect()
    }
}

fn scanned(layer: &[u8], piece: usize) -> Result<Vec<Item>> {
    let mut scan = Scan::new(true, Room::OF_IMAGE);
    layer.chunks(piece).try_for_each(|piece| scan.feed(piece))?;
    scan.finish().map(|(items, _)| items)
}

fn present(base: &[Vec<u8>]) -> Present {
    let mut present = Present::default();
    base.iter().for_each(|layer| present.add(&scanned(layer, 4096).unwrap()));
    present
}

/// The layers as one, and of how many pieces it is made.
fn merged(base: &[Vec<u8>], layers: &[Vec<u8>], piece: usize) -> Result<(Vec<u8>, usize)> {
    let items = layers.iter().map(|layer| scanned(layer, piece)).collect::<Result<Vec<_>>>()?;
    let items: Vec<&[Item]> = items.iter().map(Vec::as_slice).collect();
    let at = |layer: usize, from: u64, length: u64| {
        let from = usize::try_from(from).unwrap();
        layers[layer][from..from + usize::try_from(length).unwrap()].to_vec()
    };
    let plan = plan(&items, &present(base), |layer, from, length| Ok(at(layer, from, length)))?;
    let bytes = plan.pieces.iter().flat_map(|piece| match piece {
        Piece::Copy { layer, from, length } => at(*layer, *from, *length),
        Piece::Bytes(bytes) => bytes.clone(),
    });
    let bytes: Vec<u8> = bytes.collect();
    assert_eq!(bytes.len() as u64, plan.length);
    Ok((bytes, plan.pieces.len()))
}

fn put(layers: &[&[Vec<u8>]]) -> BTreeMap<Name, Found> {
    let mut files = Files::default();
    layers.iter().flat_map(|layers| layers.iter()).for_each(|layer| files.put(layer));
    files.settled()
}

fn tree(layers: &[&[Vec<u8>]]) -> Tree {
    let mut tree = Tree::default();
    layers.iter().flat_map(|layers| layers.iter()).for_each(|layer| tree.put(&scanned(layer, 999).unwrap()).unwrap());
    tree
}

/// One layer of what is wished for: what contradicts something before it is left out.
fn made(wishes: &[(Name, Make)]) -> Vec<u8> {
    let mut entries: BTreeMap<Name, Make> = BTreeMap::new();
    for (name, make) in wishes {
        let folders: Vec<Name> = item::folders(name).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect();
        let is_folder = |name: &Name| entries.get(name).is_none_or(|make| matches!(make, Make::Folder { .. }));
        let holds = |name: &Name| entries.keys().any(|other| other.starts_with(&[name, b"/".as_slice()].concat()));
        let fits = !entries.contains_key(name) && (matches!(make, Make::Folder { .. }) || !holds(name));
        if fits && folders.iter().all(is_folder) {
            for folder in folders {
                entries.entry(folder).or_insert(Make::Folder { mode: 0o755, opaque: false });
            }
            entries.insert(name.clone(), make.clone());
        }
    }
    layer(&entries)
}

fn names() -> impl Strategy<Value = Name> {
    let part = prop_oneof![
        4 => Just(b"a".to_vec()),
        4 => Just(b"b".to_vec()),
        1 => Just(b"\xff \t".to_vec()),
        1 => Just([b'l'; 120].to_vec()),
    ];
    proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join(&b'/'))
}

fn makes() -> impl Strategy<Value = Make> {
    let modes = || prop_oneof![Just(0o644), Just(0o4755), Just(0o700)];
    prop_oneof![
        3 => (modes(), any::<bool>()).prop_map(|(mode, opaque)| Make::Folder { mode, opaque }),
        4 => (modes(), proptest::collection::vec(any::<u8>(), 0..1200)).prop_map(|(mode, content)| Make::File { mode, content }),
        1 => Just(Make::Symlink),
        3 => (0usize..9).prop_map(Make::Link),
        3 => Just(Make::Hide),
    ]
}

/// What is wished for in each of several layers.
fn layers(most: usize) -> impl Strategy<Value = Vec<Vec<(Name, Make)>>> {
    proptest::collection::vec(proptest::collection::vec((names(), makes()), 0..9), 0..=most)
}

fn all_made(layers: &[Vec<(Name, Make)>]) -> Vec<Vec<u8>> {
    layers.iter().map(|wishes| made(wishes)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn one_layer_does_what_several_do(base in layers(2), above in layers(4), piece in 1usize..3000) {
        let (base, above) = (all_made(&base), all_made(&above));
        let (one, _) = merged(&base, &above, piece).unwrap();
        prop_assert_eq!(put(&[&base, std::slice::from_ref(&one)]), put(&[&base, &above]));
        // However often it is done.
        prop_assert!(merged(&base, std::slice::from_ref(&one), piece).unwrap().0 == one);
        // Step by step as at once.
        if let Some((last, before)) = above.split_last() {
            let step = merged(&base, before, piece).unwrap().0;
            let stepped = merged(&base, &[step, last.clone()], piece).unwrap().0;
            prop_assert_eq!(put(&[&base, &[stepped]]), put(&[&base, &above]));
        }
        let names: Vec<Name> = tree(&[&base, &above]).nodes.keys().map(|name| name.to_vec()).collect();
        let expected: Vec<Name> = put(&[&base, &above]).into_keys().collect();
        prop_assert_eq!(names, expected);
        prop_assert_eq!(tree(&[&base, &[one]]), tree(&[&base, &above]));
    }

    #[test]
    fn over_nothing_no_mark_stays(above in layers(4)) {
        let (one, _) = merged(&[], &all_made(&above), 512).unwrap();
        let marks = scanned(&one, 512).unwrap().into_iter().filter(|item| matches!(item.what, What::Hides | What::HidesAll));
        prop_assert_eq!(marks.count(), 0);
    }

    #[test]
    fn garbage_is_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000), at in 0usize..3000) {
        let mut whole = made(&[(b"a/b".to_vec(), Make::File { mode: 1, content: vec![7; 900] })]);
        let at = at.min(whole.len());
        let end = (at + bytes.len()).min(whole.len());
        whole.splice(at..end, bytes.clone());
        let _whatever = merged(&[], &[whole], 700);
        let _whatever = merged(&[], &[bytes], 700);
    }
}

fn file(content: &[u8]) -> Make {
    Make::File { mode: 0o640, content: content.to_vec() }
}

fn folder() -> Make {
    Make::Folder { mode: 0o755, opaque: false }
}

fn of(entries: &[(&[u8], Make)]) -> Vec<u8> {
    made(&entries.iter().map(|(name, make)| (name.to_vec(), make.clone())).collect::<Vec<_>>())
}

#[test]
fn a_hard_link_whose_first_name_is_gone_gets_the_content() {
    let first = of(&[(b"a", file(b"one")), (b"b", Make::Link(0)), (b"c", Make::Link(0)), (b"d", Make::Link(0))]);
    let second = of(&[(b"a", file(b"two")), (b"c", Make::Hide)]);
    let (one, _) = merged(&[], &[first, second], 100).unwrap();
    let found = put(&[&[one]]);
    assert_eq!(found.keys().map(Vec::as_slice).collect::<Vec<_>>(), [b"a", b"b", b"d"]);
    assert_eq!(
        (found[b"a".as_slice()].content.as_slice(), found[b"b".as_slice()].content.as_slice()),
        (b"two".as_slice(), b"one".as_slice())
    );
    assert_eq!(found[b"b".as_slice()].same, found[b"d".as_slice()].same, "still one file");
    assert_eq!(found[b"b".as_slice()].attributes, b"a", "attributes are of the file, not of the name");
}

#[test]
fn what_came_and_went_leaves_nothing_and_what_hides_the_base_stays() {
    let base = vec![of(&[(b"etc/passwd", file(b"root"))])];
    let first = of(&[(b"etc/new", file(&[1; 5000])), (b"tmp/x", file(b"x"))]);
    let second = of(&[(b"etc/new", Make::Hide), (b"etc/passwd", Make::Hide), (b"tmp", Make::Hide)]);
    let (one, _) = merged(&base, &[first, second], 100).unwrap();
    let items = scanned(&one, 100).unwrap();
    let told: Vec<(&[u8], &What)> = items.iter().map(|item| (&*item.path, &item.what)).collect();
    assert_eq!(told, [(b"etc".as_slice(), &What::Folder), (b"etc/passwd", &What::Hides)]);
}

#[test]
fn a_folder_made_anew_hides_what_was_in_the_old_one() {
    let base = vec![of(&[(b"d/old", file(b"old"))])];
    for between in [of(&[(b"d", Make::Hide)]), of(&[(b"d", file(b"a file"))]), of(&[(b"d", Make::Symlink)])] {
        let again = of(&[(b"d", folder()), (b"d/new", file(b"new"))]);
        let (one, _) = merged(&base, &[between, again], 64).unwrap();
        let names: Vec<Name> = put(&[&base, &[one]]).into_keys().collect();
        assert_eq!(names, [b"d".to_vec(), b"d/new".to_vec()]);
    }
}

#[test]
fn large_files_are_copied_in_one_piece() {
    let first = of(&[(b"a", file(&[1; 300_000])), (b"b", file(&[2; 300_000]))]);
    let (one, pieces) = merged(&[], std::slice::from_ref(&first), 8192).unwrap();
    assert!(pieces == 2 && one == first, "all entries at once, and the end mark");
}

#[test]
fn what_no_engine_writes_is_refused_in_words() {
    let with = |name: &[u8], kind: tar::EntryType, link: Option<&[u8]>, more: Option<(&str, &[u8])>| {
        let mut builder = tar::Builder::new(Vec::new());
        if let Some(more) = more {
            builder.append_pax_extensions([more]).unwrap();
        }
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_entry_type(kind);
        header.set_size(0);
        if let Some(link) = link {
            header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link);
        }
        header.set_cksum();
        builder.append(&header, io::empty()).unwrap();
        builder.into_inner().unwrap()
    };
    let regular = tar::EntryType::Regular;
    for (bad, words) in [
        (with(b"../x", regular, None, None), "leads out"),
        (with(b"x", tar::EntryType::GNUSparse, None, None), "kind"),
        (with(b"x", regular, None, Some(("GNU.sparse.major", b"1"))), "kind"),
        (with(b"x", tar::EntryType::Link, Some(b"gone"), None), "not in its layer"),
        (with(b"x", tar::EntryType::Link, Some(b"x"), None), "not in its layer"),
        (vec![b'{'; 600], "no tar file"),
        (with(b"x", regular, None, None)[..700].to_vec(), "ended"),
    ] {
        let error = merged(&[], &[bad], 100).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn what_changed_is_told_by_content_and_not_by_moments() {
    let base = of(&[(b"same", file(b"1")), (b"other", file(b"2")), (b"gone/x", file(b"3")), (b"mode", file(b"4"))]);
    let above = of(&[
        (b"same", file(b"1")),
        (b"other", file(b"22")),
        (b"gone", Make::Hide),
        (b"mode", Make::File { mode: 0o755, content: b"4".to_vec() }),
        (b"\xffnew", file(b"555")),
    ]);
    let base = vec![base];
    let changes = tree(&[&base, &[above]]).since(&tree(&[&base]), 4);
    assert_eq!((changes.added, changes.changed, changes.removed), (1, 2, 2));
    let told: Vec<_> =
        changes.first.iter().map(|one| (one.path.as_str(), one.kind, one.bytes_before, one.bytes)).collect();
    assert_eq!(
        told,
        [
            ("/gone", ChangeKind::Removed, 0, 0),
            ("/gone/x", ChangeKind::Removed, 1, 0),
            ("/mode", ChangeKind::Changed, 1, 1),
            ("/other", ChangeKind::Changed, 1, 2),
        ]
    );
    let none = tree(&[&base]).since(&tree(&[&base]), 9);
    assert_eq!(none, Changes::default());
}

/// An archive of these layers as newer engines save it.
fn archive(layers: &[Vec<u8>]) -> (Vec<u8>, Vec<String>) {
    let ids: Vec<String> = layers.iter().map(|layer| crate::layers::digest(layer)).collect();
    let blob = |id: &String| format!("blobs/sha256/{}", id.trim_start_matches("sha256:"));
    let config = json!({ "rootfs": { "diff_ids": ids } }).to_string().into_bytes();
    let manifest = json!([{ "Config": "c.json", "RepoTags": [], "Layers": ids.iter().map(blob).collect::<Vec<_>>() }]);
    let mut files: Vec<(String, Vec<u8>)> = ids.iter().map(blob).zip(layers.iter().cloned()).collect();
    files.extend([("c.json".to_owned(), config), ("manifest.json".to_owned(), manifest.to_string().into_bytes())]);
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in &files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    (builder.into_inner().unwrap(), ids)
}

fn opened(archive: &[u8], ids: &[String], base: usize, most_bytes: u64) -> Result<Opened> {
    let limits = Limits { directory: std::env::temp_dir(), most_bytes, digests: false, room: Room::OF_IMAGE };
    let mut reader = Reader::new(ids, base, limits);
    archive.chunks(3000).try_for_each(|piece| reader.feed(piece))?;
    reader.finish()
}

#[tokio::test]
async fn an_archive_becomes_one_of_a_single_layer_over_the_base() {
    let base = of(&[(b"etc/passwd", file(b"root"))]);
    let above = [of(&[(b"a", file(&[1; 400_000])), (b"b", Make::Link(0))]), of(&[(b"a", Make::Hide)])];
    let all = [vec![base.clone()], above.to_vec()].concat();
    let (archive, ids) = archive(&all);
    let opened = opened(&archive, &ids, 1, 1 << 20).unwrap();
    assert!(opened.layer(0).file.is_none() && opened.layer(1).file.is_some(), "of the base nothing is kept");
    let items: Vec<&[Item]> = (1..3).map(|at| opened.layer(at).items.as_slice()).collect();
    let heads = |layer: usize, from: u64, length: u64| {
        let from = usize::try_from(from).unwrap();
        Ok(above[layer][from..from + usize::try_from(length).unwrap()].to_vec())
    };
    let plan = plan(&items, &opened.present(1), heads).unwrap();
    let like = json!({ "Architecture": "x", "Os": "linux", "Variant": "v8", "Config": {
        "Volumes": { "/data": {} }, "Env": ["A=1"], "Hostname": "h", "Labels": { "theirs": "1", "pierhead.cluster": "c" },
    } });
    let labels = BTreeMap::from([("pierhead.saved".to_owned(), "s".to_owned())]);
    let configured = move |ids: &[String]| configuration(&like, ids, &labels, "2020-01-01T00:00:00Z");
    let composed = compose(ids[..1].to_vec(), Some((opened, 1, plan)), "pierhead/save:1".to_owned(), configured);
    let bytes: Vec<u8> = composed.pieces.map_ok(|piece| piece.to_vec()).try_concat().await.unwrap();
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = vec![];
        io::Read::read_to_end(&mut entry, &mut content).unwrap();
        files.insert(entry.path().unwrap().display().to_string(), content);
    }
    let layer = &files["layer.tar"];
    assert_eq!(put(&[std::slice::from_ref(&base), std::slice::from_ref(layer)]), put(&[&all]));
    let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    assert_eq!(manifest[0]["Layers"], json!(["1.tar", "layer.tar"]));
    let config = &files[manifest[0]["Config"].as_str().unwrap()];
    assert_eq!(*composed.id.get().unwrap(), crate::layers::digest(config));
    let config: serde_json::Value = serde_json::from_slice(config).unwrap();
    assert_eq!(config["rootfs"]["diff_ids"], json!([ids[0], crate::layers::digest(layer)]));
    assert_eq!(config["config"], json!({ "Env": ["A=1"], "Labels": { "theirs": "1", "pierhead.saved": "s" } }));
    assert_eq!(config["variant"], "v8");
}

#[test]
fn an_archive_that_is_too_large_or_lacks_something() {
    let layers = [of(&[(b"a", file(&[1; 50_000]))]), of(&[(b"b", file(&[2; 50_000]))])];
    let (archive, ids) = archive(&layers);
    let error = opened(&archive, &ids, 1, 20_000).unwrap_err();
    assert!(matches!(error, MergeError::TooLarge { most_bytes: 20_000 }), "{error}");
    assert!(opened(&archive, &ids, 1, 60_000).is_ok(), "the base does not count");
    for cut in [0, 700, archive.len() - 1200] {
        assert!(opened(&archive[..cut], &ids, 1, 60_000).is_err(), "cut at {cut}");
    }
    let error = opened(&archive[archive.len() - 1024..], &ids, 1, 60_000).unwrap_err();
    assert!(error.to_string().contains("manifest.json is missing"), "{error}");
}
