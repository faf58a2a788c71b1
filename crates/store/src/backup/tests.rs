use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{Embedded, Transaction};

const MADE_AT: u64 = 1_800_000_000_000;

async fn store(directory: &Path) -> Embedded {
    let store = Embedded::open(directory).unwrap();
    let lease = store.grant(Duration::from_secs(60)).await.unwrap();
    let documents = Transaction::new()
        .put("spec/apps/1", *b"v1:sealed")
        .put("spec/apps/2", "\u{e9}\n\"quoted\"".as_bytes().to_vec())
        .put("log/1", vec![0xff, 0, 0x80])
        .put("empty", Vec::new())
        .put_leased("leader/controller", *b"{}", lease);
    store.commit(documents).await.unwrap();
    store
}

async fn backup() -> Backup {
    let directory = tempfile::tempdir().unwrap();
    Backup::of(&store(directory.path()).await, MADE_AT, "1.2.3").await.unwrap()
}

fn refusal(bytes: &[u8]) -> String {
    Backup::decode(bytes).unwrap_err().to_string()
}

#[tokio::test]
async fn a_backup_is_read_as_it_was_written() {
    let made = backup().await;
    let read = Backup::decode(&made.encode().unwrap()).unwrap();
    assert_eq!(read.manifest(), made.manifest());
    let told = |backup: &Backup| -> Vec<_> {
        backup.entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect()
    };
    assert_eq!(told(&read), told(&made));
    let manifest = read.manifest();
    assert_eq!((manifest.made_at, &*manifest.program, manifest.revision), (MADE_AT, "1.2.3", Revision::new(1)));
    assert_eq!((manifest.census.total(), manifest.census.leased), (4, 1), "what bears a lease is not in it");
    assert_eq!(manifest.census.documents["spec"], 2);
    assert!(!read.is_sealed());
}

#[tokio::test]
async fn no_changed_bit_and_no_missing_byte_goes_unnoticed() {
    let bytes = backup().await.encode().unwrap();
    for position in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[position] ^= 1 << bit;
            assert!(Backup::decode(&changed).is_err(), "bit {bit} of byte {position}");
        }
        assert!(Backup::decode(&bytes[..position]).is_err(), "cut at {position}");
    }
    assert!(refusal(&[&bytes[..], b"\n"].concat()).contains("check sum"));
    assert!(refusal(b"").contains("does not begin like one"));
}

proptest! {
    #[test]
    fn what_is_no_backup_is_refused(junk in proptest::collection::vec(any::<u8>(), 0..300), version in 0_u32..4) {
        prop_assert!(Backup::decode(&junk).is_err());
        let mut bytes = format!("{MAGIC}{version}\n").into_bytes();
        bytes.extend(junk);
        let sum = sum(&bytes);
        bytes.extend_from_slice(format!("{sum}\n").as_bytes());
        // Even one whose sum fits.
        prop_assert!(Backup::decode(&bytes).is_err());
    }
}

/// The same file with another beginning, and a sum that fits.
fn begun_with(bytes: &[u8], first: &str, manifest: impl Fn(&str) -> String) -> Vec<u8> {
    let (_, rest) = first_line(&bytes[..bytes.len() - SUM_BYTES]).unwrap();
    let (told, packed) = first_line(rest).unwrap();
    let changed = [format!("{first}\n{}\n", manifest(told)).as_bytes(), packed].concat();
    let sum = sum(&changed);
    [&changed[..], format!("{sum}\n").as_bytes()].concat()
}

#[tokio::test]
async fn a_later_version_and_other_documents_are_told_apart() {
    let bytes = backup().await.encode().unwrap();
    let same = |told: &str| told.to_owned();
    assert!(Backup::decode(&begun_with(&bytes, "pierhead-backup 1", same)).is_ok());
    let later = refusal(&begun_with(&bytes, "pierhead-backup 2", same));
    assert!(later.contains("version 2") && later.contains("newer program"), "{later}");
    let fewer = |told: &str| told.replace("\"spec\":2", "\"spec\":1");
    assert!(refusal(&begun_with(&bytes, "pierhead-backup 1", fewer)).contains("not those that it tells of"));
}

