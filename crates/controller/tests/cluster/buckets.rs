//! Image archives in a bucket, as a pool uses it: what comes, goes, is missing, or is not told because the bucket is
//! silent.

use crate::asking::{refused, run_options, running, to_the_end};
use crate::images::{names_of, on_host, send, spread};
use pierhead_blobs::{Blobs, Bucket, BucketKeys, BucketSettings};
use pierhead_bucketkit::{BucketServer, Fault, KEY_ID, SECRET};
use pierhead_controller::Options;
use pierhead_model::ImageReference;
use pierhead_testkit::{Cluster, ClusterOptions, PATIENCE, described, eventually, image_archive, image_id, quick};
use std::time::Duration;
use tempfile::TempDir;

const BUCKET: &str = "school";
const PREFIX: &str = "images";

struct Bed {
    cluster: Cluster,
    server: BucketServer,
    spool: TempDir,
}

impl Bed {
    async fn start(hosts: usize) -> Self {
        let server = BucketServer::start(&[BUCKET]).await.unwrap();
        let spool = tempfile::tempdir().unwrap();
        let keys = BucketKeys { id: KEY_ID.to_owned(), secret: SECRET.to_owned(), token: None };
        let address = format!("s3://{BUCKET}/{PREFIX}").parse().unwrap();
        let settings = BucketSettings::settle(address, Some(&server.endpoint()), None, None, keys).unwrap();
        let bucket = Bucket::impatient(&settings, spool.path().to_owned(), Duration::from_secs(10)).unwrap();
        let controller = Options { images: Blobs::Bucket(bucket), ..quick() };
        let cluster = Cluster::start(ClusterOptions { hosts, controller, ..ClusterOptions::default() }).await;
        Self { cluster, server, spool }
    }

    fn kept(&self) -> usize {
        assert_eq!(std::fs::read_dir(self.spool.path()).unwrap().count(), 0, "nothing stays here");
        self.server.objects(BUCKET, PREFIX).len()
    }

    fn fault(&self, fault: &Fault) {
        for method in ["GET", "HEAD", "PUT", "POST", "DELETE"] {
            self.server.fault(method, PREFIX, usize::MAX, fault.clone());
        }
    }
}

