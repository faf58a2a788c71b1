//! Quotas of disk: which engines hold containers to one, and what counts towards it.

use super::Docker;
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use crate::request::CreateRequest;
use crate::workspace::WorkspacePart;
use bollard::models::SystemInfo;
use pierhead_model::ImageReference;
use std::sync::{MutexGuard, PoisonError};

/// What an engine's quota of disk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskQuota {
    /// Nothing: it has none.
    None,
    /// What a container writes.
    Written,
    /// That, and the files of its image.
    WithImage,
}

impl DiskQuota {
    /// That of an engine with this storage driver, of which it tells this, as `GET /info` has both. Whether an xfs was mounted
    /// with `pquota` is not told: the engine refuses what asks for a quota if not.
    #[must_use]
    pub fn of(driver: &str, told: &[Vec<String>]) -> Self {
        let filesystem = told.iter().find(|pair| pair.first().is_some_and(|key| key == "Backing Filesystem"));
        match (driver, filesystem.and_then(|pair| pair.get(1)).map(String::as_str)) {
            ("overlay2", Some("xfs")) | ("zfs", _) => Self::Written,
            // A container is a snapshot of its image, with a limit for all that is in it.
            ("btrfs", _) => Self::WithImage,
            _ => Self::None,
        }
    }

    pub(super) fn told(info: &SystemInfo) -> Self {
        Self::of(info.driver.as_deref().unwrap_or_default(), info.driver_status.as_deref().unwrap_or_default())
    }
}

/// What is known of an engine's quotas.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quotas {
    /// By what it tells of its storage, once it has.
    told: Option<DiskQuota>,
    /// Whether it refused one all the same.
    is_refused: bool,
}

impl Quotas {
    /// Takes note of what an engine tells. A refusal stands as long as that is the same.
    fn learn(&mut self, told: DiskQuota) {
        if self.told != Some(told) {
            *self = Self { told: Some(told), is_refused: false };
        }
    }

    fn known(self) -> Option<DiskQuota> {
        if self.is_refused { Some(DiskQuota::None) } else { self.told }
    }
}

/// How engines refuse to hold a container to a quota: overlay2, btrfs without the right to it, and where it is less than the
/// engine's least.
const REFUSALS: [&str; 4] = ["storage-opt", "quota", "qgroup", "storage size"];

/// Whether an engine refused to hold a container to a quota.
pub(super) fn is_refused(error: &EngineError) -> bool {
    let (EngineError::Refused(said) | EngineError::Failed(said)) = error else { return false };
    let said = said.to_lowercase();
    REFUSALS.iter().any(|words| said.contains(words))
}

/// The same request without a quota.
pub(super) fn without(mut request: CreateRequest) -> CreateRequest {
    if let Some(part) = request.workspace.as_mut() {
        part.disk_mb = None;
    }
    request
}

impl Docker {
    /// The same request with its quota as this engine counts it, or without if it has none.
    pub(super) async fn with_quota(&self, request: &CreateRequest) -> Result<CreateRequest> {
        let Some(part) = request.workspace.as_ref() else { return Ok(request.clone()) };
        let disk_mb = match part.disk_mb {
            None => None,
            Some(megabytes) => match self.quota().await? {
                DiskQuota::None => None,
                DiskQuota::Written => Some(megabytes),
                DiskQuota::WithImage => Some(megabytes.saturating_add(self.size_mb(&request.spec.image).await?)),
            },
        };
        Ok(CreateRequest { workspace: Some(WorkspacePart { disk_mb, ..part.clone() }), ..request.clone() })
    }

    async fn quota(&self) -> Result<DiskQuota> {
        let known = self.quotas().known();
        if let Some(quota) = known {
            return Ok(quota);
        }
        let info = self.call(Verb::Create, self.deadlines.facts, |client| async move { client.info().await }).await?;
        let quota = DiskQuota::told(&info);
        self.learn_quota(quota);
        Ok(quota)
    }

    /// Takes note of what the engine tells of its storage.
    pub(super) fn learn_quota(&self, told: DiskQuota) {
        self.quotas().learn(told);
    }

    /// Takes note that the engine has no quotas, whatever it tells.
    pub(super) fn learn_refusal(&self) {
        tracing::warn!("it refused a quota of disk: containers are made without");
        self.quotas().is_refused = true;
    }

    fn quotas(&self) -> MutexGuard<'_, Quotas> {
        self.quotas.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn size_mb(&self, image: &ImageReference) -> Result<u64> {
        let inspected = self.call(Verb::Create, self.deadlines.inspect, |client| async move {
            client.inspect_image(image.as_str()).await
        });
        // What several layers replace counts each time, so this is roughly the size; not more, as what is written should stay below
        // what the controller counts.
        Ok(u64::try_from(inspected.await?.size.unwrap_or(0)).unwrap_or(0) >> 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_drivers_have_quotas_and_what_they_count() {
        let on = |filesystem: &str| vec![vec![], vec!["Backing Filesystem".to_owned(), filesystem.to_owned()]];
        let (none, written) = (DiskQuota::None, DiskQuota::Written);
        for (driver, filesystem, quota) in [
            ("overlay2", "xfs", written),
            ("overlay2", "extfs", none),
            ("zfs", "zfs", written),
            ("btrfs", "btrfs", DiskQuota::WithImage),
            // That of containerd's own store, which takes no quotas.
            ("overlayfs", "xfs", none),
            ("vfs", "xfs", none),
            ("", "", none),
        ] {
            assert_eq!(DiskQuota::of(driver, &on(filesystem)), quota, "{driver} on {filesystem}");
        }
        assert_eq!(DiskQuota::of("overlay2", &[vec!["Backing Filesystem".to_owned()]]), none);
    }

    #[test]
    fn a_quota_that_can_not_be_had_is_told_from_other_refusals() {
        let said = "--storage-opt is supported only for overlay over xfs with 'pquota' mount option (status 500)";
        assert!(is_refused(&EngineError::Failed(said.to_owned())));
        for said in
            ["btrfs: storage size cannot be less than 10GB", "Failed to limit qgroup for /x: operation not permitted"]
        {
            assert!(is_refused(&EngineError::Failed(said.to_owned())), "{said}");
        }
        assert!(!is_refused(&EngineError::Failed("no such image".to_owned())));
        assert!(!is_refused(&EngineError::NameTaken));
    }
}
