//! What an engine tells: itself, others' containers, logs, usage, events, images.

use crate::Case;
use crate::bed::{Bed, ERRORS, Kind, OUTPUT, PATIENCE, SAMPLE, silent, unknown};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use pierhead_devhosts::http::Body;
use pierhead_devhosts::sample;
use pierhead_engine::{Archive, EngineError, LogOptions, Progress, Usage};
use pierhead_model::{ContainerId, ImageReference, Resources, Timestamp};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub const CASES: &[Case] = &[
    ("it tells what it is", facts),
    ("limits of containers that are not ours", foreign_limits),
    ("logs byte by byte", log_bytes),
    ("parts of a log", log_parts),
    ("a log that is followed", log_follow),
    ("what a container uses", usage),
    ("what a container uses, again and again", stats),
    ("what happens", events),
    ("an image archive is loaded", load),
    ("an archive whose last manifest gives another name", load_renamed),
    ("what is no whole archive is not loaded", bad_archives),
];

fn facts(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        bed.engine.ping().await.unwrap();
        let facts = bed.engine.facts().await.unwrap();
        assert!(facts.capacity.cpu_millis >= 1000 && facts.capacity.memory_mb > 256, "{facts:?}");
        assert!(facts.api_version.starts_with("1.") && !facts.version.is_empty() && !facts.name.is_empty());
        assert!(facts.images >= 1);
    }
    .boxed()
}

