//! Where everything is kept: the store, on this machine or in etcd, the key of its secrets, and the archives of images. All
//! are checked before anything is served.

use super::data_dir;
use super::settings::Settings;
use anyhow::{Context, Result, bail};
use pierhead_blobs::{BlobError, Blobs};
use pierhead_store::copy::is_unfinished;
use pierhead_store::seal::{KEY_FILE, Sealer};
use pierhead_store::{DirectoryLock, Embedded, Error, Etcd, EtcdSettings, Store};
use std::path::Path;
use std::sync::Arc;

/// The file that tells which store in etcd a data directory belongs to.
const CLUSTER_FILE: &str = "cluster";

/// What everything is kept in.
pub(super) struct Records {
    pub store: Arc<dyn Store>,
    pub sealer: Arc<Sealer>,
    /// Of a data directory whose store lies elsewhere; an embedded store has its own.
    _directory: Option<DirectoryLock>,
}

/// Opens it all.
pub(super) async fn open(settings: &Settings) -> Result<Records> {
    let directory = &settings.data_dir;
    let (store, lock): (Arc<dyn Store>, _) = match &settings.store {
        None => (Arc::new(embedded(directory)?), None),
        Some(etcd) => {
            let lock = DirectoryLock::take(directory).map_err(|error| unopened(error, directory))?;
            (Arc::new(shared(etcd, directory).await?), Some(lock))
        }
    };
    data_dir::guard(directory);
    if is_unfinished(&*store).await? {
        bail!(
            "the store is a copy that was never completed; remove it, and run 'pierhead store migrate' or 'pierhead restore' again"
        );
    }
    let file = settings.secret_key_file.clone().unwrap_or_else(|| directory.join(KEY_FILE));
    let sealer = sealer(&*store, &file).await.with_context(|| format!("the key file {}", file.display()))?;
    Ok(Records { store, sealer: Arc::new(sealer), _directory: lock })
}

/// Refuses a place of archives that says no. One that is silent may be back before anybody needs it, and hosts that have
/// their images do without: nobody is left without a controller for it.
pub(super) async fn check_blobs(blobs: &Blobs) -> Result<()> {
    match blobs.check().await {
        Err(error @ BlobError::Silent { .. }) => {
            tracing::warn!(%error, "images cannot be uploaded, nor brought to hosts that lack them, until it answers");
            Ok(())
        }
        other => Ok(other?),
    }
}

/// The key of a store's secrets: a new one only for a store that has none.
async fn sealer(store: &dyn Store, file: &Path) -> Result<Sealer> {
    if !file.exists() && Sealer::is_bound(store).await? {
        bail!(
            "it is not there, and what the store keeps is sealed with it: copy the file of the controller that made this \
             store, and name it with --secret-key-file"
        );
    }
    let sealer = Sealer::open_or_create_file(file)?;
    sealer.verify(store).await?;
    Ok(sealer)
}

async fn shared(etcd: &EtcdSettings, directory: &Path) -> Result<Etcd> {
    let address = etcd.address();
    if Embedded::exists(directory) {
        tracing::warn!(
            directory = %directory.display(),
            store = %address,
            "this directory holds a store of its own, which is left alone: everything is kept in etcd"
        );
    }
    let unopened = || format!("--store {address} cannot be opened");
    let file = directory.join(CLUSTER_FILE);
    let known = std::fs::read_to_string(&file).ok().map(|known| known.trim().to_owned());
    let foreign = |known: &str, found: &str| {
        anyhow::anyhow!(
            "the data directory {} belongs to the store {known}, but --store {address} {found}: name the right one, or \
             another --data-dir",
            directory.display()
        )
    };
    // Asked before it is opened, which would make one.
    if let Some(known) = &known
        && !Etcd::exists(etcd).await.with_context(unopened)?
    {
        return Err(foreign(known, "holds none"));
    }
    let store = Etcd::open(etcd).await.with_context(unopened)?;
    match &known {
        Some(known) if known != store.cluster_id() => {
            return Err(foreign(known, &format!("is {}", store.cluster_id())));
        }
        Some(_) => {}
        None => data_dir::tell(&file, store.cluster_id())?,
    }
    tracing::info!(store = %address, cluster = store.cluster_id(), "everything is kept in etcd");
    Ok(store)
}

fn embedded(directory: &Path) -> Result<Embedded> {
    Embedded::open(directory).map_err(|error| unopened(error, directory))
}

fn unopened(error: Error, directory: &Path) -> anyhow::Error {
    let words = match &error {
        Error::InUse { .. } => {
            "another pierhead serves from this data directory; stop it, or give --data-dir".to_owned()
        }
        _ => format!("the data directory {} cannot be opened", directory.display()),
    };
    anyhow::Error::new(error).context(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(error: anyhow::Error) -> String {
        format!("{error:#}")
    }

    #[tokio::test]
    async fn a_store_has_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let store = Embedded::open(dir.path().join("data")).unwrap();
        let (ours, other) = (dir.path().join("ours"), dir.path().join("other"));
        sealer(&store, &ours).await.unwrap();
        sealer(&store, &ours).await.unwrap();
        let refused = words(sealer(&store, &other).await.err().unwrap());
        assert!(refused.contains("--secret-key-file"), "{refused}");
        assert!(!other.exists(), "no key that fits nothing is left");
        Sealer::open_or_create_file(&other).unwrap();
        let refused = words(sealer(&store, &other).await.err().unwrap());
        assert!(refused.contains("sealed with another key"), "{refused}");
    }

    #[test]
    fn a_directory_in_use_is_told_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let _held = DirectoryLock::take(dir.path()).unwrap();
        let refused = words(embedded(dir.path()).unwrap_err());
        assert!(refused.contains("another pierhead serves from this data directory"), "{refused}");
    }
}
