//! Whole collections of labs, in the folder that `PIERHEAD_LABS` names; without it there is nothing to read. What a
//! collection holds is counted in its own files, and compared with what was read.
//!
//! `PIERHEAD_LABS=DIR cargo nextest run -p pierhead-lab --test collections --no-capture` prints a table; with
//! `PIERHEAD_LABS_PAGE=PART` the pages too whose file has `PART` in its name, as they were translated.

use pierhead_lab::{
    Files, Folder, Format, ImageTable, LabPath, MemoryFiles, Place, Problem, Problems, Report, Written, check,
    check_lab, find, with_lab, write,
};
use std::collections::BTreeMap;
use std::path::Path;

/// The files in a folder, by their paths in it.
fn files_of(folder: &Path) -> MemoryFiles {
    let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("a collection that can be read") {
            let path = entry.expect("a collection that can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .expect("a collection that can be read")
                    .to_str()
                    .expect("a collection that can be read");
                files.insert(
                    LabPath::parse(name).expect("a collection that can be read"),
                    std::fs::read(&path).expect("a collection that can be read"),
                );
            }
        }
    }
    MemoryFiles::new(files).expect("a collection that can be read")
}

/// Each collection: its name and its files.
fn collections() -> Vec<(String, std::path::PathBuf, MemoryFiles)> {
    let Some(folder) = std::env::var_os("PIERHEAD_LABS") else { return Vec::new() };
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("a collection that can be read")
        .map(|entry| entry.expect("a collection that can be read").path())
        .collect();
    paths.retain(|path| path.is_dir());
    paths.sort();
    let name = |path: &Path| path.file_name().expect("a collection that can be read").to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), path.clone(), files_of(path))).collect()
}

/// Prints the pages whose file has a part in its name that somebody asks for.
fn print_pages(files: &MemoryFiles, places: &[Place]) {
    let Ok(part) = std::env::var("PIERHEAD_LABS_PAGE") else { return };
    for place in places {
        with_lab(&Folder::new(files), place, &ImageTable::default(), &mut Problems::default(), |lab, _, _| {
            let pages = lab.steps.iter().map(|step| &step.page);
            for page in pages.filter(|page| page.file.as_str().contains(&part)) {
                println!("==== {} from line {}: {}\n{}", page.file, page.line, page.title, page.text);
            }
        });
    }
}

/// What is written in our own format is read again and holds the same.
fn written_alike(files: &MemoryFiles, place: &Place) {
    let images = ImageTable::default();
    let mut problems = Problems::default();
    let (before, written) = with_lab(&Folder::new(files), place, &images, &mut problems, |lab, folder, problems| {
        (check_lab(lab, folder, problems), write(lab, folder, problems))
    })
    .expect("a lab that was read before");
    let contents = written.into_iter().map(|(path, written)| match written {
        Written::Text(text) => (path, text.into_bytes()),
        Written::Copy(from) => {
            let bytes = files.read(&from, u64::MAX).expect("a file of the collection").into_owned();
            (path, bytes)
        }
    });
    let written = MemoryFiles::new(contents.collect()).expect("not more than a lab may hold");
    let report = check(&written, "written", &images, Problems::default());
    assert_eq!(report.format, Some(Format::Pierhead), "{}", place.path);
    assert_eq!(report.steps, before, "{}: {:?}", place.path, report.problems);
}

/// A message without the names in it, so that those of one kind are alike.
fn kind(problem: &Problem) -> String {
    let mut kind = Vec::new();
    for word in problem.message.split_whitespace() {
        let name = word.contains(['/', '.', '"', '#']) || word.chars().any(|c| c.is_ascii_digit());
        if !(name && kind.last().is_some_and(|last| *last == "…")) {
            kind.push(if name { "…" } else { word });
        }
    }
    format!("{:?}: {}", problem.severity, kind.join(" "))
}

