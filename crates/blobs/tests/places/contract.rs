//! What holds of every place of blobs, a directory and a bucket of a real object store alike.

use crate::beds::{Bed, beds, blob, read};
use pierhead_blobs::Digest;
use std::collections::BTreeSet;
use std::io;

/// Above this a bucket takes a blob in parts.
const PART: usize = 5 << 20;

#[tokio::test]
async fn what_is_kept_is_there_until_it_is_removed() {
    for bed in beds().await {
        let (content, digest) = blob(1, 300_000);
        assert!(!bed.blobs.has(&digest).await.unwrap(), "{bed}");
        bed.keep(&content, &digest).await.unwrap();
        assert!(bed.blobs.has(&digest).await.unwrap(), "{bed}");
        assert!(read(&bed.blobs, &digest, 300_000).await.unwrap() == content, "{bed}");
        assert!(read(&bed.blobs, &digest, 1_000).await.unwrap() == content[..1_000], "{bed}: its beginning");
        bed.keep(&content, &digest).await.unwrap();
        assert!(read(&bed.blobs, &digest, 300_000).await.unwrap() == content, "{bed}: again is the same");
        assert_eq!(bed.stored(), [format!("{digest}.tar")], "{bed}");
        bed.blobs.remove(&digest).await.unwrap();
        assert!(!bed.blobs.has(&digest).await.unwrap(), "{bed}");
        bed.blobs.remove(&digest).await.unwrap();
        assert_eq!(bed.stored(), Vec::<String>::new(), "{bed}");
    }
}

#[tokio::test]
async fn blobs_of_any_size_come_back_as_they_were() {
    for bed in beds().await {
        for (seed, size) in [(0, 0), (1, 1), (2, PART - 1), (3, PART), (4, PART + 1), (5, 2 * PART)] {
            let (content, digest) = blob(seed, size);
            bed.keep(&content, &digest).await.unwrap();
            assert!(read(&bed.blobs, &digest, size as u64).await.unwrap() == content, "{bed}: {size} bytes");
            bed.blobs.remove(&digest).await.unwrap();
        }
        assert_eq!(bed.unfinished(), 0, "{bed}");
    }
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    for bed in beds().await {
        let (_, digest) = blob(1, 10);
        let error = read(&bed.blobs, &digest, 10).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound, "{bed}");
        let said = error.to_string();
        assert!(said.contains(digest.as_str()) && said.contains("upload the image again"), "{bed}: {said}");
    }
}

#[tokio::test]
async fn what_was_changed_where_it_lies_is_not_handed_out_as_whole() {
    for bed in beds().await {
        let (content, digest) = blob(1, 200_000);
        bed.keep(&content, &digest).await.unwrap();
        let mut changed = content.clone();
        changed[150_000] ^= 1;
        std::fs::write(bed.file(&digest), &changed).unwrap();
        for length in [200_000, 1_000] {
            let said = read(&bed.blobs, &digest, length).await.map(drop).unwrap_err().to_string();
            assert!(said.contains("was changed") && said.contains(digest.as_str()), "{bed}: {said}");
        }
        std::fs::write(bed.file(&digest), &content[..100_000]).unwrap();
        assert!(read(&bed.blobs, &digest, 200_000).await.is_err(), "{bed}: cut");
        bed.keep(&content, &digest).await.unwrap();
        assert!(read(&bed.blobs, &digest, 200_000).await.unwrap() == content, "{bed}: sent in again");
    }
}

#[tokio::test]
async fn many_at_once_do_not_disturb_each_other() {
    for bed in beds().await {
        let (same, digest) = blob(9, 400_000);
        let writers = (0..8).map(|seed| {
            let (content, own) = blob(seed, 100_000);
            let (bed, same, digest) = (&bed, &same, &digest);
            async move {
                bed.keep(same, digest).await.unwrap();
                bed.keep(&content, &own).await.unwrap();
                assert!(read(&bed.blobs, digest, 400_000).await.unwrap() == *same, "{bed}");
                assert!(read(&bed.blobs, &own, 100_000).await.unwrap() == content, "{bed}");
            }
        });
        futures_util::future::join_all(writers).await;
        assert_eq!(bed.stored().len(), 9, "{bed}");
    }
}

