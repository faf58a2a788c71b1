//! Blobs in a bucket of an object store that speaks S3. Requests are signed in their addresses, for as long as one may take;
//! what is sent goes with its MD5, so that the store refuses what was changed on the way.

mod answer;
mod download;
mod http;
mod leftovers;
mod upload;

use crate::directory::Directory;
use crate::settings::BucketSettings;
use crate::{BlobError, Digest, Pieces};
use answer::Answer;
use bytes::Bytes;
use http::{Ask, Http};
use hyper::StatusCode;
use rusty_s3::{Credentials, S3Action, UrlStyle};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How often a request is sent before it is given up.
const TRIES: u32 = 4;
/// How long an address that was signed is good: longer than a request may take, in case the clocks differ.
const SIGNED_FOR: Duration = Duration::from_secs(3600);

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Until the answer to a small request begins.
    pub(crate) answer: Duration,
    /// Until one to a part of a blob does, or to the order to put parts together.
    pub(crate) transfer: Duration,
    /// Without a byte of a blob that is read.
    pub(crate) idle: Duration,
    /// The pause before the second try; it doubles.
    pub(crate) pause: Duration,
    /// How large a part of a blob is, in bytes, as long as there are not too many of them.
    pub(crate) part: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(15),
            transfer: Duration::from_secs(300),
            idle: Duration::from_secs(30),
            pause: Duration::from_millis(200),
            part: 8 << 20,
        }
    }
}

/// Blobs in a bucket.
#[derive(Clone)]
pub struct Bucket(Arc<Inner>);

struct Inner {
    bucket: rusty_s3::Bucket,
    keys: Credentials,
    prefix: String,
    place: String,
    spool: Directory,
    http: Http,
    limits: Limits,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.0.place).finish()
    }
}

impl Bucket {
    /// A bucket, and a directory of one's own for what comes in. Nothing is asked yet.
    ///
    /// # Errors
    /// [`BlobError::Refused`] if there is no such address, or no TLS.
    pub fn new(settings: &BucketSettings, spool: PathBuf) -> Result<Self, BlobError> {
        Self::with_limits(settings, spool, Limits::default())
    }

    /// The same, but each request may take only so long, there is a shorter pause before it is sent again, and parts are as
    /// small as stores take them, 5 MB.
    ///
    /// # Errors
    /// As of [`Self::new`].
    pub fn impatient(settings: &BucketSettings, spool: PathBuf, limit: Duration) -> Result<Self, BlobError> {
        let limits = Limits { answer: limit, transfer: limit, idle: limit, pause: limit / 100, part: 5 << 20 };
        Self::with_limits(settings, spool, limits)
    }

    fn with_limits(settings: &BucketSettings, spool: PathBuf, limits: Limits) -> Result<Self, BlobError> {
        let place = format!("--blobs {}", settings.address);
        let refused = |why: String| BlobError::Refused { place: place.clone(), what: "be asked", why };
        let style = if settings.has_path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let (name, region) = (settings.address.bucket.clone(), settings.region.clone());
        let bucket = rusty_s3::Bucket::new(settings.endpoint.clone(), style, name, region)
            .map_err(|_| refused(format!("{} is no address of a bucket", settings.endpoint)))?;
        let keys = &settings.keys;
        let keys = match &keys.token {
            Some(token) => Credentials::new_with_token(&keys.id, &keys.secret, token),
            None => Credentials::new(&keys.id, &keys.secret),
        };
        let prefix = match settings.address.prefix.as_str() {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        let http = Http::new(settings.endpoint.scheme() == "https").map_err(refused)?;
        let spool = Directory::new(spool, false);
        Ok(Self(Arc::new(Inner { bucket, keys, prefix, place, spool, http, limits })))
    }

    pub(crate) fn spool(&self) -> &Directory {
        &self.0.spool
    }

    pub(crate) fn place(&self) -> String {
        self.0.place.clone()
    }

    fn key(&self, digest: &Digest) -> String {
        format!("{}{}", self.0.prefix, digest.file_name())
    }

    fn signed<'a>(&'a self, action: impl S3Action<'a>) -> Url {
        action.sign(SIGNED_FOR)
    }

