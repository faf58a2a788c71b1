//! Archives of every form, cut anywhere: what is left out is gone, all else is as it was.

use super::*;
use futures_util::{StreamExt, TryStreamExt, stream};
use hyper::body::Bytes;
use proptest::prelude::*;
use std::io;

/// A file of an archive.
type File = (String, Vec<u8>);

fn tar(files: &[File]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn files(archive: &[u8]) -> Vec<File> {
    let mut archive = tar::Archive::new(archive);
    let file = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut content = vec![];
        io::Read::read_to_end(&mut entry, &mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    };
    archive.entries().unwrap().map(file).collect()
}

/// What comes out if the archive comes in pieces of so many bytes.
fn sieved(archive: &[u8], leave_out: &LeaveOut, piece: usize) -> io::Result<Vec<u8>> {
    let pieces: Vec<io::Result<Bytes>> =
        archive.chunks(piece.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let out = sieve(stream::iter(pieces), leave_out.clone()).map_ok(|piece| piece.to_vec()).try_concat();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(out)
}

fn diff_id(at: usize, seed: u8) -> String {
    digest(&[u8::try_from(at).unwrap(), seed])
}

fn diff_ids(count: usize) -> Vec<String> {
    (0..count).map(|at| diff_id(at, 0)).collect()
}

fn digits(digest: &str) -> String {
    digest.trim_start_matches("sha256:").to_owned()
}

/// An archive as Docker 20.10 saves it, its folders in the order of their names: folder and content of each layer.
fn old_form(diff_ids: &[String], content: impl Fn(usize) -> Vec<u8>) -> (Vec<File>, Vec<String>) {
    let (mut parent, mut found, mut folders) = (String::new(), vec![], vec![]);
    for (at, chain) in chain_ids(diff_ids).iter().enumerate() {
        let is_highest = at + 1 == diff_ids.len();
        // In the order in which Docker writes them, which is not that of the alphabet.
        let mut told =
            r#""created":"1970-01-01T00:00:00Z","container_config":{"Hostname":"","Domainname":"","Cmd":["a\u003eb"]}"#
                .to_owned();
        let os = r#","os":"linux""#;
        let with_parent = |before: &str, digest: &str| match parent.as_str() {
            "" => String::new(),
            parent => format!(r#"{before}"parent":"{digest}{parent}""#),
        };
        let named = format!(
            r#"{{{},"created":"1970-01-01T00:00:00Z","layer_id":"{chain}"{}{}}}"#,
            &told[told.find(r#""container_config"#).unwrap()..],
            if is_highest { os } else { "" },
            with_parent(",", "sha256:"),
        );
        let folder = digits(&digest(named.as_bytes()));
        told = format!(r#"{{"id":"{folder}"{},{told}{os}}}"#, with_parent(",", ""));
        found.push((format!("{folder}/VERSION"), b"1.0".to_vec()));
        found.push((format!("{folder}/json"), told.into_bytes()));
        found.push((format!("{folder}/layer.tar"), content(at)));
        folders.push(folder.clone());
        parent = folder;
    }
    found.sort_by_key(|(name, _)| name.clone());
    found.push(("manifest.json".to_owned(), b"[]".to_vec()));
    (found, folders)
}

#[test]
fn chains_are_named_as_the_specification_says() {
    // Worked out by hand with sha256sum.
    let diff_ids = ["sha256:a", "sha256:b"].map(str::to_owned);
    let chains = chain_ids(&diff_ids);
    assert_eq!(chains[0], "sha256:a");
    assert_eq!(chains[1], digest(b"sha256:a sha256:b"));
    assert_eq!(digest(b"abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn what_is_shared_is_a_chain_and_not_single_layers() {
    let of = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
    for (wanted, there, expected) in [
        ("abc", vec![], 0),
        ("abc", vec!["abd", "xbc", "a"], 2),
        ("abc", vec!["bc", "c", "cab"], 0),
        ("abc", vec!["abcd"], 3),
        ("", vec!["abc"], 0),
    ] {
        let there: Vec<_> = there.into_iter().map(of).collect();
        assert_eq!(shared(&of(wanted), there.iter().map(Vec::as_slice)), expected, "{wanted} of {there:?}");
    }
}

#[test]
fn the_size_of_layers_is_never_overstated() {
    assert_eq!(bytes_of_lowest(&[10, 20, 30], 3, 2), 30);
    assert_eq!(bytes_of_lowest(&[10, 0, 20, 0, 30], 3, 2), 30, "steps without a layer");
    assert_eq!(bytes_of_lowest(&[10, 0, 30], 3, 2), 10, "the empty layer may be among the lowest two");
    assert_eq!(bytes_of_lowest(&[], 3, 3), 0);
    assert_eq!(bytes_of_lowest(&[10, 20], 1, 1), 10);
}

#[test]
fn a_layer_that_is_needed_again_stays() {
    let diff_ids = [diff_id(0, 0), diff_id(1, 0), diff_id(0, 0), diff_id(2, 0)];
    let leave_out = LeaveOut::lowest(&diff_ids, 2);
    assert_eq!((leave_out.leaves_out(0), leave_out.leaves_out(1), leave_out.leaves_out(2)), (false, true, false));
    assert_eq!(LeaveOut::lowest(&diff_ids, 9), LeaveOut::lowest(&diff_ids, 4));
    assert!(LeaveOut::lowest(&diff_ids, 0).is_empty() && LeaveOut::nothing().chain().is_none());
    let chain = leave_out.chain().unwrap();
    assert_eq!(LeaveOut::up_to(&diff_ids, chain), Some(leave_out.clone()));
    assert_eq!(LeaveOut::up_to(&diff_ids[1..], chain), None);
}

#[test]
fn words_instead_of_an_archive_are_an_error() {
    let archive = tar(&[("a".to_owned(), vec![7; 1000])]);
    let words =
        [&archive[..512 + 1024], br#"{"errorDetail":{"message":"no space left on device"}}"#, &[b' '; 600]].concat();
    let error = sieved(&words, &LeaveOut::nothing(), 100).unwrap_err();
    assert!(error.to_string().contains("no space left on device"), "{error}");
    for cut in [0, 1, 511, 512, 700, 512 + 1024] {
        let error = sieved(&archive[..cut], &LeaveOut::nothing(), 100).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "cut at {cut}");
    }
    assert_eq!(sieved(&archive, &LeaveOut::nothing(), 100).unwrap(), archive);
}

#[test]
fn what_is_said_before_an_entry_has_an_end() {
    let mut builder = tar::Builder::new(Vec::new());
    for _ in 0..1200 {
        builder.append_pax_extensions([("comment", [b'x'; 400].as_slice())]).unwrap();
    }
    let error = sieved(&builder.into_inner().unwrap(), &LeaveOut::nothing(), 5000).unwrap_err();
    assert!(error.to_string().contains("no tar file"), "{error}");
}

#[tokio::test]
async fn an_error_on_the_way_is_handed_on_and_is_the_end() {
    let pieces = stream::iter([Err(io::Error::other("the disk broke")), Ok(Bytes::new())]);
    let out: Vec<_> = sieve(pieces, LeaveOut::nothing()).collect().await;
    assert!(out.len() == 1 && out[0].as_ref().unwrap_err().to_string().contains("the disk broke"));
}

#[test]
fn names_longer_than_a_head_holds_and_sizes_told_beside_it() {
    let long = format!("{}/layer.tar", "d/".repeat(80));
    let mut archive = tar(&[(long.clone(), vec![1; 700]), ("b".to_owned(), vec![2; 3])]);
    let leave_out = LeaveOut::lowest(&diff_ids(1), 1).named(&[long]);
    assert_eq!(files(&sieved(&archive, &leave_out, 99).unwrap()), [("b".to_owned(), vec![2; 3])]);
    // The same with properties, one of which is the size: the head itself says that nothing follows.
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_pax_extensions([("path", b"blobs/x".as_slice()), ("size", b"700")]).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_path("short").unwrap();
    header.set_size(0);
    header.set_cksum();
    let head = header.as_bytes().to_vec();
    archive = builder.into_inner().unwrap();
    // Without its end mark.
    archive.truncate(archive.len() - 1024);
    archive.extend(head);
    archive.extend([3; 1024]);
    archive.extend(tar(&[("b".to_owned(), vec![2; 3])]));
    let leave_out = LeaveOut::lowest(&diff_ids(1), 1).named(&["./blobs/x".to_owned()]);
    assert_eq!(files(&sieved(&archive, &leave_out, 99).unwrap()), [("b".to_owned(), vec![2; 3])]);
    assert_eq!(sieved(&archive, &LeaveOut::nothing(), 99).unwrap(), archive);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_lowest_layers_go_and_all_else_stays(
        count in 1usize..8,
        lowest in 0usize..9,
        repeated in proptest::option::of((0usize..8, 0usize..8)),
        sizes in proptest::collection::vec(0usize..2000, 8),
        piece in 1usize..3000,
        is_old: bool,
    ) {
        let mut diff_ids = diff_ids(count);
        if let Some((from, to)) = repeated {
            diff_ids[to % count] = diff_ids[from % count].clone();
        }
        let content = |at: usize| vec![u8::try_from(at).unwrap(); sizes[at]];
        let leave_out = LeaveOut::lowest(&diff_ids, lowest);
        let (files_in, names): (Vec<File>, Vec<String>) = if is_old {
            let (files, folders) = old_form(&diff_ids, content);
            (files, folders.iter().map(|folder| format!("{folder}/layer.tar")).collect())
        } else {
            let names: Vec<String> = diff_ids.iter().map(|id| format!("blobs/sha256/{}", digits(id))).collect();
            let mut files: Vec<File> = names.iter().enumerate().map(|(at, name)| (name.clone(), content(at))).collect();
            files.sort();
            files.dedup_by_key(|(name, _)| name.clone());
            files.push(("manifest.json".to_owned(), b"[]".to_vec()));
            (files, names)
        };
        let archive = tar(&files_in);
        let out = sieved(&archive, &leave_out, piece).unwrap();
        let gone: Vec<&String> = (0..count).filter(|at| leave_out.leaves_out(*at)).map(|at| &names[at]).collect();
        let kept: Vec<File> = files_in.iter().filter(|(name, _)| !gone.contains(&name)).cloned().collect();
        prop_assert_eq!(files(&out), kept);
        if gone.is_empty() {
            prop_assert!(out == archive, "nothing is left out, nothing is changed");
        }
        // What is needed above is there: of each layer that is not left out, some entry of its digest.
        for (at, diff_id) in diff_ids.iter().enumerate().skip(lowest) {
            prop_assert!(!leave_out.leaves_out(at));
            prop_assert!((0..count).all(|other| diff_ids[other] != *diff_id || !leave_out.leaves_out(other)));
        }
    }

    #[test]
    fn what_is_shared_is_there_and_the_next_is_not(
        wanted in proptest::collection::vec("[ab]", 0..6),
        there in proptest::collection::vec(proptest::collection::vec("[ab]", 0..6), 0..5),
    ) {
        let count = shared(&wanted, there.iter().map(Vec::as_slice));
        prop_assert!(count == 0 || there.iter().any(|other| other.starts_with(&wanted[..count])));
        prop_assert!(count == wanted.len() || there.iter().all(|other| !other.starts_with(&wanted[..=count])));
    }

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..3000), piece in 1usize..700, at in 0usize..2000) {
        let mut archive = tar(&old_form(&diff_ids(2), |_| vec![9; 600]).0);
        let end = (at + bytes.len()).min(archive.len());
        let at = at.min(end);
        archive.splice(at..end, bytes.clone());
        let _whatever = sieved(&archive, &LeaveOut::lowest(&diff_ids(2), 1), piece);
        let _whatever = sieved(&bytes, &LeaveOut::lowest(&diff_ids(2), 1), piece);
    }
}
