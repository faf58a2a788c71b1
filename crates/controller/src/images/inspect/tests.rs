use super::*;
use std::io::Write;

/// The configuration of an image of one layer.
const CONFIG: &str = r#"{"rootfs":{"type":"layers","diff_ids":["sha256:00"]}}"#;

fn digits(text: &str) -> String {
    pierhead_blobs::Digest::of(Sha256::digest(text.as_bytes()).into()).to_string()
}

fn config_name() -> String {
    format!("{}.json", digits(CONFIG))
}

fn manifest_text(config: &str, tags: &str, layers: &str) -> String {
    format!(r#"[{{"Config":"{config}","RepoTags":{tags},"Layers":{layers}}}]"#)
}

fn good_manifest() -> String {
    manifest_text(&config_name(), r#"["shop:1"]"#, r#"["layer.tar"]"#)
}

/// An entry with any name at all, which the library itself would not write.
fn add(tar: &mut Vec<u8>, name: &[u8], kind: tar::EntryType, link: &[u8], content: &[u8]) {
    let mut header = tar::Header::new_old();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    tar.extend_from_slice(header.as_bytes());
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, content) in files {
        add(&mut tar, name.as_bytes(), tar::EntryType::Regular, b"", content.as_bytes());
    }
    tar.extend([0; 1024]);
    tar
}

fn read(bytes: &[u8]) -> Result<Inspected, ArchiveError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    inspect(&mut file)
}

