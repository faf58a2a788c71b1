use super::*;
use crate::output::Terminals;
use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// What a command wrote.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn run(command: LabCommand) -> (Result<(), CliError>, serde_json::Value) {
    let written = Shared::default();
    let mut out =
        Output::new(Box::new(written.clone()), Box::new(io::sink()), Box::new(io::empty()), Terminals::default());
    out.begin(true, crate::subject::Subject::Other);
    let done = lab(&LabArgs { command }, &mut out);
    let json = serde_json::from_slice(&written.0.lock().unwrap()).unwrap_or_default();
    (done, json)
}

fn check(path: &Path) -> (Result<(), CliError>, serde_json::Value) {
    run(LabCommand::Check(LabCheckArgs { path: path.to_owned() }))
}

fn import(path: &Path, out: &Path) -> (Result<(), CliError>, serde_json::Value) {
    run(LabCommand::Import(LabImportArgs { path: path.to_owned(), out: out.to_owned(), images: None }))
}

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

const GOOD: [(&str, &str); 3] = [
    ("lab.yaml", "title: Shell\ncontainers:\n  - {name: main, image: 'alpine:3.22'}\n"),
    ("steps/1-look.md", "---\nchecks:\n  - script: /checks/look.sh\n---\n# Look\n```sh run\nls\n```\n"),
    ("checks/look.sh", "test -e /tmp/looked\n"),
];

const SCENARIO: [(&str, &str); 3] = [
    (
        "index.json",
        r#"{"title": "S", "details": {"steps": [{"title": "One", "text": "one.md", "verify": "one.sh"}]}, "backend": {"imageid": "ubuntu"}}"#,
    ),
    ("one.md", "Do `ls`{{exec}}.\n"),
    ("one.sh", "true\n"),
];

#[test]
fn a_good_lab_passes_and_its_report_says_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &GOOD);
    let (done, report) = check(folder.path());
    done.unwrap();
    assert_eq!(report["format"], "pierhead");
    assert_eq!(report["title"], "Shell");
    assert_eq!(report["steps"][0]["title"], "Look");
    assert_eq!((&report["steps"][0]["blocks"], &report["steps"][0]["checks"]), (&1.into(), &1.into()));
    assert_eq!(report["problems"], serde_json::json!([]));
}

#[test]
fn a_bad_one_fails_with_code_1_and_names_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &GOOD);
    write(folder.path(), &[("steps/2-bad.md", "# Bad\n\nfine\n\n![gone](../gone.png)\n")]);
    let (done, report) = check(folder.path());
    assert_eq!(done.unwrap_err().exit_code(), 1);
    assert_eq!(report["problems"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report["problems"][0]["file"], "steps/2-bad.md");
    assert_eq!(report["problems"][0]["line"], 5);
}

#[test]
fn what_is_no_lab_at_all_fails() {
    let folder = tempfile::tempdir().unwrap();
    let (done, report) = check(folder.path());
    assert_eq!(done.unwrap_err().exit_code(), 1);
    assert_eq!(report["format"], serde_json::Value::Null);
    let (done, _) = check(&folder.path().join("gone"));
    assert!(matches!(done, Err(CliError::ReadFile { .. })), "{done:?}");
    fs::write(folder.path().join("x.zip"), "no archive").unwrap();
    let (done, report) = check(&folder.path().join("x.zip"));
    assert_eq!(done.unwrap_err().exit_code(), 1);
    assert_eq!(report["problems"][0]["file"], "x.zip");
}

#[test]
fn an_archive_larger_than_allowed_is_not_even_read() {
    let folder = tempfile::tempdir().unwrap();
    let big = folder.path().join("big.zip");
    // Sparse: it takes no room, and reading it would take a gigabyte of memory.
    fs::File::create(&big).unwrap().set_len(1 << 30).unwrap();
    let (done, report) = check(&big);
    assert_eq!(done.unwrap_err().exit_code(), 1);
    assert!(report["problems"][0]["message"].as_str().unwrap().contains("1073741824 bytes"), "{report}");
}

#[cfg(unix)]
#[test]
fn links_lead_nowhere_outside() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), &[("secret.md", "# Secret\n"), ("more/x.md", "# X\n")]);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &GOOD);
    symlink(outside.path().join("secret.md"), folder.path().join("steps/2-secret.md")).unwrap();
    symlink(outside.path().join("more"), folder.path().join("more")).unwrap();
    symlink("loop", folder.path().join("loop")).unwrap();
    symlink(folder.path().join("steps/1-look.md"), folder.path().join("steps/3-same.md")).unwrap();
    symlink(folder.path(), folder.path().join("steps/all")).unwrap();
    let (done, report) = check(folder.path());
    assert_eq!(done.unwrap_err().exit_code(), 1);
    let titles: Vec<&str> = report["steps"].as_array().unwrap().iter().map(|s| s["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Look", "Look"]);
    let problems: Vec<&str> =
        report["problems"].as_array().unwrap().iter().map(|problem| problem["file"].as_str().unwrap()).collect();
    assert_eq!(problems, ["loop", "more", "steps/2-secret.md", "steps/all"]);
}

