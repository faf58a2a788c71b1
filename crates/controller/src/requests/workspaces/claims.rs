//! Workspaces that are just being given to somebody: requests of the same moment take different ones, so that none has to
//! be written twice. It is no lock: what is written decides.

use pierhead_model::WorkspaceId;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Claims(Mutex<BTreeSet<WorkspaceId>>);

impl Claims {
    /// Takes the one that is chosen, until the claim is dropped. Those of others are told to who chooses.
    pub(super) fn take(&self, choose: impl FnOnce(&BTreeSet<WorkspaceId>) -> Option<WorkspaceId>) -> Option<Claim<'_>> {
        let mut claims = self.all();
        let id = choose(&claims)?;
        claims.insert(id.clone());
        Some(Claim { claims: self, id })
    }

    fn all(&self) -> MutexGuard<'_, BTreeSet<WorkspaceId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that is being given away.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    claims: &'a Claims,
    /// Which.
    pub(super) id: WorkspaceId,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.claims.all().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_the_same_moment_take_others() {
        let claims = Claims::default();
        let free = |taken: &BTreeSet<WorkspaceId>| (1..=2).map(WorkspaceId::from_random).find(|id| !taken.contains(id));
        let (one, other) = (claims.take(free).unwrap(), claims.take(free).unwrap());
        assert_ne!(one.id, other.id);
        assert!(claims.take(free).is_none());
        let id = one.id.clone();
        drop(one);
        assert_eq!(claims.take(free).map(|claim| claim.id.clone()), Some(id));
    }
}
