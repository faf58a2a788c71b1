//! The name of the store and the form of its documents, in a document beside them.

use std::path::PathBuf;

use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::address::EtcdAddress;
use crate::{Error, Origin, Result, Revision, Store, StoreJson, Transaction};

/// The form of the documents that this version reads and writes.
const SCHEMA: u64 = 1;
const KEY: &str = "store";

/// What tells this store from others.
#[derive(Serialize, Deserialize)]
pub(super) struct Identity {
    pub cluster: String,
    schema: u64,
    /// What its revisions have more than etcd's: those of a store that was copied here go on rising.
    #[serde(default)]
    pub base: Revision,
}

/// That of the store in `around`, which sees the prefix; a new one if there is none.
pub(super) async fn read_or_create(around: &dyn Store, address: &EtcdAddress) -> Result<Identity> {
    loop {
        if let Some((identity, _)) = around.get_json::<Identity>(KEY).await? {
            let (found, directory) = (identity.schema, PathBuf::from(address.to_string()));
            if found > SCHEMA {
                return Err(Error::SchemaTooNew { directory, found, known: SCHEMA });
            }
            return Ok(identity);
        }
        let mut name = [0; 8];
        SystemRandom::new().fill(&mut name).map_err(|_| Error::Random)?;
        let cluster = format!("{:016x}", u64::from_be_bytes(name));
        match write(around, &Identity { cluster, schema: SCHEMA, base: Revision::ZERO }).await {
            // Another may have been first: what lies there counts.
            Ok(()) | Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
}

/// That of a copy, where there is nothing yet.
pub(super) async fn create(around: &dyn Store, address: &EtcdAddress, origin: &Origin) -> Result<Identity> {
    let occupied = || Error::Occupied { place: address.to_string() };
    if !around.list("", None, 1).await?.entries.is_empty() {
        return Err(occupied());
    }
    let identity = Identity { cluster: origin.cluster.clone(), schema: SCHEMA, base: origin.revision };
    match write(around, &identity).await {
        Ok(()) => Ok(identity),
        Err(Error::Conflict { .. }) => Err(occupied()),
        Err(error) => Err(error),
    }
}

async fn write(around: &dyn Store, identity: &Identity) -> Result<()> {
    around.commit(Transaction::new().absent(KEY).put_json(KEY, identity)?).await.map(drop)
}