fn why(bytes: &[u8]) -> String {
    match read(bytes) {
        Err(ArchiveError::Malformed(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn an_archive_tells_its_image() {
    let bytes = archive(&[("layer.tar", "content"), (&config_name(), CONFIG), ("manifest.json", &good_manifest())]);
    let inspected = read(&bytes).unwrap();
    assert_eq!(inspected.id.digits(), digits(CONFIG));
    assert_eq!(inspected.tags, BTreeSet::from([ImageReference::parse("shop:1").unwrap()]));
    assert_eq!((inspected.config, inspected.layers), (config_name(), vec!["layer.tar".to_owned()]));
    assert_eq!(inspected.entries_bytes, bytes.len() as u64 - 1024);
}

#[test]
fn newer_and_older_layouts_are_read() {
    let blob = format!("blobs/sha256/{}", digits(CONFIG));
    let manifest = manifest_text(&blob, r#"["shop:1","shop:latest"]"#, r#"["blobs/sha256/aa"]"#);
    let newer =
        archive(&[("oci-layout", "{}"), (&blob, CONFIG), ("blobs/sha256/aa", "x"), ("manifest.json", &manifest)]);
    assert_eq!(read(&newer).unwrap().tags.len(), 2);
    // A layer that two have alike is a link in the older one; folders have entries of their own, names begin with ./.
    let manifest = manifest_text(&config_name(), r#"["shop:1"]"#, r#"["b/layer.tar"]"#);
    let mut older = Vec::new();
    add(&mut older, b"./a/", tar::EntryType::Directory, b"", b"");
    add(&mut older, b"./a/layer.tar", tar::EntryType::Regular, b"", b"content");
    add(&mut older, b"./b/layer.tar", tar::EntryType::Symlink, b"../a/layer.tar", b"");
    add(&mut older, config_name().as_bytes(), tar::EntryType::Regular, b"", CONFIG.as_bytes());
    add(&mut older, b"manifest.json", tar::EntryType::Regular, b"", manifest.as_bytes());
    assert_eq!(read(&older).unwrap().layers, ["b/layer.tar"], "the end mark may be missing");
}

#[test]
fn what_is_missing_is_named() {
    let (config, manifest) = (config_name(), good_manifest());
    let layer = ("layer.tar", "content");
    let with = |manifest: &str| archive(&[layer, (config.as_str(), CONFIG), ("manifest.json", manifest)]);
    let other = r#"{"rootfs":{"diff_ids":[]}}"#;
    for (bytes, word) in [
        (b"this is no archive".to_vec(), "tar file"),
        (vec![0; 1024], "no manifest.json"),
        (archive(&[("bin/sh", "x")]), "docker export"),
        (archive(&[("oci-layout", "{}"), ("index.json", "{}")]), "OCI layout"),
        (archive(&[("manifest.json", "{"), layer]), "not as it should be"),
        (archive(&[("manifest.json", "[]"), layer]), "no image"),
        (with(&format!("[{0},{0}]", manifest.trim_matches(['[', ']']))), "2 images"),
        (archive(&[layer, ("manifest.json", &manifest)]), &config),
        (archive(&[(&config, CONFIG), ("manifest.json", &manifest)]), "layer \"layer.tar\""),
        (archive(&[layer, (&config, other), ("manifest.json", &manifest)]), "digest of its configuration"),
        (archive(&[layer, ("c", "[]"), ("manifest.json", &manifest_text("c", r#"["a"]"#, "[]"))]), "rootfs.diff_ids"),
        (archive(&[layer, ("c", "no"), ("manifest.json", &manifest_text("c", r#"["a"]"#, "[]"))]), "not JSON"),
        (with(&manifest_text(&config, r#"["shop:1"]"#, "[]")), "it has 0 layers"),
        (with(&manifest_text(&config, "null", r#"["layer.tar"]"#)), "no name (RepoTags)"),
        (with(&manifest_text(&config, r#"["Not A Name"]"#, r#"["layer.tar"]"#)), "Not A Name"),
        (
            with(&manifest_text(&config, &format!("[\"sha256:{}\"]", digits("x")), r#"["layer.tar"]"#)),
            "no name of an image",
        ),
    ] {
        let why = why(&bytes);
        assert!(why.contains(word), "{word}: {why}");
    }
}

#[test]
fn what_is_no_archive_is_not_repeated() {
    assert_eq!(why(&[0xe9; 2048]), "it is no readable tar file");
}

#[test]
fn names_and_links_that_lead_out_are_refused() {
    use tar::EntryType::{Block, Fifo, Link, Regular, Symlink};
    for (name, kind, link, word) in [
        (&b"../evil"[..], Regular, &b""[..], "leads out"),
        (b"a/../../evil", Regular, b"", "leads out"),
        (b"/etc/passwd", Regular, b"", "leads out"),
        (b"..", Regular, b"", "leads out"),
        (b"\xff\xfe", Regular, b"", "not UTF-8"),
        (b"layer", Symlink, b"/etc/passwd", "leads out"),
        (b"layer", Symlink, b"../../etc/passwd", "leads out"),
        (b"layer", Link, b"manifest.json", "neither a file"),
        (b"null", Block, b"", "neither a file"),
        (b"pipe", Fifo, b"", "neither a file"),
    ] {
        let mut bytes = Vec::new();
        add(&mut bytes, name, kind, link, b"");
        let why = why(&bytes);
        assert!(
            why.contains(word),
            "{:?} to {:?}: {why}",
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(link)
        );
    }
    let manifest = manifest_text("../../etc/passwd", r#"["a"]"#, "[]");
    assert!(why(&archive(&[("manifest.json", &manifest)])).contains("missing"));
    let mut ring = Vec::new();
    add(&mut ring, b"a", Symlink, b"b", b"");
    add(&mut ring, b"b", Symlink, b"a", b"");
    add(&mut ring, b"manifest.json", Regular, b"", manifest_text("a", r#"["a"]"#, "[]").as_bytes());
    assert!(why(&ring).contains("missing"), "links that lead to one another end");
}

#[test]
fn an_archive_that_was_cut_is_refused_wherever_it_was() {
    let long = "x".repeat(3000);
    let whole = archive(&[("manifest.json", &good_manifest()), (&config_name(), CONFIG), ("layer.tar", &long)]);
    let entries = whole.len() - 1024;
    for length in (0..entries).step_by(101) {
        why(&whole[..length]);
    }
    assert!(read(&whole[..entries]).is_ok());
}

#[test]
fn the_manifest_that_is_added_counts() {
    let bytes = archive(&[("layer.tar", "content"), (&config_name(), CONFIG), ("manifest.json", &good_manifest())]);
    let inspected = read(&bytes).unwrap();
    let record = |tags: &[&str]| ImageArchive {
        id: inspected.id.clone(),
        tags: tags.iter().map(|tag| ImageReference::parse(tag).unwrap()).collect(),
        file: String::new(),
        entries_bytes: inspected.entries_bytes,
        size_bytes: bytes.len() as u64,
        config: inspected.config.clone(),
        layers: inspected.layers.clone(),
        diff_ids: inspected.diff_ids.clone(),
        layer_bytes: inspected.layer_bytes.clone(),
        uploaded_at: pierhead_model::Timestamp(0),
        uploaded_by: pierhead_model::Username::parse("ann").unwrap(),
    };
    let entries = &bytes[..usize::try_from(inspected.entries_bytes).unwrap()];
    let renamed = [entries, &manifest(&record(&[]), &["other:2"])].concat();
    let found = read(&renamed).unwrap();
    assert_eq!(found.tags, BTreeSet::from([ImageReference::parse("other:2").unwrap()]));
    assert_eq!((found.id, found.layers), (inspected.id.clone(), inspected.layers.clone()));
    assert!(why(&[entries, &manifest(&record(&[]), &[])].concat()).contains("no name"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(noise in proptest::collection::vec(proptest::num::u8::ANY, 0..2000), at in 0..4096_usize) {
        let mut bytes = archive(&[("manifest.json", &good_manifest()), (&config_name(), CONFIG), ("layer.tar", "x")]);
        for (offset, byte) in noise.iter().enumerate() {
            if let Some(place) = bytes.get_mut(at + offset) {
                *place = *byte;
            }
        }
        let _either_way = read(&bytes);
    }
}
