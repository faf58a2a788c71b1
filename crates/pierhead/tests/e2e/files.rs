//! Files of workspaces on a real host behind its agent: large ones in both directions, names and links of every kind, a full
//! disk, and as whom all that is done.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Instant;

use pierhead_devhosts::sample;
use serde_json::json;

use crate::bed::Bed;

/// How large a large file is, in bytes.
const LARGE: usize = 100_000_000;

#[test]
fn files_go_in_and_out_and_stay_in_their_container() {
    let bed = Bed::up_with(1, &["--agents"]);
    let id = open(&bed);
    names_and_links_are_as_they_are(&bed, &id);
    a_large_file_comes_back_as_it_went(&bed, &id);
    a_full_disk_changes_nothing(&bed, &id);
    nobody_may_more_than_the_containers_user(&bed, &id);
}

fn open(bed: &Bed) -> String {
    let description = json!({
        "containers": [
            { "name": "main", "image": sample::IMAGE, "memory": 32, "cpus": 0.2 },
            { "name": "other", "image": sample::IMAGE, "memory": 16, "cpus": 0.05, "user": "4242:4242" }
        ],
        "idle_minutes": 0
    });
    let file = local(bed, "lab.json");
    fs::write(&file, description.to_string()).unwrap();
    bed.ok(&["environment", "create", "lab", "-f", file.to_str().unwrap()]);
    bed.json(&["workspace", "open", "lab", "--name", "mine"])["id"].as_str().unwrap().to_owned()
}

fn local(bed: &Bed, name: &str) -> PathBuf {
    bed.place.pool().join(name)
}

fn inside(bed: &Bed, id: &str, script: &str) -> String {
    bed.ok(&["workspace", "exec", id, "--", "sh", "-c", script])
}

fn copy(bed: &Bed, from: impl AsRef<Path>, to: impl AsRef<Path>, more: &[&str]) {
    let words = [from.as_ref().to_str().unwrap(), to.as_ref().to_str().unwrap()];
    bed.ok(&[&["workspace", "cp"], &words[..], more].concat());
}

fn names_and_links_are_as_they_are(bed: &Bed, id: &str) {
    let script = "mkdir -p /desk/in && cd /desk && printf a >'new\nline' && printf b >\"$(printf '\\377\\376')\" && \
                  printf c >'100%' && printf d >in/plain && busybox ln -s in/plain near && busybox ln -s /etc/hostname absolute && \
                  ln -s ../../../../../../../etc/hostname up && busybox ln -s /proc/1/root/etc/hostname magic && busybox ln -s / top && \
                  busybox mkfifo pipe";
    inside(bed, id, script);
    let folder = bed.json(&["workspace", "files", id, "/desk"]);
    let entries = folder["entries"].as_array().unwrap();
    let paths: Vec<&str> = entries.iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    for path in ["/desk/new\nline", "/desk/%FF%FE", "/desk/100%25", "/desk/in", "/desk/near", "/desk/pipe"] {
        assert!(paths.contains(&path), "{path:?}: {paths:?}");
    }
    let of = |name: &str| entries.iter().find(|entry| entry["name"] == name).unwrap();
    assert_eq!((of("near")["leads_to"].as_str(), of("top")["leads_to"].as_str()), (Some("file"), Some("folder")));
    assert_eq!((of("magic")["leads_to"].as_str(), of("pipe")["kind"].as_str()), (None, Some("other")));
    for (path, text) in [("/desk/new\nline", "a"), ("/desk/%FF%FE", "b"), ("/desk/100%25", "c"), ("/desk/near", "d")] {
        assert_eq!(bed.ok(&["workspace", "cp", &format!("{id}:{path}"), "-"]), text, "{path:?}");
    }
    // Wherever a link points to, it is the container's own.
    let own = bed.ok(&["workspace", "cp", &format!("{id}:/etc/hostname"), "-"]);
    for name in ["absolute", "up", "top/etc/hostname"] {
        assert_eq!(bed.ok(&["workspace", "cp", &format!("{id}:/desk/{name}"), "-"]), own, "{name}");
    }
    for name in ["magic", "pipe", "top/proc/1/environ"] {
        let refused = bed.run(&["workspace", "cp", &format!("{id}:/desk/{name}"), "-"]);
        assert!(refused.code != 0 && refused.stdout.is_empty(), "{name}: {refused:?}");
    }
    let out = local(bed, "out");
    copy(bed, format!("{id}:/desk"), &out, &["-r"]);
    assert_eq!(fs::read(out.join("new\nline")).unwrap(), b"a");
    assert_eq!(fs::read(out.join(std::ffi::OsStr::from_bytes(b"\xff\xfe"))).unwrap(), b"b");
    assert_eq!(fs::read_link(out.join("near")).unwrap(), Path::new("in/plain"));
    for name in ["absolute", "up", "magic", "top", "pipe"] {
        assert!(fs::symlink_metadata(out.join(name)).is_err(), "{name} leads out of the folder, or is no file");
    }
    // And in again: what a link here leads to is nobody's to have.
    symlink("/etc/passwd", out.join("mine")).unwrap();
    copy(bed, &out, format!("{id}:/again"), &["-r"]);
    assert_eq!(inside(bed, id, "cat /again/in/plain; cat /again/*line; [ -e /again/mine ] || echo no"), "dano\n");
}

