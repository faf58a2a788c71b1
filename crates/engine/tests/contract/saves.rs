//! Files of containers kept as images: what is kept, in how many layers, and what it costs.

use crate::Case;
use crate::bed::{Bed, Kind, PATIENCE, SAMPLE, unknown};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pierhead_devhosts::http::Body;
use pierhead_engine::{Compare, EngineError, ExecRequest, Squash, Squashed};
use pierhead_model::{ContainerId, ImageReference, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Write;
use tokio::io::AsyncReadExt;

/// On both engines.
pub const CASES: &[Case] = &[
    ("a container becomes an image of one layer over its base", one_layer),
    ("an image does not say what its containers are for", purpose),
];

/// On real ones.
pub const REAL: &[Case] = &[
    ("files of every kind come back", every_kind),
    ("saved often, it does not grow", often),
    ("what a declared volume would hold is kept", declared_volume),
    ("a file that no image can hold is named", unkept),
];

/// What makes files of every kind, in a container of the sample.
const MAKE: &str = r#"
set -e; umask 022; b=/bin/busybox
$b mkdir -p /made/deep/er; echo one >/made/one; $b ln /made/one /made/two; $b ln /made/one /made/deep/three
echo old >/made/replaced; $b mkdir /made/folder; echo x >/made/folder/x; $b mkfifo /made/pipe
$b ln -s /else/where /made/symlink; $b ln /made/symlink /made/symlink2
printf 'a b' >"/made/$(printf 'tab\there\nnew \377 line')"; printf x >/made/$(printf 'n%.0s' $(seq 200))
echo s >/made/setuid; $b chown 1234:567 /made/setuid; chmod 4750 /made/setuid; chmod 1777 /made/deep
$b truncate -s 20M /made/sparse; printf end >>/made/sparse; head -c 3000000 /dev/urandom >/made/large
$b touch -d '2001-02-03 04:05:06' /made/one; rm /bin/seq; rm -r /www; mkdir /www; echo new >/www/new
"#;

/// And what changes them.
const CHANGE: &str = r#"
set -e; b=/bin/busybox
rm /made/one; echo another >/made/one; rm /made/replaced; mkdir /made/replaced; echo in >/made/replaced/in
rm -r /made/folder; echo file >/made/folder; rm /made/pipe /made/symlink; echo more >>/made/setuid
$b chown 77 /made/large; rm -r /www; mkdir -p /www/again; echo last >/www/again/last; rm /bin/wc
"#;

/// Everything that is to be as it was, of files that were made and of the image's, and which names are one file's.
const LOOK: &str = r#"
cd /; b=/bin/busybox
$b find made www bin ! -type d -exec $b stat -c '%n|%F|%a|%u:%g|%s|%Y|%N' {} \; | $b sort
for names in 'made/one made/two' 'made/two made/deep/three' 'bin/ls bin/cat'; do
  echo "$names" $($b stat -c %i $names | $b sort -u | $b wc -l)
done
$b find made www bin -type d -exec $b stat -c '%n|%F|%a|%u:%g|%Y' {} \; | $b sort
$b find made www -type f -exec $b md5sum {} \; | $b sort
"#;

fn reference(name: &str) -> ImageReference {
    ImageReference::parse(name).unwrap()
}

async fn started(bed: &Bed, image: &str) -> ContainerId {
    let id = bed.engine.create(&bed.sleeping(image)).await.unwrap();
    bed.engine.start(&id).await.unwrap();
    id
}

/// Runs a script in a container and gives what it printed.
async fn run(bed: &Bed, id: &ContainerId, script: &str) -> Vec<u8> {
    let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    let request = ExecRequest { command, ..ExecRequest::default() };
    let exec = bed.engine.create_exec(id, &request).await.unwrap();
    let mut stream = bed.engine.start_exec(&exec, false).await.unwrap();
    let (mut frames, mut printed) = (Vec::new(), Vec::new());
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut frames)).await.expect("an end").unwrap();
    let mut rest = frames.as_slice();
    while let Some((head, content)) = rest.split_at_checked(8) {
        let length = u32::from_be_bytes(head[4..].try_into().unwrap()) as usize;
        printed.extend_from_slice(&content[..length]);
        rest = &content[length..];
    }
    let state = bed.engine.exec(&exec).await.unwrap();
    assert_eq!(state.exit_code, Some(0), "{}", String::from_utf8_lossy(&printed));
    printed
}