#[tokio::test]
async fn a_file_is_whole_or_not_there_and_its_owners() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backup");
    let bytes = backup().await.encode().unwrap();
    Backup::save(&path, b"an older one").unwrap();
    Backup::save(&path, &bytes).unwrap();
    assert_eq!(Backup::load(&path).unwrap().manifest().census.total(), 4);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no draft is left");
    let missing = directory.path().join("missing/backup");
    assert!(matches!(Backup::save(&missing, &bytes), Err(Error::Open { operation: "write", .. })));
    assert!(matches!(Backup::load(&missing), Err(Error::Open { operation: "read", .. })));
    let taken = directory.path().join("taken");
    std::fs::create_dir(&taken).unwrap();
    assert!(Backup::save(&taken, &bytes).is_err());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2, "no draft is left of one that failed");
}

#[tokio::test]
async fn a_restored_store_is_the_same_with_later_revisions_and_says_so() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let source = store(from.path()).await;
    let backup = Backup::of(&source, MADE_AT, "1").await.unwrap();
    // Written after the backup, and so not in it.
    source.commit(Transaction::new().put("later", *b"1")).await.unwrap();

    let target = Embedded::create(to.path(), &backup.origin()).unwrap();
    backup.restore(&target, MADE_AT + 5).await.unwrap();
    assert_eq!(target.cluster_id(), source.cluster_id());
    assert_ne!(target.store_id(), source.store_id());
    assert_eq!(restored(&target).await.unwrap(), Some(Restored { made_at: MADE_AT, restored_at: MADE_AT + 5 }));
    assert_eq!(restored(&source).await.unwrap(), None);
    assert!(!crate::copy::is_unfinished(&target).await.unwrap());
    assert!(target.get("later").await.unwrap().is_none() && target.get("leader/controller").await.unwrap().is_none());
    assert_eq!(&*target.get("log/1").await.unwrap().unwrap().value, [0xff, 0, 0x80]);
    let next = target.commit(Transaction::new().put("x", *b"1")).await.unwrap();
    assert!(next.value() > RESTORED_ABOVE, "{next}");
    assert!(matches!(Embedded::create(to.path(), &backup.origin()), Err(Error::InUse { .. } | Error::Occupied { .. })));

    // A second generation of the same: the mark is the newest one's.
    let again = tempfile::tempdir().unwrap();
    let backup = Backup::of(&target, MADE_AT + 10, "1").await.unwrap();
    let third = Embedded::create(again.path(), &backup.origin()).unwrap();
    backup.restore(&third, MADE_AT + 11).await.unwrap();
    assert_eq!(restored(&third).await.unwrap().unwrap().made_at, MADE_AT + 10);
}

#[tokio::test]
async fn an_unfinished_copy_is_neither_backed_up_nor_taken_for_whole() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let backup = Backup::of(&store(from.path()).await, MADE_AT, "1").await.unwrap();
    let target = Embedded::create(to.path(), &backup.origin()).unwrap();
    // Somebody wrote there meanwhile.
    target.commit(Transaction::new().put("foreign", *b"1")).await.unwrap();
    let differs = backup.restore(&target, MADE_AT).await;
    assert!(matches!(differs, Err(Error::CopyDiffers { .. })), "{differs:?}");
    assert!(crate::copy::is_unfinished(&target).await.unwrap());
    assert!(matches!(Backup::of(&target, MADE_AT, "1").await, Err(Error::Backup { .. })));
}

#[tokio::test]
async fn only_the_key_that_sealed_it_fits() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path()).await;
    let ours = Sealer::open_or_create_file(directory.path().join("ours")).unwrap();
    let other = Sealer::open_or_create_file(directory.path().join("other")).unwrap();
    ours.verify(&store).await.unwrap();
    let backup = Backup::of(&store, MADE_AT, "1").await.unwrap();
    assert!(backup.is_sealed());
    backup.check_key(&ours).unwrap();
    assert!(matches!(backup.check_key(&other), Err(Error::WrongKey { .. })));
}

#[tokio::test]
async fn a_backup_made_while_others_write_is_of_one_revision() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Embedded::open(directory.path()).unwrap());
    let writer = Arc::clone(&store);
    let writing = tokio::spawn(async move {
        for round in 0_u32..300 {
            let both =
                Transaction::new().put("a", round.to_string().into_bytes()).put("b", round.to_string().into_bytes());
            writer.commit(both).await.unwrap();
        }
    });
    let mut seen = 0;
    while !writing.is_finished() {
        let backup = Backup::of(&*store, MADE_AT, "1").await.unwrap();
        let values: Vec<_> = backup.entries.iter().map(|entry| entry.value.clone()).collect();
        assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "{values:?}");
        seen += values.len();
    }
    writing.await.unwrap();
    assert!(seen > 0 || store.get("a").await.unwrap().is_some());
}
