//! The store in etcd: the contract, on a real one, and what is its own.

#[cfg(test)]
mod contract;

#[cfg(test)]
#[path = "etcd/member.rs"]
mod member;

#[cfg(test)]
mod etcd {
    mod access;
    mod copying;
    mod history;
    mod opening;
    mod streams;
}

use std::cell::RefCell;
use std::sync::Arc;

use contract::Subject;
use member::Member;
use pierhead_store::Etcd;

thread_local! {
    /// Until the test's thread ends, so that a test of many stores starts one etcd.
    static MEMBER: RefCell<Option<Arc<Member>>> = const { RefCell::new(None) };
}

/// A store under a prefix of its own, in the one etcd of this process.
async fn open() -> Subject {
    let member = Member::shared().await;
    MEMBER.set(Some(Arc::clone(&member)));
    let store = Etcd::open(&member.settings_of_new_prefix()).await.expect("a new store");
    Subject { store: Arc::new(store), _keep: Box::new(member) }
}

contract_suite!(open);