#[tokio::test]
async fn a_blob_is_young_until_it_is_old_and_again_when_it_is_written() {
    for bed in beds().await {
        let (content, digest) = blob(3, 1_000);
        assert!(!bed.blobs.has_young(&digest).await.unwrap(), "{bed}");
        assert_eq!(bed.blobs.size(&digest).await.unwrap(), None, "{bed}");
        bed.keep(&content, &digest).await.unwrap();
        assert!(bed.blobs.has_young(&digest).await.unwrap(), "{bed}");
        assert_eq!(bed.blobs.size(&digest).await.unwrap(), Some(1_000), "{bed}");
        bed.age(&digest);
        assert!(!bed.blobs.has_young(&digest).await.unwrap() && bed.blobs.has(&digest).await.unwrap(), "{bed}");
        bed.keep(&content, &digest).await.unwrap();
        assert!(bed.blobs.has_young(&digest).await.unwrap(), "{bed}");
    }
}

#[tokio::test]
async fn many_are_kept_at_once() {
    for bed in beds().await {
        let blobs: Vec<(Vec<u8>, Digest)> = (0..40).map(|seed| blob(seed, 500)).collect();
        let digests = || blobs.iter().map(|(_, digest)| digest.clone()).collect::<Vec<_>>();
        assert_eq!(bed.blobs.not_young(digests()).await.unwrap().len(), 40, "{bed}");
        let spool = bed.blobs.spool().to_owned();
        std::fs::create_dir_all(&spool).unwrap();
        let files = blobs.iter().enumerate().map(|(at, (content, digest))| {
            let file = spool.join(format!("{at}.part"));
            std::fs::write(&file, content).unwrap();
            (file, digest.clone())
        });
        bed.blobs.keep_all(files.collect()).await.unwrap();
        assert_eq!(bed.blobs.not_young(digests()).await.unwrap(), BTreeSet::new(), "{bed}");
        let (content, digest) = &blobs[17];
        assert!(read(&bed.blobs, digest, 500).await.unwrap() == *content, "{bed}");
        let gone = vec![(spool.join("never-was.part"), digest.clone())];
        assert!(bed.blobs.keep_all(gone).await.is_err(), "{bed}");
        assert!(read(&bed.blobs, digest, 500).await.unwrap() == *content, "{bed}: as before");
    }
}

#[tokio::test]
async fn only_old_blobs_that_nobody_knows_of_are_swept() {
    for bed in beds().await {
        let blobs: Vec<(Vec<u8>, Digest)> = (0..3).map(|seed| blob(seed, 100)).collect();
        for (content, digest) in &blobs {
            bed.keep(content, digest).await.unwrap();
        }
        let [known, unknown, young] = [0, 1, 2].map(|at: usize| blobs[at].1.clone());
        bed.age(&known);
        bed.age(&unknown);
        std::fs::write(bed.file(&young).with_file_name("report.pdf"), "not ours").unwrap();
        let there = bed.blobs.sweep(&BTreeSet::from([known.clone()])).await.unwrap();
        assert_eq!(there, BTreeSet::from([known.clone(), young.clone()]), "{bed}");
        assert!(!bed.blobs.has(&unknown).await.unwrap() && bed.blobs.has(&young).await.unwrap(), "{bed}");
        assert_eq!(bed.stored().len(), 3, "{bed}: what is not ours stays");
    }
}

#[tokio::test]
async fn a_place_that_can_be_written_passes_its_check_and_is_left_as_it_was() {
    for bed in beds().await {
        bed.blobs.check().await.unwrap();
        assert_eq!(bed.stored(), Vec::<String>::new(), "{bed}");
    }
}

#[test]
fn beds_are_of_both_kinds() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let kinds: Vec<String> = runtime.block_on(beds()).iter().map(Bed::to_string).collect();
    assert_eq!(kinds, ["a directory", "a bucket"]);
}