fn foreign_limits(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let limits = Resources::new(250, 64);
        let id = bed.foreign(limits).await;
        for _ in 0..2 {
            let container = bed.listed(&id).await.unwrap();
            assert_eq!((container.name.as_str(), container.limits), ("theirs", limits));
        }
        assert_eq!(bed.engine.container(&id).await.unwrap().limits, limits);
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

/// Everything of one stream, joined.
async fn read(bed: &Bed, id: &ContainerId, options: LogOptions, is_stderr: bool) -> Vec<u8> {
    let lines: Vec<_> = bed.engine.logs(id, options).await.unwrap().collect().await;
    let lines = lines.into_iter().map(Result::unwrap).filter(|line| line.is_stderr == is_stderr);
    lines.flat_map(|line| line.bytes).collect()
}

/// A container that has printed everything.
async fn printed(bed: &Bed) -> ContainerId {
    let id = bed.engine.create(&bed.printing()).await.unwrap();
    bed.engine.start(&id).await.unwrap();
    let all = async {
        // Each of the two comes on a way of its own.
        for (is_stderr, length) in [(true, ERRORS.len()), (false, OUTPUT.len())] {
            while read(bed, &id, LogOptions::default(), is_stderr).await.len() < length {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("it prints");
    id
}

fn log_bytes(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = printed(bed).await;
        assert_eq!(read(bed, &id, LogOptions::default(), false).await, OUTPUT);
        assert_eq!(read(bed, &id, LogOptions::default(), true).await, ERRORS);
        bed.engine.stop(&id, 0).await.unwrap();
        assert_eq!(read(bed, &id, LogOptions::default(), false).await, OUTPUT, "of a stopped one too");
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn log_parts(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = printed(bed).await;
        let only = |stdout, stderr| LogOptions { stdout, stderr, ..LogOptions::default() };
        assert_eq!(read(bed, &id, only(true, false), true).await, b"");
        assert_eq!(read(bed, &id, only(false, true), false).await, b"");
        // Counted over both streams, whose order among each other is anybody's guess.
        for (tail, expected) in [(0, 0), (1, 1), (2, 2), (100, 3)] {
            let options = || LogOptions { tail: Some(tail), ..LogOptions::default() };
            let mut bytes = read(bed, &id, options(), false).await;
            bytes.extend(read(bed, &id, options(), true).await);
            assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), expected, "of {tail}");
        }
        let since = |since| LogOptions { since: Some(Timestamp(since)), ..only(true, false) };
        let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        assert_eq!(read(bed, &id, since(now + 3_600_000), false).await, b"");
        assert_eq!(read(bed, &id, since(now - 3_600_000), false).await, OUTPUT);
        let stamped = LogOptions { timestamps: true, ..only(false, true) };
        let stamped = String::from_utf8(read(bed, &id, stamped, true).await).unwrap();
        let (stamp, text) = stamped.split_once(' ').unwrap();
        assert!(stamp.starts_with("20") && stamp.ends_with('Z') && text == "oh\n", "{stamped}");
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn log_follow(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = bed.engine.create(&bed.printing()).await.unwrap();
        bed.engine.start(&id).await.unwrap();
        let options = LogOptions { follow: true, ..LogOptions::default() };
        let mut lines = bed.engine.logs(&id, options).await.unwrap();
        let mut bytes = 0;
        while bytes < OUTPUT.len() + ERRORS.len() {
            bytes += lines.next().await.expect("more to come").unwrap().bytes.len();
        }
        assert!(lines.next().now_or_never().is_none(), "nothing more yet");
        bed.engine.stop(&id, 0).await.unwrap();
        let end = tokio::time::timeout(PATIENCE, lines.next()).await.expect("an end");
        assert!(end.is_none(), "{end:?}");
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn usage(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let id = bed.engine.create(&bed.running()).await.unwrap();
        bed.engine.start(&id).await.unwrap();
        if let Kind::Fake(fake) = &bed.kind {
            let used = Usage { cpu_nanos: 1_000_000, memory_bytes: 1 << 20, ..Usage::default() };
            fake.set_usage(&id, used).unwrap();
        }
        let usage = bed.engine.usage(&id).await.unwrap();
        assert!(usage.cpu_nanos > 0, "{usage:?}");
        assert!((1..32 << 20).contains(&usage.memory_bytes), "{usage:?}");
        bed.engine.stop(&id, 0).await.unwrap();
        assert_eq!(bed.engine.usage(&id).await.unwrap(), Usage::default());
        bed.engine.remove(&id).await.unwrap();
    }
    .boxed()
}

fn stats(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let refused = bed.engine.stats(&unknown()).await.map(drop).unwrap_err();
        assert!(matches!(refused, EngineError::NotFound), "{refused:?}");
        let id = bed.engine.create(&bed.running()).await.unwrap();
        let mut stats = bed.engine.stats(&id).await.unwrap();
        let one = tokio::time::timeout(Duration::from_millis(2_500), stats.next()).await;
        assert!(one.is_err(), "it does not run: {one:?}");
        bed.engine.start(&id).await.unwrap();
        if let Kind::Fake(fake) = &bed.kind {
            let used =
                Usage { cpu_nanos: 1_000_000, memory_bytes: 1 << 20, memory_limit: 32 << 20, ..Usage::default() };
            fake.set_usage(&id, used).unwrap();
        }
        let mut read = Vec::new();
        while read.len() < 3 {
            let next = tokio::time::timeout(PATIENCE, stats.next()).await.expect("in time");
            read.push(next.expect("no end").unwrap());
        }
        for usage in &read {
            assert!(usage.cpu_nanos > 0 && (1..=32 << 20).contains(&usage.memory_bytes), "{usage:?}");
            assert_eq!(usage.memory_limit, 32 << 20, "{usage:?}");
        }
        for pair in read.windows(2) {
            let apart = Duration::from_nanos(pair[1].at_nanos - pair[0].at_nanos);
            assert!((Duration::from_millis(300)..PATIENCE).contains(&apart), "{apart:?}");
            assert!(pair[1].cpu_nanos >= pair[0].cpu_nanos, "{pair:?}");
        }
        let now = bed.engine.usage(&id).await.unwrap();
        assert!(now.at_nanos > read[0].at_nanos && now.memory_limit == read[0].memory_limit, "{now:?}");
        bed.engine.remove(&id).await.unwrap();
        let all = async { while stats.next().await.is_some() {} };
        tokio::time::timeout(PATIENCE, all).await.expect("it ends with the container");
        let error = bed.engine.usage(&id).await.unwrap_err();
        assert!(matches!(error, EngineError::NotFound), "{error:?}");
    }
    .boxed()
}

fn events(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let mut events = bed.engine.events(None).await.unwrap();
        let request = bed.running();
        let id = bed.engine.create(&request).await.unwrap();
        bed.engine.start(&id).await.unwrap();
        bed.engine.stop(&id, 0).await.unwrap();
        bed.engine.remove(&id).await.unwrap();
        let mut seen = Vec::new();
        while !seen.iter().any(|status| status == "destroy") {
            let event = tokio::time::timeout(PATIENCE, events.next()).await.expect("in time").unwrap().unwrap();
            if event.subject == "container" && event.id == id.as_str() {
                assert_eq!(event.attributes["name"], request.name);
                assert_eq!(event.attributes["pierhead.cluster"], "contract");
                assert!(event.time.0 > 1_700_000_000_000, "{event:?}");
                seen.push(event.status);
            }
        }
        let order: Vec<usize> = ["create", "start", "die", "destroy"]
            .iter()
            .map(|wanted| {
                seen.iter().position(|status| status == wanted).unwrap_or_else(|| panic!("{wanted} in {seen:?}"))
            })
            .collect();
        assert!(order.is_sorted(), "{seen:?}");
    }
    .boxed()
}

fn load(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let image = ImageReference::parse(SAMPLE).unwrap();
        match &bed.kind {
            Kind::Fake(fake) => fake.remove_image(&image),
            Kind::Real(_) => drop(bed.raw("DELETE", &format!("/images/{SAMPLE}?force=1"), Body::Empty)),
        }
        assert_eq!(bed.engine.image(&image).await.unwrap(), None);
        assert!(matches!(bed.engine.create(&bed.running()).await, Err(EngineError::NoImage(_))));
        let archive = Archive::new("sample").bytes(sample::image_archive().unwrap());
        let shares: Arc<Mutex<Vec<u8>>> = Arc::default();
        let told = Arc::clone(&shares);
        let progress: Progress = Arc::new(move |percent| told.lock().unwrap().push(percent));
        // Two who need it at the same time share one load.
        let (one, other) = tokio::join!(bed.engine.load(&archive, progress), bed.engine.load(&archive, silent()));
        one.unwrap();
        other.unwrap();
        let shares = shares.lock().unwrap().clone();
        assert!(shares.is_sorted() && shares.last() == Some(&100), "{shares:?}");
        let id = bed.engine.image(&image).await.unwrap().unwrap();
        let by_id = ImageReference::parse(&id).unwrap();
        assert_eq!(bed.engine.image(&by_id).await.unwrap().as_ref(), Some(&id));
        let listed = bed.engine.images().await.unwrap();
        let listed = listed.iter().find(|listed| listed.id == id).expect("it is listed");
        assert!(listed.tags.iter().any(|tag| tag == SAMPLE) && listed.size_bytes > 0, "{listed:?}");
    }
    .boxed()
}

/// The sample under another name: the archive, and after it a manifest that counts more than the one in it.
fn renamed(tags: &serde_json::Value) -> (Archive, tempfile::NamedTempFile) {
    let whole = sample::image_archive().unwrap();
    let mut manifest = serde_json::Value::Null;
    let mut end = 0;
    for entry in tar::Archive::new(whole.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        end = (entry.raw_file_position() + entry.size()).next_multiple_of(512);
        if entry.path().unwrap().to_str() == Some("manifest.json") {
            manifest = serde_json::from_reader(&mut entry).unwrap();
        }
    }
    manifest[0]["RepoTags"] = tags.clone();
    let text = manifest.to_string();
    let mut tail = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    tail.append_data(&mut header, "manifest.json", text.as_bytes()).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&whole).unwrap();
    let archive = Archive::new("renamed").file(file.path(), end).bytes(tail.into_inner().unwrap());
    (archive, file)
}