fn print(name: &str, labs: usize, report: &Report) {
    let sum = |of: fn(&pierhead_lab::StepLine) -> usize| report.steps.iter().map(of).sum::<usize>();
    println!(
        "{name}: {labs} labs, {} steps, {} blocks ({} run), {} previews, {} images, {} hints, {} quizzes, {} checks, {} problems",
        report.steps.len(),
        sum(|step| step.blocks),
        sum(|step| step.runs),
        sum(|step| step.previews),
        sum(|step| step.images),
        sum(|step| step.hints),
        sum(|step| step.quizzes),
        sum(|step| step.checks),
        report.problems.len()
    );
    let mut kinds: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for problem in &report.problems {
        let entry = kinds.entry(kind(problem)).or_insert_with(|| (0, problem.to_string()));
        entry.0 += 1;
    }
    for (kind, (count, example)) in kinds {
        println!("  {count:4} {kind}\n       {example}");
    }
    if std::env::var_os("PIERHEAD_LABS_ALL").is_some() {
        report.problems.iter().for_each(|problem| println!("    {problem}"));
        report.labs.iter().for_each(|lab| println!("    {} {} ({} steps)", lab.format, lab.path, lab.steps));
    }
}

#[test]
fn every_lab_of_every_collection_is_read() {
    for (name, path, files) in collections() {
        let places = find(&Folder::new(&files), &mut Problems::default());
        let report = check(&files, &name, &ImageTable::default(), Problems::default());
        print(&name, places.len(), &report);
        print_pages(&files, &places);
        places.iter().for_each(|place| written_alike(&files, place));
        assert!(!places.is_empty(), "{name}: no labs were found");
        let read = report.labs.iter().filter(|lab| lab.steps > 0).count() + usize::from(report.labs.is_empty());
        assert_eq!(read, places.len(), "{name}: not every lab was read");
        let expected = counted(&path, &report);
        assert!(expected.is_empty() || expected.len() == report.steps.len(), "{name}: not every page is a step");
        let differ: Vec<_> = report
            .steps
            .iter()
            .zip(&expected)
            .filter(|(step, expected)| (step.runs, step.blocks - step.runs, step.quizzes) != expected.counts)
            .map(|(step, expected)| (&expected.page, expected.counts, step))
            .collect();
        assert!(differ.is_empty(), "{name}: what is run, copied and asked differs: {differ:#?}");
    }
}

/// What a page holds by a plain count of the marks in its file: code that is run, code that is copied, questions.
#[derive(Debug)]
struct Expected {
    page: String,
    counts: (usize, usize, usize),
}

/// That of the pages of a collection, in the order of the report; none for formats without marks of one line.
fn counted(folder: &Path, report: &Report) -> Vec<Expected> {
    let Some(one) = report.format else { return Vec::new() };
    let labs = report.labs.iter().map(|lab| (lab.format, lab.path.as_str()));
    let labs: Vec<_> = if report.labs.is_empty() { vec![(one, "")] } else { labs.collect() };
    let mut expected = Vec::new();
    for (format, path) in labs {
        let place = folder.join(path);
        let pages = match format {
            Format::Katacoda => pages(&place),
            Format::PlayWithDocker => vec![place],
            _ => return Vec::new(),
        };
        for page in pages {
            let text = std::fs::read_to_string(&page).expect("a collection that can be read");
            let count = |mark: &str| text.matches(mark).count();
            let counts = match format {
                // What is clicked to follow a link is not copied.
                Format::Katacoda => (count("`{{exec"), count("`{{copy}}") - count("`{{copy}}]({{TRAFFIC"), 0),
                _ => (count("```.term"), 0, count("{:.quiz}")),
            };
            expected.push(Expected { page: page.display().to_string(), counts });
        }
    }
    expected
}

/// The pages that the index of a scenario names.
fn pages(scenario: &Path) -> Vec<std::path::PathBuf> {
    let text = std::fs::read_to_string(scenario.join("index.json")).expect("a collection that can be read");
    let index: serde_json::Value = serde_json::from_str(&text).expect("a collection that can be read");
    let details = &index["details"];
    let steps = details["steps"].as_array().expect("a collection that can be read").iter();
    let parts = std::iter::once(&details["intro"]).chain(steps).chain([&details["finish"]]);
    parts
        .filter_map(|part| part["text"].as_str())
        .map(|name| scenario.join(name))
        .filter(|page| page.exists())
        .collect()
}
