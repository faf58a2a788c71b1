//! Many at once.

use std::time::Duration;

use pierhead_devhosts::sample;

use crate::bed::Bed;
use crate::raw;
use crate::wait::{PATIENCE, until_some};

const COUNT: usize = 60;

#[test]
fn sixty_at_once_are_spread_evenly_and_go_without_a_trace() {
    let bed = Bed::up(3);
    let count = COUNT.to_string();
    let ended =
        bed.run(&["run", sample::IMAGE, "--app", "class", "--count", &count, "--cpus", "0.05", "--memory", "16"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    println!("{COUNT} containers on 3 hosts ran after {:?}", ended.took);
    assert_eq!(ended.stdout.lines().count(), COUNT + 1, "{}", ended.stdout);

    let listed = raw::ours(&bed.hosts);
    assert_eq!(listed.len(), COUNT);
    assert!(listed.iter().all(|container| container.runs() && container.is_of("class")), "{listed:?}");
    for host in &bed.hosts {
        let here = listed.iter().filter(|container| container.host == host.name()).count();
        assert!(here.abs_diff(COUNT / 3) <= 1, "{here} on {}", host.name());
    }
    assert_eq!(bed.json(&["app", "show", "class"])["running"], COUNT);

    let ended = bed.run(&["app", "rm", "class", "--yes"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    println!("they were gone after {:?}", ended.took);
    assert_eq!(raw::ours(&bed.hosts), []);
    let (info, _) = until_some("nothing is reserved any more", PATIENCE, || {
        Some(bed.json(&["cluster", "info"])).filter(|info| info["reserved_cpus"] == 0.0)
    });
    assert_eq!((&info["reserved_memory"], &info["container_count"]), (&0.0.into(), &0.into()));
    assert_eq!(bed.json(&["app", "ls"]), serde_json::json!([]));
    assert!(ended.took < Duration::from_secs(60));
}
