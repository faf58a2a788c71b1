//! What takes all bytes of an image and stays on this host: layers are merged into one, images are compared. The host's
//! engine is asked what a controller could ask of it too; nothing is kept but what a request needs while it goes on.

use super::{Gate, TunnelBody, receive, told_json};
use crate::allow::{self, Access};
use crate::engine::BodyError;
use crate::refusal::Refusal;
use hyper::body::{Body, Bytes};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Response, StatusCode, Uri};
use pierhead_engine::{COMPARE, Compare, Docker, DockerOptions, Engine, EngineError, SQUASH, Squash};
use pierhead_model::ImageReference;
use rustix::fs::statvfs;
use std::path::PathBuf;

/// What must stay free where layers lie while they are merged, in bytes.
const SPARE: u64 = 512 << 20;
/// How the names of images begin that are made here.
const OURS: &str = "pierhead/";

/// What may be asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Squash,
    Compare,
}

/// What a request asks, if it is such a request.
pub(super) fn asked(head: &Parts) -> Option<Asked> {
    match (head.uri.path(), head.method == Method::POST && head.uri.query().is_none()) {
        (SQUASH, true) => Some(Asked::Squash),
        (COMPARE, true) => Some(Asked::Compare),
        _ => None,
    }
}

impl Gate {
    pub(super) async fn save<B>(&self, asked: Asked, head: &Parts, body: B) -> Result<Response<TunnelBody>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<BodyError>,
    {
        let access = if asked == Asked::Squash { Access::Change } else { Access::Read };
        self.terms.admit(access, &head.headers).await?;
        let json = receive::json(body).await?;
        let directory = std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from);
        let engine = Docker::connect(&format!("unix://{}", self.engine.path().display()), DockerOptions::default());
        let engine = engine.map_err(|error| refused(&error))?.merging_in(directory.clone());
        match asked {
            Asked::Squash => {
                let mut wanted: Squash = parsed(&json)?;
                check(&[&wanted.image, &wanted.like, &wanted.name])?;
                if !wanted.name.as_str().starts_with(OURS) {
                    return Err(Refusal::not_allowed(format!("the name of a merged image begins with {OURS}")));
                }
                wanted.most_bytes = wanted.most_bytes.min(room(&directory)?);
                Ok(told_json(&engine.squash(&wanted).await.map_err(|error| refused(&error))?))
            }
            Asked::Compare => {
                let wanted: Compare = parsed(&json)?;
                check(&[Some(&wanted.image), wanted.earlier.as_ref()].into_iter().flatten().collect::<Vec<_>>())?;
                Ok(told_json(&engine.changes(&wanted).await.map_err(|error| refused(&error))?))
            }
        }
    }
}

fn parsed<T: serde::de::DeserializeOwned>(json: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(json).map_err(|error| Refusal::malformed(error.to_string()))
}

/// Images by names that the list lets through elsewhere, too.
fn check(images: &[&ImageReference]) -> Result<(), Refusal> {
    for image in images {
        let target = format!("/images/{image}/json").parse::<Uri>();
        let target = target.map_err(|_| Refusal::malformed("the name of an image"))?;
        allow::decide(&Method::GET, &target, &HeaderMap::new())?;
    }
    Ok(())
}

/// How many bytes may lie there.
fn room(directory: &std::path::Path) -> Result<u64, Refusal> {
    let found = statvfs(directory).map_err(|error| {
        let message = format!("{}: {error}", directory.display());
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "no_room", message)
    })?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize).saturating_sub(SPARE))
}

/// What an engine's failure comes to, so that whoever reads the answer sees the same failure.
fn refused(error: &EngineError) -> Refusal {
    let (status, code) = match error {
        EngineError::NotFound | EngineError::NoImage(_) => (StatusCode::NOT_FOUND, "not_found"),
        EngineError::Refused(_) => (StatusCode::BAD_REQUEST, "refused"),
        EngineError::NoSpace(_) => (StatusCode::INSUFFICIENT_STORAGE, "no_space"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
    };
    Refusal::new(status, code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn asks(method: &str, target: &str) -> Option<Asked> {
        asked(&Request::builder().method(method).uri(target).body(()).unwrap().into_parts().0)
    }

    #[test]
    fn what_is_asked_is_read_in_one_way() {
        assert_eq!(asks("POST", "/pierhead/squash"), Some(Asked::Squash));
        assert_eq!(asks("POST", "/pierhead/compare"), Some(Asked::Compare));
        for (method, target) in
            [("GET", "/pierhead/squash"), ("POST", "/pierhead/squash?x=1"), ("POST", "/pierhead/squash/x")]
        {
            assert_eq!(asks(method, target), None, "{method} {target}");
        }
    }

    #[test]
    fn a_request_has_these_fields_and_no_others() {
        let whole = r#"{"image":"a:1","base_layers":1,"like":"b:1","name":"pierhead/save:x","labels":{},"created":5,"most_bytes":9}"#;
        assert_eq!(parsed::<Squash>(whole.as_bytes()).unwrap().base_layers, 1);
        let more = whole.replace("\"created\"", "\"volumes\":[],\"created\"");
        assert_eq!(parsed::<Squash>(more.as_bytes()).unwrap_err().code, "malformed");
        let bad = whole.replace("a:1", "a b");
        assert_eq!(parsed::<Squash>(bad.as_bytes()).unwrap_err().code, "malformed");
        let astray = parsed::<Squash>(whole.replace("a:1", "../a").as_bytes());
        assert_eq!(
            astray.map_or_else(|refusal| refusal.code, |wanted| check(&[&wanted.image]).unwrap_err().code),
            "not_allowed"
        );
    }

    #[test]
    fn a_full_disk_stays_a_full_disk() {
        let refusal = refused(&EngineError::NoSpace("no space left on device".to_owned()));
        assert_eq!((refusal.status, refusal.code), (StatusCode::INSUFFICIENT_STORAGE, "no_space"));
        assert!(refusal.message.contains("no space left on device"), "the controller knows it by these words");
    }
}
