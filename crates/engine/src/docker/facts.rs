//! What an engine says of itself, and what follows from what it lacks. Pure.

use bollard::models::{SystemInfo, SystemVersion};
use pierhead_model::{EngineFacts, Resources};

/// The facts; `api_version` is the one that we speak with it.
pub(super) fn facts(info: SystemInfo, version: SystemVersion, api_version: String) -> EngineFacts {
    let positive = |value: Option<i64>| u64::try_from(value.unwrap_or(0)).unwrap_or(0);
    let lacks = lacks(&info, &version);
    EngineFacts {
        identity: info.id.unwrap_or_default(),
        name: info.name.unwrap_or_default(),
        capacity: Resources::new(positive(info.ncpu).saturating_mul(1000), positive(info.mem_total) >> 20),
        version: version.version.or(info.server_version).unwrap_or_default(),
        api_version,
        operating_system: info.operating_system.unwrap_or_default(),
        kernel: info.kernel_version.or(version.kernel_version).unwrap_or_default(),
        storage_driver: info.driver.unwrap_or_default(),
        labels: info.labels.unwrap_or_default().into_iter().collect(),
        images: positive(info.images),
        lacks,
    }
}

/// What the engine lacks, each as a sentence that says what follows from it.
fn lacks(info: &SystemInfo, version: &SystemVersion) -> Vec<String> {
    let security = info.security_options.as_deref().unwrap_or_default();
    let has_security = |name: &str| security.iter().any(|option| option.contains(name));
    let driver = info.driver.as_deref().unwrap_or_default();
    [
        (
            info.memory_limit == Some(false),
            "The kernel limits no memory (cgroup memory is off): one container can take all of the host's.",
        ),
        (
            info.swap_limit == Some(false) && info.memory_limit != Some(false),
            "The kernel limits no swap: containers can use swap beyond their memory (boot with swapaccount=1).",
        ),
        (
            info.cpu_cfs_quota == Some(false),
            "The kernel has no CPU quota: limits of CPU are refused, only the weight counts.",
        ),
        (info.cpu_set == Some(false), "The kernel has no cpuset: containers that ask for cores fail here."),
        (
            info.pids_limit == Some(false),
            "The kernel limits no number of processes: a fork bomb in a container stops the host.",
        ),
        (
            !security.is_empty() && !has_security("name=seccomp"),
            "Seccomp is off: containers can make every system call that the kernel offers.",
        ),
        (
            has_security("profile=unconfined"),
            "Seccomp is unconfined by default: containers can make every system call that the kernel offers.",
        ),
        (
            info.ipv4_forwarding == Some(false),
            "IPv4 forwarding is off: published ports and the bridge network do not work.",
        ),
        (
            info.experimental_build == Some(true) || version.experimental == Some(true),
            "Experimental features are on: this engine may behave unlike others.",
        ),
        (
            info.live_restore_enabled == Some(false),
            "Live restore is off: a restart of the engine stops every container on it.",
        ),
        (
            matches!(driver, "vfs" | "devicemapper" | "aufs"),
            "The storage driver is one that Docker advises against: images are slow and large here.",
        ),
        (
            info.os_type.as_deref().is_some_and(|os| os != "linux"),
            "The host is not Linux: Pierhead's limits and statistics are untested on it.",
        ),
    ]
    .into_iter()
    .filter(|(lacking, _)| *lacking)
    .map(|(_, sentence)| sentence.to_owned())
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> SystemInfo {
        SystemInfo {
            name: Some("host-1".into()),
            ncpu: Some(2),
            mem_total: Some((2048 << 20) + 77),
            images: Some(3),
            memory_limit: Some(true),
            swap_limit: Some(true),
            cpu_cfs_quota: Some(true),
            cpu_set: Some(true),
            pids_limit: Some(true),
            ipv4_forwarding: Some(true),
            live_restore_enabled: Some(true),
            experimental_build: Some(false),
            security_options: Some(vec!["name=seccomp,profile=default".into()]),
            driver: Some("overlay2".into()),
            labels: Some(vec!["zone=a".into()]),
            os_type: Some("linux".into()),
            ..SystemInfo::default()
        }
    }

    #[test]
    fn an_engine_that_has_everything_lacks_nothing() {
        let version = SystemVersion { version: Some("20.10.24".into()), ..SystemVersion::default() };
        let facts = facts(complete(), version, "1.41".into());
        assert_eq!(facts.lacks, Vec::<String>::new());
        assert_eq!(facts.capacity, Resources::new(2000, 2048));
        assert_eq!((facts.version.as_str(), facts.api_version.as_str(), facts.images), ("20.10.24", "1.41", 3));
        assert!(facts.labels.contains("zone=a"));
    }

    #[test]
    fn each_lack_is_one_sentence() {
        type Break = fn(&mut SystemInfo);
        let cases: [(&str, Break); 11] = [
            ("no memory", |i| i.memory_limit = Some(false)),
            ("no swap", |i| i.swap_limit = Some(false)),
            ("no CPU quota", |i| i.cpu_cfs_quota = Some(false)),
            ("no cpuset", |i| i.cpu_set = Some(false)),
            ("fork bomb", |i| i.pids_limit = Some(false)),
            ("Seccomp is off", |i| i.security_options = Some(vec!["name=apparmor".into()])),
            ("unconfined", |i| i.security_options = Some(vec!["name=seccomp,profile=unconfined".into()])),
            ("forwarding", |i| i.ipv4_forwarding = Some(false)),
            ("Experimental", |i| i.experimental_build = Some(true)),
            ("Live restore", |i| i.live_restore_enabled = Some(false)),
            ("storage driver", |i| i.driver = Some("vfs".into())),
        ];
        for (word, break_it) in cases {
            let mut info = complete();
            break_it(&mut info);
            let lacks = lacks(&info, &SystemVersion::default());
            assert_eq!(lacks.len(), 1, "{word}: {lacks:?}");
            assert!(lacks[0].contains(word) && lacks[0].ends_with('.'), "{word}: {lacks:?}");
        }
    }

    #[test]
    fn an_engine_that_says_nothing_is_not_blamed() {
        assert!(lacks(&SystemInfo::default(), &SystemVersion::default()).is_empty());
    }
}
