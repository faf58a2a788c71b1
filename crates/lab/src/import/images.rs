//! The environments of other platforms, and what they become here.

use crate::model::{ImageTable, LabContainer, LabEnvironment, MappedTo, Problems};
use crate::path::LabPath;
use std::collections::{BTreeMap, BTreeSet};

/// An image of a machine with a Docker engine of its own.
const ENGINE: &str = "docker:28-dind";
/// An image for whatever nobody said more about.
const PLAIN: &str = "ubuntu:24.04";

/// The names that other platforms give to what they run labs in. Those with a Docker engine come first, then others.
const ENGINES: [&str; 10] = [
    "docker",
    "docker-swarm",
    "docker-compose",
    "dind",
    "franela/dind",
    "franela/dind:latest",
    "play-with-docker",
    "kubernetes",
    "minikube",
    "minikube-running",
];
const OTHERS: [(&str, &str); 27] = [
    ("ubuntu", PLAIN),
    ("ubuntu-4GB", PLAIN),
    ("ubuntu:1604", PLAIN),
    ("ubuntu:1804", PLAIN),
    ("ubuntu:2004", "ubuntu:20.04"),
    ("ubuntu2004", "ubuntu:20.04"),
    ("ubuntu:2204", "ubuntu:22.04"),
    ("bash", PLAIN),
    ("alpine", "alpine:3.22"),
    ("text", "alpine:3.22"),
    ("debian", "debian:13"),
    ("centos", "rockylinux:9"),
    ("python", "python:3.13"),
    ("python-3-7", "python:3.13"),
    ("python-3-8", "python:3.13"),
    ("node", "node:22"),
    ("nodejs", "node:22"),
    ("go", "golang:1.24"),
    ("golang", "golang:1.24"),
    ("java", "eclipse-temurin:21"),
    ("java8", "eclipse-temurin:8"),
    ("rust", "rust:1"),
    ("ruby", "ruby:3"),
    ("base-environment", PLAIN),
    ("jdk17-environment", "eclipse-temurin:17"),
    ("jdk21-environment", "eclipse-temurin:21"),
    ("conda-environment", "python:3.13"),
];

impl Default for ImageTable {
    /// The names that are well known.
    fn default() -> Self {
        let image = |image: &str, privileged| MappedTo::Image { image: image.to_owned(), privileged };
        let engines = ENGINES.iter().map(|name| ((*name).to_owned(), image(ENGINE, true)));
        let others = OTHERS.iter().map(|(name, of)| ((*name).to_owned(), image(of, false)));
        Self { images: engines.chain(others).collect(), otherwise: image(PLAIN, false) }
    }
}

/// What a lab of another platform runs in, as far as its document tells.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    /// The names of its machines, in their order.
    pub(super) names: Vec<String>,
    /// The ports that its pages link to, by machine.
    pub(super) ports: BTreeMap<String, BTreeSet<u16>>,
    /// Whether its machines must be privileged whatever their image is.
    pub(super) privileged: bool,
}

impl Hosts {
    /// Machines with these names.
    pub(super) fn named(names: impl IntoIterator<Item = String>) -> Self {
        Self { names: names.into_iter().collect(), ..Self::default() }
    }

    /// That a page links to a port; of the first machine without a name.
    pub(super) fn serves(&mut self, host: Option<&str>, port: u16) {
        if let Some(host) = host.or_else(|| self.names.first().map(String::as_str)) {
            self.ports.entry(host.to_owned()).or_default().insert(port);
        }
    }
}

/// The environment that an image of another platform becomes. One that the table does not have is a problem.
pub(super) fn environment(
    name: &str,
    at: (&LabPath, u32),
    hosts: &Hosts,
    table: &ImageTable,
    problems: &mut Problems,
) -> LabEnvironment {
    let mapped = lookup(name, table).unwrap_or_else(|| {
        let stand_in = match &table.otherwise {
            MappedTo::Environment(name) => format!("the environment {name}"),
            MappedTo::Image { image, .. } => format!("the image {image}"),
        };
        let message = format!("the image {name:?} is not in the table of images; {stand_in} stands in for it");
        problems.error(at.0, at.1, message);
        &table.otherwise
    });
    match mapped {
        MappedTo::Environment(name) => LabEnvironment::Named(name.clone()),
        MappedTo::Image { image, privileged } => LabEnvironment::Containers(
            hosts
                .names
                .iter()
                .map(|name| LabContainer {
                    name: name.clone(),
                    image: image.clone(),
                    ports: hosts.ports.get(name).into_iter().flatten().copied().collect(),
                    privileged: *privileged || hosts.privileged,
                    ..LabContainer::default()
                })
                .collect(),
        ),
    }
}