fn load_renamed(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let image = |name: &str| ImageReference::parse(name).unwrap();
        let (archive, _file) = renamed(&serde_json::json!(["renamed:2"]));
        bed.engine.load(&archive, silent()).await.unwrap();
        let id = bed.engine.image(&image("renamed:2")).await.unwrap();
        assert!(id.is_some() && id == bed.engine.image(&image(SAMPLE)).await.unwrap());
        match &bed.kind {
            Kind::Fake(fake) => fake.remove_image(&image("renamed:2")),
            Kind::Real(_) => drop(bed.raw("DELETE", "/images/renamed:2", Body::Empty)),
        }
    }
    .boxed()
}

fn bad_archives(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let whole = sample::image_archive().unwrap();
        let cut = whole[..whole.len() / 2].to_vec();
        for (what, archive) in [
            ("no archive", Archive::new("none").bytes(b"this is no archive".to_vec())),
            ("half of one", Archive::new("half").bytes(cut.clone())),
            ("one whose file is gone", Archive::new("gone").bytes(cut).file("/nowhere/at/all", 1 << 20)),
        ] {
            let error = bed.engine.load(&archive, silent()).await.unwrap_err();
            assert!(matches!(error, EngineError::Failed(_)), "{what}: {error:?}");
        }
        bed.engine.ping().await.unwrap();
    }
    .boxed()
}
