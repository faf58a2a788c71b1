//! As whom files are dealt with: the user that the container's programs run as. A thread that takes on their ids, and the
//! capabilities that the container has, may no more than they.

use super::root::{Root, open_ordinary};
use rustix::fs::{Gid, Uid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, set_capabilities, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};
use std::fs;
use std::io::{self, Read};

/// The most that is read of a list of users or groups, in bytes.
const LONGEST: u64 = 1 << 20;
/// The most groups of one user.
const MOST_GROUPS: usize = 64;

/// What has to do with files, of all capabilities. One that makes devices, or enters others' file systems, is not among
/// them, whatever the container has.
const OF_FILES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID);

/// Somebody in a container, by the ids that they have on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    /// Nobody else than whoever runs already, if there are none.
    ids: Option<Ids>,
    capabilities: CapabilitySet,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Ids {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

impl Who {
    /// The user that a container was made with, as its own lists know them.
    pub(super) fn of_process(pid: u32, user: &str, root: &Root) -> io::Result<Self> {
        let (passwd, group) = (list(root, b"/etc/passwd"), list(root, b"/etc/group"));
        let ids = ids(user, &passwd, &group)
            .ok_or_else(|| io::Error::other(format!("the container knows no user '{}'", user.escape_debug())))?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let of_container = if ids.uid == 0 { bounding(&status) } else { CapabilitySet::empty() };
        let uids = fs::read_to_string(format!("/proc/{pid}/uid_map"))?;
        let gids = fs::read_to_string(format!("/proc/{pid}/gid_map"))?;
        let unmapped = || io::Error::other("the container's user has no id on the host");
        let groups = ids.groups.iter().filter_map(|id| mapped(&gids, *id)).collect();
        let uid = mapped(&uids, ids.uid).ok_or_else(unmapped)?;
        let ids = Ids { uid, gid: mapped(&gids, ids.gid).ok_or_else(unmapped)?, groups };
        Ok(Self { ids: Some(ids), capabilities: of_container & OF_FILES })
    }

    /// Whoever runs already.
    #[cfg(test)]
    pub(super) fn oneself() -> Self {
        Self { ids: None, capabilities: CapabilitySet::empty() }
    }

    /// These ids.
    #[cfg(test)]
    pub(super) fn numbered(uid: u32, gid: u32) -> Self {
        Self { ids: Some(Ids { uid, gid, groups: Vec::new() }), capabilities: CapabilitySet::empty() }
    }

    /// Makes the calling thread, and no other, act as them from now on.
    pub(super) fn take_on(&self) -> io::Result<()> {
        let Some(Ids { uid, gid, groups }) = &self.ids else { return Ok(()) };
        let groups: Vec<Gid> = groups.iter().map(|id| Gid::from_raw(*id)).collect();
        let (uid, gid) = (Uid::from_raw(*uid), Gid::from_raw(*gid));
        set_thread_groups(&groups)?;
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)?;
        // Whoever is not root any more has lost them all by that.
        let left = if uid.is_root() { self.capabilities } else { CapabilitySet::empty() };
        let sets = CapabilitySets { effective: left, permitted: left, inheritable: CapabilitySet::empty() };
        Ok(set_capabilities(None, sets)?)
    }
}

