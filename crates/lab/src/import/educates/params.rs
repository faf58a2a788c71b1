//! The values that pages of a workshop refer to.

use crate::files::Folder;
use crate::import::node::{Node, read_yaml};
use crate::model::Problems;
use crate::own::is_variable;
use crate::path::LabPath;
use std::collections::BTreeMap;

/// The names that every session gives a value there.
const OF_SESSIONS: [&str; 30] = [
    "assets_repository",
    "cluster_domain",
    "config_password",
    "environment_name",
    "image_repository",
    "ingress_class",
    "ingress_domain",
    "ingress_port",
    "ingress_port_suffix",
    "ingress_protocol",
    "kubernetes_api_url",
    "kubernetes_ca_crt",
    "kubernetes_token",
    "oci_image_cache",
    "pathway_name",
    "platform_arch",
    "policy_engine",
    "policy_name",
    "services_password",
    "session_hostname",
    "session_id",
    "session_name",
    "session_namespace",
    "session_url",
    "ssh_private_key",
    "ssh_public_key",
    "storage_class",
    "training_portal",
    "workshop_name",
    "workshop_namespace",
];

/// The values of a workshop.
#[derive(Debug, Default)]
pub(super) struct Params {
    /// Its own, which have a value.
    pub(super) own: BTreeMap<String, String>,
    /// The ports that have a name of their own, by that name.
    pub(super) ingresses: BTreeMap<String, u16>,
    /// Where files for pages lie, from the root on.
    pub(super) statics: String,
}

/// What a name in a page stands for.
pub(super) enum Param {
    /// A value of the workshop's own.
    Own,
    /// A value that sessions have there, and not here.
    OfSession,
    /// Nothing that is known.
    Unknown,
}

impl Params {
    /// The values that a workshop's files describe.
    pub(super) fn read(folder: &Folder<'_>, place: &LabPath, spec: &Node, problems: &mut Problems) -> Self {
        let mut params = Self { statics: format!("/{}", joined(place, "workshop/static")), ..Self::default() };
        for (name, keys) in [("workshop/config.yaml", &["params"][..]), ("workshop/modules.yaml", &["config", "vars"])]
        {
            let Some(file) = place.resolve(name).ok().filter(|file| folder.has(file)) else { continue };
            let Some(text) = folder.text(&file, (&file, 1), problems) else { continue };
            let Some(config) = read_yaml(&text, &file, 0, problems) else { continue };
            for node in config.at(keys).map_or(&[][..], Node::items) {
                params.define(node, &file, problems);
            }
        }
        for ingress in spec.at(&["session", "ingresses"]).map_or(&[][..], Node::items) {
            if let Some((name, port)) = ingress.text_of("name").zip(ingress.number("port")) {
                params.ingresses.insert(name.to_owned(), port);
            }
        }
        for (name, key) in [("workshop_title", "title"), ("workshop_description", "description")] {
            if let Some(value) = spec.text_of(key) {
                params.own.insert(name.to_owned(), value.to_owned());
            }
        }
        params
    }

    fn define(&mut self, node: &Node, file: &LabPath, problems: &mut Problems) {
        match node.text_of("name") {
            Some(name) if is_variable(name) => {
                self.own.insert(name.to_owned(), node.text_of("value").unwrap_or_default().to_owned());
            }
            name => {
                let name = name.unwrap_or("no name");
                let message =
                    format!("{name:?} can't be the name of a variable: a letter, then letters, digits and underscores");
                problems.error(file, node.line, message);
            }
        }
    }

    /// What a name stands for.
    pub(super) fn kind(&self, name: &str) -> Param {
        if self.own.contains_key(name) {
            Param::Own
        } else if OF_SESSIONS.contains(&name) || name.starts_with("ENV_") {
            Param::OfSession
        } else {
            Param::Unknown
        }
    }
}

fn joined(place: &LabPath, name: &str) -> String {
    if place.as_str().is_empty() { name.to_owned() } else { format!("{}/{name}", place.as_str()) }
}
