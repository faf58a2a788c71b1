//! What a crash left in a bucket: blobs that nobody knows of, what checks wrote, and parts that were never put together.
//! What is young may be somebody's work and is left alone.

use super::answer::between;
use super::http::Ask;
use super::{Bucket, TRIES};
use crate::{BlobError, Digest, LEFT_FOR, YOUNG_FOR};
use hyper::StatusCode;
use jiff::Timestamp;
use rusty_s3::S3Action;
use rusty_s3::actions::ListObjectsV2;
use std::collections::BTreeSet;
use std::time::Duration;

const WHAT: &str = "be listed";
/// How old parts must be to be given up: a large blob over a slow line takes hours.
const PARTS_LEFT_FOR: Duration = Duration::from_secs(24 * 3600);
/// How what checks write is called.
const CHECK: &str = "check-";

/// An object.
struct Found {
    /// Its name, without the prefix.
    name: String,
    /// When it was written.
    at: Option<Timestamp>,
}

impl Bucket {
    /// What is there, or only what begins as a key does.
    pub(super) async fn list(&self, begin: &str) -> Result<Vec<String>, BlobError> {
        Ok(self.found(begin).await?.into_iter().map(|found| found.name).collect())
    }

    async fn found(&self, begin: &str) -> Result<Vec<Found>, BlobError> {
        let (inner, limit) = (&self.0, self.0.limits.answer);
        let (mut found, mut token) = (Vec::new(), None::<String>);
        loop {
            let ask = || {
                let mut action = inner.bucket.list_objects_v2(Some(&inner.keys));
                action.with_prefix(begin);
                if let Some(token) = &token {
                    action.with_continuation_token(token.as_str());
                }
                Ask::get(self.signed(action))
            };
            let text = self.listing(limit, ask).await?;
            let page = ListObjectsV2::parse_response(&text).map_err(|error| {
                let why = format!("its list is not as it should be ({error})");
                BlobError::Refused { place: self.place(), what: WHAT, why }
            })?;
            found.extend(page.contents.into_iter().filter_map(|object| {
                let name = object.key.strip_prefix(&inner.prefix)?.to_owned();
                Some(Found { name, at: object.last_modified.and_then(|at| at.parse().ok()) })
            }));
            match page.next_continuation_token {
                Some(next) if token.as_ref() != Some(&next) => token = Some(next),
                _ => return Ok(found),
            }
        }
    }

    /// The text of a list. One that breaks off is asked for again.
    async fn listing(&self, limit: Duration, ask: impl Fn() -> Ask) -> Result<String, BlobError> {
        let mut why = String::new();
        for _ in 0..TRIES {
            match self.done(WHAT, limit, &ask).await?.text(limit).await {
                Ok(text) => return Ok(text),
                Err(broken) => why = broken,
            }
        }
        Err(BlobError::Silent { place: self.place(), why })
    }

    /// Removes blobs that are not among these; those that are there are the answer.
    pub(super) async fn sweep_blobs(&self, kept: &BTreeSet<Digest>) -> Result<BTreeSet<Digest>, BlobError> {
        let mut there = BTreeSet::new();
        for Found { name, at } in self.found(&self.0.prefix).await? {
            let blob = Digest::of_file(&name);
            let is_needed = blob.as_ref().is_some_and(|digest| kept.contains(digest));
            let is_ours = blob.is_some() || name.starts_with(CHECK);
            if is_ours && !is_needed && is_older(at, LEFT_FOR) {
                let removed = self.remove_key("remove what a crash left", &format!("{}{name}", self.0.prefix)).await;
                if let Err(error) = removed {
                    tracing::warn!(%error, name, "what is left of an image archive could not be removed");
                }
                continue;
            }
            there.extend(blob);
        }
        Ok(there)
    }

    /// Gives up what was begun long ago and never completed. A store that cannot list that looks after it by itself.
    pub(super) async fn sweep_uploads(&self) -> Result<(), BlobError> {
        let (inner, limit) = (&self.0, self.0.limits.answer);
        let ask = || {
            // The bucket itself is what has no name in it.
            let mut action = inner.bucket.get_object(Some(&inner.keys), "");
            action.query_mut().insert("uploads", "");
            if !inner.prefix.is_empty() {
                action.query_mut().insert("prefix", inner.prefix.as_str());
            }
            Ask::get(self.signed(action))
        };
        let answer = self.ask(WHAT, limit, ask).await?;
        if answer.status != StatusCode::OK {
            let said = answer.said(limit).await;
            tracing::debug!(place = inner.place, said, "no list of what was never completed");
            return Ok(());
        }
        let text = answer.text(limit).await.map_err(|why| BlobError::Silent { place: self.place(), why })?;
        for Unfinished { key, id } in unfinished(&text, &inner.prefix) {
            let ask = || Ask::delete(self.signed(inner.bucket.abort_multipart_upload(Some(&inner.keys), &key, &id)));
            match self.done("give up a half-sent archive", limit, ask).await {
                Ok(_) => tracing::info!(key, "what was sent of an archive long ago was given up"),
                Err(error) => tracing::warn!(%error, key, "a half-sent archive could not be given up"),
            }
        }
        Ok(())
    }
}

fn is_older(at: Option<Timestamp>, than: Duration) -> bool {
    let now = Timestamp::now();
    at.is_some_and(|at| now.duration_since(at).unsigned_abs() > than && at < now)
}

/// Whether something was written so lately that no sweep takes it for a while. A clock that is ahead makes nothing young.
pub(super) fn is_young(at: Timestamp) -> bool {
    let now = Timestamp::now();
    at <= now && now.duration_since(at).unsigned_abs() < YOUNG_FOR
}

struct Unfinished {
    key: String,
    id: String,
}

/// The blobs of ours in a list that were begun long ago.
fn unfinished(text: &str, prefix: &str) -> Vec<Unfinished> {
    let of_one = |upload: &str| {
        let value = |name: &str| between(upload, &format!("<{name}>"), &format!("</{name}>")).map(str::trim);
        let (key, id, at) = (value("Key")?, value("UploadId")?, value("Initiated")?);
        let is_ours = key.strip_prefix(prefix).and_then(Digest::of_file).is_some();
        (is_ours && is_older(at.parse().ok(), PARTS_LEFT_FOR))
            .then(|| Unfinished { key: key.to_owned(), id: id.replace("&amp;", "&") })
    };
    text.split("<Upload>").skip(1).filter_map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_uploads_of_our_own_are_given_up() {
        let blob = Digest::of([7; 32]).file_name();
        let now = Timestamp::now();
        let one = |key: &str, id: &str, at: &str| {
            format!("<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Owner/><Initiated>{at}</Initiated></Upload>")
        };
        let list = [
            one(&format!("images/{blob}"), "old&amp;ours", "2020-01-02T03:04:05.000Z"),
            one(&format!("images/{blob}"), "young", &now.to_string()),
            one(&format!("other/{blob}"), "elsewhere", "2020-01-02T03:04:05.000Z"),
            one("images/report.pdf", "theirs", "2020-01-02T03:04:05.000Z"),
            one(&format!("images/{blob}"), "never", "yesterday"),
            "<Upload><Key>images/x".to_owned(),
        ];
        let found = unfinished(&format!("<List>{}</List>", list.concat()), "images/");
        let ids: Vec<&str> = found.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["old&ours"]);
        assert!(!is_older(Some(now + Duration::from_secs(7200)), LEFT_FOR), "a clock that is ahead");
    }
}
