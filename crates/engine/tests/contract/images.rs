//! Images on their way out of an engine and into it: whole, and without the layers that are there already.

use crate::Case;
use crate::bed::{Bed, SAMPLE, silent};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use hyper::body::Bytes;
use pierhead_devhosts::http::Body;
use pierhead_engine::{Archive, EngineError, LeaveOut, shared};
use pierhead_model::ImageReference;
use serde_json::json;

/// On both engines.
pub const CASES: &[Case] = &[("an image and its layers", layers), ("an image goes out and comes in", out_and_in)];

/// On real ones.
pub const REAL: &[Case] = &[
    ("an archive without the layers that are there", missing_only),
    ("an archive without a layer that is not there", one_too_few),
    ("an archive of which only the configuration is new", configuration_only),
];

fn reference(name: &str) -> ImageReference {
    ImageReference::parse(name).unwrap()
}

/// The bytes of an image without what is left out.
async fn saved(bed: &Bed, name: &str, leave_out: &LeaveOut) -> Vec<u8> {
    let pieces = bed.engine.save(&reference(name), leave_out).await.unwrap();
    pieces.map_ok(|piece| piece.to_vec()).try_concat().await.unwrap()
}

async fn load(bed: &Bed, key: &str, archive: Vec<u8>) -> Result<(), EngineError> {
    let length = archive.len() as u64;
    let coming = stream::iter([Ok(Bytes::from(archive))]).boxed();
    bed.engine.load(&Archive::new(key).coming(coming, length), silent()).await
}

fn layers(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let found = bed.engine.layers(&reference(SAMPLE)).await.unwrap().unwrap();
        assert_eq!(Some(&found.id), bed.engine.image(&reference(SAMPLE)).await.unwrap().as_ref());
        assert!(found.diff_ids.len() == 1 && found.diff_ids[0].starts_with("sha256:") && found.size_bytes > 0);
        let steps = bed.engine.history(&reference(SAMPLE)).await.unwrap();
        assert_eq!(steps.iter().sum::<u64>(), found.size_bytes);
        assert_eq!(bed.engine.layers(&reference("nope:1")).await.unwrap(), None);
        let gone = bed.engine.save(&reference("nope:1"), &LeaveOut::nothing()).await.map(drop);
        assert!(matches!(gone, Err(EngineError::NoImage(_))), "{gone:?}");
    }
    .boxed()
}

fn out_and_in(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let found = bed.engine.layers(&reference(SAMPLE)).await.unwrap().unwrap();
        let whole = saved(bed, SAMPLE, &LeaveOut::nothing()).await;
        load(bed, "whole", whole.clone()).await.unwrap();
        let all = LeaveOut::lowest(&found.diff_ids, found.diff_ids.len());
        let less = saved(bed, SAMPLE, &all).await;
        assert!(less.len() + 10_000 < whole.len(), "{} of {} bytes", less.len(), whole.len());
        load(bed, "less", less).await.unwrap();
        assert_eq!(bed.engine.layers(&reference(SAMPLE)).await.unwrap(), Some(found));
    }
    .boxed()
}

/// An image of the sample and two layers with so many bytes each.
fn three_layers(bed: &Bed, bytes: u32) {
    for (base, name) in [(SAMPLE, "middle"), ("middle:1", "top")] {
        let script = format!("head -c {bytes} /dev/urandom >/{name}");
        let made = json!({ "Image": base, "Entrypoint": ["/bin/sh", "-c", script] }).to_string();
        let id = bed.raw("POST", "/containers/create", Body::Json(&made))["Id"].as_str().unwrap().to_owned();
        drop(bed.raw("POST", &format!("/containers/{id}/start"), Body::Empty));
        drop(bed.raw("POST", &format!("/containers/{id}/wait"), Body::Empty));
        let commit = format!("/commit?container={id}&repo={name}&tag=1");
        drop(bed.raw("POST", &commit, Body::Json(r#"{"Entrypoint":["/bin/serve"],"Env":["A=<b>&c"]}"#)));
        drop(bed.raw("DELETE", &format!("/containers/{id}"), Body::Empty));
    }
}

fn forget(bed: &Bed, name: &str) {
    drop(bed.raw("DELETE", &format!("/images/{name}"), Body::Empty));
}

fn missing_only(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        three_layers(bed, 300_000);
        let top = bed.engine.layers(&reference("top:1")).await.unwrap().unwrap();
        let base = bed.engine.layers(&reference(SAMPLE)).await.unwrap().unwrap();
        let count = shared(&top.diff_ids, [base.diff_ids.as_slice()]);
        assert_eq!((top.diff_ids.len(), count), (3, 1));
        let steps = bed.engine.history(&reference("top:1")).await.unwrap();
        assert_eq!((steps.len(), steps[1], steps[2]), (3, 300_000, 300_000));
        let archive = saved(bed, "top:1", &LeaveOut::lowest(&top.diff_ids, count)).await;
        assert!((600_000..700_000).contains(&archive.len()), "{} bytes", archive.len());
        forget(bed, "top:1");
        forget(bed, "middle:1");
        assert_eq!(bed.engine.layers(&reference("top:1")).await.unwrap(), None);
        load(bed, "missing only", archive).await.unwrap();
        assert_eq!(bed.engine.layers(&reference("top:1")).await.unwrap(), Some(top));
        let mut request = bed.running();
        request.spec.image = reference("top:1");
        let id = bed.engine.create(&request).await.unwrap();
        bed.engine.start(&id).await.unwrap();
        bed.until(&id, |container| container.state.is_running()).await;
        bed.engine.remove(&id).await.unwrap();
        forget(bed, "top:1");
    }
    .boxed()
}

fn one_too_few(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        three_layers(bed, 1000);
        let top = bed.engine.layers(&reference("top:1")).await.unwrap().unwrap();
        let archive = saved(bed, "top:1", &LeaveOut::lowest(&top.diff_ids, 2)).await;
        forget(bed, "top:1");
        forget(bed, "middle:1");
        let refused = load(bed, "too few", archive).await.unwrap_err();
        assert!(matches!(&refused, EngineError::Failed(why) if why.contains("no such file")), "{refused:?}");
        assert_eq!(bed.engine.layers(&reference("top:1")).await.unwrap(), None, "nothing half-made");
    }
    .boxed()
}

fn configuration_only(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        three_layers(bed, 200_000);
        let top = bed.engine.layers(&reference("top:1")).await.unwrap().unwrap();
        let archive = saved(bed, "top:1", &LeaveOut::lowest(&top.diff_ids, 3)).await;
        // Another name of the same image keeps its layers; the highest is known by its description too.
        assert!(archive.len() < 50_000, "{} bytes", archive.len());
        drop(bed.raw("POST", "/images/top:1/tag?repo=other&tag=1", Body::Empty));
        forget(bed, "top:1");
        load(bed, "configuration", archive).await.unwrap();
        assert_eq!(bed.engine.layers(&reference("top:1")).await.unwrap(), Some(top));
        for name in ["top:1", "other:1", "middle:1"] {
            forget(bed, name);
        }
    }
    .boxed()
}
