//! The embedded store: the contract, and what is its own.

#[cfg(test)]
mod contract;

#[cfg(test)]
mod embedded {
    mod directory;
    mod disk;
    mod killed;
    mod writer;
}

use std::sync::Arc;

use contract::Subject;
use pierhead_store::Embedded;

async fn open() -> Subject {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Embedded::open(directory.path()).expect("a new store");
    Subject { store: Arc::new(store), _keep: Box::new(directory) }
}

contract_suite!(open);