    /// Sends a request until there is an answer that would not be another one the next time.
    async fn ask(&self, what: &'static str, limit: Duration, ask: impl Fn() -> Ask) -> Result<Answer, BlobError> {
        let (mut pause, mut why) = (self.0.limits.pause, String::new());
        for attempt in 0..TRIES {
            if attempt > 0 {
                tracing::debug!(place = self.0.place, what, why, "asked once more");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            match self.0.http.send(ask(), limit).await {
                Ok(mut answer) => {
                    if answer.is_final(limit).await {
                        return Ok(answer);
                    }
                    why = answer.said(limit).await;
                }
                Err(lost) => why = lost,
            }
        }
        Err(BlobError::Silent { place: self.place(), why })
    }

    /// The same, and the answer must be a success.
    async fn done(&self, what: &'static str, limit: Duration, ask: impl Fn() -> Ask) -> Result<Answer, BlobError> {
        let answer = self.ask(what, limit, ask).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(self.refused(what, answer).await) }
    }

    async fn refused(&self, what: &'static str, answer: Answer) -> BlobError {
        let why = answer.why(self.0.limits.answer).await;
        BlobError::Refused { place: self.place(), what, why }
    }

    /// How long a blob is, in bytes; `None` if it is not there.
    pub(crate) async fn size(&self, digest: &Digest) -> Result<Option<u64>, BlobError> {
        let (inner, key) = (&self.0, self.key(digest));
        let ask = || Ask::head(self.signed(inner.bucket.head_object(Some(&inner.keys), &key)));
        let answer = self.ask("look for an archive", inner.limits.answer, ask).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(answer.length().unwrap_or(0))),
            _ => Err(self.refused("look for an archive", answer).await),
        }
    }

    pub(crate) async fn has_young(&self, digest: &Digest) -> Result<bool, BlobError> {
        let (inner, key) = (&self.0, self.key(digest));
        let ask = || Ask::head(self.signed(inner.bucket.head_object(Some(&inner.keys), &key)));
        let answer = self.ask("look for a blob", inner.limits.answer, ask).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => Ok(answer.modified().is_some_and(leftovers::is_young)),
            _ => Err(self.refused("look for a blob", answer).await),
        }
    }

    pub(crate) async fn keep(&self, file: &Path, digest: &Digest) -> Result<(), BlobError> {
        upload::upload(self, file, digest).await
    }

    pub(crate) fn read(&self, digest: &Digest) -> Pieces {
        download::pieces(self.clone(), digest.clone())
    }

    pub(crate) async fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        self.remove_key("remove an archive", &self.key(digest)).await
    }

    async fn remove_key(&self, what: &'static str, key: &str) -> Result<(), BlobError> {
        let inner = &self.0;
        let ask = || Ask::delete(self.signed(inner.bucket.delete_object(Some(&inner.keys), key)));
        let answer = self.ask(what, inner.limits.answer, ask).await?;
        match answer.status {
            // AWS does not say so, others do.
            StatusCode::NOT_FOUND => Ok(()),
            status if status.is_success() => Ok(()),
            _ => Err(self.refused(what, answer).await),
        }
    }

    /// Writes something small, reads it, lists it and removes it.
    pub(crate) async fn check(&self) -> Result<(), BlobError> {
        let inner = &self.0;
        let limit = inner.limits.answer;
        let content = Bytes::from(format!("{:032x}", rand::random::<u128>()));
        let key = format!("{}check-{}", inner.prefix, String::from_utf8_lossy(&content));
        let write = || Ask::put(self.signed(inner.bucket.put_object(Some(&inner.keys), &key)), content.clone());
        self.done("be written", limit, write).await?;
        let read = || Ask::get(self.signed(inner.bucket.get_object(Some(&inner.keys), &key)));
        let found = self.done("be read", limit, read).await?.text(limit).await;
        if found.as_deref().map(str::as_bytes) != Ok(&*content) {
            let why = "what was written is not what is read".to_owned();
            return Err(BlobError::Refused { place: self.place(), what: "be read", why });
        }
        self.list(&key).await?;
        self.remove_key("remove what was written", &key).await
    }

    pub(crate) async fn sweep(&self, kept: &BTreeSet<Digest>) -> Result<BTreeSet<Digest>, BlobError> {
        self.0.spool.sweep(&BTreeSet::new())?;
        let there = self.sweep_blobs(kept).await?;
        self.sweep_uploads().await?;
        Ok(there)
    }
}
