//! Layers and archives that are cut, lie about themselves or lead elsewhere.

use super::*;
use crate::EngineError;

/// An entry whose head says whatever a test likes.
fn entry(name: &[u8], kind: u8, link: &[u8], change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_size(0);
    header.set_mode(0o644);
    header.set_uid(0);
    let block = header.as_mut_bytes();
    block[..name.len()].copy_from_slice(name);
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link);
    change(block);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn named(name: &[u8]) -> Vec<u8> {
    entry(name, b'0', b"", |_| {})
}

fn ended(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 1024]].concat()
}

/// A file of the given content, as a layer has it.
fn of_content(name: &[u8], content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_cksum();
    let mut bytes = [header.as_bytes().as_slice(), content].concat();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// A head whose size stands there in bytes, not in digits.
fn of_size(kind: u8, size: [u8; 12]) -> Vec<u8> {
    entry(b"x", kind, b"", |block| block[124..136].copy_from_slice(&size))
}

#[test]
fn a_layer_that_is_cut_anywhere_is_none() {
    let whole = of(&[(b"a/b", file(&[7; 900])), (b"a/c", Make::Link(0)), (b"d", Make::Hide)]);
    let end = whole.len() - 1024;
    for cut in 0..end + 512 {
        let error = scanned(&whole[..cut], 333).unwrap_err();
        assert!(matches!(error, MergeError::Cut), "cut at {cut}: {error}");
    }
    let all = scanned(&whole, 333).unwrap();
    assert_eq!(scanned(&whole[..end + 512], 1).unwrap(), all, "one block of the end mark is enough");
    assert_eq!(scanned(&[whole, vec![b'!'; 700]].concat(), 100).unwrap(), all, "nothing counts after the end");
}

#[test]
fn no_name_leads_out_of_a_layer() {
    let outside = |entry: Vec<u8>| {
        let error = scanned(&ended(std::slice::from_ref(&entry)), 512).unwrap_err();
        assert!(matches!(error, MergeError::Outside(_)), "{error}");
        assert!(merged(&[], &[ended(&[named(b"before"), entry])], 512).is_err());
    };
    for name in [b"..".as_slice(), b"../x", b"/../x", b"a/../b", b"a/..", b"./../x", b"a/.wh./../x", b"../.wh.x"] {
        outside(named(name));
    }
    for mark in [b".wh.".as_slice(), b".wh..", b".wh...", b"a/.wh.", b"a/.wh..", b"a/b/.wh...", b"/.wh."] {
        outside(named(mark));
    }
    outside(entry(b"link", b'1', b"../../etc/shadow", |_| {}));
    let mut said = tar::Builder::new(Vec::new());
    said.append_pax_extensions([("path", b"a/../../x".as_slice())]).unwrap();
    let mut said = said.into_inner().unwrap();
    said.truncate(said.len() - 1024);
    outside([said, named(b"harmless")].concat());
}

#[test]
fn absolute_names_are_those_of_the_layer_and_symbolic_links_are_not_followed() {
    for name in [b"/etc/x".as_slice(), b"//etc//x", b"./etc/./x", b"etc/x"] {
        let items = scanned(&ended(&[named(name)]), 512).unwrap();
        assert_eq!((&*items[0].path, &items[0].what), (b"etc/x".as_slice(), &What::File));
    }
    let dots = [named(b"..."), named(b"..x"), named(b"a/x.."), named(b".wh...x")];
    let found: Vec<Box<[u8]>> = scanned(&ended(&dots), 512).unwrap().into_iter().map(|item| item.path).collect();
    assert_eq!(found, [b"...".as_slice(), b"..x", b"a/x..", b"..x"].map(Box::from), "names with dots are names");
    let away = entry(b"away", b'2', b"../../../etc", |_| {});
    let (one, _) = merged(&[], &[ended(&[away]), ended(&[named(b"other")])], 512).unwrap();
    let kept: Vec<What> = scanned(&one, 512).unwrap().into_iter().map(|item| item.what).collect();
    assert!(kept.contains(&What::Other(b'2', b"../../../etc".as_slice().into())), "{kept:?}");
}

#[test]
fn a_file_that_comes_twice_is_the_later_one() {
    let twice = ended(&[of_content(b"a", b"first"), of_content(b"b", b"between"), of_content(b"a", b"second")]);
    let (one, _) = merged(&[], &[twice.clone(), ended(&[named(b"c")])], 100).unwrap();
    let found = put(&[&[one]]);
    assert_eq!(found[b"a".as_slice()].content, b"second");
    assert_eq!(found.keys().map(Vec::as_slice).collect::<Vec<_>>(), [b"a", b"b", b"c"]);
    let changes = tree(&[&[twice]]).since(&tree(&[&[ended(&[of_content(b"a", b"second")])]]), 9);
    assert_eq!((changes.added, changes.changed, changes.removed), (1, 0, 0), "{changes:?}");
}

#[test]
fn a_kind_that_nobody_knows_is_refused_by_its_name() {
    for kind in (0..=u8::MAX).filter(|kind| !matches!(kind, 0 | b'0'..=b'7' | b'x' | b'L' | b'K')) {
        match scanned(&ended(&[named(b"a"), entry(b"odd/one", kind, b"", |_| {})]), 512) {
            Err(MergeError::Kind { name, kind: told }) => {
                assert_eq!((name.as_str(), told), ("\"odd/one\"", char::from(kind)));
            }
            other => panic!("{kind}: {other:?}"),
        }
    }
    for kind in *b"346" {
        let items = scanned(&ended(&[entry(b"special", kind, b"", |_| {})]), 512).unwrap();
        assert_eq!(items[0].what, What::Other(kind, Box::default()), "devices and pipes stay what they are");
    }
}

#[test]
fn sizes_beyond_all_measure_are_refused_before_anything_is_kept() {
    let mut largest = [0xff; 12];
    largest[0] = 0x80;
    let mut long = [0; 12];
    long[0] = 0x80;
    long[4] = 0x7f;
    for (kind, size) in [(b'0', largest), (b'0', [0xff; 12]), (b'x', largest), (b'x', long), (b'L', long), (b'K', long)]
    {
        let error = scanned(&ended(&[of_size(kind, size)]), 512).unwrap_err();
        assert!(matches!(error, MergeError::Head(_) | MergeError::Cut), "{kind} {size:?}: {error}");
    }
    let error = scanned(&ended(&[of_size(b'0', long)]), 512).unwrap_err();
    assert!(matches!(error, MergeError::Cut), "what it promises does not come: {error}");
    for said in ["18446744073709551615", "9223372036854775807"] {
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_pax_extensions([("size", said.as_bytes())]).unwrap();
        let mut bytes = builder.into_inner().unwrap();
        bytes.truncate(bytes.len() - 1024);
        let error = scanned(&ended(&[bytes, named(b"x")]), 512).unwrap_err();
        assert!(matches!(error, MergeError::Cut), "{said}: {error}");
    }
    // Small pieces that are said one after the other, and belong to no entry.
    let ahead = [of_size(b'L', *b"00000001000\0"), vec![b'n'; 512]].concat();
    let error = scanned(&ahead.repeat(2000), 4096).unwrap_err();
    assert!(matches!(error, MergeError::Head(_)), "{error}");
}

#[test]
fn names_that_cost_no_disk_do_not_fill_the_memory() {
    let layer = ended(&[named(b"a"), named(b"bb"), entry(b"c", b'2', b"leads/far", |_| {}), named(b".wh.d")]);
    let left = |room: Room| {
        let mut scan = Scan::new(false, room);
        layer.chunks(100).try_for_each(|piece| scan.feed(piece))?;
        scan.finish().map(|(items, left)| (items.len(), left))
    };
    let whole = Room { entries: 4, name_bytes: 14 };
    assert_eq!(left(whole).unwrap(), (4, Room { entries: 0, name_bytes: 0 }), "where a link leads counts, too");
    for small in [Room { entries: 3, ..whole }, Room { name_bytes: 13, ..whole }] {
        let error = left(small).unwrap_err();
        assert!(matches!(error, MergeError::TooMany), "{error}");
        let error = EngineError::from(error);
        assert!(matches!(&error, EngineError::Refused(why) if why.contains("1000000 files and folders")), "{error}");
    }
    // All layers of an image share it, those of its base as well.
    let two = archive_of(&[("x/layer.tar", layer.clone()), ("y/layer.tar", layer.clone())]);
    let read = |entries: u64| {
        let room = Room { entries, name_bytes: 1000 };
        let limits = Limits { directory: std::env::temp_dir(), most_bytes: 1 << 20, digests: false, room };
        Reader::new(&[], 0, limits).feed(&two)
    };
    assert!(matches!(read(7), Err(MergeError::TooMany)));
    read(8).unwrap();
}

/// An image's archive with these files, and nothing that holds them together.
fn archive_of(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    ended(&files.iter().map(|(name, content)| of_content(name.as_bytes(), content)).collect::<Vec<_>>())
}

fn manifest(config: &str, layers: &[&str]) -> Vec<u8> {
    json!([{ "Config": config, "Layers": layers }]).to_string().into_bytes()
}

#[test]
fn an_archive_whose_parts_do_not_fit_is_refused() {
    let (layer, config) = (of(&[(b"a", file(b"a"))]), b"{}".to_vec());
    let whole = |manifest: Vec<u8>| {
        archive_of(&[("x/layer.tar", layer.clone()), ("c.json", config.clone()), ("manifest.json", manifest)])
    };
    let read = opened(&whole(manifest("c.json", &["x/layer.tar"])), &[], 0, 1 << 20).unwrap();
    assert_eq!((read.order.as_slice(), read.layer(0).length), ([0].as_slice(), layer.len() as u64));
    for (told, words) in [
        (b"".to_vec(), "cannot be read"),
        (b"[{\"Config\":\"c.json\"}]".to_vec(), "Layers"),
        (b"{\"Config\":\"c.json\",\"Layers\":[]}".to_vec(), "cannot be read"),
        (b"[]".to_vec(), "the image is missing"),
        (manifest("d.json", &["x/layer.tar"]), "d.json is missing"),
        (manifest("/etc/passwd", &["x/layer.tar"]), "/etc/passwd is missing"),
        (manifest("../c.json", &["x/layer.tar"]), "../c.json is missing"),
        (manifest("c.json", &["x/layer.tar", "y/layer.tar"]), "y/layer.tar is missing"),
        (manifest("c.json", &["x/../x/layer.tar"]), "x/../x/layer.tar is missing"),
        (manifest("c.json", &["c.json"]), "c.json is missing"),
    ] {
        let error = opened(&whole(told), &[], 0, 1 << 20).unwrap_err();
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}

#[test]
fn a_layer_elsewhere_is_one_of_the_archive_or_none() {
    let layer = of(&[(b"a", file(b"a"))]);
    let linked = |target: &[u8]| {
        let link = entry(b"y/layer.tar", b'2', target, |_| {});
        let parts = archive_of(&[
            ("x/layer.tar", layer.clone()),
            ("c.json", b"{}".to_vec()),
            ("manifest.json", manifest("c.json", &["x/layer.tar", "y/layer.tar"])),
        ]);
        opened(&[link, parts].concat(), &[], 0, 1 << 20)
    };
    assert_eq!(linked(b"../x/layer.tar").unwrap().order, [0, 0]);
    for astray in [b"/etc/passwd".as_slice(), b"../../../../etc/passwd", b"../y/layer.tar", b"..", b""] {
        assert!(matches!(linked(astray), Err(MergeError::Archive(_))), "{}", String::from_utf8_lossy(astray));
    }
}

#[test]
fn descriptions_without_measure_and_layers_that_are_none_are_refused() {
    let fit = manifest("c.json", &["x/layer.tar"]);
    let large = archive_of(&[
        ("x/layer.tar", ended(&[])),
        ("c.json", vec![b' '; (4 << 20) + 1]),
        ("manifest.json", fit.clone()),
    ]);
    let error = opened(&large, &[], 0, 1 << 20).unwrap_err();
    assert!(error.to_string().contains("c.json is missing"), "it was not kept: {error}");
    for (content, expected) in [(b"".to_vec(), "ended"), (vec![b'{'; 512], "no tar file"), (named(b"x"), "ended")] {
        let parts = archive_of(&[("x/layer.tar", content), ("c.json", b"{}".to_vec()), ("manifest.json", fit.clone())]);
        let error = opened(&parts, &[], 0, 1 << 20).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn where_nothing_can_be_kept_nothing_is_read() {
    let parts = archive_of(&[("x/layer.tar", of(&[(b"a", file(b"a"))]))]);
    let nowhere = tempfile::tempdir().unwrap().path().join("gone");
    let limits = Limits { directory: nowhere, most_bytes: 1 << 20, digests: false, room: Room::OF_IMAGE };
    let error = Reader::new(&[], 0, limits.clone()).feed(&parts).unwrap_err();
    assert!(matches!(error, MergeError::Keep(_)), "{error}");
    let mut digesting = Reader::new(&[], 0, Limits { digests: true, ..limits });
    digesting.feed(&parts).unwrap();
}

#[test]
fn what_goes_wrong_means_the_same_to_whoever_asked() {
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
        let error = EngineError::from(MergeError::Keep(kind.into()));
        assert!(matches!(error, EngineError::NoSpace(_)), "{error:?}");
    }
    let error = EngineError::from(MergeError::TooLarge { most_bytes: 77 });
    assert!(matches!(&error, EngineError::Refused(why) if why.contains("77")), "{error:?}");
    for other in [MergeError::Cut, MergeError::Keep(io::ErrorKind::PermissionDenied.into())] {
        assert!(matches!(EngineError::from(other), EngineError::Failed(_)));
    }
}
