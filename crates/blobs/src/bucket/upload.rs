//! Sends a blob: a small one at once, a large one in parts that are put together in the end. Of one that fails nothing
//! stays.

use super::answer::between;
use super::http::Ask;
use super::{Bucket, SIGNED_FOR};
use crate::{BlobError, Digest};
use bytes::Bytes;
use rusty_s3::S3Action;
use rusty_s3::actions::CreateMultipartUpload;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use tokio::runtime::Handle;

const WHAT: &str = "take an archive";
/// The largest part, in bytes; one at a time is in memory.
const LARGEST_PART: u64 = 64 << 20;
/// The most parts that a store takes of one object.
const MOST_PARTS: u64 = 10_000;

impl Bucket {
    /// The largest blob that it takes, in bytes.
    pub const LARGEST: u64 = LARGEST_PART * MOST_PARTS;
}

/// A file that is read part by part, and hashed.
struct Parts {
    file: File,
    hash: Sha256,
    part: u64,
}

impl Parts {
    fn open(path: &Path, part: u64) -> io::Result<(Self, u64)> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let part = part.max(size.div_ceil(MOST_PARTS));
        Ok((Self { file, hash: Sha256::new(), part }, size))
    }

    /// The next part; an empty one at the end.
    fn read(mut self) -> io::Result<(Self, Bytes)> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.part).unwrap_or(0));
        (&mut self.file).take(self.part).read_to_end(&mut bytes)?;
        self.hash.update(&bytes);
        Ok((self, bytes.into()))
    }

    async fn next(self) -> io::Result<(Self, Bytes)> {
        tokio::task::spawn_blocking(move || self.read()).await.map_err(io::Error::other)?
    }
}

pub(super) async fn upload(bucket: &Bucket, file: &Path, digest: &Digest) -> Result<(), BlobError> {
    let unread = || BlobError::file(bucket.0.spool.place());
    let (parts, size) = Parts::open(file, bucket.0.limits.part).map_err(unread())?;
    let (inner, key) = (&bucket.0, bucket.key(digest));
    if size > Bucket::LARGEST {
        let why = format!("it has more than {} bytes", Bucket::LARGEST);
        return Err(BlobError::Refused { place: bucket.place(), what: WHAT, why });
    }
    if size <= parts.part {
        let (parts, bytes) = parts.next().await.map_err(unread())?;
        same(bucket, parts, digest)?;
        let ask = || Ask::put(bucket.signed(inner.bucket.put_object(Some(&inner.keys), &key)), bytes.clone());
        bucket.done(WHAT, inner.limits.transfer, ask).await?;
    } else {
        let begun = Begun::begin(bucket, key).await?;
        begun.send(parts, digest).await?;
    }
    // A store that says yes and keeps something else is found out here rather than when a host needs it.
    match bucket.size(digest).await? {
        Some(there) if there == size => Ok(()),
        there => {
            let why = format!("of {size} bytes it has {}", there.unwrap_or(0));
            Err(BlobError::Refused { place: bucket.place(), what: WHAT, why })
        }
    }
}

fn same(bucket: &Bucket, parts: Parts, digest: &Digest) -> Result<(), BlobError> {
    let found = Digest::of(parts.hash.finalize().into());
    let place = bucket.0.spool.place();
    if found == *digest { Ok(()) } else { Err(BlobError::Changed { place, digest: digest.clone() }) }
}

/// A blob of which parts are sent. Dropping it before it is complete takes them back.
struct Begun {
    bucket: Bucket,
    key: String,
    id: String,
    is_complete: bool,
}

impl Begun {
    async fn begin(bucket: &Bucket, key: String) -> Result<Self, BlobError> {
        let (inner, limit) = (&bucket.0, bucket.0.limits.answer);
        let ask = || {
            let action = inner.bucket.create_multipart_upload(Some(&inner.keys), &key);
            Ask::post(bucket.signed(action), Bytes::new())
        };
        let text = bucket.done(WHAT, limit, ask).await?.text(limit).await;
        let text = text.map_err(|why| BlobError::Silent { place: bucket.place(), why })?;
        let begun = CreateMultipartUpload::parse_response(&text).map_err(|error| {
            let why = format!("its answer is not as it should be ({error})");
            BlobError::Refused { place: bucket.place(), what: WHAT, why }
        })?;
        Ok(Self { bucket: bucket.clone(), key, id: begun.upload_id().to_owned(), is_complete: false })
    }

    async fn send(mut self, mut parts: Parts, digest: &Digest) -> Result<(), BlobError> {
        let mut etags = Vec::new();
        loop {
            let bytes;
            (parts, bytes) = parts.next().await.map_err(BlobError::file(self.bucket.0.spool.place()))?;
            if bytes.is_empty() {
                break;
            }
            etags.push(self.send_part(etags.len(), bytes).await?);
        }
        same(&self.bucket, parts, digest)?;
        self.complete(&etags, digest).await
    }

    async fn send_part(&self, at: usize, bytes: Bytes) -> Result<String, BlobError> {
        let (bucket, inner) = (&self.bucket, &self.bucket.0);
        let number = u16::try_from(at + 1).expect("there are at most 10,000 parts");
        let ask = || {
            let action = inner.bucket.upload_part(Some(&inner.keys), &self.key, number, &self.id);
            Ask::put(bucket.signed(action), bytes.clone())
        };
        let answer = bucket.done(WHAT, inner.limits.transfer, ask).await?;
        answer.etag().ok_or_else(|| {
            let why = "it names no ETag for a part".to_owned();
            BlobError::Refused { place: bucket.place(), what: WHAT, why }
        })
    }

    async fn complete(&mut self, etags: &[String], digest: &Digest) -> Result<(), BlobError> {
        let (bucket, inner) = (&self.bucket, &self.bucket.0);
        let limit = inner.limits.transfer;
        let ask = || {
            let etags = etags.iter().map(String::as_str);
            let action = inner.bucket.complete_multipart_upload(Some(&inner.keys), &self.key, &self.id, etags);
            let url = action.sign(SIGNED_FOR);
            Ask::post(url, action.body())
        };
        let completed = match bucket.done(WHAT, limit, ask).await {
            // A success may turn out to be none while it is told.
            Ok(answer) => match answer.text(limit).await {
                Ok(text) if text.contains("<Error>") => Err(format!(
                    "the parts could not be put together ({})",
                    between(&text, "<Code>", "</Code>").unwrap_or("no reason")
                )),
                Ok(_) => Ok(()),
                Err(why) => Err(why),
            }
            .map_err(|why| BlobError::Silent { place: bucket.place(), why }),
            Err(error) => Err(error),
        };
        // If only the answer was lost, asking again finds no such upload any more, and the blob.
        let completed = match completed {
            Err(error) if !matches!(bucket.size(digest).await, Ok(Some(_))) => Err(error),
            _ => Ok(()),
        };
        self.is_complete = completed.is_ok();
        completed
    }

    async fn take_back(bucket: Bucket, key: String, id: String) {
        let inner = &bucket.0;
        let ask = || Ask::delete(bucket.signed(inner.bucket.abort_multipart_upload(Some(&inner.keys), &key, &id)));
        if let Err(error) = bucket.done("take back a half-sent archive", inner.limits.answer, ask).await {
            tracing::warn!(%error, "parts of an archive stay until a controller starts a day later");
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if self.is_complete {
            return;
        }
        let (bucket, key, id) = (self.bucket.clone(), std::mem::take(&mut self.key), std::mem::take(&mut self.id));
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(Self::take_back(bucket, key, id));
        }
    }
}