#[test]
fn a_scenario_becomes_a_lab_of_our_own_that_passes() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("from"), &SCENARIO);
    let out = folder.path().join("out");
    let (done, report) = import(&folder.path().join("from"), &out);
    done.unwrap();
    assert_eq!(report["format"], "katacoda");
    assert_eq!(report["written"][0], out.join("").display().to_string());
    let (done, again) = check(&out);
    done.unwrap_or_else(|error| panic!("{error}: {again}"));
    assert_eq!(again["format"], "pierhead");
    assert_eq!(again["steps"], report["steps"]);
    // A second time there is something already, and it is not touched.
    let (done, _) = import(&folder.path().join("from"), &out);
    assert!(matches!(done, Err(CliError::Usage { .. })), "{done:?}");
}

#[test]
fn nothing_is_half_imported() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("from"), &SCENARIO);
    let gone = folder.path().join("no/such/folder/out");
    let (done, _) = import(&folder.path().join("from"), &gone);
    assert!(matches!(done, Err(CliError::WriteFile { .. })), "{done:?}");
    let (done, report) = import(folder.path().join("from/one.md").as_path(), &folder.path().join("out"));
    assert!(done.is_err() && report["written"].is_null(), "{report}");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["from"]);
}

#[test]
fn a_post_is_known_alone_in_its_folder_and_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let post = "---\ntitle: A post\nterms: 1\n---\nDo:\n\n```.term1\nls\n```\n";
    write(folder.path(), &[("_posts/2020-01-01-a.markdown", post)]);
    for below in ["", "_posts", "_posts/2020-01-01-a.markdown"] {
        let (_, report) = check(&folder.path().join(below));
        assert_eq!(report["format"], "play-with-docker", "{below}: {report}");
        assert_eq!(report["steps"][0]["runs"], 1, "{below}: {report}");
    }
}

#[test]
fn several_labs_become_folders_and_what_is_lost_is_told() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("from/one"), &SCENARIO);
    write(&folder.path().join("from/two"), &SCENARIO);
    write(&folder.path().join("from/two"), &[("one.md", "![gone](gone.png)\n")]);
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let (done, report) = import(&folder.path().join("from"), &out);
    done.unwrap();
    assert_eq!(report["labs"].as_array().unwrap().len(), 2, "{report}");
    assert_eq!(report["problems"][0]["file"], "two/one.md", "{report}");
    for name in ["one", "two"] {
        assert!(out.join(name).join("lab.yaml").is_file() && out.join(name).join("steps").is_dir(), "{name}");
    }
    let written: Vec<&str> = report["written"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    assert_eq!(written, [out.join("one").to_str().unwrap(), out.join("two").to_str().unwrap()]);
}

#[test]
fn a_table_of_images_of_ones_own_counts() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("from"), &SCENARIO);
    let table = r#"{"images": {"ubuntu": {"environment": "linux"}}, "otherwise": {"environment": "other"}}"#;
    write(folder.path(), &[("table.json", table), ("bad.json", "{")]);
    let import = |table: &str, out: &str| {
        let images = Some(folder.path().join(table));
        let (path, out) = (folder.path().join("from"), folder.path().join(out));
        run(LabCommand::Import(LabImportArgs { path, out, images })).0
    };
    import("table.json", "out").unwrap();
    let written = fs::read_to_string(folder.path().join("out/lab.yaml")).unwrap();
    assert!(written.contains("environment: linux"), "{written}");
    assert!(matches!(import("bad.json", "out2"), Err(CliError::Usage { .. })));
    assert!(matches!(import("gone.json", "out2"), Err(CliError::ReadFile { .. })));
    assert!(!folder.path().join("out2").exists());
}

#[test]
fn people_get_a_table_and_scripts_get_data() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &GOOD);
    let written = Shared::default();
    let mut out =
        Output::new(Box::new(written.clone()), Box::new(io::sink()), Box::new(io::empty()), Terminals::default());
    let command = LabCommand::Check(LabCheckArgs { path: folder.path().to_owned() });
    lab(&LabArgs { command }, &mut out).unwrap();
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(text.starts_with("Shell (pierhead): 1 step, 1 block, 1 check; 0 errors, 0 warnings"), "{text}");
    assert!(text.contains("STEP") && text.contains("Look"), "{text}");
}
