//! The flags that describe a container, shared by `run`, `app set` and `explain`.

use crate::flags::{parse_amount, parse_link, parse_pair, parse_port, parse_restart};
use clap::Args;
use pierhead_wire::{ImageDescription, PortDescription, RestartDescription};
use std::collections::BTreeMap;

/// What a container is, beside its image. What is left out has the server's defaults.
#[derive(Debug, Clone, Default, PartialEq, Args)]
#[command(next_help_heading = "Container")]
pub struct DescriptionArgs {
    /// Cores, as a fraction: reserved, and the most that it gets
    #[arg(long, value_name = "CORES", value_parser = parse_amount)]
    pub cpus: Option<f64>,
    /// Memory in MB: reserved, and the most that it gets
    #[arg(long, value_name = "MB", value_parser = parse_amount)]
    pub memory: Option<f64>,
    /// Cores that it may use (0-2,5)
    #[arg(long, value_name = "CORES")]
    pub cpuset: Option<String>,
    /// Port to publish: tcp/HOST_IP:HOST_PORT:CONTAINER_PORT, 8080:80, or 80 for a host port that is free
    #[arg(long = "port", short = 'p', value_name = "PORT", value_parser = parse_port)]
    pub ports: Vec<PortDescription>,
    /// Publish every port that the image exposes
    #[arg(long)]
    pub publish_all: bool,
    /// Label that the host must have; !LABEL: must not have
    #[arg(long = "label", value_name = "LABEL")]
    pub labels: Vec<String>,
    /// How hosts are chosen: service, unique (at most one per host), multi (both) or host (with --label host:ID)
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Environment variable
    #[arg(long = "env", short = 'e', value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub environment: Vec<(String, String)>,
    /// Host name inside
    #[arg(long)]
    pub hostname: Option<String>,
    /// Domain name inside
    #[arg(long)]
    pub domainname: Option<String>,
    /// Replaces the image's entry point; once for each word
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    pub entrypoint: Vec<String>,
    /// Mount: /PATH, NAME:/PATH or /HOST/PATH:/PATH, each with an optional :ro
    #[arg(long = "volume", value_name = "VOLUME")]
    pub volumes: Vec<String>,
    /// Container of the same host to reach by an alias
    #[arg(long = "link", value_name = "CONTAINER[:ALIAS]", value_parser = parse_link)]
    pub links: Vec<(String, String)>,
    /// What happens when it exits: always, no, on-failure or on-failure:N
    #[arg(long, value_name = "POLICY", value_parser = parse_restart)]
    pub restart: Option<RestartDescription>,
    /// Network: bridge, host or none
    #[arg(long, value_name = "MODE")]
    pub network: Option<String>,
    /// Never run two copies at the same time, whatever fails: for what must have one writer
    #[arg(long)]
    pub single_writer: bool,
    /// Text for the container to read; a key may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub user_data: Vec<(String, String)>,
    /// Arguments, after --
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<String>,
}

impl DescriptionArgs {
    /// The description that travels.
    pub(crate) fn describe(&self, image: &str) -> ImageDescription {
        let mut user_data: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in &self.user_data {
            user_data.entry(key.clone()).or_default().push(value.clone());
        }
        ImageDescription {
            name: image.to_owned(),
            cpus: self.cpus,
            cpu_limit: None,
            cpuset: self.cpuset.clone(),
            memory: self.memory,
            entrypoint: self.entrypoint.clone(),
            args: self.args.clone(),
            environment: self.environment.iter().cloned().collect(),
            hostname: self.hostname.clone(),
            domainname: self.domainname.clone(),
            kind: self.kind.clone(),
            labels: self.labels.clone(),
            bind_ports: self.ports.clone(),
            user_data,
            volumes: self.volumes.clone(),
            links: self.links.iter().cloned().collect(),
            restart_policy: self.restart.clone(),
            publish: self.publish_all.then_some(true),
            network_mode: self.network.clone(),
            single_writer: self.single_writer.then_some(true),
        }
    }
}
