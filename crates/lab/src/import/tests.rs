//! What is found in folders, and how courses order it.

mod alike;
mod courses;
mod documents;
mod hostile;
mod posts;
mod scenarios;
mod workshops;

use super::*;
use crate::MemoryFiles;

/// Files in memory.
pub(super) fn memory(files: &[(&str, &str)]) -> MemoryFiles {
    let file = |(path, text): &(&str, &str)| (LabPath::parse(path).unwrap(), text.as_bytes().to_vec());
    MemoryFiles::new(files.iter().map(file).collect()).unwrap()
}

/// Reads the only lab in a folder; problems are `file:line: message`.
pub(super) fn only(files: &[(&str, &str)]) -> (Lab, Vec<String>) {
    let (lab, problems) = attempt(files);
    (lab.expect("a lab was read"), problems)
}

/// The same for what may not be read at all.
pub(super) fn attempt(files: &[(&str, &str)]) -> (Option<Lab>, Vec<String>) {
    let files = memory(files);
    let folder = Folder::new(&files);
    let mut problems = Problems::default();
    let places = find(&folder, &mut problems);
    assert_eq!(places.len(), 1, "{places:?}");
    let lab = read(&folder, &places[0], &ImageTable::default(), &mut problems);
    (lab, problems.into_list().iter().map(ToString::to_string).collect())
}

fn found(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let files = memory(files);
    let mut problems = Problems::default();
    let places = find(&Folder::new(&files), &mut problems);
    let shown = places.iter().map(|place| format!("{} {}", place.format, place.path)).collect();
    (shown, problems.into_list().iter().map(ToString::to_string).collect())
}

#[test]
fn each_format_is_known_by_its_files() {
    let (places, problems) = found(&[
        ("a/index.json", "{\"details\": {}}"),
        ("b/_posts/2020-01-02-x.md", "x"),
        ("c/workshop/content/01-a.md", "x"),
        ("c/workshop/content/02/index.md", "x"),
        ("d/index.md", "---\nkind: challenge\n---\nx\n"),
        ("e/index.md", "---\nkind: course\n---\nx\n"),
        ("f/index.json", "{\"main\": \"x.js\"}"),
        ("g/index.md", "# A page\n"),
        (".git/index.json", "{\"details\": {}}"),
        ("h/node_modules/x/index.json", "{\"details\": {}}"),
        ("lab.yaml", "title: own\n"),
        ("myworkshop/content/a.md", "x"),
    ]);
    assert_eq!(places, ["katacoda a", "play-with-docker b/_posts/2020-01-02-x.md", "educates c", "iximiuz d"]);
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn a_file_that_is_no_text_is_found_and_fails_by_itself() {
    let files = MemoryFiles::new([(LabPath::parse("a/index.json").unwrap(), vec![0xFF, 0xFE])].into()).unwrap();
    let folder = Folder::new(&files);
    let mut problems = Problems::default();
    let places = find(&folder, &mut problems);
    assert_eq!(places.len(), 1);
    assert!(!problems.any_errors());
    assert_eq!(read(&folder, &places[0], &ImageTable::default(), &mut problems), None);
    assert_eq!(problems.into_list()[0].to_string(), "a/index.json:1: the file is UTF-16; it must be UTF-8");
}

#[test]
fn a_structure_orders_scenarios_and_names_what_is_missing() {
    let scenario = "{\"details\": {}}";
    let (places, problems) = found(&[
        (
            "c/structure.json",
            "{\n\"items\": [\n{\"path\": \"second\"},\n{\"path\": \"gone\"},\n{\"path\": \"first/\"},\n{\"path\": \"../..\"}\n]}",
        ),
        ("c/first/index.json", scenario),
        ("c/second/index.json", scenario),
        ("c/10/index.json", scenario),
        ("c/9/index.json", scenario),
        ("a/index.json", scenario),
    ]);
    assert_eq!(places, ["katacoda a", "katacoda c/second", "katacoda c/first", "katacoda c/9", "katacoda c/10"]);
    assert_eq!(
        problems,
        [
            "c/structure.json:4: there is no lab in c/gone, which the course names",
            "c/structure.json:6: the path \"../..\" leads out of the lab's folder"
        ]
    );
}

#[test]
fn a_pathway_orders_what_lies_in_its_folder() {
    let scenario = "{\"details\": {}}";
    let (places, problems) = found(&[
        (
            "basics-pathway.json",
            "{\"title\": \"Basics\", \"courses\": [{\"course_id\": \"b\"}, {\"external_link\": \"x\"}, {\"course_id\": \"a\"}]}",
        ),
        ("basics/a/index.json", scenario),
        ("basics/b/index.json", scenario),
        ("broken-pathway.json", "{\"courses\": [\n"),
    ]);
    assert_eq!(places, ["katacoda basics/b", "katacoda basics/a"]);
    assert_eq!(problems, ["broken-pathway.json:2: this is not JSON: it ends too early"]);
}

#[test]
fn a_portal_orders_workshops() {
    let (places, problems) = found(&[
        (
            "resources/trainingportal.yaml",
            "spec:\n  workshops:\n  - name: lab-b\n  - name: elsewhere\n  - name: lab-a\n",
        ),
        ("workshops/lab-a/workshop/content/1.md", "x"),
        ("workshops/lab-b/workshop/content/1.md", "x"),
        ("workshops/lab-c/workshop/content/1.md", "x"),
    ]);
    assert_eq!(places, ["educates workshops/lab-b", "educates workshops/lab-a", "educates workshops/lab-c"]);
    assert_eq!(problems, Vec::<String>::new());
}
