//! The name of the store and the form of its documents, in a document beside them.

use std::path::PathBuf;

use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::address::EtcdAddress;
use crate::{Error, Result, Store, StoreJson, Transaction};

/// The form of the documents that this version reads and writes.
const SCHEMA: u64 = 1;
const KEY: &str = "store";

#[derive(Serialize, Deserialize)]
struct Identity {
    cluster: String,
    schema: u64,
}

/// The cluster id of the store in `around`, which sees the prefix; a new one if there is none.
pub(super) async fn read_or_create(around: &dyn Store, address: &EtcdAddress) -> Result<String> {
    loop {
        if let Some((identity, _)) = around.get_json::<Identity>(KEY).await? {
            let (found, directory) = (identity.schema, PathBuf::from(address.to_string()));
            if found > SCHEMA {
                return Err(Error::SchemaTooNew { directory, found, known: SCHEMA });
            }
            return Ok(identity.cluster);
        }
        let mut name = [0; 8];
        SystemRandom::new().fill(&mut name).map_err(|_| Error::Random)?;
        let identity = Identity { cluster: format!("{:016x}", u64::from_be_bytes(name)), schema: SCHEMA };
        match around.commit(Transaction::new().absent(KEY).put_json(KEY, &identity)?).await {
            // Another may have been first: what lies there counts.
            Ok(_) | Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
}