/// So many bytes more are written in a container.
async fn write(bed: &Bed, id: &ContainerId, name: &str, bytes: u64) {
    match &bed.kind {
        Kind::Fake(fake) => fake.set_written(id, bed.engine.written(id).await.unwrap() + bytes).unwrap(),
        Kind::Real(_) => drop(run(bed, id, &format!("head -c {bytes} /dev/urandom >/{name}")).await),
    }
}

fn purpose(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let theirs = |name: &str| (format!("pierhead.{name}"), "abcdefgh23".to_owned());
        let claims = ["app", "app-id", "slot", "member", "generation", "workspace", "container"].map(theirs);
        let mut first = bed.sleeping(SAMPLE);
        first.labels.extend(claims.into_iter().chain([("theirs".to_owned(), "1".to_owned())]));
        let first = bed.engine.create(&first).await.unwrap();
        let image = reference("pierhead/saving:contract");
        bed.engine.commit(&first, &image).await.unwrap();
        let mut request = bed.sleeping(image.as_str());
        request.labels.insert("pierhead.generation".to_owned(), "7".to_owned());
        let id = bed.engine.create(&request).await.unwrap();
        let mut expected = request.labels.clone();
        expected.insert("theirs".to_owned(), "1".to_owned());
        assert_eq!(bed.listed(&id).await.unwrap().labels, expected);
        assert_eq!(bed.inspected(&id).await.labels, expected);
        forget(bed, &[first, id], &[image.as_str()]).await;
    }
    .boxed()
}

async fn layers(bed: &Bed, name: &str) -> usize {
    bed.engine.layers(&reference(name)).await.unwrap().unwrap().diff_ids.len()
}

/// Makes an image of a container, with one layer over the base.
async fn saved(bed: &Bed, id: &ContainerId, like: &str, name: &str) -> Squashed {
    let raw = reference("pierhead/saving:contract");
    bed.engine.commit(id, &raw).await.unwrap();
    let wanted = squash(bed, like, name).await;
    let made = bed.engine.squash(&wanted).await.unwrap();
    bed.engine.remove_image(&raw).await.unwrap();
    made
}

async fn squash(bed: &Bed, like: &str, name: &str) -> Squash {
    Squash {
        image: reference("pierhead/saving:contract"),
        base_layers: layers(bed, SAMPLE).await,
        like: reference(like),
        name: reference(name),
        labels: BTreeMap::from([("pierhead.saved-by".to_owned(), "contract".to_owned())]),
        created: Timestamp(1_000_000_000_000),
        most_bytes: 1 << 30,
    }
}

async fn forget(bed: &Bed, containers: &[ContainerId], images: &[&str]) {
    for id in containers {
        bed.engine.remove(id).await.unwrap();
    }
    for name in images {
        bed.engine.remove_image(&reference(name)).await.unwrap();
        assert_eq!(bed.engine.image(&reference(name)).await.unwrap(), None, "{name}");
    }
}

