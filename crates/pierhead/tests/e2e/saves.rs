//! Files of workspaces kept on real hosts behind agents: of every kind, in one layer, on a second host, and gone when nobody
//! needs them.

use std::fs;
use std::time::Duration;

use pierhead_devhosts::sample;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::raw;
use crate::wait::until;

/// Hosts are looked through every minute, and soon after a save is forgotten.
const LONG: Duration = Duration::from_secs(90);

const MAKE: &str = r#"
set -e; umask 022; b=/bin/busybox
$b mkdir -p /made/deep; echo one >/made/one; $b ln /made/one /made/two; $b ln /made/one /made/deep/three
printf 'a b' >"/made/$(printf 'tab\there more')"; echo s >/made/setuid; $b chown 1234:567 /made/setuid; chmod 4750 /made/setuid
$b truncate -s 8M /made/sparse; printf end >>/made/sparse; head -c 1000000 /dev/urandom >/made/large; rm /bin/seq
"#;
const CHANGE: &str = "rm /made/one; echo another >/made/one; rm /bin/wc; /bin/busybox chown 77 /made/large";
const LOOK: &str = r"
cd /; b=/bin/busybox
$b find made bin ! -type d -exec $b stat -c '%n|%F|%a|%u:%g|%s|%Y|%N' {} \; | $b sort
$b find made -type f -exec $b md5sum {} \; | $b sort
$b stat -c %i made/two made/deep/three | $b sort -u | $b wc -l
";

#[test]
fn files_of_every_kind_are_kept_elsewhere_in_one_layer() {
    let bed = Bed::up_with(2, &["--agents"]);
    let file = bed.place.pool().join("files.json");
    // Root's rights, so that files can be given to others.
    let description =
        json!({ "containers": [{ "image": sample::IMAGE }], "asks": { "root": true }, "idle_minutes": 0 });
    fs::write(&file, description.to_string()).unwrap();
    bed.ok(&["environment", "create", "files", "-f", file.to_str().unwrap()]);
    let opened = bed.json(&["workspace", "open", "files", "--name", "mine"]);
    let id = opened["id"].as_str().unwrap().to_owned();
    says(&bed, &id, MAKE);
    let made = says(&bed, &id, LOOK);
    bed.ok(&["workspace", "save", &id, "--name", "first"]);
    let first = named(&bed, "first");
    assert_eq!(
        (first["state"].as_str(), first["copies"].as_array().map(Vec::len)),
        (Some("complete"), Some(2)),
        "{first}"
    );
    let (bytes, moved) = (first["bytes"].as_u64().unwrap(), first["moved_bytes"].as_u64().unwrap());
    println!("a save of {bytes} bytes moved {moved} bytes to another host");
    assert!(bytes > 9_000_000 && moved < bytes * 2 + 1_000_000, "only what the other host lacks: {first}");
    let first = first["id"].as_str().unwrap();
    assert_eq!(elsewhere(&bed, &id), made);
    says(&bed, &id, CHANGE);
    let changed = says(&bed, &id, LOOK);
    bed.ok(&["workspace", "save", &id, "--name", "second"]);
    let second = named(&bed, "second");
    assert!(second["bytes"].as_u64().unwrap().abs_diff(bytes) < bytes / 10, "{second}");
    let second = second["id"].as_str().unwrap();
    assert_eq!(elsewhere(&bed, &id), changed);
    let differs = bed.ok(&["save", "changes", second, "--since", first]);
    assert!(
        differs.contains("~ /made/one") && differs.contains("- /bin/wc") && !differs.contains("/made/two"),
        "{differs}"
    );
    in_one_layer(&bed, second);
    bed.ok(&["workspace", "rm", &id, "--discard", "--yes"]);
    for save in [first, second] {
        until("nothing begins from it", LONG, || bed.run(&["save", "rm", save, "--yes"]).code == 0);
        until("its images are gone", LONG, || images(&bed, &format!("pierhead/save:{save}-")).is_empty());
    }
    assert!(images(&bed, "pierhead/sample").len() == 2, "and others are not");
}

fn says(bed: &Bed, id: &str, script: &str) -> String {
    let ended = bed.run(&["workspace", "exec", id, "--", "sh", "-c", script]);
    assert_eq!(ended.code, 0, "{script}: {ended:?}");
    ended.stdout
}

/// The save of a name.
fn named(bed: &Bed, name: &str) -> Value {
    let all = bed.json(&["save", "ls"]);
    let found = all.as_array().unwrap().iter().find(|save| save["name"] == name);
    found.unwrap_or_else(|| panic!("no save {name} in {all}")).clone()
}

/// Stops it, starts it on the other host, and looks at its files.
fn elsewhere(bed: &Bed, id: &str) -> String {
    let stopped = bed.json(&["workspace", "show", id]);
    let host = stopped["engine"].as_str().unwrap().to_owned();
    bed.ok(&["workspace", "stop", id]);
    bed.ok(&["engine", "cordon", &host]);
    let started = bed.json(&["workspace", "start", id]);
    assert_ne!(started["engine"].as_str(), Some(host.as_str()), "{started}");
    bed.ok(&["engine", "uncordon", &host]);
    says(bed, id, LOOK)
}

/// The images of both hosts whose names begin like this.
fn images(bed: &Bed, begin: &str) -> Vec<String> {
    let tags = bed.hosts.iter().flat_map(|host| {
        let (_, listed) = raw::ask(host.docker_host(), "GET", "/images/json", None);
        let tags = listed
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|image| image["RepoTags"].as_array().cloned().unwrap_or_default());
        tags.filter_map(|tag| tag.as_str().map(str::to_owned)).collect::<Vec<_>>()
    });
    tags.filter(|tag| tag.starts_with(begin)).collect()
}

fn in_one_layer(bed: &Bed, save: &str) {
    let count = |image: &str| {
        let found = bed.hosts.iter().find_map(|host| {
            let (status, told) = raw::ask(host.docker_host(), "GET", &format!("/images/{image}/json"), None);
            (status == 200).then(|| told["RootFS"]["Layers"].as_array().unwrap().len())
        });
        found.unwrap_or_else(|| panic!("no host has {image}"))
    };
    assert_eq!(count(&format!("pierhead/save:{save}-main")), count(sample::IMAGE) + 1);
}
