//! Courses: files that say which labs there are, and in which order.

use super::Place;
use super::node::{Node, read_json, read_yaml};
use crate::files::Folder;
use crate::model::{Format, Problems};
use crate::natural;
use crate::path::LabPath;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Killercoda's file with the order of a folder.
const STRUCTURE: &str = "structure.json";
/// What the names of Katacoda's courses end in.
const PATHWAY: &str = "-pathway.json";
/// Educates' description of what a portal offers.
const PORTAL: &str = "trainingportal.yaml";

/// The place of folders and files in the course files that name them.
type Ranks = BTreeMap<LabPath, usize>;

/// Brings labs into the order of the course files, else into that of their paths.
pub(super) fn sort(folder: &Folder<'_>, places: &mut [Place], problems: &mut Problems) {
    let mut ranks = Ranks::new();
    let mut described: Vec<&LabPath> = folder.list().iter().map(|(path, _)| path).collect();
    described.retain(|path| {
        let name = path.name();
        name == STRUCTURE || name.ends_with(PATHWAY) || name == PORTAL
    });
    for file in described {
        for (path, node) in named(folder, file, places, problems) {
            let exists = places.iter().any(|place| place.path.is_in(&path));
            if exists {
                let rank = ranks.len();
                ranks.entry(path).or_insert(rank);
            } else {
                problems.error(file, node.line, format!("there is no lab in {path}, which the course names"));
            }
        }
    }
    places.sort_by(|a, b| compare(&a.path, &b.path, &ranks));
}

/// What a course file names.
fn named(folder: &Folder<'_>, file: &LabPath, places: &[Place], problems: &mut Problems) -> Vec<(LabPath, Node)> {
    let Some(text) = folder.text(file, (file, 1), problems) else { return Vec::new() };
    let here = file.parent();
    if file.name() == PORTAL {
        let Some(portal) = read_yaml(&text, file, 0, problems) else { return Vec::new() };
        let workshops = portal.at(&["spec", "workshops"]).map_or(&[][..], Node::items);
        return workshops.iter().filter_map(|node| of_portal(node, places)).collect();
    }
    let (course, _) = match read_json(&text) {
        Ok(course) => course,
        Err(error) => {
            problems.error(file, error.line, error.message);
            return Vec::new();
        }
    };
    let structure = file.name() == STRUCTURE;
    let (list, key) = if structure { ("items", "path") } else { ("courses", "course_id") };
    // The scenarios of a pathway lie in the folder of its name, or beside it.
    let own = here.resolve(file.name().trim_end_matches(PATHWAY)).unwrap_or_default();
    let base = if !structure && folder.list().iter().any(|(path, _)| path.is_in(&own)) { own } else { here };
    let mut found = Vec::new();
    for node in course.items_of(list) {
        // A course may name other courses and pages elsewhere too.
        let Some(name) = node.get(key).and_then(Node::text) else { continue };
        match base.resolve(name.trim_start_matches('/')) {
            Ok(path) => found.push((path, node.clone())),
            Err(error) => problems.error(file, node.line, error.to_string()),
        }
    }
    found
}

/// The workshop that a portal names, if it is here: portals may offer what lies elsewhere.
fn of_portal(node: &Node, places: &[Place]) -> Option<(LabPath, Node)> {
    let name = node.text_of("name")?;
    let fits = |place: &&Place| place.format == Format::Educates && place.path.name() == name;
    places.iter().find(fits).map(|place| (place.path.clone(), node.clone()))
}

/// Compares two paths part by part: what a course names comes first and in its order, the rest by name.
fn compare(a: &LabPath, b: &LabPath, ranks: &Ranks) -> Ordering {
    let (mut before_a, mut before_b) = (LabPath::root(), LabPath::root());
    let (mut parts_a, mut parts_b) = (a.as_str().split('/'), b.as_str().split('/'));
    loop {
        let (part_a, part_b) = match (parts_a.next(), parts_b.next()) {
            (Some(part_a), Some(part_b)) => (part_a, part_b),
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
        };
        let (Ok(next_a), Ok(next_b)) = (before_a.resolve(part_a), before_b.resolve(part_b)) else { return a.cmp(b) };
        (before_a, before_b) = (next_a, next_b);
        if before_a == before_b {
            continue;
        }
        let rank = |path: &LabPath| ranks.get(path).copied().unwrap_or(usize::MAX);
        return rank(&before_a).cmp(&rank(&before_b)).then_with(|| natural::key(part_a).cmp(&natural::key(part_b)));
    }
}
