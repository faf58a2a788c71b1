//! What takes all bytes of an image and stays on this host: layers are merged into one, images are compared. The host's
//! engine is asked what a controller could ask of it too; nothing is kept but what a request needs while it goes on.

use super::{Gate, TunnelBody, receive, told_json};
use crate::allow::{self, Access};
use crate::engine::BodyError;
use crate::facts;
use crate::refusal::Refusal;
use hyper::body::{Body, Bytes};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Response, StatusCode, Uri};
use pierhead_engine::merge::Changes;
use pierhead_engine::{COMPARE, Compare, Docker, DockerOptions, Engine, EngineError, SQUASH, Squash};
use pierhead_model::ImageReference;
use rustix::fs::statvfs;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What must stay free where images and layers lie for the moment, in bytes.
const SPARE: u64 = 512 << 20;
/// How the names of images begin that are made here.
const OURS: &str = "pierhead/";
/// The longest that a comparison may take: saves wait for it.
const COMPARES_WITHIN: Duration = Duration::from_secs(600);

/// What may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
                let _turn = self.turns.take(asked).await?;
                self.check_packed(&[&wanted.image]).await?;
                wanted.most_bytes = wanted.most_bytes.min(room(&directory)?);
                Ok(told_json(&engine.squash(&wanted).await.map_err(|error| refused(&error))?))
            }
            Asked::Compare => {
                let wanted: Compare = parsed(&json)?;
                let images: Vec<_> = [Some(&wanted.image), wanted.earlier.as_ref()].into_iter().flatten().collect();
                check(&images)?;
                let _turn = self.turns.take(asked).await?;
                self.check_packed(&images).await?;
                Ok(told_json(&compared(&engine, &wanted).await?))
            }
        }
    }

    /// Refuses what would fill the engine's disk: it packs all of an image there before it gives any of it away. What is
    /// not known is left to the engine.
    async fn check_packed(&self, images: &[&ImageReference]) -> Result<(), Refusal> {
        let Ok(told) = facts::get::<Value>(&self.engine, "/info").await else { return Ok(()) };
        let Some((free, _)) = told["DockerRootDir"].as_str().and_then(facts::free) else { return Ok(()) };
        for image in images {
            let told = facts::get::<Value>(&self.engine, &format!("/images/{image}/json")).await.unwrap_or_default();
            check_size(image, told["Size"].as_u64().unwrap_or(0), free)?;
        }
        Ok(())
    }
}

async fn compared(engine: &Docker, wanted: &Compare) -> Result<Changes, Refusal> {
    let compared = tokio::time::timeout(COMPARES_WITHIN, engine.changes(wanted)).await;
    let late = |_| {
        let message = format!("the images were not compared within {} s", COMPARES_WITHIN.as_secs());
        Refusal::new(StatusCode::GATEWAY_TIMEOUT, "too_slow", message)
    };
    compared.map_err(late)?.map_err(|error| refused(&error))
}

fn check_size(image: &ImageReference, bytes: u64, free: u64) -> Result<(), Refusal> {
    if bytes.saturating_add(SPARE) <= free {
        return Ok(());
    }
    let words = format!("the engine would pack {image}, {bytes} bytes, on a disk that has {free} left");
    Err(refused(&EngineError::NoSpace(format!("no space left on device: {words}"))))
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

/// How many bytes may lie there. Asked by who has the turn: nobody else takes them meanwhile.
fn room(directory: &Path) -> Result<u64, Refusal> {
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
        let astray = whole.replace("a:1", "../a");
        assert_eq!(parsed::<Squash>(astray.as_bytes()).unwrap_err().code, "malformed");
    }

    #[test]
    fn an_image_that_would_fill_the_engines_disk_is_not_packed() {
        let image = ImageReference::parse("pierhead/save:abcdefgh23-1-main").unwrap();
        check_size(&image, 10 << 30, (10 << 30) + SPARE).unwrap();
        let refusal = check_size(&image, 10 << 30, (10 << 30) + SPARE - 1).unwrap_err();
        assert_eq!((refusal.status, refusal.code), (StatusCode::INSUFFICIENT_STORAGE, "no_space"));
        assert!(refusal.message.contains("no space left on device") && refusal.message.contains(image.as_str()));
        assert!(check_size(&image, u64::MAX, 1 << 40).is_err());
    }

    #[test]
    fn a_full_disk_stays_a_full_disk() {
        let refusal = refused(&EngineError::NoSpace("no space left on device".to_owned()));
        assert_eq!((refusal.status, refusal.code), (StatusCode::INSUFFICIENT_STORAGE, "no_space"));
        assert!(refusal.message.contains("no space left on device"), "the controller knows it by these words");
    }
}
