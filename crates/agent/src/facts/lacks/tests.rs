use super::super::told::{Component, engine};
use super::*;
use crate::facts::EngineState;

fn complete() -> Info {
    let json = serde_json::json!({
        "ID": "ABCD:EFGH", "Driver": "overlay2", "MemoryLimit": true, "SwapLimit": true, "CpuCfsQuota": true,
        "CPUSet": true, "PidsLimit": true, "IPv4Forwarding": true, "LiveRestoreEnabled": true, "CgroupVersion": "2",
        "DefaultRuntime": "runc", "SecurityOptions": ["name=seccomp,profile=default"], "OSType": "linux",
        "DriverStatus": [["Backing Filesystem", "xfs"], ["Supports d_type", "true"]], "NCPU": 4, "Unknown": {"a": 1},
    });
    serde_json::from_value(json).unwrap()
}

fn version(api: &str, runc: &str) -> Version {
    let runc = Component { name: "runc".to_owned(), version: runc.to_owned() };
    Version {
        version: Some("28.0.1".to_owned()),
        api_version: Some(api.to_owned()),
        components: Some(vec![Component::default(), runc]),
    }
}

#[test]
fn an_engine_that_has_everything_lacks_nothing() {
    assert_eq!(of_engine(&complete(), &version("1.48", "1.2.8")), Vec::<String>::new());
    let expected = EngineState::Answers {
        id: "ABCD:EFGH".to_owned(),
        version: "28.0.1".to_owned(),
        api_version: "1.48".to_owned(),
        runtime: "runc 1.2.8".to_owned(),
        storage_driver: "overlay2".to_owned(),
        cgroup_version: "2".to_owned(),
    };
    assert_eq!(engine(&complete(), &version("1.48", "1.2.8")), expected);
}

#[test]
fn each_lack_is_one_sentence() {
    type Break = fn(&mut Info);
    let cases: [(&str, Break); 13] = [
        ("no memory", |i| i.memory_limit = Some(false)),
        ("no swap", |i| i.swap_limit = Some(false)),
        ("no CPU quota", |i| i.cpu_quota = Some(false)),
        ("no cpuset", |i| i.cpu_set = Some(false)),
        ("fork bomb", |i| i.pids_limit = Some(false)),
        ("forwarding", |i| i.forwarding = Some(false)),
        ("version 1", |i| i.cgroup_version = Some("1".into())),
        ("Seccomp is off", |i| i.security_options = Some(vec!["name=apparmor".into()])),
        ("unconfined", |i| i.security_options = Some(vec!["name=seccomp,profile=unconfined".into()])),
        ("Live restore", |i| i.live_restore_enabled = Some(false)),
        ("quota of disk", |i| i.driver_status = Some(vec![vec!["Backing Filesystem".into(), "extfs".into()]])),
        ("quota of disk", |i| i.driver_status = Some(vec![vec![], vec!["Backing Filesystem".into()]])),
        ("not Linux", |i| i.os_type = Some("windows".into())),
    ];
    for (word, break_it) in cases {
        let mut info = complete();
        break_it(&mut info);
        let lacks = of_engine(&info, &version("1.41", "1.3.3"));
        assert_eq!(lacks.len(), 1, "{word}: {lacks:?}");
        assert!(lacks[0].contains(word) && lacks[0].ends_with('.'), "{word}: {lacks:?}");
    }
}

#[test]
fn old_programs_are_named() {
    for (runc, old) in [
        ("1.1.5+ds1", true),
        ("1.1.15", true),
        ("1.2.7", true),
        ("1.2.8", false),
        ("1.3.2", true),
        ("1.3.3-rc.1", false),
        ("1.4.0", false),
        ("2.0.0", false),
        ("unknown", false),
        ("", false),
    ] {
        let lacks = of_engine(&complete(), &version("1.41", runc));
        assert_eq!(lacks.iter().any(|sentence| sentence.contains("runc is")), old, "{runc}: {lacks:?}");
    }
    assert!(of_engine(&complete(), &version("1.40", "1.4.0"))[0].contains("API 1.40"));
}

#[test]
fn an_engine_that_says_nothing_is_blamed_for_its_old_control_groups_only() {
    let lacks = of_engine(&Info::default(), &Version::default());
    assert_eq!(lacks.len(), 1, "{lacks:?}");
    let null: Info = serde_json::from_str(r#"{"SecurityOptions":null,"DriverStatus":null}"#).unwrap();
    assert_eq!(null, Info::default());
}

#[test]
fn silence_gets_an_advice() {
    for (why, word) in [
        ("No such file or directory (os error 2)", "not installed"),
        ("Permission denied (os error 13)", "group docker"),
        ("Connection refused (os error 111)", "has stopped"),
        ("the engine did not describe itself within 10000 ms", "hangs"),
        ("status 500", "log"),
    ] {
        let told = of_silence(Path::new("/run/x.sock"), why);
        assert!(told.contains(word) && told.contains("at /run/x.sock: "), "{told}");
    }
}

#[test]
fn a_disk_that_is_nearly_full_is_told() {
    let gb = 1 << 30;
    assert_eq!(of_disk("/d", (20 * gb, 100 * gb)), None);
    assert_eq!(of_disk("/d", (0, 0)), None, "a file system that counts nothing");
    for (free, all) in [(0, 100 * gb), (gb / 4, 10 * gb), (gb, 100 * gb)] {
        let told = of_disk("/d", (free, all)).unwrap();
        assert!(told.contains("/d is nearly full") && told.contains(&format!("{} MB", free >> 20)), "{told}");
    }
}
