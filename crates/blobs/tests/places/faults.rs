//! What goes wrong between a controller and an object store: it must come right by itself, or be told in words, and
//! nothing half-made may stay.

use crate::beds::{BUCKET, Bed, PREFIX, blob, bucket, bucket_within, read, settings};
use pierhead_blobs::BlobError::{Refused, Silent};
use pierhead_blobs::{BlobError, Blobs, Bucket, BucketSettings, Digest};
use pierhead_bucketkit::Fault::{Cut, Flip, FlipSent, HangUp, LoseAnswer, Say, Silence, Stall};
use pierhead_bucketkit::{BucketServer, Fault, KEY_ID, SECRET};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Large enough for three parts.
const LARGE: usize = (10 << 20) + 1000;
/// The longest that a test waits.
const PATIENCE: Duration = Duration::from_secs(30);

fn says(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Because.</Message></Error>")
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A bucket with other settings than those that work, and what its check says.
async fn checked(server: &BucketServer, change: impl FnOnce(&mut BucketSettings)) -> Result<(), BlobError> {
    let mut settings = settings(&server.endpoint(), KEY_ID, SECRET);
    change(&mut settings);
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::impatient(&settings, folder.path().to_owned(), Duration::from_secs(10)).unwrap();
    let checked = Blobs::Bucket(bucket).check().await;
    if let Err(error) = &checked {
        let said = format!("{error} {error:?}");
        assert!(said.contains("--blobs s3://"), "{said}");
        assert!(!said.contains(SECRET) && !said.contains("X-Amz-Signature"), "{said}");
    }
    checked
}

fn server(bed: &Bed) -> &BucketServer {
    bed.server.as_ref().unwrap()
}

#[tokio::test]
async fn a_check_says_what_is_wrong_and_what_helps() {
    let bed = bucket().await;
    checked(server(&bed), |_| {}).await.unwrap();
    let refused = |result: Result<(), BlobError>| match result {
        Err(error @ Refused { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let wrong = refused(checked(server(&bed), |settings| settings.keys.secret = "another".to_owned()).await);
    assert!(wrong.contains("AWS_SECRET_ACCESS_KEY") && wrong.contains("refuses to be written"), "{wrong}");
    let unknown = refused(checked(server(&bed), |settings| settings.keys.id = "AKIANOBODY".to_owned()).await);
    assert!(unknown.contains("--blobs-credentials-file"), "{unknown}");
    for (method, holds, status, code, words) in [
        ("PUT", "check-", 403, "AccessDenied", "refuses to be written: who asks may not do that"),
        ("GET", "/check-", 403, "AccessDenied", "refuses to be read"),
        ("GET", "list-type", 403, "AccessDenied", "refuses to be listed"),
        ("DELETE", "check-", 403, "AccessDenied", "refuses to remove what was written"),
        ("PUT", "check-", 404, "NoSuchBucket", "there is no such bucket"),
        ("PUT", "check-", 301, "PermanentRedirect", "--blobs-region"),
        ("PUT", "check-", 400, "Strange", "400 Strange Because."),
    ] {
        server(&bed).fault(method, holds, 1, Say(status, says(code)));
        let told = refused(checked(server(&bed), |_| {}).await);
        assert!(told.contains(words), "{words}: {told}");
        server(&bed).heal();
    }
    server(&bed).fault("GET", "/check-", 1, Flip(3));
    let told = refused(checked(server(&bed), |_| {}).await);
    assert!(told.contains("what was written is not what is read"), "{told}");
}

#[tokio::test]
async fn a_store_that_is_away_is_told_from_one_that_refuses() {
    // No other test begins to listen there.
    let gone = settings("http://127.0.0.1:1", KEY_ID, SECRET);
    let folder = tempfile::tempdir().unwrap();
    let nobody = Bucket::impatient(&gone, folder.path().to_owned(), Duration::from_secs(2));
    let Err(error @ Silent { .. }) = Blobs::Bucket(nobody.unwrap()).check().await else { panic!("nobody is there") };
    assert!(error.to_string().starts_with(&format!("--blobs s3://{BUCKET}/{PREFIX} does not answer: ")), "{error}");
    let bed = bucket_within(Duration::from_millis(300)).await;
    server(&bed).fault("PUT", "check-", usize::MAX, Silence);
    let Err(error @ Silent { .. }) = bed.blobs.check().await else { panic!("it says nothing") };
    assert!(error.to_string().contains("nothing came within 0.3 s"), "{error}");
    let bed = bucket().await;
    server(&bed).fault("PUT", "check-", usize::MAX, Say(503, says("SlowDown")));
    let Err(error @ Silent { .. }) = bed.blobs.check().await else { panic!("it has no time") };
    assert!(error.to_string().contains("503 SlowDown"), "{error}");
}

#[tokio::test]
async fn what_goes_wrong_once_is_done_again() {
    let bed = bucket().await;
    let (content, digest) = blob(1, LARGE);
    for (method, holds, fault) in [
        ("POST", "?uploads", HangUp),
        ("POST", "?uploads", Say(503, says("SlowDown"))),
        ("PUT", "partNumber=1", HangUp),
        ("PUT", "partNumber=2", LoseAnswer),
        ("PUT", "partNumber=3", Say(500, says("InternalError"))),
        ("PUT", "partNumber=2", FlipSent(4_000_000)),
        ("POST", "?uploadId", HangUp),
        ("POST", "?uploadId", LoseAnswer),
        ("HEAD", "", HangUp),
    ] {
        server(&bed).fault(method, holds, 1, fault.clone());
        let kept = bed.keep(&content, &digest).await;
        assert!(kept.is_ok(), "{method} {holds} {fault:?}: {kept:?}");
        assert!(read(&bed.blobs, &digest, LARGE as u64).await.unwrap() == content, "{method} {holds} {fault:?}");
        bed.blobs.remove(&digest).await.unwrap();
    }
    assert_eq!(bed.stored(), Vec::<String>::new());
}

#[tokio::test]
async fn nothing_stays_of_an_upload_that_fails() {
    let (bed, hasty) = (bucket().await, bucket_within(Duration::from_secs(3)).await);
    let (content, digest) = blob(1, LARGE);
    for (bed, method, holds, fault, words) in [
        (&bed, "PUT", "partNumber=3", Say(403, says("AccessDenied")), "refuses to take an archive: who asks may not"),
        (&bed, "PUT", "partNumber=2", HangUp, "does not answer"),
        (&bed, "PUT", "partNumber=2", FlipSent(5), "BadDigest"),
        (&bed, "POST", "?uploadId", Say(400, says("InvalidPart")), "InvalidPart"),
        (&bed, "POST", "?uploadId", Say(200, says("InternalError")), "InternalError"),
        (&hasty, "PUT", "partNumber=1", Silence, "nothing came within"),
    ] {
        server(bed).fault(method, holds, usize::MAX, fault.clone());
        let told = bed.keep(&content, &digest).await.unwrap_err().to_string();
        assert!(told.contains(words), "{fault:?}: {told}");
        server(bed).heal();
        until("the parts are taken back", || bed.unfinished() == 0).await;
        assert!(!bed.blobs.has(&digest).await.unwrap(), "{fault:?}");
    }
    let file = bed.part(&content);
    let sent = || server(&bed).seen().iter().filter(|line| line.contains("partNumber=2")).count();
    let before = sent();
    server(&bed).fault("PUT", "partNumber=2", usize::MAX, Silence);
    tokio::select! {
        kept = bed.blobs.keep(&file, &digest) => panic!("nothing was said: {kept:?}"),
        // Who waits for it leaves.
        () = until("the second part is sent", || sent() > before) => {}
    }
    server(&bed).heal();
    std::fs::remove_file(file).unwrap();
    until("the parts are taken back", || bed.unfinished() == 0).await;
    assert!(bed.stored().is_empty());
}

#[tokio::test]
async fn a_file_that_changed_before_it_was_sent_is_not_kept() {
    let bed = bucket().await;
    for size in [1_000, LARGE] {
        let (mut content, digest) = blob(1, size);
        content[999] ^= 1;
        let told = bed.keep(&content, &digest).await.unwrap_err().to_string();
        assert!(told.contains("is not what its name says"), "{told}");
        until("the parts are taken back", || bed.unfinished() == 0).await;
        assert!(!bed.blobs.has(&digest).await.unwrap());
    }
}

#[tokio::test]
async fn a_store_that_loses_what_it_took_is_found_out() {
    let bed = bucket().await;
    let (content, digest) = blob(1, 1_000);
    server(&bed).fault("PUT", digest.as_str(), 1, Say(200, String::new()));
    let told = bed.keep(&content, &digest).await.unwrap_err().to_string();
    assert!(told.contains("of 1000 bytes it has 0"), "{told}");
}

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_where_it_was() {
    let bed = bucket_within(Duration::from_secs(5)).await;
    let (content, digest) = blob(1, 2_000_000);
    bed.keep(&content, &digest).await.unwrap();
    let faults: [&[Fault]; 4] =
        [&[Cut(700_000)], &[Stall(700_000)], &[Cut(0), Cut(100_000), Cut(1)], &[HangUp, LoseAnswer]];
    for faults in faults {
        faults.iter().for_each(|fault| server(&bed).fault("GET", digest.as_str(), 1, fault.clone()));
        assert!(read(&bed.blobs, &digest, 2_000_000).await.unwrap() == content, "{faults:?}");
    }
    let resumed = server(&bed).seen().iter().any(|line| line.contains("bytes=700000-"));
    assert!(resumed, "it was not read from its beginning again: {:?}", server(&bed).seen());
}

/// Why a blob of 500,000 bytes does not come.
async fn failure(bed: &Bed, digest: &Digest) -> String {
    let read = read(&bed.blobs, digest, 500_000).await.map(|all| all.len());
    read.unwrap_err().to_string()
}

#[tokio::test]
async fn a_download_that_cannot_go_on_says_why() {
    let bed = bucket_within(Duration::from_secs(1)).await;
    let (content, digest) = blob(1, 500_000);
    bed.keep(&content, &digest).await.unwrap();
    for (times, fault, words) in [
        (usize::MAX, Stall(0), "nothing came within 1 s"),
        (usize::MAX, Say(403, says("AccessDenied")), "refuses to give an archive: who asks may not"),
        (usize::MAX, Say(503, says("SlowDown")), "503 SlowDown"),
        (1, Flip(250_000), "was changed there, or on its way"),
    ] {
        server(&bed).fault("GET", digest.as_str(), times, fault.clone());
        let told = failure(&bed, &digest).await;
        assert!(told.contains(words) && told.contains("--blobs s3://school/pierhead/images"), "{fault:?}: {told}");
        server(&bed).heal();
    }
    server(&bed).fault("GET", digest.as_str(), 1, Stall(1_000));
    server(&bed).fault("GET", "bytes=1000-", 1, Say(200, "all of it again".to_owned()));
    let told = failure(&bed, &digest).await;
    assert!(told.contains("does not go on where it broke off"), "{told}");
}

#[tokio::test]
async fn parts_of_long_ago_are_given_up_at_the_start() {
    let bed = bucket().await;
    let (_, digest) = blob(1, 1);
    let upload = |id: &str, at: &str| {
        format!("<Upload><Key>{PREFIX}/{digest}.tar</Key><UploadId>{id}</UploadId><Initiated>{at}</Initiated></Upload>")
    };
    let list = [upload("old", "2020-01-02T03:04:05.000Z"), upload("young", "2999-01-02T03:04:05.000Z")].concat();
    server(&bed).fault(
        "GET",
        "uploads=",
        1,
        Say(200, format!("<ListMultipartUploadsResult>{list}</ListMultipartUploadsResult>")),
    );
    bed.blobs.sweep(&BTreeSet::new()).await.unwrap();
    let given_up: Vec<String> = server(&bed).seen().into_iter().filter(|line| line.starts_with("DELETE")).collect();
    assert!(given_up.len() == 1 && given_up[0].contains("uploadId=old"), "{given_up:?}");
    // A store that has no such list is none that is broken.
    server(&bed).fault("GET", "uploads=", 1, Say(501, says("NotImplemented")));
    bed.blobs.sweep(&BTreeSet::new()).await.unwrap();
}

#[tokio::test]
async fn a_list_of_many_pages_is_read_to_its_end() {
    let bed = bucket().await;
    let blobs: Vec<_> = (0..5).map(|seed| blob(seed, 10)).collect();
    for (content, digest) in &blobs {
        bed.keep(content, digest).await.unwrap();
    }
    // The store's own page holds a thousand; this first one holds none.
    let page = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>true</IsTruncated>\
                <NextContinuationToken>a</NextContinuationToken></ListBucketResult>";
    server(&bed).fault("GET", "list-type", 1, Say(200, page.to_owned()));
    server(&bed).fault("GET", "continuation-token=a", 1, Cut(300));
    let all: BTreeSet<_> = blobs.into_iter().map(|(_, digest)| digest).collect();
    assert_eq!(bed.blobs.sweep(&all).await.unwrap(), all);
    server(&bed).fault("GET", "list-type", 1, Say(200, "no list".to_owned()));
    let told = bed.blobs.sweep(&all).await.unwrap_err().to_string();
    assert!(told.contains("its list is not as it should be"), "{told}");
}