fn one_layer(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let (first, second, raw) = ("pierhead/save:contract-1", "pierhead/save:contract-2", "pierhead/saving:contract");
        let base = layers(bed, SAMPLE).await;
        let id = started(bed, SAMPLE).await;
        bed.engine.commit(&id, &reference(raw)).await.unwrap();
        assert_eq!(layers(bed, raw).await, base, "nothing was written");
        write(bed, &id, "one", 30_000).await;
        assert!((30_000..40_000).contains(&bed.engine.written(&id).await.unwrap()));
        let made = bed.engine.commit(&id, &reference(raw)).await.unwrap();
        assert_eq!(bed.engine.image(&reference(raw)).await.unwrap(), Some(made));
        assert_eq!(layers(bed, raw).await, base + 1);
        let made = bed.engine.squash(&squash(bed, SAMPLE, first).await).await.unwrap();
        assert_eq!(bed.engine.image(&reference(first)).await.unwrap().as_ref(), Some(&made.id));
        assert!(made.layers == base + 1 && (30_000..40_000).contains(&made.layer_bytes), "{made:?}");
        let listed = bed.engine.images().await.unwrap();
        let listed = listed.iter().find(|image| image.tags.iter().any(|tag| tag == first)).unwrap();
        let labels: Vec<_> = listed.labels.iter().filter(|(name, _)| name.starts_with("pierhead.")).collect();
        assert_eq!(labels, [(&"pierhead.saved-by".to_owned(), &"contract".to_owned())], "not the container's");
        let again = started(bed, first).await;
        write(bed, &again, "two", 20_000).await;
        let made = saved(bed, &again, first, second).await;
        assert!(made.layers == base + 1 && (50_000..60_000).contains(&made.layer_bytes), "{made:?}");
        let of = |image: &str, earlier: Option<&str>| Compare {
            image: reference(image),
            earlier: earlier.map(reference),
            base_layers: base,
        };
        let changes = bed.engine.changes(&of(second, None)).await.unwrap();
        assert!(changes.added >= 1 && changes.removed == 0, "{changes:?}");
        let changes = bed.engine.changes(&of(second, Some(first))).await.unwrap();
        assert!(changes.first.iter().any(|change| change.bytes >= 20_000), "{changes:?}");
        let mut small = squash(bed, first, second).await;
        bed.engine.commit(&again, &reference(raw)).await.unwrap();
        small.most_bytes = 100;
        assert!(matches!(bed.engine.squash(&small).await, Err(EngineError::Refused(_))), "it is larger");
        let in_use = bed.engine.remove_image(&reference(first)).await;
        assert!(matches!(in_use, Err(EngineError::Failed(_))), "{in_use:?}");
        assert!(matches!(bed.engine.written(&unknown()).await, Err(EngineError::NotFound)));
        assert!(matches!(bed.engine.commit(&unknown(), &reference(raw)).await, Err(EngineError::NotFound)));
        let none = Squash { image: reference("nope:1"), ..small };
        assert!(matches!(bed.engine.squash(&none).await, Err(EngineError::NoImage(_))));
        forget(bed, &[id, again], &[first, second, raw]).await;
        forget(bed, &[], &[raw]).await;
    }
    .boxed()
}

fn every_kind(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let names = ["pierhead/save:kinds-1", "pierhead/save:kinds-2"];
        let first = started(bed, SAMPLE).await;
        run(bed, &first, MAKE).await;
        let made = run(bed, &first, LOOK).await;
        saved(bed, &first, SAMPLE, names[0]).await;
        let second = started(bed, names[0]).await;
        assert_same(&run(bed, &second, LOOK).await, &made);
        run(bed, &second, CHANGE).await;
        let changed = run(bed, &second, LOOK).await;
        assert!(changed != made);
        // The last moment of a folder is that of the last change in it, which a layer keeps too.
        saved(bed, &second, names[0], names[1]).await;
        let third = started(bed, names[1]).await;
        assert_same(&run(bed, &third, LOOK).await, &changed);
        let base_layers = layers(bed, SAMPLE).await;
        assert_eq!(layers(bed, names[1]).await, base_layers + 1);
        let compare = Compare { image: reference(names[1]), earlier: Some(reference(names[0])), base_layers };
        let changes = bed.engine.changes(&compare).await.unwrap();
        let told = changes.first.iter().fold(String::new(), |mut all, change| {
            let _always_room = writeln!(all, "{:?} {}", change.kind, change.path);
            all
        });
        for expected in ["Removed /bin/wc", "Removed /made/pipe", "Changed /made/one", "Added /www/again/last"] {
            assert!(told.contains(expected), "{expected} in {told}");
        }
        assert!(!told.contains("/made/deep/three"), "{told}");
        forget(bed, &[first, second, third], &names).await;
    }
    .boxed()
}