/// What the table says of a name, with its tag or without.
fn lookup<'a>(name: &str, table: &'a ImageTable) -> Option<&'a MappedTo> {
    let without_tag = name.rsplit_once(':').map_or(name, |(name, _)| name);
    table.images.get(name).or_else(|| table.images.get(without_tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(name: &str, hosts: &Hosts) -> (LabEnvironment, Vec<String>) {
        let mut problems = Problems::default();
        let file = LabPath::parse("index.json").unwrap();
        let environment = environment(name, (&file, 7), hosts, &ImageTable::default(), &mut problems);
        (environment, problems.into_list().iter().map(ToString::to_string).collect())
    }

    fn container(name: &str, image: &str, ports: &[u16], privileged: bool) -> LabContainer {
        let (name, image, ports) = (name.to_owned(), image.to_owned(), ports.to_vec());
        LabContainer { name, image, ports, privileged, ..LabContainer::default() }
    }

    #[test]
    fn known_names_become_images_for_each_host() {
        let mut hosts = Hosts::named(["host01".to_owned(), "host02".to_owned()]);
        hosts.serves(None, 8080);
        hosts.serves(Some("host02"), 443);
        hosts.serves(Some("host02"), 80);
        let both = [container("host01", PLAIN, &[8080], false), container("host02", PLAIN, &[80, 443], false)];
        assert_eq!(mapped("ubuntu", &hosts), (LabEnvironment::Containers(both.to_vec()), Vec::new()));
        let one = Hosts::named(["node1".to_owned()]);
        let engine = LabEnvironment::Containers(vec![container("node1", ENGINE, &[], true)]);
        assert_eq!(mapped("franela/dind", &one), (engine.clone(), Vec::new()));
        assert_eq!(mapped("docker:1.13", &one), (engine, Vec::new()));
    }

    #[test]
    fn an_unknown_name_is_reported_and_something_stands_in() {
        let hosts = Hosts { privileged: true, ..Hosts::named(["a".to_owned()]) };
        let (environment, problems) = mapped("our-own:3", &hosts);
        assert_eq!(environment, LabEnvironment::Containers(vec![container("a", PLAIN, &[], true)]));
        let message = "index.json:7: the image \"our-own:3\" is not in the table of images; the image ubuntu:24.04 stands in for it";
        assert_eq!(problems, [message]);
    }

    #[test]
    fn an_administrator_maps_names_to_environments() {
        let mut table = ImageTable::default();
        table.images.insert("ubuntu".to_owned(), MappedTo::Environment("linux".to_owned()));
        table.otherwise = MappedTo::Environment("anything".to_owned());
        let mut problems = Problems::default();
        let root = LabPath::root();
        let hosts = Hosts::default();
        let named = |name: &str| LabEnvironment::Named(name.to_owned());
        assert_eq!(environment("ubuntu", (&root, 1), &hosts, &table, &mut problems), named("linux"));
        assert!(!problems.any_errors());
        assert_eq!(environment("x", (&root, 1), &hosts, &table, &mut problems), named("anything"));
        assert!(problems.into_list()[0].message.ends_with("the environment anything stands in for it"));
    }

    #[test]
    fn the_table_is_written_as_data() {
        let text = serde_json::to_string(&ImageTable::default()).unwrap();
        assert_eq!(serde_json::from_str::<ImageTable>(&text).unwrap(), ImageTable::default());
        assert!(
            text.contains(r#""alpine":{"image":{"image":"alpine:3.22"}}"#) || text.contains("\"alpine:3.22\""),
            "{text}"
        );
    }
}
