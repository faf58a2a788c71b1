//! Places of blobs to test, and what lies in them.

use futures_util::TryStreamExt;
use pierhead_blobs::{Blobs, Bucket, BucketKeys, BucketSettings, Digest};
use pierhead_bucketkit::{BucketServer, KEY_ID, SECRET};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

pub const BUCKET: &str = "school";
pub const PREFIX: &str = "pierhead/images";

/// A place of blobs.
pub struct Bed {
    pub blobs: Blobs,
    _folder: TempDir,
    pub server: Option<BucketServer>,
    files: AtomicU64,
}

impl fmt::Display for Bed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.server.is_some() { "a bucket" } else { "a directory" })
    }
}

/// One of each kind.
pub async fn beds() -> Vec<Bed> {
    let folder = tempfile::tempdir().unwrap();
    let directory = Blobs::directory(folder.path().join("blobs"), true);
    vec![Bed { blobs: directory, _folder: folder, server: None, files: AtomicU64::default() }, bucket().await]
}

/// A bucket that waits for nothing longer than a test does.
pub async fn bucket() -> Bed {
    bucket_within(Duration::from_secs(20)).await
}

pub async fn bucket_within(limit: Duration) -> Bed {
    let server = BucketServer::start(&[BUCKET]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&server.endpoint(), KEY_ID, SECRET);
    let bucket = Bucket::impatient(&settings, folder.path().join("spool"), limit).unwrap();
    Bed { blobs: Blobs::Bucket(bucket), _folder: folder, server: Some(server), files: AtomicU64::default() }
}

pub fn settings(endpoint: &str, id: &str, secret: &str) -> BucketSettings {
    let keys = BucketKeys { id: id.to_owned(), secret: secret.to_owned(), token: None };
    let address = format!("s3://{BUCKET}/{PREFIX}").parse().unwrap();
    BucketSettings::settle(address, Some(endpoint), None, None, keys).unwrap()
}

/// A blob of so many bytes, and its name.
pub fn blob(seed: u64, size: usize) -> (Vec<u8>, Digest) {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let content: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .flatten()
    .take(size)
    .collect();
    let digest = Digest::of(Sha256::digest(&content).into());
    (content, digest)
}

pub async fn read(blobs: &Blobs, digest: &Digest, length: u64) -> io::Result<Vec<u8>> {
    let pieces = blobs.read(digest, length);
    pieces
        .try_fold(Vec::new(), |mut all, piece| async move {
            all.extend_from_slice(&piece);
            Ok(all)
        })
        .await
}

impl Bed {
    /// A file of the spool.
    pub fn part(&self, content: &[u8]) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        fs::create_dir_all(self.blobs.spool()).unwrap();
        let file = self.blobs.spool().join(format!("{number}.part"));
        fs::write(&file, content).unwrap();
        file
    }

    pub async fn keep(&self, content: &[u8], digest: &Digest) -> Result<(), pierhead_blobs::BlobError> {
        let file = self.part(content);
        let kept = self.blobs.keep(&file, digest).await;
        let _moved = fs::remove_file(file);
        kept
    }

    /// Where a blob lies, as nobody but a test knows.
    pub fn file(&self, digest: &Digest) -> PathBuf {
        let name = format!("{digest}.tar");
        match &self.server {
            Some(server) => server.file(BUCKET, PREFIX).join(name),
            None => self.blobs.spool().join(name),
        }
    }

    /// The names of all that lies there.
    pub fn stored(&self) -> Vec<String> {
        match &self.server {
            Some(server) => server.objects(BUCKET, PREFIX),
            None => {
                let files = fs::read_dir(self.blobs.spool()).into_iter().flatten().flatten();
                files.map(|file| file.file_name().to_string_lossy().into_owned()).collect()
            }
        }
    }

    /// How much lies there that was never completed.
    pub fn unfinished(&self) -> usize {
        let spooled = fs::read_dir(self.blobs.spool()).into_iter().flatten().flatten();
        let spooled = spooled.filter(|file| file.file_name().to_string_lossy().ends_with(".part")).count();
        spooled + self.server.as_ref().map_or(0, BucketServer::parts)
    }

    /// It was written two hours ago.
    pub fn age(&self, digest: &Digest) {
        let file = File::options().write(true).open(self.file(digest)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
    }
}