/// A list of users or groups; an image need not have any.
fn list(root: &Root, path: &[u8]) -> String {
    let opened = root.at(path).and_then(|found| open_ordinary(&found));
    let mut bytes = Vec::new();
    if let Ok(Some((file, _))) = opened {
        // What can be read of it counts.
        let _read = file.take(LONGEST).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The ids of somebody in the container: `name`, `name:group`, or numbers in their place; nobody is root.
fn ids(user: &str, passwd: &str, group: &str) -> Option<Ids> {
    let (name, group_name) = user.split_once(':').map_or((user, None), |(name, group)| (name, Some(group)));
    let name = if name.is_empty() { "0" } else { name };
    let number: Option<u32> = name.parse().ok();
    let line = |line: &str| {
        let mut parts = line.split(':');
        let (found, uid, gid) = (parts.next()?, parts.nth(1)?.parse().ok()?, parts.next()?.parse().ok()?);
        (found == name || number == Some(uid)).then(|| (found.to_owned(), uid, gid))
    };
    let known: Option<(String, u32, u32)> = passwd.lines().find_map(line);
    let uid = known.as_ref().map(|(_, uid, _)| *uid).or(number)?;
    let gid = match group_name {
        Some(wanted) => group_id(wanted, group)?,
        None => known.as_ref().map_or(0, |(_, _, gid)| *gid),
    };
    let groups = match (&known, group_name) {
        (Some((name, ..)), None) => groups_of(name, group),
        _ => Vec::new(),
    };
    Some(Ids { uid, gid, groups })
}

fn group_id(wanted: &str, group: &str) -> Option<u32> {
    let line = |line: &str| {
        let mut parts = line.split(':');
        (parts.next() == Some(wanted)).then(|| parts.nth(1)?.parse().ok()).flatten()
    };
    group.lines().find_map(line).or_else(|| wanted.parse().ok())
}

fn groups_of(name: &str, group: &str) -> Vec<u32> {
    let line = |line: &str| {
        let mut parts = line.split(':').skip(2);
        let (id, members) = (parts.next()?.parse().ok()?, parts.next()?);
        members.split(',').any(|member| member == name).then_some(id)
    };
    group.lines().filter_map(line).take(MOST_GROUPS).collect()
}

/// The capabilities that no process of the container gets beyond.
fn bounding(status: &str) -> CapabilitySet {
    let line = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    let bits = line.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or_default();
    CapabilitySet::from_bits_truncate(bits)
}

/// The id on the host, by the kernel's map of a container's ids.
fn mapped(map: &str, id: u32) -> Option<u32> {
    map.lines().find_map(|line| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse::<u32>);
        let (inside, outside, count) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
        let offset = id.checked_sub(inside).filter(|offset| *offset < count)?;
        outside.checked_add(offset)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:100::/ann:/bin/sh\nbroken\nbob:x:no:1::/:\n";
    const GROUP: &str = "root:x:0:\nwheel:x:10:root,ann\nusers:x:100:ann\nmail:x:12:annette\nbroken\n";

    fn found(user: &str) -> Option<(u32, u32, Vec<u32>)> {
        ids(user, PASSWD, GROUP).map(|ids| (ids.uid, ids.gid, ids.groups))
    }

    #[test]
    fn somebody_is_whom_the_container_takes_them_for() {
        assert_eq!(found(""), Some((0, 0, vec![10])));
        assert_eq!(found("root"), found("0"));
        assert_eq!(found("ann"), Some((1000, 100, vec![10, 100])));
        assert_eq!(found("1000"), found("ann"));
        assert_eq!(found("ann:wheel"), Some((1000, 10, vec![])));
        assert_eq!(found("ann:7"), Some((1000, 7, vec![])));
        assert_eq!(found("4000"), Some((4000, 0, vec![])));
        assert_eq!(found("4000:5000"), Some((4000, 5000, vec![])));
        for nobody in ["bob", "carl", "ann:nogroup", "-1", "99999999999"] {
            assert_eq!(found(nobody), None, "{nobody}");
        }
        assert_eq!(ids("", "", "").map(|ids| (ids.uid, ids.gid)), Some((0, 0)), "an image without any list");
    }

    #[test]
    fn ids_of_a_container_are_others_on_the_host() {
        let whole = "         0          0 4294967295\n";
        assert_eq!((mapped(whole, 0), mapped(whole, 1000)), (Some(0), Some(1000)));
        let own = "0 100000 65536\n70000 5 1\n";
        assert_eq!(
            [0, 1000, 65_535, 65_536, 70_000].map(|id| mapped(own, id)),
            [Some(100_000), Some(101_000), Some(165_535), None, Some(5)]
        );
        assert_eq!(mapped("", 0), None);
    }

    #[test]
    fn no_capability_counts_that_has_to_do_with_more_than_files() {
        let of = |digits: &str| bounding(&format!("Name:\tsh\nCapEff:\t0\nCapBnd:\t{digits}\n")) & OF_FILES;
        assert_eq!(of("000001ffffffffff"), OF_FILES);
        assert_eq!(of("0000000000000001"), CapabilitySet::CHOWN);
        assert_eq!(of("0000000000000000"), CapabilitySet::empty());
        assert_eq!(bounding("nothing"), CapabilitySet::empty());
        for worse in [CapabilitySet::SYS_ADMIN, CapabilitySet::MKNOD, CapabilitySet::SETUID, CapabilitySet::SETFCAP] {
            assert!(!OF_FILES.intersects(worse));
        }
    }
}