fn a_large_file_comes_back_as_it_went(bed: &Bed, id: &str) {
    let (sent, back) = (local(bed, "large"), local(bed, "large-again"));
    let mut file = File::create(&sent).unwrap();
    let mut piece: Vec<u8> = (0..1_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for number in 0..LARGE / piece.len() {
        piece[0] = number as u8;
        file.write_all(&piece).unwrap();
    }
    drop(file);
    let began = Instant::now();
    copy(bed, &sent, format!("{id}:/large"), &[]);
    let up = began.elapsed();
    assert_eq!(inside(bed, id, "wc -c </large").trim(), LARGE.to_string());
    let began = Instant::now();
    copy(bed, format!("{id}:/large"), &back, &[]);
    eprintln!("100 MB: in {up:?}, out {:?}", began.elapsed());
    assert!(are_same(&sent, &back));
    inside(bed, id, "rm /large");
    fs::remove_file(&back).unwrap();
}

fn are_same(one: &Path, other: &Path) -> bool {
    let (mut one, mut other) = (File::open(one).unwrap(), File::open(other).unwrap());
    let (mut left, mut right) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let read = one.read(&mut left).unwrap();
        if read == 0 {
            return other.read(&mut right).unwrap() == 0;
        }
        if other.read_exact(&mut right[..read]).is_err() || left[..read] != right[..read] {
            return false;
        }
    }
}

/// What a container has for memory that is shared is a disk of 64 MB.
fn a_full_disk_changes_nothing(bed: &Bed, id: &str) {
    inside(bed, id, "echo old >/dev/shm/desk");
    let large = local(bed, "large");
    let refused = bed.run(&["workspace", "cp", large.to_str().unwrap(), &format!("{id}:/dev/shm/desk"), "--json"]);
    assert!(refused.code != 0 && refused.stderr.contains("no_space"), "{refused:?}");
    assert_eq!(inside(bed, id, "cat /dev/shm/desk; ls -A /dev/shm"), "old\ndesk\n", "nor is anything left beside it");
    fs::remove_file(&large).unwrap();
}

fn nobody_may_more_than_the_containers_user(bed: &Bed, id: &str) {
    let word = local(bed, "word");
    fs::write(&word, "word\n").unwrap();
    let other = ["-c", "other"];
    copy(bed, &word, format!("{id}:/dev/shm/word"), &other);
    let exec = ["workspace", "exec", id, "-c", "other", "--", "sh", "-c", "busybox stat -c %u:%g /dev/shm/word"];
    assert_eq!(bed.ok(&exec), "4242:4242\n");
    for path in ["/etc/word", "/sbin/word"] {
        let far = format!("{id}:{path}");
        let refused = bed.run(&["workspace", "cp", word.to_str().unwrap(), &far, "-c", "other", "--json"]);
        assert!(refused.code != 0 && refused.stderr.contains("file_forbidden"), "{path}: {refused:?}");
    }
    // Root of a container that has no capabilities is held by modes like others; what is its own it may.
    copy(bed, &word, format!("{id}:/etc/word"), &[]);
    assert_eq!(inside(bed, id, "cat /etc/word; busybox stat -c %u /etc/word"), "word\n0\n");
    bed.ok(&["workspace", "stop", id]);
    let refused = bed.run(&["workspace", "files", id]);
    assert!(refused.code != 0 && refused.stderr.contains("does not run"), "{refused:?}");
    bed.ok(&["workspace", "rm", id, "--yes"]);
}
