use super::super::ArchiveError::{Busy, Interrupted, Malformed, NoRoom, TooLarge};
use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use pierhead_blobs::Blobs;
use pierhead_store::{Embedded, Store};
use std::fs;
use std::sync::Arc;

struct Bed {
    directory: tempfile::TempDir,
    images: Images,
}

fn bed(largest_bytes: u64) -> Bed {
    let directory = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path().join("store")).unwrap());
    let images = Images::new(store, Blobs::directory(directory.path().join("images"), false), largest_bytes);
    Bed { directory, images }
}

impl Bed {
    fn files(&self) -> usize {
        fs::read_dir(self.directory.path().join("images")).map_or(0, Iterator::count)
    }

    async fn send(&self, bytes: &[u8], announced: Option<u64>) -> Result<Received, ArchiveError> {
        let upload = self.images.begin(announced, "upload")?;
        for piece in bytes.chunks(1000) {
            if upload.write(piece.to_vec()).await.is_err() {
                break;
            }
        }
        upload.finish().await
    }
}

/// An image of one layer of so many bytes.
fn archive(layer_bytes: usize) -> Vec<u8> {
    let config = br#"{"rootfs":{"diff_ids":["sha256:00"]}}"#;
    let manifest = br#"[{"Config":"c.json","RepoTags":["shop:1"],"Layers":["l"]}]"#;
    let layer = vec![7; layer_bytes];
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in [("c.json", &config[..]), ("l", &layer), ("manifest.json", manifest)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn what_comes_is_kept_unpacked_and_the_same_is_the_same() {
    let bed = bed(1 << 20);
    let whole = archive(50_000);
    let plain = bed.send(&whole, Some(whole.len() as u64)).await.unwrap();
    assert_eq!((plain.size, &plain.digest), (whole.len() as u64, &Name::of(Sha256::digest(&whole).into())));
    assert!(fs::read(&plain.part.0).unwrap() == whole);
    drop(plain);
    assert_eq!(bed.files(), 0, "what nobody keeps goes");
    let packed = bed.send(&gzipped(&whole), None).await.unwrap();
    assert_eq!(packed.digest, Name::of(Sha256::digest(&whole).into()));
    bed.images.keep(&packed).await.unwrap();
    let kept = bed.directory.path().join("images").join(format!("{}.tar", packed.digest));
    drop(packed);
    assert!(fs::read(kept).unwrap() == whole);
    assert_eq!(bed.files(), 1);
}

#[tokio::test]
async fn nothing_is_left_of_what_is_refused() {
    let bed = bed(100_000);
    let whole = archive(50_000);
    let (large, packed) = (archive(200_000), gzipped(&whole));
    let bomb = gzipped(&archive(10_000_000));
    assert!(bomb.len() < 100_000);
    assert!(matches!(bed.send(&large, Some(large.len() as u64)).await, Err(TooLarge { most_bytes: 100_000 })));
    assert!(matches!(bed.send(&large, None).await, Err(TooLarge { .. })), "not announced");
    assert!(matches!(bed.send(&bomb, Some(bomb.len() as u64)).await, Err(TooLarge { .. })), "only when unpacked");
    let zstd = [&[0x28, 0xb5, 0x2f, 0xfd][..], &whole].concat();
    for (bytes, word) in [
        (&b""[..], "empty"),
        (b"x", "tar file"),
        (&whole[..20_000], "middle of a file"),
        (&packed[..packed.len() / 2], "can't be unpacked"),
        (&zstd, "only gzip"),
    ] {
        match bed.send(bytes, None).await {
            Err(Malformed(why)) => assert!(why.contains(word), "{word}: {why}"),
            other => panic!("{word}: {:?}", other.map(|received| received.digest)),
        }
    }
    assert_eq!(bed.files(), 0);
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let bed = bed(1 << 20);
    let upload = bed.images.begin(None, "upload").unwrap();
    upload.write(archive(50_000)[..30_000].to_vec()).await.unwrap();
    assert_eq!(bed.files(), 1);
    let Upload { pieces, writer, _place } = upload;
    drop(pieces);
    assert!(matches!(writer.await.unwrap(), Err(Interrupted)));
    assert_eq!(bed.files(), 0);
}

#[tokio::test]
async fn as_many_come_at_once_as_there_are_places() {
    let bed = bed(1 << 20);
    let begin = |name: usize| bed.images.begin(None, &name.to_string());
    let open: Vec<Upload> = (0..super::super::UPLOADS_AT_ONCE).map(|name| begin(name).unwrap()).collect();
    assert!(matches!(begin(99).err(), Some(Busy)));
    drop(open);
    assert!(begin(100).is_ok(), "a place is given back");
}

#[tokio::test]
async fn more_than_the_disk_holds_is_refused_at_once() {
    let bed = bed(u64::MAX);
    assert!(matches!(bed.images.begin(Some(1 << 60), "upload").err(), Some(NoRoom)));
    assert_eq!(bed.files(), 0);
}

#[tokio::test]
async fn files_without_a_record_go_at_the_start() {
    let bed = bed(1 << 20);
    let whole = archive(10);
    let received = bed.send(&whole, None).await.unwrap();
    bed.images.keep(&received).await.unwrap();
    let folder = bed.directory.path().join("images");
    fs::write(folder.join("half.part"), "half").unwrap();
    fs::write(folder.join("somebody-elses.txt"), "not ours").unwrap();
    bed.images.remove_leftovers().await.unwrap();
    assert_eq!(bed.files(), 1, "what is not an archive stays");
}