fn assert_same(found: &[u8], expected: &[u8]) {
    let (found, expected) = (String::from_utf8_lossy(found), String::from_utf8_lossy(expected));
    let other = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert!(found == expected, "{other:?}");
}

fn unkept(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let (raw, id) = (reference("pierhead/saving:contract"), started(bed, SAMPLE).await);
        // An engine takes such a name for a mark that hides the folder it lies in, or makes nothing of what is linked to.
        for (make, named) in [
            ("mkdir /new; echo x >/new/.wh.", "such as \"/new/.wh.\":"),
            ("mkdir /new; echo x >/new/.wh..; echo x >/new/.wh...", "such as \"/new/.wh..\" (and 1 more):"),
            ("mkdir /new; echo x >/new/.wh.a; /bin/busybox ln /new/.wh.a /new/z", "such as \"/new/.wh.a\":"),
        ] {
            run(bed, &id, make).await;
            let error = bed.engine.commit(&id, &raw).await.unwrap_err();
            assert!(matches!(&error, EngineError::Refused(why) if why.contains(named)), "{make}: {error:?}");
            run(bed, &id, "rm -r /new").await;
            bed.engine.commit(&id, &raw).await.unwrap();
        }
        forget(bed, &[id], &[raw.as_str()]).await;
    }
    .boxed()
}

fn often(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let base = layers(bed, SAMPLE).await;
        let name = |round: usize| format!("pierhead/save:often-{round}");
        let (mut before, mut first_bytes) = (SAMPLE.to_owned(), 0);
        for round in 1..=12 {
            let id = started(bed, &before).await;
            let script = format!(
                "head -c 400000 /dev/urandom >/state; rm -rf /passing*; mkdir /passing{round}; \
                 for i in $(seq 40); do echo >/passing{round}/$i; done"
            );
            run(bed, &id, &script).await;
            let made = saved(bed, &id, &before, &name(round)).await;
            assert_eq!(made.layers, base + 1, "round {round}");
            first_bytes = if round == 1 { made.layer_bytes } else { first_bytes };
            assert!(
                made.layer_bytes.abs_diff(first_bytes) * 10 < first_bytes,
                "round {round}: {made:?}, {first_bytes}"
            );
            bed.engine.remove(&id).await.unwrap();
            if round > 1 {
                forget(bed, &[], &[&before]).await;
            }
            before = name(round);
        }
        forget(bed, &[], &[&before]).await;
    }
    .boxed()
}

fn declared_volume(bed: &Bed) -> BoxFuture<'_, ()> {
    async {
        let made = started(bed, SAMPLE).await;
        let commit = format!("/commit?container={made}&repo=declared&tag=1&changes=VOLUME%20%2Fdata");
        drop(bed.raw("POST", &commit, Body::Json("{}")));
        let plain = reference("pierhead/environment:declared");
        let id = bed.engine.without_volumes(&reference("declared:1"), &plain).await.unwrap();
        assert_eq!(bed.engine.image(&plain).await.unwrap(), Some(id.clone()));
        assert_eq!(bed.engine.without_volumes(&reference("declared:1"), &plain).await.unwrap(), id, "again the same");
        let told = bed.raw("GET", &format!("/images/{plain}/json"), Body::Empty);
        assert!(told["Config"]["Volumes"].is_null(), "{told}");
        let container = started(bed, plain.as_str()).await;
        run(bed, &container, "mkdir -p /data; echo kept >/data/kept").await;
        saved(bed, &container, plain.as_str(), "pierhead/save:declared").await;
        let again = started(bed, "pierhead/save:declared").await;
        assert_eq!(run(bed, &again, "cat /data/kept").await, b"kept\n");
        forget(bed, &[made, container, again], &["pierhead/save:declared", plain.as_str(), "declared:1"]).await;
    }
    .boxed()
}
