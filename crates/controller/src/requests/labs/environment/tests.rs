use super::*;
use crate::labs::{LabFile, digest_of};
use pierhead_lab::{Folder, Format, ImageTable, MemoryFiles, Place, with_lab};
use std::collections::BTreeMap;

/// What the lab with this `lab.yaml` and these further files describes, and what is wrong.
fn described(head: &str, files: &[(&str, &str)], named: Option<&EnvironmentSpec>) -> (EnvironmentSpec, Vec<String>) {
    let all = files.iter().copied().chain([(LAB_FILE, head), ("steps/1.md", "# One\n")]);
    let all: BTreeMap<LabPath, Vec<u8>> =
        all.map(|(path, text)| (LabPath::parse(path).unwrap(), text.as_bytes().to_vec())).collect();
    let tree: BTreeMap<LabPath, LabFile> = all
        .iter()
        .map(|(path, bytes)| {
            let executable = path.extension() == "sh";
            (path.clone(), LabFile { digest: digest_of(bytes), bytes: bytes.len() as u64, executable })
        })
        .collect();
    let files = MemoryFiles::new(all).unwrap();
    let folder = Folder::new(&files);
    let place = Place { path: LabPath::root(), format: Format::Pierhead };
    let mut read = Problems::default();
    let lab = with_lab(&folder, &place, &ImageTable::default(), &mut read, |lab, _, _| lab.clone());
    let lab = lab.unwrap_or_else(|| panic!("{:?}", read.into_list()));
    let mut problems = Problems::default();
    let spec = environment_spec(&lab, files.list(), |path| tree.get(path), named, &mut problems);
    (spec, problems.into_list().iter().map(ToString::to_string).collect())
}

const ONE: &str = "title: T\ncontainers: [{name: main, image: alpine}]\n";

#[test]
fn containers_are_described_with_what_everybody_gets() {
    let head = "title: T\nminutes: 45\ncontainers:\n  - {name: main, image: alpine, ports: [80]}\n  - {name: db, image: mariadb, command: [run], environment: {A_1: x}, user: mysql, memory: 512}\n";
    let (spec, problems) = described(head, &[], None);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!((spec.lifetime_minutes, spec.idle_minutes, spec.warm), (90, IDLE_MINUTES, 0));
    let (main, db) = (&spec.containers[0], &spec.containers[1]);
    assert_eq!(
        (main.image.as_str(), main.ports.as_slice(), main.limits.reserved.memory_mb),
        ("alpine:latest", &[80][..], MEMORY_MB)
    );
    assert_eq!(
        (db.command.as_slice(), db.user.as_deref(), db.limits.reserved.memory_mb),
        (&["run".to_owned()][..], Some("mysql"), 512)
    );
    assert_eq!(db.environment["A_1"], "x");
    assert!(spec.asks.words().is_empty());
    let (spec, _) =
        described("title: T\ncontainers: [{name: d, image: 'docker:28-dind', privileged: true}]\n", &[], None);
    assert!(spec.asks.privileged && spec.containers[0].limits.reserved.memory_mb == PRIVILEGED_MEMORY_MB);
    assert_eq!(
        (spec.lifetime_minutes, described(&ONE.replace("title", "minutes: 5\ntitle"), &[], None).0.lifetime_minutes),
        (MINUTES, SHORTEST_MINUTES)
    );
}

#[test]
fn files_lie_where_the_lab_says() {
    let head = format!(
        "{ONE}files:\n  - {{from: \"pages/**\", to: /srv/}}\n  - {{from: run.sh, to: /usr/local/bin/run, mode: \"0700\"}}\n  - {{from: run.sh, to: /bin/again}}\n"
    );
    let files = [("pages/a.html", "A"), ("pages/deep/b.html", "B"), ("run.sh", "#!/bin/sh\n")];
    let (spec, problems) = described(&head, &files, None);
    assert_eq!(problems, Vec::<String>::new());
    let put: Vec<(&str, u32, u64)> = spec.containers[0]
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.mode, file.blob.as_ref().unwrap().bytes))
        .collect();
    assert_eq!(
        put,
        [
            ("/srv/a.html", 0o644, 1),
            ("/srv/deep/b.html", 0o644, 1),
            ("/usr/local/bin/run", 0o700, 10),
            ("/bin/again", 0o755, 10)
        ]
    );
    assert_eq!(spec.containers[0].files[0].blob.as_ref().unwrap().digest, digest_of(b"A"));
}

#[test]
fn an_environment_that_is_named_gets_the_files_too() {
    let (named, _) =
        described("title: T\ncontainers: [{name: web, image: nginx}, {name: db, image: mariadb}]\n", &[], None);
    let head = "title: T\nenvironment: pool\nminutes: 100\nfiles: [{from: a.txt, to: /a.txt, container: db}]\n";
    let (spec, problems) = described(head, &[("a.txt", "a")], Some(&named));
    assert_eq!((problems, spec.lifetime_minutes, spec.containers.len()), (Vec::new(), 200, 2));
    assert_eq!((spec.containers[0].files.len(), spec.containers[1].files[0].path.as_str()), (0, "/a.txt"));
    let (_, problems) = described(head, &[("a.txt", "a")], None);
    assert!(problems[0].contains("there is no environment pool"), "{problems:?}");
}

#[test]
fn what_there_cannot_be_is_told_with_its_place() {
    for (head, words) in [
        ("title: T\ncontainers: [{name: main, image: 'UPPER CASE'}]\n", "lab.yaml:1: the container main"),
        (
            "title: T\ncontainers: [{name: a-name-that-is-too-long-here, image: a}]\n",
            "lab.yaml:1: the container a-name",
        ),
        ("title: T\ncontainers: [{name: a, image: a, environment: {1A: x}}]\n", "names of variables"),
        ("title: T\ncontainers: [{name: a, image: a, user: 'a b'}]\n", "the container a: "),
        (
            &format!("{ONE}files: [{{from: a.txt, to: /a, container: web}}]\n"),
            "lab.yaml:3: the lab has no container web",
        ),
    ] {
        let (_, problems) = described(head, &[("a.txt", "a")], None);
        assert!(problems.iter().any(|problem| problem.contains(words)), "{words}: {problems:?}");
    }
    let many: Vec<String> = (0..=MOST_FILES).map(|number| format!("data/{number}")).collect();
    let files: Vec<(&str, &str)> = many.iter().map(|path| (path.as_str(), "x")).collect();
    let (_, problems) = described(&format!("{ONE}files: [{{from: \"data/*\", to: /data/}}]\n"), &files, None);
    assert!(problems.iter().any(|problem| problem.contains("more than 500 files")), "{problems:?}");
}

#[test]
fn lab_yaml_names_what_was_prepared_and_stays_as_it_was_written() {
    let id = EnvironmentId::parse("lab-x-prepared").unwrap();
    let text = "# ours\ntitle: T\ncontainers:\n  - name: main\n    image: alpine\n# how long\nminutes: 3\n";
    assert_eq!(with_environment(text, &id), "# ours\ntitle: T\nenvironment: lab-x-prepared\n# how long\nminutes: 3\n");
    let flow = "title: T\ncontainers:\n- {name: main, image: a}\n- {name: b, image: b}\nminutes: 3\n";
    assert_eq!(with_environment(flow, &id), "title: T\nenvironment: lab-x-prepared\nminutes: 3\n");
    let named = "title: T\nenvironment: shell\n";
    assert_eq!(with_environment(named, &id), "title: T\nenvironment: lab-x-prepared\n");
    assert_eq!(with_environment("title: T", &id), "title: T\nenvironment: lab-x-prepared\n");
}