#[tokio::test]
async fn images_come_from_the_bucket_and_go_from_it() {
    let bed = Bed::start(2).await;
    let (cluster, admin) = (&bed.cluster, bed.cluster.admin());
    send(&admin, image_archive(&["shop:1"], "shop")).await.unwrap();
    send(&admin, image_archive(&["shop:2"], "shop")).await.unwrap();
    assert_eq!(bed.kept(), 1, "the same is the same");
    cluster.run("shop", 4, &described("shop:1")).await;
    assert_eq!(running(cluster, "shop").len(), 4);
    for at in 0..2 {
        assert_eq!(on_host(cluster, at, "shop:1").await, Some(image_id("shop")));
    }
    send(&admin, image_archive(&["shop:1", "shop:2"], "newer")).await.unwrap();
    assert_eq!(bed.kept(), 1, "the former one has no name any more");
    cluster.run("newer", 1, &described("shop:1")).await;
    admin.delete_image(&image_id("newer")).await.unwrap();
    assert_eq!(bed.kept(), 0);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_in_the_bucket() {
    let bed = Bed::start(1).await;
    let (ann, bob) = (bed.cluster.user("ann").await, bed.cluster.user("bob").await);
    send(&ann, image_archive(&["ann/shop:1"], "ann")).await.unwrap();
    assert_eq!(refused(send(&bob, image_archive(&["ann/shop:1"], "bob")).await).0, 403);
    assert_eq!(refused(send(&bob, vec![b'x'; 5_000]).await).0, 400);
    assert_eq!(bed.kept(), 1);
    let text = "<Error><Code>AccessDenied</Code></Error>".to_owned();
    bed.server.fault("PUT", PREFIX, usize::MAX, Fault::Say(403, text));
    let (status, body) = refused(send(&bob, image_archive(&["bob/shop:1"], "bob")).await);
    assert_eq!((status, body.code.as_str()), (503, "store_failed"));
    assert!(body.message.contains("--blobs s3://school/images refuses to take an archive"), "{body:?}");
    assert!(!format!("{body:?}").contains(SECRET));
    assert_eq!((bed.kept(), names_of(&bob, "bob").await.len()), (1, 0));
}

#[tokio::test]
async fn a_silent_bucket_holds_up_only_those_who_need_it() {
    let bed = Bed::start(1).await;
    let (cluster, admin) = (&bed.cluster, bed.cluster.admin());
    send(&admin, image_archive(&["shop:1"], "shop")).await.unwrap();
    send(&admin, image_archive(&["other:1"], "other")).await.unwrap();
    cluster.run("shop", 1, &described("shop:1")).await;
    bed.fault(&Fault::HangUp);
    cluster.run("again", 1, &described("shop:1")).await;
    let run = admin.run(&described("other:1"), &run_options("other", 1), &to_the_end()).await;
    let (_, body) = refused(run);
    assert!(body.message.contains("--blobs s3://school/images does not answer"), "{body:?}");
    let (status, body) = refused(send(&admin, image_archive(&["new:1"], "new")).await);
    assert!(status == 503 && body.message.contains("does not answer"), "{status} {body:?}");
    assert_eq!(names_of(&admin, "new").await.len(), 0);
    bed.server.heal();
    cluster.run("other", 1, &described("other:1")).await;
    assert_eq!(running(cluster, "other").len(), 1);
    cluster.assert_invariants().await;
}

#[tokio::test]
async fn an_archive_that_is_gone_or_changed_is_said_so_and_can_be_sent_in_again() {
    let bed = Bed::start(2).await;
    let (cluster, admin) = (&bed.cluster, bed.cluster.admin());
    send(&admin, image_archive(&["shop:1"], "shop")).await.unwrap();
    let file = bed.server.file(BUCKET, PREFIX).join(&bed.server.objects(BUCKET, PREFIX)[0]);
    let mut content = std::fs::read(&file).unwrap();
    content[600] ^= 1;
    std::fs::write(&file, &content).unwrap();
    let told = spread(&admin, "shop:1", &["host-1"]).await;
    assert!(told["host-1"].state == "failed" && told["host-1"].message.contains("was changed there"), "{told:?}");
    assert_eq!(on_host(cluster, 0, "shop:1").await, None);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(refused(admin.spread_image("shop:1", &[]).await).0, 400, "there is nothing to bring");
    send(&admin, image_archive(&["shop:1"], "shop")).await.unwrap();
    assert_eq!(spread(&admin, "shop:1", &["host-1"]).await["host-1"].state, "done");
    // A host that lacks it gets it from the other one when there is no file.
    std::fs::remove_file(&file).unwrap();
    cluster.run("shop", 4, &described("shop:1")).await;
    assert_eq!(on_host(cluster, 1, "shop:1").await, Some(image_id("shop")));
    assert!(cluster.host(1).engine().image(&ImageReference::parse("shop:1").unwrap()).await.unwrap().is_some());
}

#[tokio::test]
async fn what_a_crash_left_is_removed_once_it_is_old() {
    let mut bed = Bed::start(1).await;
    send(&bed.cluster.admin(), image_archive(&["shop:1"], "shop")).await.unwrap();
    let known = bed.server.objects(BUCKET, PREFIX).remove(0);
    let file = |name: &str| bed.server.file(BUCKET, PREFIX).join(name);
    let left = format!("{}.tar", "0f".repeat(32));
    for name in [known.as_str(), left.as_str()] {
        std::fs::OpenOptions::new().create(true).append(true).open(file(name)).unwrap();
        let old = std::fs::OpenOptions::new().write(true).open(file(name)).unwrap();
        old.set_modified(std::time::SystemTime::now() - Duration::from_secs(7200)).unwrap();
    }
    std::fs::write(bed.spool.path().join("half.part"), "half").unwrap();
    bed.cluster.crash().await;
    bed.cluster.restart().await;
    eventually(PATIENCE, "it is gone", async || bed.server.objects(BUCKET, PREFIX) == [known.as_str()]).await;
    bed.cluster.all_healthy().await;
    bed.cluster.run("shop", 1, &described("shop:1")).await;
    eventually(PATIENCE, "nothing is left here", async || std::fs::read_dir(bed.spool.path()).unwrap().count() == 0)
        .await;
}
